//! When mails are sent, tried again and given up (REL-41): a machine that is told the time and what came of each
//! try. It sends one mail at a time, earliest first, so that the server sees one connection of ours.

use std::collections::VecDeque;
use std::time::Duration;

use umbel_store::{DueMail, MailKind, MailNumber, MailOutcome, MessageState, Tidings};
use umbel_time::UnixTime;

/// How soon after it was put into the queue a mail is looked for.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the first wait is for a server that could not be reached; each further one is twice as long.
pub const AWAY_FIRST: Duration = Duration::from_secs(5);
/// How long the first wait is of a mail that the server did not take now; each further one is twice as long.
pub const LATER_FIRST: Duration = Duration::from_secs(30);
/// The longest of these waits.
pub const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// A mail that the server has put off for so long has failed (RFC 5321 4.5.4.1: four or five days). The time in
/// which the server could not be reached does not make it fail.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(5 * 24 * 3_600);
/// A PIN that is older is not mailed any more: its owner has asked somebody else by now.
pub const PIN_MAILED_WITHIN: Duration = Duration::from_secs(24 * 3_600);
/// Waits are up to this part longer or shorter, so that many servers do not come at once.
const JITTER_PARTS: u32 = 5;

/// Where the courier stands.
#[derive(Debug)]
pub enum Courier {
    /// Until the time is up.
    Resting {
        /// How often in a row the server could not be reached.
        away: u32,
    },
    /// The store is asked what is due.
    Looking {
        /// As above.
        away: u32,
    },
    /// A mail is on its way to the server.
    Sending {
        /// This one.
        current: Letter,
        /// Those that go next.
        rest: VecDeque<Letter>,
        /// As above.
        away: u32,
    },
}

/// What has to be known of a mail to decide when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its place in the queue.
    pub number: MailNumber,
    /// When it was put there.
    pub queued: UnixTime,
    /// How often the server did not take it.
    pub attempts: u32,
    /// Whether it is sent at all.
    pub fate: Fate,
}

/// Whether a mail that is due is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is.
    Send,
    /// Nobody needs it any more.
    Drop,
    /// It is too late, or it cannot be composed.
    Fail(&'static str),
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The rest is over.
    TimeUp,
    /// Somebody wants the queue to be tried now.
    Poked,
    /// These are due, earliest first.
    Due(Vec<Letter>),
    /// The store did not answer.
    NoAnswer,
    /// The mail on its way came to this.
    Came(Delivery),
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The server has taken it.
    Taken,
    /// The server said no to this mail, for good (a reply of 500 to 599 to recipient or content).
    Refused(String),
    /// The server said no to this mail for now, or the connection broke while it was told.
    PutOff(String),
    /// The server could not be reached, or takes no mail of ours at all.
    Away(String),
}

/// What to do, in order, each before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask the store what is due.
    Look,
    /// Send this mail, and say what came of it.
    Send(MailNumber),
    /// Note this in the store; nothing else is done before it is noted.
    Settle(MailNumber, MailOutcome),
    /// Nothing for so long. The connection need not be kept.
    Rest(Duration),
}

impl Letter {
    /// What the courier has to know of a mail that is due.
    pub fn of(mail: &DueMail, now: UnixTime) -> Letter {
        let fate = match &mail.tidings {
            _ if mail.owner.email.is_none() => Fate::Drop,
            // Whoever deleted it has heard it, or does not want to.
            Tidings::Message(message) if message.state == MessageState::Deleted => Fate::Drop,
            Tidings::NewPin { pin: None, .. } => {
                Fate::Fail("the PIN cannot be read with the key beside the store")
            }
            Tidings::NewPin { at, .. } if *at + PIN_MAILED_WITHIN <= now => {
                Fate::Fail("a PIN is mailed within a day")
            }
            Tidings::Message(_)
            | Tidings::MissedCall(_)
            | Tidings::Greeting(_)
            | Tidings::Secret(_)
            | Tidings::NewPin { .. } => Fate::Send,
        };
        Letter { number: mail.number, queued: mail.queued, attempts: mail.attempts, fate }
    }
}

/// Which sort of mail, for logs and figures.
pub fn kind(tidings: &Tidings) -> MailKind {
    match tidings {
        Tidings::Message(_) => MailKind::Message,
        Tidings::MissedCall(_) => MailKind::MissedCall,
        Tidings::Greeting(_) => MailKind::Greeting,
        Tidings::Secret(_) => MailKind::Secret,
        Tidings::NewPin { .. } => MailKind::NewPin,
    }
}

