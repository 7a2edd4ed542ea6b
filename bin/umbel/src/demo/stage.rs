//! The stage of the tour: the servers' addresses, the telephones on it, and what a step may wait for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use umbel_media::{Clip, Command, Digit, Event as Sound, Keystroke, Message, PlayId};
use umbel_net::{Clock, Listener};
use umbel_node::Transport;
use umbel_phone::{
    Answered, CallKey, Kind, MessageSummary, MessageWaiting, News, Order, Progress, Registration,
};
use umbel_sip_message::Uri;
use umbel_store::{Address, Decision, Password, PinOutcome, Ruling};
use umbel_wav::{Encoding, Format, Limits};

use super::hearing::{has_beep, heard, heard_last, line};
use super::premises::Premises;
use crate::admin::Admin;
use crate::cli::{PhoneOptions, SecretsFromFiles};
use crate::exit::{Exit, Failure};
use crate::phone::{Duty, Handset, Told, Want};
use crate::tap::Wires;

/// How long anything may take that takes a moment; a loaded machine gets it as well.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How often the store is asked for what is being written.
const ASKED_EVERY: Duration = Duration::from_millis(50);
/// How often what was heard last is asked for.
const HEARD_EVERY: Duration = Duration::from_millis(300);
/// So many seconds of what was heard are looked through for a sentence; each is shorter by half.
const LOOKED_AT: u32 = 8;
/// What bob says.
const SPEECH: &[u8] = include_bytes!("bob.wav");
const PLAYING: PlayId = PlayId(1);

/// Everything a step needs.
pub(super) struct Stage<'a> {
    pub(super) premises: &'a Premises,
    pub(super) admin: Admin,
    pub(super) clock: Clock,
    pub(super) wires: Wires,
    /// The protocol server's listeners, and the unified messaging server's.
    pub(super) listeners: [Vec<Listener>; 2],
    /// Where the web service is.
    pub(super) web: String,
    pub(super) alices_password: Password,
    pub(super) alice: Line,
    pub(super) bob: Line,
}

/// A user with a telephone.
pub(super) struct Line {
    pub(super) address: Address,
    pub(super) handset: Handset,
}

impl Line {
    pub(super) fn uri(&self) -> Uri {
        uri(&self.address)
    }

    /// Withdraws the registration, and waits until that is done.
    pub(super) async fn put_down(self) -> Result<(), Failure> {
        self.handset.put_down().await
    }
}

/// The address as a URI.
pub(super) fn uri(address: &Address) -> Uri {
    format!("sip:{address}").parse().expect("an address is a URI without its scheme")
}

/// Something that was waited for in vain.
pub(super) fn in_vain(what: &str) -> Failure {
    Failure::new(Exit::Failed, "in-vain", format!("waited {} s in vain for {what}", PATIENCE.as_secs()))
}

/// What somebody said, as a line carries it.
pub(super) fn speech() -> Vec<i16> {
    line(SPEECH)
}

/// Where a server listens by this transport.
pub(super) fn listening(listeners: &[Listener], transport: Transport) -> Result<SocketAddr, Failure> {
    let listener = listeners.iter().find(|listener| listener.transport == transport);
    listener.map(|listener| listener.address).ok_or_else(|| {
        Failure::new(Exit::Failed, "internal", format!("no server listens on {}", transport.via_token()))
    })
}

/// What a telephone of this user is started with.
pub(super) fn telephone(address: &Address, transport: Transport, at: SocketAddr) -> PhoneOptions {
    PhoneOptions {
        address: address.to_string(),
        realm: None,
        name: None,
        srtp: None,
        server: format!("{}:{at}", transport.uri_parameter()),
        authority: None,
        certificate: None,
        private_key: None,
        record: None,
        audio: None,
        play: None,
        play_after: None,
        keys: None,
        for_time: None,
        no_transfer: true,
        secrets: SecretsFromFiles::default(),
    }
}

