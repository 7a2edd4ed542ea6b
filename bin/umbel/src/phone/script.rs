//! What is done in a call that is up: say this, press that, record, and hang up by oneself.
//!
//! A value without clock, socket or file, told what happens in the call's sound.

use std::time::Duration;

use umbel_media::{Clip, Command, Event, Keystroke, PlayId, RecordId, RecordLimits};
use umbel_time::Instant;

/// After the sound has been played.
pub(super) const AFTER_SOUND: Duration = Duration::from_secs(1);
/// After the last key.
pub(super) const AFTER_KEYS: Duration = Duration::from_secs(2);
/// The longest recording: more than the longest call.
const RECORD_MAX: Duration = Duration::from_secs(24 * 3_600);

pub(super) const SOUND: PlayId = PlayId(1);
const RECORDING: RecordId = RecordId(1);

/// What the caller wants done in a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) sound: Option<Clip>,
    /// Say it this long after the answer.
    pub(super) sound_after: Duration,
    pub(super) keys: Vec<Keystroke>,
    pub(super) record: bool,
    /// Hang up this long after the answer.
    pub(super) hang_up_after: Option<Duration>,
    /// Tell how loud it is: a person looks on.
    pub(super) levels: bool,
    /// Give out what is heard: a person listens.
    pub(super) listen: bool,
}

/// A script under way.
#[derive(Clone, Debug)]
pub(super) struct Running {
    playing: bool,
    pressing: bool,
    /// Who only presses keys, and said how long, wants to hear what comes of them.
    listens_on: bool,
    hang_up_at: Option<Instant>,
}

impl Script {
    /// The call is up: what to do at once, and what is left to wait for.
    pub(super) fn begin(&self, now: Instant) -> (Running, Vec<Command>) {
        let mut commands = Vec::new();
        if self.levels {
            commands.push(Command::Levels(true));
        }
        if self.listen {
            commands.push(Command::Listen(true));
        }
        if self.record {
            commands.push(record());
        }
        if let Some(clip) = &self.sound {
            let mut clips = vec![Clip::Silence(self.sound_after), clip.clone()];
            clips.retain(|clip| !clip.duration().is_zero());
            commands.push(Command::Play { id: SOUND, clips, from: Duration::ZERO });
        }
        if !self.keys.is_empty() {
            commands.push(Command::SendDigits(self.keys.clone()));
        }
        let running = Running {
            playing: self.sound.is_some(),
            pressing: !self.keys.is_empty(),
            listens_on: self.sound.is_none() && self.hang_up_after.is_some(),
            hang_up_at: self.hang_up_after.map(|time| now + time),
        };
        (running, commands)
    }

    /// The same in a call that another one has sent us to. Keys were meant for whoever was called, and a PIN may be
    /// among them: they are not pressed again.
    pub(super) fn go_on(&self, now: Instant) -> (Running, Vec<Command>) {
        Script { keys: Vec::new(), ..self.clone() }.begin(now)
    }

    /// How many keys are pressed.
    pub(super) fn key_count(&self) -> usize {
        self.keys.iter().filter(|stroke| matches!(stroke, Keystroke::Press(_))).count()
    }
}

/// Records what is heard from now on.
fn record() -> Command {
    let limits = RecordLimits { max: RECORD_MAX, silence: None, min: Duration::ZERO };
    Command::Record { id: RECORDING, limits }
}

/// Ends the recording and begins another, so that what was heard last is told: of one that goes on, the last piece is
/// told when there is more.
pub(super) fn turn_the_tape() -> [Command; 2] {
    [Command::StopRecording { cut: Duration::ZERO }, record()]
}

impl Running {
    /// Something happened in the call's sound.
    pub(super) fn heard(&mut self, now: Instant, event: &Event) {
        match event {
            Event::PlayEnded { id: SOUND, .. } => {
                self.playing = false;
                self.hang_up_when_done(now, AFTER_SOUND);
            }
            // Others are those that somebody types.
            Event::DigitsSent if self.pressing => {
                self.pressing = false;
                self.hang_up_when_done(now, AFTER_KEYS);
            }
            _ => {}
        }
    }

    /// When to hang up by ourselves.
    pub(super) fn hang_up_at(&self) -> Option<Instant> {
        self.hang_up_at
    }

