//! A call in conversation: what happens is told to the script, what the script orders is carried out.

use std::collections::VecDeque;
use std::time::Duration;

use umbel_ivr::conversation::{Conversation, Event, Order};
use umbel_ivr::{Clip, Input, Key, Request, Seek, Sound};
use umbel_media::Command;
use umbel_sip_message::{HeaderName, StatusCode, Uri};
use umbel_store::{
    CallOutcome, Caller, Importance, MissedCall, MissedCallId, Op, RecordingEnd, Reply, Routing, Ruling,
};

use crate::Alarm;
use crate::call::Question;
use crate::call::mailbox::{Answer, Mailbox, MailboxQuestion};
use crate::call::media::Settled;
use crate::call::playback::{Fetch, Playback, Step};
use crate::call::record::Record;
use crate::call::recordings::{About, Heard, News, Recordings};
use crate::desk::{CallTimer, Desk};

/// What a caller leaves besides sound.
#[derive(Clone, Debug)]
pub(crate) struct Calling {
    pub(crate) caller: Caller,
    pub(crate) subject: String,
    pub(crate) importance: Importance,
}

/// How keys reach us in this call. Telephones that send them in two ways send each of them twice, so the
/// way that brought the first one is the only one listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyWay {
    /// RFC 4733.
    TelephoneEvent,
    /// RFC 6086.
    Info,
}

/// A conversation and all that it uses.
#[derive(Debug)]
pub(crate) struct Talk {
    conversation: Conversation,
    /// Happenings that are still to be told.
    events: VecDeque<Event>,
    playback: Playback,
    mailbox: Mailbox,
    recordings: Recordings,
    calling: Calling,
    format: umbel_wav::Format,
    key_way: Option<KeyWay>,
    /// The conversation's timer while the peer has put us on hold (PEER-15).
    held: Option<Option<Duration>>,
    /// The caller is gone, or is treated so.
    hung_up: bool,
    /// That was because we are about to stop.
    stopping: bool,
    /// The owner of the mailbox is told of the call.
    missed: bool,
    /// The caller is being sent on.
    transferring: bool,
}

/// Whether a call does anything about this. What nobody heeds need not wake the loop.
pub fn heeds(event: &umbel_media::Event) -> bool {
    use umbel_media::Event;
    match event {
        Event::Digit(_)
        | Event::PlayEnded { .. }
        | Event::Recorded { .. }
        | Event::RecordingEnded { .. }
        | Event::RtpLost => true,
        // Levels and live sound are for telephones, and never ordered here.
        Event::PlayStarted { .. }
        | Event::Levels { .. }
        | Event::Heard { .. }
        | Event::FirstPacketReceived
        | Event::DigitsSent => false,
    }
}

/// XFER-1: "BYE after a final sipfrag or 32 s"; here the caller is told, and stays.
const TRANSFER_PATIENCE: Duration = Duration::from_secs(32);

impl Talk {
    pub(crate) fn new(
        conversation: Conversation,
        mailbox: Mailbox,
        calling: Calling,
        format: umbel_wav::Format,
        desk: &Desk<'_>,
    ) -> Talk {
        Talk {
            conversation,
            events: VecDeque::new(),
            playback: Playback::new(desk.config.conversation.language),
            mailbox,
            recordings: Recordings::default(),
            calling,
            format,
            key_way: None,
            held: None,
            hung_up: false,
            stopping: false,
            missed: false,
            transferring: false,
        }
    }

    /// Begins to speak and listen, with the first orders of the conversation.
    pub(crate) fn begin(&mut self, orders: Vec<Order>, record: &mut Record, desk: &mut Desk<'_>) {
        self.carry_out(orders, record, desk);
        self.go_on(record, desk);
    }

    /// What the caller is greeted with, which was fetched before the conversation began.
    pub(crate) fn greet(&mut self, clip: Clip, audio: umbel_store::StoredAudio, desk: &mut Desk<'_>) {
        self.playback.put_greeting(clip, audio, &mut desk.tray.greetings);
    }

    /// Whether all is said and all that was recorded is settled.
    pub(crate) fn is_over(&self) -> bool {
        self.hung_up && self.conversation.has_ended() && self.recordings.are_settled()
    }

