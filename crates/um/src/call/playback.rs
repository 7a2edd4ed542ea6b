//! What a conversation wants heard, turned into what the media session plays.
//!
//! A conversation orders a list of sounds. Prompts are at hand; messages and greetings are fetched from
//! the store first. So a list is played in pieces: runs of prompts, and each recording by itself, which is
//! also what makes "back" and "forward" stay within the recording.

use std::collections::VecDeque;
use std::time::Duration;

use umbel_ivr::conversation::PlayId as OrderId;
use umbel_ivr::{Clip, Event, Language, Sound, StartAt};
use umbel_media::{Command, Message, PlayId, Tone};
use umbel_store::{AudioFormat, StoredAudio};
use umbel_wav::{Encoding, Format};

use crate::config::Prompts;
use crate::greetings::Greetings;

/// Recordings that are kept at hand; the oldest makes room.
const SHELF_MAX: usize = 6;

/// The voice of one call.
#[derive(Debug)]
pub(crate) struct Playback {
    language: Language,
    /// The order that is being carried out.
    order: Option<OrderId>,
    /// What of it is still to be played.
    rest: VecDeque<Sound>,
    playing: Option<Piece>,
    /// A recording that was stopped, until it is known where.
    stopping: Option<Piece>,
    /// Where recordings were stopped.
    stopped_at: Vec<(Clip, Duration)>,
    shelf: VecDeque<(Clip, Shelf)>,
    last_piece: PlayId,
    last_fetch: u64,
}

/// One question for a recording. A recording that was made anew is asked for anew, and what the store says to
/// an older question is not taken for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) clip: Clip,
    number: u64,
}

/// What the media session was last told to play.
#[derive(Clone, Copy, Debug)]
struct Piece {
    id: PlayId,
    /// The recording, where it is one.
    clip: Option<Clip>,
}

/// A recording that is wanted.
#[derive(Clone, Debug)]
enum Shelf {
    /// The store was asked.
    Asked(Fetch),
    /// It is at hand.
    Here(umbel_media::Clip),
    /// It cannot be read.
    Unreadable,
}

/// What comes of going on.
#[derive(Debug)]
pub(crate) enum Step {
    /// For the media session.
    Media(Command),
    /// For the conversation.
    Tell(Event),
    /// The store must be asked for this recording.
    Fetch(Fetch),
}

impl Playback {
    pub(crate) fn new(language: Language) -> Playback {
        Playback {
            language,
            order: None,
            rest: VecDeque::new(),
            playing: None,
            stopping: None,
            stopped_at: Vec::new(),
            shelf: VecDeque::new(),
            last_piece: PlayId(0),
            last_fetch: 0,
        }
    }

    /// Takes an order; what came before has been heard or stopped.
    pub(crate) fn play(&mut self, order: OrderId, sounds: Vec<Sound>) {
        self.order = Some(order);
        self.rest = sounds.into();
    }

    /// Stops, and says whether the media session has anything to stop.
    pub(crate) fn stop(&mut self) -> bool {
        self.order = None;
        self.rest.clear();
        let Some(piece) = self.playing.take() else { return false };
        // Where prompts are stopped is of no interest, and where an earlier recording was still is.
        if piece.clip.is_some() {
            self.stopping = Some(piece);
        }
        true
    }

    /// A piece is over, or was stopped at this place.
    pub(crate) fn ended(&mut self, id: PlayId, position: Duration, finished: bool) {
        if self.playing.is_some_and(|piece| piece.id == id) {
            self.playing = None;
        }
        let stopped = self.stopping.take_if(|piece| piece.id == id);
        if let Some(clip) = stopped.and_then(|piece| piece.clip) {
            self.stopped_at.retain(|(other, _)| *other != clip);
            if !finished {
                self.stopped_at.push((clip, position));
            }
        }
    }

    /// The store answered a question, with a recording or without.
    pub(crate) fn fetched(&mut self, fetch: Fetch, audio: Option<StoredAudio>) {
        let is_awaited = |(clip, shelf): &(Clip, Shelf)| {
            *clip == fetch.clip && matches!(shelf, Shelf::Asked(asked) if *asked == fetch)
        };
        if self.shelf.iter().any(is_awaited) {
            self.put(fetch.clip, audio);
        }
    }

