//! Whole conversations, from the keys of a telephone to what the owner of the call has to do.

use umbel_ivr::call_answering::{Greeting, NoDeposit};
use umbel_ivr::conversation::{Config, PlayId};
use umbel_ivr::keys::TYPED_AHEAD_MAX;
use umbel_ivr::mailbox::{Fetched, GreetingKind, Importance, PinVerdict};
use umbel_ivr::{Access, Clip, Conversation, Event, Input, Key, KeyProfile, Order, RecordingEnding, Sound};

use crate::transcript::{envelope, fetched, id, listed, opened, pin_right, pin_wrong, recorded, waiver};

/// A conversation, with an owner of the call who plays at once and keeps count.
struct Call {
    conversation: Conversation,
    orders: Vec<Order>,
    playing: Option<PlayId>,
}

impl Call {
    fn new((conversation, orders): (Conversation, Vec<Order>)) -> Self {
        let mut call = Call { conversation, orders: Vec::new(), playing: None };
        call.carry_out(orders);
        call
    }

    fn answered(profile: KeyProfile) -> Self {
        let greeting = Greeting::Recorded(GreetingKind::Standard);
        Call::new(Conversation::answer(config(profile), greeting, Importance::Normal))
    }

    fn owner(profile: KeyProfile) -> Self {
        let mut call = Call::new(Conversation::access(config(profile), Access::Waived(waiver())));
        call.told(opened(3, 1));
        call
    }

    /// An owner to whom the first of three messages is being played.
    fn listener(profile: KeyProfile) -> Self {
        let mut call = Call::owner(profile);
        call.keys("1");
        call.told(listed(3));
        call.told(fetched(1));
        call
    }

    fn carry_out(&mut self, orders: Vec<Order>) {
        for order in &orders {
            match order {
                Order::Play(id, sounds) => {
                    assert!(self.playing.is_none(), "two things are played at once");
                    assert!(!sounds.is_empty(), "nothing is played");
                    self.playing = Some(*id);
                }
                Order::StopPlaying => {
                    assert!(self.playing.take().is_some(), "nothing to stop");
                }
                _ => {}
            }
        }
        self.orders = orders;
    }

    fn handle(&mut self, event: Event) -> &[Order] {
        let orders = self.conversation.handle(event);
        self.carry_out(orders);
        &self.orders
    }

    fn told(&mut self, input: Input) -> &[Order] {
        self.handle(Event::Input(input))
    }

    /// Presses keys; the orders of all of them are kept.
    fn keys(&mut self, faces: &str) -> &[Order] {
        let mut all = Vec::new();
        for face in faces.chars() {
            let orders = self.conversation.handle(Event::Key(Key::from_char(face).unwrap()));
            all.extend(orders.clone());
            self.carry_out(orders);
        }
        self.orders = all;
        &self.orders
    }

    /// Everything that is playing is heard.
    fn hears_all(&mut self) -> &[Order] {
        let id = self.playing.take().expect("something is playing");
        self.handle(Event::PlayEnded(id))
    }

    fn time_is_over(&mut self) -> &[Order] {
        self.handle(Event::TimeIsOver)
    }
}

fn config(keys: KeyProfile) -> Config {
    Config { keys, ..Config::default() }
}

/// Orders without the sounds and the silence between them.
fn brief(orders: &[Order]) -> Vec<String> {
    orders
        .iter()
        .map(|order| match order {
            Order::Play(_, sounds) => {
                let names: Vec<_> = sounds
                    .iter()
                    .filter_map(|sound| match sound {
                        Sound::Prompt(prompt) => Some(prompt.0.to_owned()),
                        Sound::Tone => Some("(tone)".to_owned()),
                        Sound::Clip(clip, start) => Some(format!("({clip:?}, {start:?})")),
                        Sound::Gap(_) => None,
                    })
                    .collect();
                format!("Play {}", names.join(" "))
            }
            other => format!("{other:?}")
                .replace(&format!("{:?}", id(1)), "m1")
                .replace(&format!("{:?}", id(2)), "m2"),
        })
        .collect()
}

