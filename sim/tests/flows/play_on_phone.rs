//! Play on Phone ([MS-OCEXUM] 3.2, 3.2.1): from the request to the telephone, each element by its real brain.

use umbel_play_on_phone::{CallState, EventCause, News, PhoneCallId, Played, Request};
use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, UM};
use umbel_sim::{Callee, Place, UnifiedMessaging};
use umbel_store::{MessageId, MessageState};
use umbel_um::Order;

/// Two seconds of a tone that nothing else sounds like.
fn tone() -> Vec<u8> {
    (0..16_000_u32).map(|at| if at % 10 < 5 { 0x10 } else { 0x90 }).collect()
}

/// A company with one unified messaging server, a telephone of alice's, and a message for her.
struct Scene {
    company: Company,
    um: Place<UnifiedMessaging>,
    alice: Place<Callee>,
    message: MessageId,
}

fn scene(alice: Manner) -> Scene {
    let mut company = Company::new(1);
    let um = company.unified_messaging("um", UM);
    let alice = company.telephone("alice", alice);
    let message = company.world[um].leave_message("alice@example.test", 1, &tone());
    company.open();
    Scene { company, um, alice, message }
}

impl Scene {
    fn ask(&mut self, id: u8, played: Played, dial_string: Option<&str>) -> PhoneCallId {
        let id = PhoneCallId::from_bytes([id; 16]);
        let request = Request {
            id,
            owner: "alice@example.test".parse().expect("an address"),
            played,
            dial_string: dial_string.map(str::to_owned),
        };
        self.company.world.order(self.um, Order::PlayOnPhone(Box::new(request)).into());
        id
    }

    fn news(&self, id: PhoneCallId) -> Vec<News> {
        self.company.world[self.um].news_of(id)
    }
}

fn states(news: &[News]) -> Vec<(CallState, EventCause, Option<u16>)> {
    news.iter()
        .filter_map(|news| match news {
            News::Standing(status) => {
                Some((status.state, status.cause, status.response.as_ref().map(|(code, _)| *code)))
            }
            _ => None,
        })
        .collect()
}

/// POP-1, POP-2, POP-8, OCEXUM-3.2-1: it rings, is answered, plays, is marked heard, and ends by our BYE.
#[test]
fn a_message_is_played_on_the_owners_telephone() {
    let mut scene = scene(Manner::answers_after(2));
    let id = scene.ask(1, Played::Message(scene.message), None);
    scene.company.wait(20);
    let news = scene.news(id);
    assert_eq!(news.first(), Some(&News::Placed));
    assert_eq!(
        states(&news),
        [
            (CallState::Alerted, EventCause::None, Some(180)),
            (CallState::Connected, EventCause::None, Some(200)),
            (CallState::Disconnected, EventCause::None, Some(200)),
        ]
    );
    let invites = scene.company.invites("um", "server");
    let [invite] = &invites[..] else { panic!("{} INVITEs", invites.len()) };
    assert_eq!(invite.request_uri().as_str(), "sip:alice@example.test");
    assert_eq!(scene.company.world[scene.alice].talking(), 0);
    let messages = scene.company.world[scene.um].messages("alice@example.test");
    assert_eq!(messages[0].state, MessageState::Old);
    scene.company.wait(60);
    assert!(scene.company.world[scene.um].is_at_rest());
}