    /// A key was pressed.
    pub(crate) fn key(&mut self, key: Key, way: KeyWay, record: &mut Record, desk: &mut Desk<'_>) {
        if *self.key_way.get_or_insert(way) == way && !self.hung_up {
            self.tell(Event::Key(key), record, desk);
        }
    }

    /// The media session told something.
    pub(crate) fn media(&mut self, event: umbel_media::Event, record: &mut Record, desk: &mut Desk<'_>) {
        match event {
            umbel_media::Event::Digit(digit) => {
                if let Some(key) = Key::from_char(digit.as_char()) {
                    self.key(key, KeyWay::TelephoneEvent, record, desk);
                }
            }
            umbel_media::Event::PlayEnded { id, position, finished } => {
                self.playback.ended(id, position, finished);
                self.go_on(record, desk);
            }
            umbel_media::Event::Recorded { id, chunk } => self.recordings.heard(id, chunk, desk),
            umbel_media::Event::RecordingEnded { id, end, duration, speech, trailing_silence, .. } => {
                let heard = Heard { end, duration, speech, trailing_silence };
                if let Some(recorded) = self.recordings.ended(id, &heard, desk) {
                    record.decide(
                        Ruling::Recording(self.why(end)),
                        format!(
                            "{:.1} seconds were recorded, {:.1} of them not silent",
                            duration.as_secs_f64(),
                            speech.as_secs_f64()
                        ),
                        desk,
                    );
                    self.tell(Event::Input(Input::Recorded(recorded)), record, desk);
                }
            }
            // Not heeded, or a matter of the whole call.
            umbel_media::Event::PlayStarted { .. }
            | umbel_media::Event::Levels { .. }
            | umbel_media::Event::Heard { .. }
            | umbel_media::Event::FirstPacketReceived
            | umbel_media::Event::DigitsSent
            | umbel_media::Event::RtpLost => {}
        }
    }

    fn why(&self, end: umbel_media::RecordingEnd) -> RecordingEnd {
        match end {
            umbel_media::RecordingEnd::Silence => RecordingEnd::Silence,
            umbel_media::RecordingEnd::Limit | umbel_media::RecordingEnd::Overrun => RecordingEnd::Limit,
            umbel_media::RecordingEnd::Lost => RecordingEnd::MediaLost,
            umbel_media::RecordingEnd::Stopped | umbel_media::RecordingEnd::Closed if self.stopping => {
                RecordingEnd::Stopping
            }
            umbel_media::RecordingEnd::Stopped | umbel_media::RecordingEnd::Closed if self.hung_up => {
                RecordingEnd::HungUp
            }
            umbel_media::RecordingEnd::Stopped | umbel_media::RecordingEnd::Closed => RecordingEnd::Key,
        }
    }

    /// The store replied to a question of the conversation.
    pub(crate) fn mailbox_replied(
        &mut self,
        question: MailboxQuestion,
        reply: Reply,
        record: &mut Record,
        desk: &mut Desk<'_>,
    ) {
        let Answer { input, shelf, opened } = self.mailbox.replied(question, reply, desk);
        for (clip, audio) in shelf {
            self.playback.put(clip, audio);
        }
        if opened {
            record.set_outcome(CallOutcome::MailboxOpened);
        }
        if let Some(input) = input {
            self.tell(Event::Input(input), record, desk);
        }
    }

    /// The store gave a recording that is to be heard, in answer to this question.
    pub(crate) fn clip_came(&mut self, fetch: Fetch, reply: Reply, record: &mut Record, desk: &mut Desk<'_>) {
        let audio = match reply {
            Reply::Audio(audio) => Some(audio),
            Reply::Greeting(greeting) => greeting,
            _ => None,
        };
        self.playback.fetched(fetch, audio);
        self.go_on(record, desk);
    }