    fn hang_up_when_done(&mut self, now: Instant, after: Duration) {
        if !self.playing && !self.pressing && !self.listens_on {
            let soon = now + after;
            self.hang_up_at = Some(self.hang_up_at.map_or(soon, |earlier| earlier.min(soon)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::ZERO;

    fn keys() -> Script {
        Script { keys: vec![Keystroke::Press(umbel_media::Digit::POUND)], ..Script::default() }
    }

    fn sound() -> Script {
        Script { sound: Some(Clip::Silence(Duration::from_secs(3))), ..Script::default() }
    }

    fn played(id: PlayId) -> Event {
        Event::PlayEnded { id, position: Duration::from_secs(3), finished: true }
    }

    /// Nobody pays for what nobody sees or hears.
    #[test]
    fn levels_and_sound_are_asked_for_where_a_person_is_there() {
        let (_, commands) = Script { levels: true, listen: true, ..Script::default() }.begin(NOW);
        assert!(matches!(commands.as_slice(), [Command::Levels(true), Command::Listen(true)]));
    }

    #[test]
    fn two_seconds_after_the_last_key_it_hangs_up() {
        let (mut running, commands) = keys().begin(NOW);
        assert!(matches!(commands.as_slice(), [Command::SendDigits(_)]));
        assert_eq!(running.hang_up_at(), None);
        running.heard(NOW, &Event::DigitsSent);
        assert_eq!(running.hang_up_at(), Some(NOW + AFTER_KEYS));
    }

    /// `--keys` with `--for`: whoever presses a key and asks for twenty seconds wants to hear what comes of it.
    #[test]
    fn with_a_time_to_stay_the_keys_do_not_end_the_call() {
        let stay = Duration::from_secs(20);
        let (mut running, _) = Script { hang_up_after: Some(stay), ..keys() }.begin(NOW);
        running.heard(NOW, &Event::DigitsSent);
        assert_eq!(running.hang_up_at(), Some(NOW + stay));
    }

    /// `--play` with `--for`: when all is said there is nothing to wait for.
    #[test]
    fn with_a_time_to_stay_the_sound_still_ends_the_call() {
        let (mut running, _) = Script { hang_up_after: Some(Duration::from_secs(20)), ..sound() }.begin(NOW);
        running.heard(NOW, &played(PlayId(7)));
        assert_eq!(running.hang_up_at(), Some(NOW + Duration::from_secs(20)), "another playing");
        running.heard(NOW, &played(SOUND));
        assert_eq!(running.hang_up_at(), Some(NOW + AFTER_SOUND));
    }

    #[test]
    fn sound_and_keys_are_both_waited_for() {
        let (mut running, commands) =
            Script { record: true, ..Script { keys: keys().keys, ..sound() } }.begin(NOW);
        assert!(matches!(
            commands.as_slice(),
            [Command::Record { .. }, Command::Play { .. }, Command::SendDigits(_)]
        ));
        running.heard(NOW, &Event::DigitsSent);
        assert_eq!(running.hang_up_at(), None, "it is still being said");
        running.heard(NOW, &played(SOUND));
        assert_eq!(running.hang_up_at(), Some(NOW + AFTER_SOUND));
    }

    #[test]
    fn keys_that_a_person_types_end_no_call() {
        let (mut running, _) = Script::default().begin(NOW);
        running.heard(NOW, &Event::DigitsSent);
        assert_eq!(running.hang_up_at(), None);
    }

    /// SEC-42: who sends us on does not get our PIN pressed elsewhere.
    #[test]
    fn keys_are_not_pressed_in_a_call_that_we_were_sent_to() {
        let both = Script { record: true, ..Script { keys: keys().keys, ..sound() } };
        let (running, commands) = both.go_on(NOW);
        assert!(matches!(commands.as_slice(), [Command::Record { .. }, Command::Play { .. }]));
        assert!(!running.pressing);
    }

    #[test]
    fn without_anything_to_do_it_stays_until_the_other_side_hangs_up() {
        let (running, commands) = Script::default().begin(NOW);
        assert!(commands.is_empty());
        assert_eq!(running.hang_up_at(), None);
    }
}
