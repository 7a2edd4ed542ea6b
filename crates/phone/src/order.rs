//! What a telephone is ordered and told, and what it wishes and tells.

use std::net::SocketAddr;
use std::time::Duration;

use umbel_event_notification::MessageSummary;
use umbel_sip_message::{StatusCode, Uri};
use umbel_ua::{CallKey, ExtraHeaders};

use crate::config::{Answering, Redirection};
use crate::incoming::Incoming;

/// One order, or one fact from the world of sound. What comes too late for its call means nothing.
#[derive(Debug)]
pub enum Order {
    /// Register, and stay registered.
    Register,
    /// Withdraw the registration.
    Unregister,
    /// Place a call.
    Call(Box<Dial>),
    /// Call the owner's own voice mail, as [MS-OCEXUM] 3.1.1.
    CallVoiceMail {
        /// What to call the call: from [`crate::Telephone::fresh_call`].
        call: CallKey,
        /// Whether to ask to skip the PIN, where CMD-11 allows it.
        skip_pin: bool,
    },
    /// Answer a call that rings.
    Answer {
        /// The call.
        call: CallKey,
    },
    /// Refuse a call that rings.
    Refuse {
        /// The call.
        call: CallKey,
        /// How.
        how: Refusal,
    },
    /// End a call, however far it is.
    HangUp {
        /// The call.
        call: CallKey,
    },
    /// Put a call on hold, or go on with it.
    Hold {
        /// The call.
        call: CallKey,
        /// Whether it is to be held.
        held: bool,
    },
    /// Something for the sound of a call that is up: play, record, press keys.
    Sound {
        /// The call.
        call: CallKey,
        /// What.
        command: umbel_media::Command,
    },
    /// Subscribe to what waits in the owner's mailbox (RFC 3842), and stay subscribed.
    WatchMailbox,
    /// Give that up.
    UnwatchMailbox,
    /// What happens to calls from now on.
    Answering(Answering),
    /// Whether to appear offline from now on.
    AppearOffline(bool),
    /// The sockets of a call are bound: RTP here, RTCP on the next port. Answers [`Wish::OpenMedia`].
    MediaOpened {
        /// The call.
        call: CallKey,
        /// Where, unless there were none to be had.
        at: Result<SocketAddr, NoSockets>,
    },
    /// Something happened in the sound of a call.
    Media {
        /// The call.
        call: CallKey,
        /// What.
        event: umbel_media::Event,
    },
}

/// A call to place.
#[derive(Clone, Debug)]
pub struct Dial {
    /// What to call it: from [`crate::Telephone::fresh_call`].
    pub call: CallKey,
    /// Whom to call: Request-URI and To.
    pub target: Uri,
    /// Header fields to add.
    pub headers: ExtraHeaders,
}

/// How a call that rings is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This telephone is busy: 486.
    Busy,
    /// Declined everywhere: 603.
    Decline,
    /// Sent on. For a Play-On-Phone call this is [`Refusal::Decline`] (SENS-16).
    Deflect {
        /// To whom.
        to: Uri,
        /// By which response.
        by: Redirection,
    },
}

/// There were no sockets to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSockets;

/// What a telephone wants done outside SIP.
#[derive(Debug)]
pub enum Wish {
    /// Bind a pair of sockets; answered by [`Order::MediaOpened`].
    OpenMedia {
        /// For this call.
        call: CallKey,
    },
    /// Something for the media session of a call.
    Media {
        /// The call.
        call: CallKey,
        /// What.
        command: umbel_media::Command,
    },
    /// The sockets of a call are not needed any more.
    CloseMedia {
        /// The call.
        call: CallKey,
    },
    /// Something for the owner.
    Tell(News),
}

/// What happened, for the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Of the registration.
    Registration {
        /// The value of Call-ID of all its requests.
        call_id: String,
        /// What happened.
        change: Registration,
    },
    /// Of a call.
    Call {
        /// Our name for it.
        call: CallKey,
        /// Its value of Call-ID; empty where no request was sent yet.
        call_id: String,
        /// What happened.
        change: Progress,
    },
    /// Of the owner's mailbox.
    MessageWaiting {
        /// The value of Call-ID of what told it; empty where nothing did.
        call_id: String,
        /// What is known.
        change: MessageWaiting,
    },
}