/// A user's own telephone, registered with the protocol server by password and over TLS.
pub(super) async fn registered(
    name: &'static str,
    address: &Address,
    premises: &Premises,
    server: SocketAddr,
    clock: Clock,
    wires: &Wires,
) -> Result<Line, Failure> {
    let mut options = telephone(address, Transport::Tls, server);
    options.authority = Some(premises.authority());
    options.secrets.password_file = Some(premises.password_file(address.user()));
    let handset = Handset::pick_up(name, &options, Duty::Registered, clock, wires)?;
    let mut line = Line { address: address.clone(), handset };
    let registered = line.handset.until(0, PATIENCE, |told| {
        let is = |news: &News| {
            let change = match news {
                News::Registration { change, .. } => change,
                _ => return false,
            };
            matches!(change, Registration::Registered { authenticated: true, .. })
        };
        told.iter().any(|(_, news)| is(news)).then_some(())
    });
    registered.await?.ok_or_else(|| in_vain("a registration"))?;
    Ok(line)
}

/// Where a stranger's certificate is.
pub(super) struct Certificate {
    pub(super) certificate: PathBuf,
    pub(super) private_key: PathBuf,
}

impl Line {
    /// How much the telephone has told.
    pub(super) fn mark(&mut self) -> usize {
        self.handset.mark()
    }

    pub(super) async fn order(&self, order: Order) {
        self.handset.want(Want::Order(order)).await;
    }

    /// Waits for something of a call, and gives it with the call's name.
    async fn of_a_call<T>(
        &mut self,
        mark: usize,
        what: &str,
        mut look: impl FnMut(&Progress) -> Option<T>,
    ) -> Result<(CallKey, String, T), Failure> {
        let found = self.handset.until(mark, PATIENCE, |told| {
            told.iter().find_map(|(_, news)| match news {
                News::Call { call, call_id, change } => Some((*call, call_id.clone(), look(change)?)),
                _ => None,
            })
        });
        found.await?.ok_or_else(|| in_vain(what))
    }

    /// Waits until a call comes in: its name, and whether it is shown as playback of voice mail.
    pub(super) async fn rings(&mut self, mark: usize) -> Result<(CallKey, bool), Failure> {
        let kind = |change: &Progress| match change {
            Progress::Invited(incoming) => Some(incoming.kind == Kind::PlayOnPhone),
            _ => None,
        };
        let (call, _, is_playback) = self.of_a_call(mark, "a telephone to ring", kind).await?;
        Ok((call, is_playback))
    }

    /// Waits until a call is up and something is heard in it: its name, its Call-ID, how it was answered.
    pub(super) async fn is_up(&mut self, mark: usize) -> Result<(CallKey, String, Answered), Failure> {
        let answered = |change: &Progress| match change {
            Progress::Answered(answered) => Some(answered.clone()),
            _ => None,
        };
        let found = self.of_a_call(mark, "a call to be answered", answered).await?;
        let sound =
            |change: &Progress| matches!(change, Progress::Sound(Sound::FirstPacketReceived)).then_some(());
        self.of_a_call(mark, "the first packet of sound", sound).await?;
        Ok(found)
    }

    /// Waits until a call is over.
    pub(super) async fn is_over(&mut self, mark: usize) -> Result<(), Failure> {
        let ended = |change: &Progress| matches!(change, Progress::Ended(_)).then_some(());
        self.of_a_call(mark, "a call to end", ended).await.map(drop)
    }

    /// Waits until what is heard in a call makes `is_enough` true; gives all of it.
    pub(super) async fn hears(
        &mut self,
        mark: usize,
        call: CallKey,
        what: &str,
        is_enough: impl Fn(&[i16]) -> bool,
    ) -> Result<Vec<i16>, Failure> {
        self.hears_within(PATIENCE, mark, call, is_enough).await?.ok_or_else(|| in_vain(what))
    }

    /// The same; `None` where it is not heard within `patience`.
    pub(super) async fn hears_within(
        &mut self,
        patience: Duration,
        mark: usize,
        call: CallKey,
        is_enough: impl Fn(&[i16]) -> bool,
    ) -> Result<Option<Vec<i16>>, Failure> {
        let mut looked_at = 0;
        let found = self.handset.until(mark, patience, |told| {
            // Only what is new in sound is worth another look.
            let recorded = told.iter().filter(|told| is_recorded(told)).count();
            if std::mem::replace(&mut looked_at, recorded) == recorded {
                return None;
            }
            is_enough(&heard_last(told, call, LOOKED_AT)).then(|| heard(told, call))
        });
        found.await
    }

    /// Waits for the tone after which one speaks, and for its end.
    pub(super) async fn hears_the_tone(&mut self, mark: usize, call: CallKey) -> Result<(), Failure> {
        self.hears_to_the_end(mark, call, "the tone", has_beep).await.map(drop)
    }