#[test]
fn a_stranger_leaves_a_message_by_keys() {
    let mut call = Call::answered(KeyProfile::Exchange);
    assert_eq!(brief(&call.orders), ["Play (Greeting(Standard), Beginning)"]);
    assert_eq!(brief(call.hears_all()), ["Play (tone)"]);
    assert_eq!(brief(call.hears_all()), ["Record(Deposit)"]);
    assert_eq!(brief(call.keys("5#")), ["StopRecording"]);
    call.told(recorded(RecordingEnding::Stopped, 4));
    assert_eq!(brief(call.keys("#")), ["StopPlaying", "Ask(SaveDeposit(Normal))"]);
    assert_eq!(brief(call.told(Input::Done)), ["Play deposit-saved goodbye"]);
    assert_eq!(brief(call.hears_all()), ["HangUp"]);
    assert!(!call.conversation.has_ended());
    call.told(Input::HungUp);
    assert!(call.conversation.has_ended());
}

#[test]
fn a_slip_of_the_finger_does_not_cut_the_greeting() {
    let mut call = Call::answered(KeyProfile::Exchange);
    assert_eq!(brief(call.keys("1234567890")), [] as [&str; 0]);
    assert_eq!(brief(call.keys("#")), ["StopPlaying", "Play (tone)"]);
}

/// SEC-88: no key is an order of its own, and what is pressed while recording goes nowhere.
#[test]
fn keys_pressed_while_recording_are_not_kept() {
    let mut call = Call::answered(KeyProfile::Exchange);
    call.keys("#");
    call.hears_all();
    assert_eq!(brief(call.keys("12345")), [] as [&str; 0]);
    call.keys("#");
    call.told(recorded(RecordingEnding::Stopped, 4));
    assert_eq!(brief(call.hears_all()), ["Arm(6s)"], "the review menu waits for a key of its own");
}

/// From any greeting `*` leads to the log-in; the PIN is always asked there (DEC-16).
#[test]
fn star_in_a_greeting_goes_on_with_the_log_in() {
    let mut call = Call::answered(KeyProfile::Asterisk);
    assert_eq!(brief(call.keys("*")), ["StopPlaying", "LoggingIn", "Play enter-pin"]);
    assert_eq!(brief(call.keys("1")), ["StopPlaying", "Arm(4s)"]);
    let asked = brief(call.keys("35790#"));
    assert_eq!(asked.last().unwrap(), "Ask(CheckPin { mailbox: None, pin: **** })");
    assert_eq!(brief(call.told(pin_right())), ["Ask(Open)"]);
}

#[test]
fn a_full_mailbox_can_still_be_logged_in_to() {
    let mut call = Call::new(Conversation::refuse(config(KeyProfile::Exchange), NoDeposit::Full));
    assert_eq!(brief(&call.orders), ["Play mailbox-full"]);
    assert_eq!(brief(call.keys("*")), ["StopPlaying", "LoggingIn", "Play enter-pin"]);
}

#[test]
fn digits_end_with_pound_or_with_silence() {
    for last in ["#", ""] {
        let mut call = Call::new(Conversation::access(config(KeyProfile::Exchange), Access::Pin));
        assert_eq!(brief(call.hears_all()), ["Arm(8s)"]);
        let orders = brief(call.keys("1"));
        assert_eq!(orders, ["Disarm", "Arm(4s)"]);
        call.keys("35790");
        let asked = if last == "#" { brief(call.keys("#")) } else { brief(call.time_is_over()) };
        assert_eq!(asked.last().unwrap(), "Ask(CheckPin { mailbox: None, pin: **** })");
    }
}

#[test]
fn a_caller_who_does_nothing_is_asked_again_and_then_left() {
    let mut call = Call::new(Conversation::access(config(KeyProfile::Exchange), Access::Pin));
    for _ in 0..2 {
        assert_eq!(brief(call.hears_all()), ["Arm(8s)"]);
        assert_eq!(brief(call.time_is_over()), ["Play enter-pin"]);
    }
    call.hears_all();
    assert_eq!(brief(call.time_is_over()), ["Play goodbye"]);
    assert_eq!(brief(call.hears_all()), ["HangUp"]);
}

#[test]
fn practised_fingers_need_not_wait_for_the_store() {
    let mut call = Call::owner(KeyProfile::Exchange);
    // Into the new messages; delete the first, skip the second; all before the list has come.
    assert_eq!(brief(call.keys("17#")), ["StopPlaying", "Ask(List(New))"]);
    assert_eq!(brief(call.told(listed(3))), ["Ask(Fetch(m1))"]);
    assert_eq!(brief(call.told(fetched(1))), ["Ask(Delete(m1))"]);
    assert_eq!(brief(call.told(Input::Done)), ["Ask(Fetch(m2))", "Play deleted"]);
    assert_eq!(brief(call.told(fetched(2))), ["StopPlaying".to_owned(), format!("Ask(Fetch({:?}))", id(3))]);
}