/// What is known of the owner's mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageWaiting {
    /// What waits there.
    Summary {
        /// The lamp, and the numbers.
        summary: MessageSummary,
        /// Whether it came because of our subscription; servers also tell unasked.
        subscribed: bool,
    },
    /// There is no subscription for now; had again by itself. What was known last is the best there is.
    Lost,
    /// The subscription was refused for good.
    Refused(StatusCode),
    /// The server has ended the subscription for good.
    Ended,
}

/// What happened to the registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Registered, for the first time or again.
    Registered {
        /// For how long.
        expires: Duration,
        /// Whether the server asked for our credentials and accepted them.
        authenticated: bool,
    },
    /// Not registered for now; tried again by itself.
    Lost {
        /// What the server answered, where it did.
        status: Option<StatusCode>,
    },
    /// Refused for good.
    Refused(StatusCode),
    /// Withdrawn, as ordered.
    Withdrawn,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// We call, and something happens on the way: it rings there (180), is sent on (181), waits (182), goes on (183). Told
    /// once for each.
    Ringing {
        /// 101 to 199.
        status: StatusCode,
    },
    /// Somebody calls, and it rings here.
    Invited(Box<Incoming>),
    /// The call is up.
    Answered(Answered),
    /// The other side has put us on hold, or goes on.
    Held {
        /// Whether we are held.
        held: bool,
    },
    /// Whom we call is to be found elsewhere (RFC 3261 21.3), and is called there: under the same name of ours, with
    /// another Call-ID.
    Redirected {
        /// 300 to 303.
        status: StatusCode,
        /// Where.
        to: Uri,
    },
    /// The other side sends us on to somebody else (RFC 3515): another call begins. When that is answered this
    /// one ends; when it is not, this one goes on.
    Transferred {
        /// To whom.
        to: Uri,
        /// Our name for the other call.
        call: CallKey,
    },
    /// Somebody takes the other side's place (RFC 3891): another call is answered at once, and this one ends.
    Replaced {
        /// Who.
        by: Box<Incoming>,
        /// Our name for the other call.
        call: CallKey,
    },
    /// Something happened in its sound.
    Sound(umbel_media::Event),
    /// It is over. Its last news, exactly once.
    Ended(Box<Ended>),
}

/// What is known of a call that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// 200 to 299.
    pub status: StatusCode,
    /// The codec of both directions.
    pub codec: umbel_media::Codec,
    /// Whether packets are encrypted.
    pub encrypted: bool,
    /// HDR-3: an automatic system is at the other end.
    pub automatic: bool,
    /// Whether the other side takes keys (`telephone-event`, RFC 4733). Where it does not, none are sent.
    pub takes_keys: bool,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: How,
    /// How long it was up; `None` where it never was.
    pub lasted: Option<Duration>,
    /// Whether it goes to the list of missed calls (POP-12, RFC 3326).
    pub missed: bool,
    /// Who called, where somebody called us.
    pub incoming: Option<Box<Incoming>>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The other side hung up.
    ByPeer,
    /// We hung up, or gave up.
    ByUs,
    /// We refused it like this.
    RefusedByUs(StatusCode),
    /// The caller gave up.
    Cancelled,
    /// Another telephone answered it.
    CompletedElsewhere,
    /// The other side, or a server on the way, refused it.
    Refused {
        /// 300 to 699.
        status: StatusCode,
        /// The phrase beside it, for people.
        reason: String,
        /// The ErrorId of [MS-OCER], which says more (DIAG-4).
        error_id: Option<u32>,
    },
    /// The sessions could not be agreed on.
    NoSession {
        /// What the other side was told, or would have been.
        status: StatusCode,
        /// Why.
        why: String,
    },
    /// Nobody answered within the limit.
    NoAnswer,
    /// The other side fell silent: its requests, responses, refreshes or packets did not come any more.
    Lost,
    /// There was no connection, or it broke.
    NoConnection,
    /// There were no sockets for the sound, or too many calls.
    NoRoom,
}
