//! What the agent tells: facts about calls, and about what was asked outside them.

use bytes::Bytes;
use umbel_node::{Flow, FlowId};
use umbel_sip_message::{Request, Response, StatusCode, Uri};

use crate::ping::Standing;
use crate::{CallKey, RequestKey};

/// One thing that happened.
pub enum Event {
    /// Somebody calls. The INVITE was found in order; what it gets is decided by command.
    Invited {
        /// The new call.
        call: CallKey,
        /// What is known of it.
        invitation: Box<Invitation>,
    },
    /// Somebody calls, or changes a call, and was refused for a reason of the protocol's; the response has left.
    /// Only where [`crate::Config::tell_turned_away`] is on.
    TurnedAway {
        /// What is known of the flow it came on.
        transport: Flow,
        /// The INVITE.
        request: Box<Request>,
        /// What it got.
        status: StatusCode,
        /// Why, for people.
        why: &'static str,
    },
    /// The caller acknowledged our answer.
    Confirmed {
        /// The call.
        call: CallKey,
        /// The caller's answer, where ours was the offer (RFC 3261 13.2.1).
        answer: Option<Bytes>,
    },
    /// The call that we placed makes progress.
    Progress {
        /// The call.
        call: CallKey,
        /// 101 to 199; 180 means that the peer is alerted.
        status: StatusCode,
        /// A session description. It is the answer if `reliable`, else no more than a preview
        /// (RFC 3261 13.2.1).
        body: Option<Bytes>,
        /// Whether the response was sent reliably (RFC 3262); its PRACK has left.
        reliable: bool,
    },
    /// The call that we placed was answered; the ACK has left.
    Answered {
        /// The call.
        call: CallKey,
        /// The response, for typed readings.
        response: Box<Response>,
        /// The answer to our offer; the one of a reliable provisional response where the 2xx has none.
        answer: Option<Bytes>,
        /// The flow it came on.
        flow: FlowId,
    },
    /// The peer wants to change the session. Answered by [`crate::Command::Accept`] or
    /// [`crate::Command::Reject`].
    Offered {
        /// The call.
        call: CallKey,
        /// The offer; `None` asks for one of ours (a re-INVITE without a session description),
        /// whose answer then comes as [`Event::Negotiated`].
        offer: Option<Bytes>,
        /// How it was asked.
        by: OfferedBy,
    },
    /// The peer answered an offer that we made within the call.
    Negotiated {
        /// The call.
        call: CallKey,
        /// The answer.
        answer: Bytes,
    },
    /// The peer refused an offer that we made within the call, or could not take it in time. The
    /// session goes on as it was (RFC 3261 14.1).
    Unchanged {
        /// The call.
        call: CallKey,
        /// The last response.
        status: StatusCode,
    },
    /// The peer sent something beside the session (RFC 6086). It was answered with 200.
    Info {
        /// The call.
        call: CallKey,
        /// Its type, in lower case and without parameters.
        content_type: String,
        /// What was sent.
        body: InfoBody,
    },
    /// The peer wants us to call somebody else (RFC 3515). Only where [`crate::Config::refer`] is on.
    /// Answered by [`crate::Command::Respond`]; what comes of it is told by [`crate::Command::Notify`].
    Referred {
        /// The call.
        call: CallKey,
        /// The REFER.
        key: RequestKey,
        /// What is known of it.
        received: Box<Received>,
    },
    /// What has come of a [`crate::Command::Refer`], as far as the peer tells.
    Referring {
        /// The call.
        call: CallKey,
        /// What the call that the peer makes got so far; or why the peer makes none.
        status: StatusCode,
        /// Whether this is the last that will be told.
        last: bool,
    },
    /// A notification outside a call arrived, and was answered with 200. Only where
    /// [`crate::Config::notify`] is on.
    Notified {
        /// The flow it came on.
        flow: FlowId,
        /// The NOTIFY, for typed readings.
        request: Box<Request>,
    },
    /// Somebody sent a SUBSCRIBE, a MESSAGE, or a NOTIFY of a subscription. Only where
    /// [`crate::Config::subscribe`], [`crate::Config::message`] or [`crate::Config::notify`] is on.
    /// Answered by [`crate::Command::Respond`].
    Received {
        /// The request.
        key: RequestKey,
        /// What is known of it.
        received: Box<Received>,
    },
    /// The call is over: its last event, exactly once.
    Ended {
        /// The call.
        call: CallKey,
        /// How.
        ending: Ending,
    },
    /// What became of a [`crate::Command::Request`].
    Completed {
        /// The name it was given.
        ticket: Ticket,
        /// What became of it.
        outcome: Outcome,
    },
    /// A watched gateway was heard of for the first time, or changed its standing.
    Gateway {
        /// The gateway.
        gateway: Uri,
        /// Its standing from now on.
        standing: Standing,
    },
    /// The registration changed.
    Registration(crate::registration::News),
}