impl Default for Courier {
    fn default() -> Self {
        Courier::Resting { away: 0 }
    }
}

impl Courier {
    /// What is done next. `chance` is any number, which makes waits differ a little.
    #[must_use]
    pub fn step(self, now: UnixTime, chance: u32, input: Input) -> (Self, Vec<Action>) {
        use Courier::{Looking, Resting, Sending};
        match (self, input) {
            (Resting { away }, Input::TimeUp) => (Looking { away }, vec![Action::Look]),
            (Resting { .. }, Input::Poked) => (Looking { away: 0 }, vec![Action::Look]),
            (Looking { away }, Input::Due(due)) => next(due.into(), Vec::new(), away),
            (Looking { away }, Input::NoAnswer) => rest(Vec::new(), away, jittered(AWAY_FIRST, chance)),
            (Sending { current, rest, .. }, Input::Came(Delivery::Taken)) => {
                next(rest, vec![Action::Settle(current.number, MailOutcome::Sent)], 0)
            }
            (Sending { current, rest, .. }, Input::Came(Delivery::Refused(reason))) => {
                next(rest, vec![Action::Settle(current.number, MailOutcome::Failed { reason })], 0)
            }
            (Sending { current, rest, away }, Input::Came(Delivery::PutOff(reason))) => {
                let outcome = put_off(&current, now, chance, reason);
                next(rest, vec![Action::Settle(current.number, outcome)], away)
            }
            // No mail is to blame: all stay as they are, and the next try begins with the same one.
            (Sending { away, .. }, Input::Came(Delivery::Away(_))) => {
                let away = away.saturating_add(1);
                rest(Vec::new(), away, jittered(doubled(AWAY_FIRST, away - 1), chance))
            }
            // Who pokes while mails are sent anyway, and answers to what was not asked.
            (state, _) => (state, Vec::new()),
        }
    }
}

/// The next letter that is to be sent; those that are not are settled on the way.
fn next(mut letters: VecDeque<Letter>, mut actions: Vec<Action>, away: u32) -> (Courier, Vec<Action>) {
    let had_letters = !letters.is_empty() || !actions.is_empty();
    while let Some(letter) = letters.pop_front() {
        match letter.fate {
            Fate::Send => {
                actions.push(Action::Send(letter.number));
                return (Courier::Sending { current: letter, rest: letters, away }, actions);
            }
            Fate::Drop => actions.push(Action::Settle(letter.number, MailOutcome::Dropped)),
            Fate::Fail(reason) => {
                actions
                    .push(Action::Settle(letter.number, MailOutcome::Failed { reason: reason.to_owned() }));
            }
        }
    }
    if had_letters {
        // There may be more than one answer holds.
        actions.push(Action::Look);
        return (Courier::Looking { away }, actions);
    }
    rest(actions, away, LOOK_EVERY)
}

fn rest(mut actions: Vec<Action>, away: u32, wait: Duration) -> (Courier, Vec<Action>) {
    actions.push(Action::Rest(wait));
    (Courier::Resting { away }, actions)
}

fn put_off(letter: &Letter, now: UnixTime, chance: u32, reason: String) -> MailOutcome {
    if letter.queued + GIVEN_UP_AFTER <= now {
        return MailOutcome::Failed { reason };
    }
    MailOutcome::Later { due: now + jittered(doubled(LATER_FIRST, letter.attempts), chance), reason }
}

/// `first`, doubled so often, up to the longest wait.
fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times.min(20))).min(WAIT_MAX)
}