    /// A recording is at hand, or known to be unreadable.
    pub(crate) fn put(&mut self, clip: Clip, audio: Option<StoredAudio>) {
        let here = |audio| Shelf::Here(umbel_media::Clip::Message(message(audio)));
        self.shelve(clip, audio.map_or(Shelf::Unreadable, here));
    }

    /// A greeting is at hand, which others may be hearing, too.
    pub(crate) fn put_greeting(&mut self, clip: Clip, audio: StoredAudio, greetings: &mut Greetings) {
        let greeting = greetings.share(message(audio));
        self.shelve(clip, Shelf::Here(umbel_media::Clip::Greeting(greeting)));
    }

    fn shelve(&mut self, clip: Clip, shelf: Shelf) {
        self.shelf.retain(|(other, _)| *other != clip);
        if self.shelf.len() == SHELF_MAX {
            self.shelf.pop_front();
        }
        self.shelf.push_back((clip, shelf));
    }

    /// A recording has changed: it must be fetched anew.
    pub(crate) fn forget(&mut self, clip: Clip) {
        self.shelf.retain(|(other, _)| *other != clip);
        self.stopped_at.retain(|(other, _)| *other != clip);
    }

    /// The next thing to do, if any; to be asked until there is none.
    pub(crate) fn next(&mut self, prompts: &Prompts) -> Option<Step> {
        let order = self.order?;
        if self.playing.is_some() {
            return None;
        }
        match self.rest.front().copied() {
            None => {
                self.order = None;
                Some(Step::Tell(Event::PlayEnded(order)))
            }
            Some(Sound::Clip(clip, start)) => self.next_clip(order, clip, start),
            Some(Sound::Prompt(_) | Sound::Gap(_) | Sound::Tone) => self.next_run(prompts),
        }
    }

    fn next_clip(&mut self, order: OrderId, clip: Clip, start: StartAt) -> Option<Step> {
        if start == StartAt::WhereStopped && self.stopping.is_some() {
            return None;
        }
        let shelf = self.shelf.iter().find(|(other, _)| *other == clip).map(|(_, shelf)| shelf.clone());
        match shelf {
            None => {
                self.last_fetch += 1;
                let fetch = Fetch { clip, number: self.last_fetch };
                self.shelve(clip, Shelf::Asked(fetch));
                Some(Step::Fetch(fetch))
            }
            Some(Shelf::Asked(_)) => None,
            Some(Shelf::Unreadable) => {
                self.rest.pop_front();
                self.forget(clip);
                Some(Step::Tell(Event::ClipFailed(order, clip)))
            }
            Some(Shelf::Here(sound)) => {
                self.rest.pop_front();
                let from = match start {
                    StartAt::Beginning => Duration::ZERO,
                    StartAt::WhereStopped => self.stopped_at(clip),
                };
                Some(self.begin(Some(clip), vec![sound], from))
            }
        }
    }

    fn next_run(&mut self, prompts: &Prompts) -> Option<Step> {
        let mut clips = Vec::new();
        while let Some(sound) = self.rest.front().copied() {
            match sound {
                Sound::Clip(..) => break,
                Sound::Prompt(prompt) => {
                    clips.extend(prompts.find(self.language, prompt).map(umbel_media::Clip::Prompt));
                }
                Sound::Gap(length) => clips.push(umbel_media::Clip::Silence(length)),
                Sound::Tone => clips.push(umbel_media::Clip::Tone(Tone::BEEP)),
            }
            self.rest.pop_front();
        }
        Some(self.begin(None, clips, Duration::ZERO))
    }

    fn begin(&mut self, clip: Option<Clip>, clips: Vec<umbel_media::Clip>, from: Duration) -> Step {
        self.last_piece = PlayId(self.last_piece.0 + 1);
        self.playing = Some(Piece { id: self.last_piece, clip });
        Step::Media(Command::Play { id: self.last_piece, clips, from })
    }

