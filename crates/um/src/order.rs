//! What the unified messaging server is told from outside SIP, and what it wants done there.
//!
//! The event loop carries three things besides SIP. **Media**: [`Wish::OpenMedia`] asks for a pair of
//! sockets as soon as it is known what a call is, at the same time as the store is asked for the mailbox,
//! so that [`Order::MediaOpened`] is seldom what the answer to a caller waits for; the session description
//! needs the port, and a port that could not be bound must never be told to anybody (DEC-45).
//! **The store**: every [`Wish::Store`] gets exactly one [`Order::Stored`] with the same ticket, in any
//! order. **The wall clock**: [`Order::Clock`], once at the start and then every second or so; trust in
//! certificates and the dates of messages follow it.

use std::net::SocketAddr;

use umbel_play_on_phone::{News, PhoneCallId, Request};
use umbel_sip_message::Uri;
use umbel_store::{Op, Reply, Ticket};
use umbel_time::UnixTime;

use crate::Config;

/// Names the media session of one call; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaKey(pub u64);

/// One thing that the server is told.
#[derive(Debug)]
pub enum Order {
    /// The clock on the wall shows this now.
    Clock(UnixTime),
    /// The sockets of a call are bound: RTP here, RTCP on the next port. Answers [`Wish::OpenMedia`].
    MediaOpened {
        /// Whose.
        key: MediaKey,
        /// Where, or that there is no free pair.
        at: Result<SocketAddr, NoSockets>,
    },
    /// Something happened in the media session of a call.
    Media {
        /// Whose.
        key: MediaKey,
        /// What.
        event: umbel_media::Event,
    },
    /// What became of an operation of the store.
    Stored {
        /// Which one.
        ticket: Ticket,
        /// What became of it.
        reply: Reply,
    },
    /// New settings. Calls go on; trust counts from the next INVITE (SEC-08).
    Reload(Box<Config>),
    /// A user asks for a call ([MS-OCEXUM] 3.2). What becomes of it comes as [`Wish::PhoneCall`]: exactly one first
    /// news, and if that was [`News::Placed`], how the call stands until it is over.
    PlayOnPhone(Box<Request>),
    /// Whoever asked for this call wants it to end. Means nothing where it is over.
    Disconnect(PhoneCallId),
    /// Take no new calls, give the running ones a minute, then end them (REL-23).
    Drain,
}

/// No pair of sockets could be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no free pair of ports for media")]
pub struct NoSockets;

/// One thing that the server wants done.
#[derive(Debug)]
pub enum Wish {
    /// Bind a pair of sockets: an even port for RTP and the next one for RTCP (SEC-79).
    OpenMedia {
        /// For which call.
        key: MediaKey,
    },
    /// An order for the media session of a call. The first `Update` starts the session.
    Media {
        /// Which one.
        key: MediaKey,
        /// What to do.
        command: umbel_media::Command,
    },
    /// End the media session with [`umbel_media::Command::Close`], hand over what it still tells, and free
    /// the sockets. Also for sockets on which no session was ever started.
    CloseMedia {
        /// Which one.
        key: MediaKey,
    },
    /// Ask the store.
    Store {
        /// The name of the question.
        ticket: Ticket,
        /// What to do.
        op: Op,
    },
    /// Worth waking somebody.
    Alarm(Alarm),
    /// A gateway is up or down (PEER-11).
    Gateway {
        /// Which one.
        gateway: Uri,
        /// Its standing from now on.
        standing: umbel_ua::Standing,
    },
    /// Tell whoever asked for a call.
    PhoneCall {
        /// Which one.
        id: PhoneCallId,
        /// What is new.
        news: News,
    },
    /// After [`Order::Drain`]: no call is left, and all that was recorded is saved.
    Drained,
}

/// Something an operator must hear of at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// SEC-34: one peer opened more mailboxes without a PIN than a minute should see.
    ManySkippedPins {
        /// The name in its certificate, or its address.
        peer: String,
        /// How many mailboxes.
        mailboxes: usize,
    },
    /// REL-25: a panic ended this call, and only this one. What it had recorded is being saved.
    CallBroke {
        /// The call.
        call_id: String,
        /// What the panic said, where that is a constant of the program. What was put together at run time may
        /// hold what nobody must see, and is left out.
        what: &'static str,
    },
    /// A recording could not be saved in all the time there was. Its audio is where the store left it.
    RecordingNotSaved {
        /// The call.
        call_id: String,
    },
}
