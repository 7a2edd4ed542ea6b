//! Lamps by way of both servers, whatever is started anew, broken or away: REL-40, I6.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use umbel_event_notification::MessageSummary;
use umbel_proxy::MailboxStates;
use umbel_sim::callee::{Do, Manner};
use umbel_sim::company::{DOMAIN, UM, USERS};
use umbel_sim::office::PROXY;
use umbel_sim::unified_messaging::MORNING;
use umbel_sim::{Callee, Company, Place, UnifiedMessaging};
use umbel_sip_message::Method;
use umbel_store::{
    AudioFormat, Begin, Caller, Finish, Importance, Mailboxes, MessageId, MessageState, Purpose, Recordings,
};
use umbel_um::Notified;

/// REL-40: "right within 5 s".
const RIGHT_WITHIN: u64 = 5;

/// A company with one telephone each, and what the lamps show.
struct Lamps {
    company: Company,
    um: Place<UnifiedMessaging>,
    telephones: Vec<Place<Callee>>,
    shown: BTreeMap<String, (u32, u32)>,
    messages: u32,
}

impl Lamps {
    fn new(seed: u64, states: MailboxStates, notified: bool) -> Lamps {
        let mut company = Company::with(seed, |config| config.mailbox_states = states);
        let um = company.unified_messaging_with("um", UM, |config| {
            if notified {
                config.notified =
                    vec![Notified::Server(format!("sip:{PROXY};transport=tls").parse().unwrap())];
            }
        });
        let telephones = USERS.map(|(user, ..)| company.telephone(user, Manner::rings())).to_vec();
        let shown = BTreeMap::new();
        Lamps { company, um, telephones, shown, messages: 0 }
    }

    /// Time passes, and lamps show what telephones were told last.
    fn wait(&mut self, seconds: u64) {
        self.company.world.run_for(Duration::from_secs(seconds));
        for (rung, notify) in self.company.world.ladder().requests(&Method::Notify) {
            if rung.from == "server" && !notify.body().is_empty() {
                let voice = MessageSummary::parse(notify.body()).unwrap().voice.unwrap();
                self.shown.insert(rung.to.clone(), (voice.new, voice.old));
            }
        }
        self.company.world.forget_ladder();
    }

    /// Somebody's mailbox changes: a message comes, or the last one is heard.
    fn change(&mut self, user: &str) {
        self.messages += 1;
        let number = self.messages;
        let address = format!("{user}@{DOMAIN}").parse().unwrap();
        let um = &mut self.company.world[self.um];
        let unheard = um
            .messages(&format!("{user}@{DOMAIN}"))
            .into_iter()
            .find(|message| message.state == MessageState::New);
        if let Some(message) = unheard.filter(|_| number.is_multiple_of(3)) {
            um.store().mark_heard(&address, message.id, true).unwrap();
            return;
        }
        let begin = Begin {
            id: MessageId::from_bytes((u128::from(number) << 64).to_be_bytes()),
            mailbox: address,
            purpose: Purpose::Message {
                caller: Caller::default(),
                subject: String::new(),
                importance: Importance::Normal,
            },
            format: AudioFormat::Pcmu,
            call_id: format!("left-{number}"),
            at: MORNING,
        };
        let finish = Finish { id: begin.id, importance: Importance::Normal, keep: None, at: begin.at };
        um.store().begin(&begin).unwrap();
        um.store().append(begin.id, &[0; 800]).unwrap();
        um.store().finish(&finish).unwrap();
    }

    #[track_caller]
    fn are_right(&mut self) {
        for (user, ..) in USERS {
            let mailbox = self.company.world[self.um].mailbox(&format!("{user}@{DOMAIN}"));
            let held = (mailbox.counts.new, mailbox.counts.old);
            assert_eq!(self.shown.get(user), Some(&held), "{user} after {} changes", self.messages);
        }
    }
}

/// REL-40, I6: a thousand changes; seven in a hundred come with a trouble.
#[test]
fn lamps_are_right_five_seconds_after_each_of_a_thousand_changes() {
    a_thousand_changes(Lamps::new(40, MailboxStates::Subscribed, true));
}

/// The same where the protocol server has nothing but its subscriptions.
#[test]
fn subscriptions_alone_keep_lamps_right_as_well() {
    a_thousand_changes(Lamps::new(42, MailboxStates::Subscribed, false));
}

fn a_thousand_changes(mut lamps: Lamps) {
    lamps.wait(RIGHT_WITHIN);
    lamps.are_right();
    for number in 0..1_000_usize {
        let (user, ..) = USERS[number * 7 % USERS.len()];
        lamps.change(user);
        let (server, um, telephone) =
            (lamps.company.server, lamps.um, lamps.telephones[number % USERS.len()]);
        match number % 100 {
            10 => lamps.company.world.break_flows(server, um),
            30 => lamps.company.restart_server(),
            40 => lamps.company.restart_unified_messaging(um),
            60 => {
                lamps.company.restart_unified_messaging(um);
                lamps.company.restart_server();
            }
            50 => lamps.company.world.break_all_flows(telephone),
            70 => {
                lamps.company.world.order(telephone, Do::Unregister);
                lamps.company.world.order_after(telephone, Duration::from_secs(1), Do::Register);
            }
            90 => {
                // Away for a minute, in which what was known last stays.
                let before = lamps.shown.clone();
                lamps.company.world.unplug(um, true);
                lamps.wait(60);
                assert_eq!(lamps.shown, before);
                lamps.company.world.unplug(um, false);
            }
            _ => {}
        }
        lamps.wait(RIGHT_WITHIN);
        lamps.are_right();
    }
}

/// REL-40: either way alone is enough while nothing breaks.
#[test]
fn asked_alone_or_told_alone_is_enough() {
    for (states, notified) in [(MailboxStates::Subscribed, false), (MailboxStates::Told, true)] {
        let mut lamps = Lamps::new(41, states, notified);
        lamps.wait(RIGHT_WITHIN);
        for number in 0..40_usize {
            lamps.change(USERS[number % USERS.len()].0);
            lamps.wait(RIGHT_WITHIN);
        }
        lamps.are_right();
    }
}