/// A wait up to a fifth longer or shorter.
fn jittered(wait: Duration, chance: u32) -> Duration {
    let part = wait / JITTER_PARTS;
    // Between minus one and plus one part, in thousandths.
    let thousandths = chance % 2_001;
    wait - part + part * thousandths / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_790_000_000);
    /// The chance that makes a wait neither longer nor shorter.
    const EVEN: u32 = 1_000;

    fn letter(number: u64) -> Letter {
        Letter { number: MailNumber(number), queued: NOW, attempts: 0, fate: Fate::Send }
    }

    fn sending(letters: &[Letter], away: u32) -> Courier {
        let (courier, _) = Courier::Looking { away }.step(NOW, EVEN, Input::Due(letters.to_vec()));
        courier
    }

    fn check(courier: Courier, input: Input, expected: &[Action]) -> Courier {
        let shown = format!("{courier:?} {input:?}");
        let (courier, actions) = courier.step(NOW, EVEN, input);
        assert_eq!(actions, expected, "{shown}");
        courier
    }

    #[test]
    fn mails_go_one_after_the_other_and_each_is_noted_before_the_next() {
        use Action::{Look, Rest, Send, Settle};
        let courier = check(Courier::default(), Input::TimeUp, &[Look]);
        let courier = check(courier, Input::Due(vec![letter(3), letter(4)]), &[Send(MailNumber(3))]);
        let taken = || Input::Came(Delivery::Taken);
        let sent = |number| Settle(MailNumber(number), MailOutcome::Sent);
        let courier = check(courier, taken(), &[sent(3), Send(MailNumber(4))]);
        let courier = check(courier, Input::Poked, &[]);
        let courier = check(courier, taken(), &[sent(4), Look]);
        let courier = check(courier, Input::Due(vec![]), &[Rest(LOOK_EVERY)]);
        check(courier, Input::TimeUp, &[Look]);
    }

    #[test]
    fn what_nobody_needs_is_dropped_and_what_is_too_late_fails() {
        let moot = Letter { fate: Fate::Drop, ..letter(1) };
        let late = Letter { fate: Fate::Fail("too late"), ..letter(2) };
        let failed = MailOutcome::Failed { reason: "too late".into() };
        check(
            Courier::Looking { away: 0 },
            Input::Due(vec![moot, late, letter(3)]),
            &[
                Action::Settle(MailNumber(1), MailOutcome::Dropped),
                Action::Settle(MailNumber(2), failed),
                Action::Send(MailNumber(3)),
            ],
        );
        check(
            Courier::Looking { away: 0 },
            Input::Due(vec![moot]),
            &[Action::Settle(MailNumber(1), MailOutcome::Dropped), Action::Look],
        );
    }

    /// REL-41: while the server is away, nothing happens to any mail.
    #[test]
    fn a_server_that_is_away_is_tried_less_and_less_often_and_no_mail_pays_for_it() {
        let waits = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600];
        for (away, seconds) in (0..).zip(waits) {
            check(
                sending(&[letter(1), letter(2)], away),
                Input::Came(Delivery::Away("refused".into())),
                &[Action::Rest(Duration::from_secs(seconds))],
            );
        }
        let courier = check(Courier::Resting { away: 9 }, Input::Poked, &[Action::Look]);
        assert!(matches!(courier, Courier::Looking { away: 0 }), "who pokes does not wait an hour again");
    }

    #[test]
    fn a_mail_that_is_put_off_comes_back_and_others_do_not_wait_for_it() {
        for (attempts, seconds) in (0..).zip([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]) {
            let due = NOW + Duration::from_secs(seconds);
            let later = MailOutcome::Later { due, reason: "450".into() };
            check(
                sending(&[Letter { attempts, ..letter(1) }, letter(2)], 0),
                Input::Came(Delivery::PutOff("450".into())),
                &[Action::Settle(MailNumber(1), later), Action::Send(MailNumber(2))],
            );
        }
    }

    #[test]
    fn what_is_put_off_for_five_days_has_failed() {
        let day = Duration::from_millis(1);
        for (age, fails) in [(GIVEN_UP_AFTER, true), (GIVEN_UP_AFTER - day, false)] {
            let old = Letter { queued: NOW - age, attempts: 100, ..letter(1) };
            let (_, actions) =
                sending(&[old], 0).step(NOW, EVEN, Input::Came(Delivery::PutOff("450".into())));
            let failed = matches!(actions[0], Action::Settle(_, MailOutcome::Failed { .. }));
            assert_eq!(failed, fails, "{age:?}");
        }
    }

    #[test]
    fn a_refusal_is_for_good_and_others_go_on() {
        let failed = MailOutcome::Failed { reason: "550 no such user".into() };
        check(
            sending(&[letter(1), letter(2)], 3),
            Input::Came(Delivery::Refused("550 no such user".into())),
            &[Action::Settle(MailNumber(1), failed), Action::Send(MailNumber(2))],
        );
    }

    #[test]
    fn waits_differ_by_a_fifth_at_most() {
        let minute = Duration::from_secs(60);
        assert_eq!(jittered(minute, 0), Duration::from_secs(48));
        assert_eq!(jittered(minute, 2_000), Duration::from_secs(72));
        assert_eq!(jittered(minute, u32::MAX).max(Duration::from_secs(72)), Duration::from_secs(72));
        assert_eq!(doubled(AWAY_FIRST, u32::MAX), WAIT_MAX);
    }

    #[test]
    fn a_store_that_does_not_answer_is_asked_again() {
        check(Courier::Looking { away: 2 }, Input::NoAnswer, &[Action::Rest(AWAY_FIRST)]);
    }
}