    /// Waits until `is_it` has been heard and nothing comes any more, not even silence: what was heard last is asked
    /// for until there is no more.
    pub(super) async fn hears_to_the_end(
        &mut self,
        mark: usize,
        call: CallKey,
        what: &str,
        is_it: impl Fn(&[i16]) -> bool,
    ) -> Result<Vec<i16>, Failure> {
        let pieces = |told: &[Told]| told.iter().filter(|told| is_end_of_a_piece(told)).count();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut length = 0;
        while tokio::time::Instant::now() < deadline {
            let before = pieces(self.handset.since(mark));
            self.handset.want(Want::Heard(call)).await;
            let more = |told: &[Told]| (pieces(told) > before).then_some(());
            self.handset.until(mark, PATIENCE, more).await?;
            let heard = heard(self.handset.since(mark), call);
            if std::mem::replace(&mut length, heard.len()) == heard.len() && is_it(&heard) {
                return Ok(heard);
            }
            tokio::time::sleep(HEARD_EVERY).await;
        }
        Err(in_vain(what))
    }

    pub(super) async fn presses(&self, call: CallKey, key: Digit) {
        let command = Command::SendDigits(vec![Keystroke::Press(key)]);
        self.order(Order::Sound { call, command }).await;
    }

    /// Says what bob says, to its end.
    pub(super) async fn speaks(&mut self, mark: usize, call: CallKey) -> Result<(), Failure> {
        let command = Command::Play { id: PLAYING, clips: vec![clip()], from: Duration::ZERO };
        self.order(Order::Sound { call, command }).await;
        let said = |change: &Progress| match change {
            Progress::Sound(Sound::PlayEnded { id: PLAYING, .. }) => Some(()),
            _ => None,
        };
        self.of_a_call(mark, "the message to be spoken", said).await.map(drop)
    }

    pub(super) async fn hangs_up(&self, call: CallKey) {
        self.order(Order::HangUp { call }).await;
    }

    /// Waits until the lamp shows what `is_meant`.
    pub(super) async fn lamp(
        &mut self,
        mark: usize,
        what: &str,
        is_meant: impl Fn(&MessageSummary) -> bool,
    ) -> Result<MessageSummary, Failure> {
        let found = self.handset.until(mark, PATIENCE, |told| {
            told.iter().rev().find_map(|(_, news)| match news {
                News::MessageWaiting { change: MessageWaiting::Summary { summary, .. }, .. } => {
                    Some(summary.clone()).filter(&is_meant)
                }
                _ => None,
            })
        });
        found.await?.ok_or_else(|| in_vain(what))
    }
}

fn is_end_of_a_piece((_, news): &Told) -> bool {
    matches!(news, News::Call { change: Progress::Sound(Sound::RecordingEnded { .. }), .. })
}

fn is_recorded((_, news): &Told) -> bool {
    matches!(news, News::Call { change: Progress::Sound(Sound::Recorded { .. }), .. })
}

fn clip() -> Clip {
    let sound = umbel_wav::read(SPEECH, Limits::default()).expect("our own recording is one");
    let data: Vec<u8> = sound.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let format = Format { encoding: Encoding::Pcm16, rate: sound.rate };
    Clip::Message(Message { format, data: data.into() })
}

impl Stage<'_> {
    /// Alice's telephone subscribes to her mailbox, in which nothing waits.
    pub(super) async fn watch_the_lamp(&mut self) -> Result<(), Failure> {
        let mark = self.alice.mark();
        self.alice.order(Order::WatchMailbox).await;
        self.alice.lamp(mark, "the lamp to be off", |summary| !summary.waiting).await.map(drop)
    }

    /// The decisions of a call, once there is one about the PIN.
    pub(super) async fn decisions(&mut self, call_id: &str) -> Result<Vec<Decision>, Failure> {
        let about_pin = |decision: &Decision| {
            matches!(decision.ruling, Ruling::Pin(PinOutcome::Skipped | PinOutcome::Prompted))
        };
        let deadline = self.clock.now() + PATIENCE;
        loop {
            let found = crate::admin::decisions_of(&mut self.admin, call_id)?;
            if found.iter().any(about_pin) {
                return Ok(found);
            }
            if self.clock.now() >= deadline {
                return Err(in_vain("a decision about the PIN"));
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    }
}