    /// The store said something about a recording of this call.
    pub(crate) fn deposit_replied(
        &mut self,
        id: umbel_store::MessageId,
        reply: Reply,
        record: &mut Record,
        desk: &mut Desk<'_>,
    ) {
        let News { input, message_saved, message_missed, lost } = self.recordings.replied(id, reply, desk);
        if message_saved {
            record.set_outcome(CallOutcome::MessageLeft);
        }
        if message_missed {
            self.note_missed_call(record, desk);
        }
        if lost {
            desk.alarm(Alarm::RecordingNotSaved { call_id: record.call_id().to_owned() });
        }
        if let Some(input) = input {
            self.tell(Event::Input(input), record, desk);
        }
    }

    /// The peer tells what came of sending it on (XFER-1).
    pub(crate) fn referring(
        &mut self,
        status: StatusCode,
        last: bool,
        record: &mut Record,
        desk: &mut Desk<'_>,
    ) {
        if last {
            self.transferred(status.is_success(), record, desk);
        }
    }

    /// Sending the caller on is over; told once.
    fn transferred(&mut self, succeeded: bool, record: &mut Record, desk: &mut Desk<'_>) {
        if std::mem::take(&mut self.transferring) {
            desk.disarm(CallTimer::Transfer);
            let input = if succeeded { Input::Done } else { Input::Failed };
            self.tell(Event::Input(input), record, desk);
        }
    }

    /// Sends the caller on to who left a message (XFER-1, XFER-5): the rules were asked before.
    fn call_sender(
        &mut self,
        id: umbel_store::MessageId,
        record: &Record,
        desk: &mut Desk<'_>,
    ) -> Option<Input> {
        let Some((to, owner)) = self.mailbox.sender(id).zip(self.mailbox.address()) else {
            return Some(Input::Failed);
        };
        let by = Uri::sip(owner.user(), owner.domain()).map(|by| (HeaderName::ReferredBy, format!("<{by}>")));
        let rule =
            "the owner asked to call back who left a message, and the dialling rules allow it (SEC-90)";
        record.decide(Ruling::Routing(Routing::Sent(to.to_string())), rule, desk);
        let (call, to, headers) = (desk.call, to.clone(), by.into_iter().collect());
        desk.command(umbel_ua::Command::Refer { call, to, headers });
        desk.arm(CallTimer::Transfer, TRANSFER_PATIENCE);
        self.transferring = true;
        None
    }

    /// A timer fired.
    pub(crate) fn timer(&mut self, timer: CallTimer, record: &mut Record, desk: &mut Desk<'_>) {
        match timer {
            CallTimer::Conversation => self.tell(Event::TimeIsOver, record, desk),
            CallTimer::RecordingEnd => {
                if let Some(recorded) = self.recordings.end_is_overdue() {
                    self.tell(Event::Input(Input::Recorded(recorded)), record, desk);
                }
            }
            CallTimer::Saving => {
                if let Some(input) = self.recordings.saving_is_overdue() {
                    self.tell(Event::Input(input), record, desk);
                }
            }
            CallTimer::Retry(id) => self.recordings.retry(id, desk),
            CallTimer::Transfer => self.transferred(false, record, desk),
            CallTimer::Preparation
            | CallTimer::Reply(_)
            | CallTimer::CallMax
            | CallTimer::Ringing
            | CallTimer::OnHold => {}
        }
    }