#[test]
fn keys_typed_ahead_have_a_bound() {
    let mut call = Call::owner(KeyProfile::Exchange);
    call.keys("1");
    call.keys(&"9".repeat(TYPED_AHEAD_MAX + 10));
    call.told(listed(200));
    let mut kept = 0;
    loop {
        let orders = brief(call.told(fetched(1)));
        if !orders.last().is_some_and(|last| last.starts_with("Ask(KeepAsNew")) {
            break;
        }
        kept += 1;
        call.told(Input::Done);
    }
    assert_eq!(kept, TYPED_AHEAD_MAX);
}

/// What was typed after a PIN that turned out wrong must not be taken for the next PIN.
#[test]
fn keys_typed_after_a_wrong_pin_are_forgotten() {
    let mut call = Call::new(Conversation::access(config(KeyProfile::Exchange), Access::Pin));
    call.keys("111111#17");
    assert_eq!(brief(call.told(pin_wrong())), ["Play wrong-pin enter-pin"]);
    call.keys("222222#17");
    let locked = brief(call.told(Input::PinChecked(PinVerdict::Locked)));
    assert_eq!(locked, ["Play pin-locked goodbye"]);
}

#[test]
fn controls_leave_the_message_playing() {
    let mut call = Call::listener(KeyProfile::Exchange);
    let seek = |sign| format!("Seek({sign}(5s))");
    assert_eq!(brief(call.keys("133")), [seek("Back"), seek("Forward"), seek("Forward")]);
    assert_eq!(brief(call.keys("648")), ["SetSpeed(Fast)", "SetSpeed(Normal)", "SetVolume(Loud)"]);
    assert_eq!(brief(call.keys("2")), ["Pause", "Arm(60s)"]);
    assert_eq!(brief(call.keys("2")), ["Disarm", "Resume"]);
    assert_eq!(brief(call.keys("21")), ["Pause", "Arm(60s)", "Seek(Back(5s))", "Disarm", "Resume"]);
    assert_eq!(brief(call.hears_all()), ["Ask(MarkHeard(m1))"]);
}

#[test]
fn a_held_message_goes_on_after_a_minute_or_ends_by_another_key() {
    let mut call = Call::listener(KeyProfile::Exchange);
    call.keys("2");
    assert_eq!(brief(call.time_is_over()), ["Resume"]);
    call.keys("2");
    assert_eq!(brief(call.keys("7")), ["StopPlaying", "Disarm", "Ask(Delete(m1))"]);
}

#[test]
fn a_held_message_is_let_go_by_hanging_up() {
    let mut call = Call::listener(KeyProfile::Exchange);
    call.keys("2");
    assert_eq!(brief(call.told(Input::HungUp)), ["StopPlaying", "Disarm"]);
    assert!(call.conversation.has_ended());
}

/// The keys that Asterisk's users have in their fingers.
#[test]
fn the_asterisk_profile_plays_by_its_own_keys() {
    let mut call = Call::listener(KeyProfile::Asterisk);
    assert_eq!(brief(call.keys("#*")), ["Seek(Forward(5s))", "Seek(Back(5s))"]);
    assert_eq!(brief(call.keys("0")), ["Pause", "Arm(60s)"]);
    assert_eq!(brief(call.keys("0")), ["Disarm", "Resume"]);
    assert_eq!(
        brief(call.keys("2")),
        ["StopPlaying", "Play (Message(m1), Beginning)"].map(|s| s.replace("m1", &format!("{:?}", id(1))))
    );
    assert_eq!(brief(call.keys("7")), ["StopPlaying", "Ask(Delete(m1))"]);
    call.told(Input::Done);
    call.told(fetched(2));
    assert_eq!(brief(call.keys("4")), ["StopPlaying", "Ask(Fetch(m1))"]);
    call.told(fetched(1));
    call.hears_all();
    call.told(Input::Done);
    assert_eq!(brief(call.keys("#")), ["StopPlaying", "Play goodbye"]);
}