/// What an INFO carries: digits, which may be those of a PIN. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct InfoBody(pub Bytes);

impl std::ops::Deref for InfoBody {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

/// Names one request outside a call, chosen by who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What became of a request outside a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was finally answered.
    Final(Box<Response>),
    /// Nobody answered in time.
    NoResponse,
    /// It could not be sent, or the connection broke before an answer.
    TransportFailed,
    /// It was not even tried: a bound was reached, or its method is not for this.
    Abandoned,
}

/// How the peer asked for a change of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferedBy {
    /// RFC 3261 14.
    Reinvite,
    /// RFC 3311.
    Update,
}

/// A call that somebody wants to make to us.
pub struct Invitation {
    /// The value of Call-ID.
    pub call_id: String,
    /// The flow that carried the INVITE.
    pub flow: FlowId,
    /// What is known of that flow. Trust asks this, and nothing in the message.
    pub transport: Flow,
    /// The INVITE, for typed readings.
    pub request: Request,
    /// The caller's offer; `None` asks us to make one.
    pub offer: Option<Bytes>,
    /// The call that it is to take the place of (RFC 3891). Only where [`crate::Config::replaces`] is on. Whoever
    /// answers it hangs up on that one.
    pub replaces: Option<CallKey>,
}

/// A request beside calls. Its To has a tag where it belongs to a subscription that is known above.
pub struct Received {
    /// The flow that carried it.
    pub flow: FlowId,
    /// What is known of that flow. Trust asks this, and nothing in the message.
    pub transport: Flow,
    /// The request, for typed readings.
    pub request: Request,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The peer hung up.
    ByPeer,
    /// We hung up, or refused.
    ByUs,
    /// The call was given up before it was answered: by the caller, or by us where we called.
    Cancelled,
    /// The caller gave it up because another telephone answered (RFC 3326 3.1): not a missed call.
    CompletedElsewhere,
    /// The call that we placed was refused.
    Refused(Box<Refused>),
    /// Our answer was never acknowledged (RFC 3261 13.3.1.4, RFC 3262 3).
    NoAck,
    /// The peer did not keep the session alive (RFC 4028 10).
    SessionExpired,
    /// A request of ours was not answered in time, or the peer no longer knows the call.
    NoResponse,
    /// A request of ours could not be sent.
    TransportFailed,
    /// We could not even begin: a bound was reached, or the flow to use is gone.
    Abandoned,
}

/// A final response other than 2xx to a call that we placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// 300 to 699.
    pub status: StatusCode,
    /// The reason phrase, as far as it is text.
    pub reason: String,
    /// Retry-After, in seconds.
    pub retry_after: Option<u32>,
    /// Where a 3xx points; never followed by us.
    pub contacts: Vec<Uri>,
    /// The ErrorId of ms-diagnostics or ms-diagnostics-public ([MS-OCER] 2.2.1). Its text is left
    /// behind: nothing may depend on it (DIAG-4).
    pub error_id: Option<u32>,
}