    fn stopped_at(&self, clip: Clip) -> Duration {
        self.stopped_at.iter().find(|(other, _)| *other == clip).map_or(Duration::ZERO, |(_, at)| *at)
    }
}

/// Stored audio as the media session plays it.
fn message(audio: StoredAudio) -> Message {
    let linear = |rate| Format { encoding: Encoding::Pcm16, rate };
    let format = match audio.format {
        AudioFormat::Pcmu => Format::PCMU,
        AudioFormat::Pcma => Format::PCMA,
        AudioFormat::Pcm16At8k => linear(8_000),
        AudioFormat::Pcm16At16k => linear(16_000),
        AudioFormat::Pcm16At48k => linear(48_000),
    };
    Message { format, data: audio.data }
}

/// How a recording in this format is kept.
pub(crate) fn stored_format(format: Format) -> AudioFormat {
    match (format.encoding, format.rate) {
        (Encoding::Pcmu, _) => AudioFormat::Pcmu,
        (Encoding::Pcma, _) => AudioFormat::Pcma,
        (_, 16_000) => AudioFormat::Pcm16At16k,
        (_, 48_000) => AudioFormat::Pcm16At48k,
        (_, _) => AudioFormat::Pcm16At8k,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use umbel_ivr::Prompt;
    use umbel_store::{GreetingKind, MessageId};

    use super::*;

    const MESSAGE: Clip = Clip::Message(MessageId::from_bytes([1; 16]));
    const GREETING: Clip = Clip::Greeting(GreetingKind::Standard);
    const GAP: Sound = Sound::Gap(Duration::from_millis(100));
    const ORDER: OrderId = OrderId(1);

    fn audio() -> StoredAudio {
        StoredAudio { format: AudioFormat::Pcmu, data: Bytes::from_static(&[0; 8_000]), damaged: false }
    }

    /// What is played next: the number of clips and where they begin.
    fn played(playback: &mut Playback) -> Option<(PlayId, usize, Duration)> {
        match playback.next(&Prompts::default()) {
            Some(Step::Media(Command::Play { id, clips, from })) => Some((id, clips.len(), from)),
            _ => None,
        }
    }

    fn fetch(playback: &mut Playback) -> Fetch {
        match playback.next(&Prompts::default()) {
            Some(Step::Fetch(fetch)) => fetch,
            step => panic!("{step:?}"),
        }
    }

    fn finish(playback: &mut Playback, piece: u64) {
        playback.ended(PlayId(piece), Duration::from_secs(1), true);
    }

    #[test]
    fn prompts_play_together_and_each_recording_by_itself() {
        let mut playback = Playback::new(Language::English);
        playback.put(MESSAGE, Some(audio()));
        let list = vec![GAP, Sound::Tone, Sound::Clip(MESSAGE, StartAt::Beginning), GAP];
        playback.play(ORDER, list);
        assert_eq!(played(&mut playback), Some((PlayId(1), 2, Duration::ZERO)));
        assert!(playback.next(&Prompts::default()).is_none());
        finish(&mut playback, 1);
        assert_eq!(played(&mut playback), Some((PlayId(2), 1, Duration::ZERO)));
        finish(&mut playback, 2);
        assert_eq!(played(&mut playback), Some((PlayId(3), 1, Duration::ZERO)));
        finish(&mut playback, 3);
        assert!(matches!(playback.next(&Prompts::default()), Some(Step::Tell(Event::PlayEnded(ORDER)))));
        assert!(playback.next(&Prompts::default()).is_none());
    }

    /// REL-38: what cannot be read is said, and what follows it is heard.
    #[test]
    fn a_recording_is_fetched_once_and_said_to_fail_when_it_cannot_be_read() {
        let mut playback = Playback::new(Language::English);
        playback.play(ORDER, vec![Sound::Clip(GREETING, StartAt::Beginning), Sound::Tone]);
        let fetch = fetch(&mut playback);
        assert_eq!(fetch.clip, GREETING);
        assert!(playback.next(&Prompts::default()).is_none());
        playback.fetched(fetch, None);
        let failed = playback.next(&Prompts::default());
        assert!(matches!(failed, Some(Step::Tell(Event::ClipFailed(ORDER, GREETING)))), "{failed:?}");
        assert_eq!(played(&mut playback), Some((PlayId(1), 1, Duration::ZERO)));
    }

    #[test]
    fn a_stopped_recording_goes_on_where_it_was() {
        let mut playback = Playback::new(Language::English);
        playback.put(MESSAGE, Some(audio()));
        playback.play(ORDER, vec![Sound::Clip(MESSAGE, StartAt::Beginning)]);
        played(&mut playback);
        assert!(playback.stop());
        assert!(!playback.stop());
        playback.play(OrderId(2), vec![Sound::Clip(MESSAGE, StartAt::WhereStopped)]);
        // It is not known yet where that was.
        assert!(playback.next(&Prompts::default()).is_none());
        playback.ended(PlayId(1), Duration::from_millis(700), false);
        assert_eq!(played(&mut playback), Some((PlayId(2), 1, Duration::from_millis(700))));
        playback.stop();
        playback.ended(PlayId(2), Duration::from_secs(1), true);
        playback.play(OrderId(3), vec![Sound::Clip(MESSAGE, StartAt::WhereStopped)]);
        assert_eq!(played(&mut playback), Some((PlayId(3), 1, Duration::ZERO)));
    }

    /// The store is slow, and the caller has recorded anew in the meantime.
    #[test]
    fn what_comes_late_for_an_older_recording_is_not_played_as_the_new_one() {
        let recording = vec![Sound::Clip(Clip::Recording, StartAt::Beginning)];
        let mut playback = Playback::new(Language::English);
        playback.play(ORDER, recording.clone());
        let older = fetch(&mut playback);
        playback.stop();
        playback.forget(Clip::Recording);
        playback.fetched(older, Some(audio()));
        playback.play(OrderId(2), recording);
        let newer = fetch(&mut playback);
        playback.fetched(older, Some(audio()));
        assert!(playback.next(&Prompts::default()).is_none());
        playback.fetched(newer, Some(audio()));
        assert_eq!(played(&mut playback), Some((PlayId(1), 1, Duration::ZERO)));
    }

    /// Two keys in quick succession: the menu that one began is stopped before it is known where the message was.
    #[test]
    fn the_place_in_a_recording_is_kept_when_what_follows_it_is_stopped_too() {
        let mut playback = Playback::new(Language::English);
        playback.put(MESSAGE, Some(audio()));
        playback.play(ORDER, vec![Sound::Clip(MESSAGE, StartAt::Beginning)]);
        played(&mut playback);
        playback.stop();
        playback.play(OrderId(2), vec![GAP]);
        played(&mut playback);
        playback.stop();
        playback.play(OrderId(3), vec![Sound::Clip(MESSAGE, StartAt::WhereStopped)]);
        assert!(playback.next(&Prompts::default()).is_none());
        playback.ended(PlayId(1), Duration::from_millis(700), false);
        playback.ended(PlayId(2), Duration::ZERO, false);
        assert_eq!(played(&mut playback), Some((PlayId(3), 1, Duration::from_millis(700))));
    }

    #[test]
    fn late_news_of_an_older_piece_ends_nothing() {
        let mut playback = Playback::new(Language::English);
        playback.play(ORDER, vec![GAP]);
        played(&mut playback);
        playback.stop();
        playback.play(OrderId(2), vec![GAP]);
        played(&mut playback);
        finish(&mut playback, 1);
        assert!(playback.next(&Prompts::default()).is_none());
        finish(&mut playback, 2);
        assert!(playback.next(&Prompts::default()).is_some());
    }

    #[test]
    fn a_missing_prompt_is_passed_over_in_silence() {
        let mut playback = Playback::new(Language::English);
        playback.play(ORDER, vec![Sound::Prompt(Prompt("no/such"))]);
        assert_eq!(played(&mut playback), Some((PlayId(1), 0, Duration::ZERO)));
    }
}