#[test]
fn a_wrong_key_in_a_menu_is_said_at_once() {
    let mut call = Call::owner(KeyProfile::Exchange);
    let orders = brief(call.keys("9"));
    assert_eq!(orders[0], "StopPlaying");
    assert!(orders[1].starts_with("Play no-such-choice choice/new-messages press digits/1"), "{orders:?}");
}

/// The spoken menu is the table: what it says is what the keys do.
#[test]
fn the_main_menu_is_spoken_with_the_keys_of_the_profile() {
    let spoken = |profile| brief(&Call::owner(profile).orders)[0].clone();
    let exchange = spoken(KeyProfile::Exchange);
    assert!(exchange.contains("choice/old-messages press digits/2"), "{exchange}");
    let asterisk = spoken(KeyProfile::Asterisk);
    assert!(asterisk.contains("choice/options press digits/0"), "{asterisk}");
    assert!(asterisk.contains("choice/exit press digits/pound"), "{asterisk}");
}

/// REL-38, both orders: the failure before and after the caller went on.
#[test]
fn a_clip_that_fails_late_or_early_does_no_harm() {
    let mut call = Call::listener(KeyProfile::Exchange);
    let first = call.playing.unwrap();
    let failed = Event::ClipFailed(first, Clip::Message(id(1)));
    let orders = brief(call.handle(failed.clone()));
    assert_eq!(orders[0], "StopPlaying");
    assert!(orders[1].starts_with("Play cannot-be-read choice/repeat"), "{orders:?}");
    assert_eq!(brief(call.handle(failed)), [] as [&str; 0], "told of twice");
    assert_eq!(brief(call.handle(Event::PlayEnded(first))), [] as [&str; 0], "ended after it was stopped");
}

#[test]
fn a_callers_name_that_cannot_be_read_does_not_cost_the_message() {
    let mut call = Call::owner(KeyProfile::Exchange);
    call.keys("1");
    call.told(listed(1));
    let mut message = envelope(1);
    message.caller = umbel_ivr::mailbox::Caller::Named;
    call.told(Input::Fetched(Fetched::Readable(message)));
    let playing = call.playing.unwrap();
    assert_eq!(brief(call.handle(Event::ClipFailed(playing, Clip::CallerName(id(1))))), [] as [&str; 0]);
    assert_eq!(brief(call.hears_all()), ["Ask(MarkHeard(m1))"]);
}

#[test]
fn a_timer_that_fires_after_the_key_does_no_harm() {
    let mut call = Call::new(Conversation::access(config(KeyProfile::Exchange), Access::Waived(waiver())));
    assert_eq!(brief(call.time_is_over()), [] as [&str; 0]);
    call.told(opened(0, 0));
    call.hears_all();
    call.keys("1");
    assert_eq!(brief(call.time_is_over()), [] as [&str; 0]);
}

/// Hanging up while recording, and everything else a caller may leave open.
#[test]
fn hanging_up_while_recording_keeps_the_message() {
    let mut call = Call::answered(KeyProfile::Exchange);
    call.keys("#");
    call.hears_all();
    assert_eq!(brief(call.told(Input::HungUp)), ["StopRecording"]);
    assert!(!call.conversation.has_ended(), "the recording is still to come");
    assert_eq!(brief(call.told(recorded(RecordingEnding::Stopped, 4))), ["Ask(SaveDeposit(Normal))"]);
    assert!(call.conversation.has_ended());
}

/// The first sound is ordered in the same turn in which the call is answered (DEC-44).
#[test]
fn the_first_sound_is_ordered_at_once() {
    assert!(matches!(Call::answered(KeyProfile::Exchange).orders[..], [Order::Play(..)]));
    let login = Call::new(Conversation::access(config(KeyProfile::Exchange), Access::MailboxAndPin));
    assert!(matches!(login.orders[..], [Order::Play(..)]));
}

#[test]
fn no_order_shows_a_digit() {
    let mut call = Call::new(Conversation::access(config(KeyProfile::Exchange), Access::MailboxAndPin));
    let mut all = format!("{:?}", call.orders);
    all += &format!("{:?}", call.keys("8675309#"));
    all += &format!("{:?}", call.keys("8675309#"));
    // The store is asked; these are kept for later.
    all += &format!("{:?}", call.keys("8675309"));
    all += &format!("{:?}", call.conversation);
    // SEC-88
    assert!(!all.contains("8675309"), "{all}");
}