    /// The peer put us on hold, or took us off it: the conversation's time stands still in between.
    pub(crate) fn hold(&mut self, held: bool, desk: &mut Desk<'_>) {
        match (held, self.held) {
            (true, None) => {
                self.held = Some(desk.remaining(CallTimer::Conversation));
                desk.disarm(CallTimer::Conversation);
            }
            (false, Some(remaining)) => {
                self.held = None;
                if let Some(remaining) = remaining {
                    desk.arm(CallTimer::Conversation, remaining);
                }
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// A new negotiation within the call: what is recorded from now on is in the format of its codec.
    pub(crate) fn renegotiated(&mut self, settled: Settled, desk: &mut Desk<'_>) {
        self.hold(settled.held, desk);
        if !settled.held {
            desk.disarm(CallTimer::OnHold);
        }
        self.format = settled.format;
    }

    /// The caller is gone, or is treated so.
    pub(crate) fn hang_up(&mut self, record: &mut Record, desk: &mut Desk<'_>) {
        if !std::mem::replace(&mut self.hung_up, true) {
            desk.disarm(CallTimer::Conversation);
            self.tell(Event::Input(Input::HungUp), record, desk);
        }
    }

    /// REL-25: the conversation broke, and is not told any more. What was recorded so far is kept; if nothing
    /// was, the owner of the mailbox is told of the call (MISS-1).
    pub(crate) fn fail(&mut self, record: &Record, desk: &mut Desk<'_>) {
        self.hung_up = true;
        self.events.clear();
        self.conversation.give_up();
        self.playback.stop();
        desk.disarm(CallTimer::Conversation);
        self.recordings.stop(false, desk);
        self.wind_up(record, desk);
        if record.awaits_message() && self.recordings.are_settled() {
            self.note_missed_call(record, desk);
        }
    }

    /// As [`Talk::hang_up`], because we are about to stop.
    pub(crate) fn stop(&mut self, record: &mut Record, desk: &mut Desk<'_>) {
        self.stopping = true;
        self.hang_up(record, desk);
    }

    fn wind_up(&mut self, record: &Record, desk: &mut Desk<'_>) {
        if self.hung_up && self.conversation.has_ended() && self.recordings.wind_up(desk) {
            self.note_missed_call(record, desk);
        }
    }

    fn tell(&mut self, event: Event, record: &mut Record, desk: &mut Desk<'_>) {
        self.events.push_back(event);
        self.tell_all(record, desk);
    }

    /// Tells the conversation what is still to be told, and what comes of that, in the order in which it happened.
    fn tell_all(&mut self, record: &mut Record, desk: &mut Desk<'_>) {
        while let Some(event) = self.events.pop_front() {
            let orders = self.conversation.handle(event);
            self.carry_out(orders, record, desk);
        }
        self.wind_up(record, desk);
    }

    fn carry_out(&mut self, orders: Vec<Order>, record: &mut Record, desk: &mut Desk<'_>) {
        for order in orders {
            self.perform(order, record, desk);
        }
        self.go_on_playing(desk);
    }

    /// Plays on, and tells the conversation what came of it.
    fn go_on(&mut self, record: &mut Record, desk: &mut Desk<'_>) {
        self.go_on_playing(desk);
        self.tell_all(record, desk);
    }

    fn go_on_playing(&mut self, desk: &mut Desk<'_>) {
        while let Some(step) = self.playback.next(&desk.config.prompts) {
            match step {
                Step::Media(command) => desk.media(command),
                Step::Tell(event) => self.events.push_back(event),
                Step::Fetch(fetch) => self.fetch(fetch, desk),
            }
        }
    }

    fn fetch(&mut self, fetch: Fetch, desk: &mut Desk<'_>) {
        let mailbox = self.mailbox.address().cloned();
        let op = match (fetch.clip, mailbox) {
            (Clip::Greeting(kind), Some(mailbox)) => Op::FetchGreeting { mailbox, kind },
            (Clip::Message(id), Some(mailbox)) if self.mailbox.is_open() => Op::FetchMessage { mailbox, id },
            (Clip::Recording, _) => match self.recordings.current() {
                Some(id) => Op::FetchRecording(id),
                None => return self.playback.fetched(fetch, None),
            },
            // A caller's name comes with the envelope, or not at all.
            (Clip::Greeting(_) | Clip::Message(_) | Clip::CallerName(_), _) => {
                return self.playback.fetched(fetch, None);
            }
        };
        desk.ask(Question::Clip(fetch), op);
    }

    fn perform(&mut self, order: Order, record: &mut Record, desk: &mut Desk<'_>) {
        match order {
            Order::Play(id, sounds) => {
                let is_played =
                    |sound: &Sound| matches!(sound, Sound::Clip(Clip::Message(_) | Clip::Greeting(_), _));
                if record.is_play_on_phone() && sounds.iter().any(is_played) {
                    record.set_outcome(CallOutcome::Played);
                }
                self.playback.play(id, sounds);
            }
            Order::StopPlaying => {
                if self.playback.stop() {
                    desk.media(Command::Stop);
                }
            }
            Order::Pause => desk.media(Command::Pause),
            Order::Resume => desk.media(Command::Resume),
            Order::Seek(seek) => desk.media(Command::Seek { by_millis: millis(seek) }),
            Order::SetSpeed(speed) => desk.media(Command::Speed { percent: speed.percent() }),
            Order::SetVolume(volume) => desk.media(Command::Volume { decibels: volume.decibels() }),
            Order::Arm(patience) => match &mut self.held {
                Some(remaining) => *remaining = Some(patience),
                None => desk.arm(CallTimer::Conversation, patience),
            },
            Order::Disarm => {
                if let Some(remaining) = &mut self.held {
                    *remaining = None;
                }
                desk.disarm(CallTimer::Conversation);
            }
            Order::Record(purpose) => self.begin_recording(purpose, record, desk),
            Order::StopRecording if self.recordings.is_running() => {
                self.recordings.stop(self.key_way == Some(KeyWay::Info), desk);
            }
            // The caller hung up before the tone was over.
            Order::StopRecording => self.events.push_back(Event::Input(Input::Failed)),
            Order::Ask(request) => self.ask(request, record, desk),
            // DEC-16: "none becomes prompted when * leads to the log-in".
            Order::LoggingIn => record.log_in("the caller pressed * in a greeting, to log in", desk),
            Order::HangUp => desk.command(umbel_ua::Command::HangUp { call: desk.call }),
        }
    }

    fn begin_recording(&mut self, purpose: umbel_ivr::Purpose, record: &mut Record, desk: &mut Desk<'_>) {
        let Some(mailbox) = self.mailbox.address().cloned() else {
            self.events.push_back(Event::Input(Input::Failed));
            return;
        };
        let kept_as = match purpose {
            umbel_ivr::Purpose::Deposit => umbel_store::Purpose::Message {
                caller: self.calling.caller.clone(),
                subject: self.calling.subject.clone(),
                importance: self.calling.importance,
            },
            umbel_ivr::Purpose::Greeting(kind) => {
                umbel_store::Purpose::Greeting { kind, author: self.mailbox.author() }
            }
        };
        self.playback.forget(Clip::Recording);
        let about = About { mailbox, call_id: record.call_id().to_owned(), answered: record.started() };
        self.recordings.begin(purpose, kept_as, self.format, &about, desk);
    }

    fn ask(&mut self, request: Request, record: &mut Record, desk: &mut Desk<'_>) {
        let answer = match request {
            Request::SaveDeposit(importance) => {
                let answer = self.recordings.save(importance, desk);
                if answer.is_some() {
                    self.note_missed_call(record, desk);
                }
                answer
            }
            Request::SaveGreeting(kind) => {
                self.playback.forget(Clip::Greeting(kind));
                self.recordings.save(Importance::Normal, desk)
            }
            Request::DropRecording => {
                self.playback.forget(Clip::Recording);
                if self.recordings.drop_current(desk) {
                    record.decide(
                        Ruling::Recording(RecordingEnd::Discarded),
                        "the caller gave it up, or it was too short to be a message",
                        desk,
                    );
                }
                None
            }
            Request::NoteMissedCall => {
                self.note_missed_call(record, desk);
                None
            }
            Request::CallSender(id) => self.call_sender(id, record, desk),
            request => self.mailbox.ask(request, desk),
        };
        self.events.extend(answer.map(Event::Input));
    }

    /// MISS-1. Once in a call.
    fn note_missed_call(&mut self, record: &Record, desk: &mut Desk<'_>) {
        if std::mem::replace(&mut self.missed, true) {
            return;
        }
        let Some(mailbox) = self.mailbox.address().cloned() else { return };
        desk.note(Op::NoteMissedCall(Box::new(MissedCall {
            id: MissedCallId(0),
            mailbox,
            caller: self.calling.caller.clone(),
            subject: self.calling.subject.clone(),
            at: record.started(),
            call_id: record.call_id().to_owned(),
        })));
    }
}

fn millis(seek: Seek) -> i64 {
    let whole = |length: Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    match seek {
        Seek::Back(length) => -whole(length),
        Seek::Forward(length) => whole(length),
    }
}
