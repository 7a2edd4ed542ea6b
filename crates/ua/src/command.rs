//! What the agent is ordered.

use std::fmt;

use bytes::Bytes;
use umbel_node::FlowId;
use umbel_sip_message::{Draft, HeaderName, Method, StatusCode, Uri};

use crate::registration::Account;
use crate::{CallKey, InfoBody, RequestKey, Ticket};

/// One order. An order about a call that is over, or that does not fit the call's state, comes too
/// late and means nothing: the event that made it so is on its way.
pub enum Command {
    /// Send 180.
    Ring {
        /// A call that we were [`crate::Event::Invited`] to.
        call: CallKey,
    },
    /// Accept a call with 200.
    Answer {
        /// A call that we were [`crate::Event::Invited`] to.
        call: CallKey,
        /// Our answer to the caller's offer, or our offer where the caller made none.
        body: Bytes,
        /// Header fields to add.
        headers: ExtraHeaders,
    },
    /// Refuse a call.
    Refuse {
        /// A call that we were [`crate::Event::Invited`] to.
        call: CallKey,
        /// 300 to 699; any other is sent as 500.
        status: StatusCode,
        /// Header fields to add.
        headers: ExtraHeaders,
    },
    /// End a call, however far it is: CANCEL, BYE or a refusal.
    HangUp {
        /// The call.
        call: CallKey,
    },
    /// Accept what [`crate::Event::Offered`] told of.
    Accept {
        /// The call.
        call: CallKey,
        /// Our answer, or our offer where the peer made none.
        body: Bytes,
    },
    /// Refuse what [`crate::Event::Offered`] told of; the session goes on as it was.
    Reject {
        /// The call.
        call: CallKey,
        /// 300 to 699, usually 488; any other is sent as 500.
        status: StatusCode,
        /// Header fields to add.
        headers: ExtraHeaders,
    },
    /// Place a call.
    Invite {
        /// What to call it: from [`crate::Agent::fresh_call`].
        call: CallKey,
        /// Whom to call, and how.
        outgoing: Box<Outgoing>,
    },
    /// Offer a change of the session, by re-INVITE. While another change is under way the last such
    /// order waits.
    Reoffer {
        /// The call.
        call: CallKey,
        /// Our offer.
        body: Bytes,
    },
    /// Send something beside the session (RFC 6086).
    SendInfo {
        /// The call.
        call: CallKey,
        /// Its type.
        content_type: String,
        /// What to send.
        body: InfoBody,
    },
    /// Send the peer on to somebody else (RFC 3515). What comes of it is told by [`crate::Event::Referring`]; only where
    /// [`crate::Config::refers`] is on.
    Refer {
        /// The call.
        call: CallKey,
        /// To whom.
        to: Uri,
        /// Header fields to add, like Referred-By (RFC 3892).
        headers: ExtraHeaders,
    },
    /// Tell the peer what has become of a [`crate::Event::Referred`] that was accepted (RFC 3515 2.4.4): a
    /// NOTIFY within the call, or within its dialog after the call is over.
    Notify {
        /// The call.
        call: CallKey,
        /// Whether this is the last one. The dialog of a call is remembered until then.
        last: bool,
        /// Event, Subscription-State, and what else there is to say.
        headers: ExtraHeaders,
        /// Content-Type and what it describes.
        body: (String, Bytes),
    },
    /// Send a request outside any call, like an unsolicited NOTIFY.
    Request {
        /// What [`crate::Event::Completed`] will call it.
        ticket: Ticket,
        /// The request.
        request: Box<OutsideRequest>,
    },
    /// Answer what [`crate::Event::Received`] told of.
    Respond {
        /// The request.
        request: RequestKey,
        /// The response; To gets a tag where it has none.
        response: Box<Draft>,
    },
    /// Send a request that is written already, like a NOTIFY of a subscription: whole but for Via and
    /// Max-Forwards.
    Send {
        /// What [`crate::Event::Completed`] will call it.
        ticket: Ticket,
        /// The request.
        request: Box<Draft>,
        /// The flow to use as long as it is up.
        flow: Option<FlowId>,
        /// Where to, else.
        hop: Uri,
    },
    /// Watch these gateways from now on, in place of those watched before.
    Watch {
        /// Where each one is.
        gateways: Vec<Uri>,
    },
    /// Register, and stay registered.
    Register {
        /// As whom, where.
        account: Box<Account>,
    },
    /// Withdraw the registration.
    Unregister,
    /// Take no new calls (`true`): an INVITE or OPTIONS gets 503 with Retry-After.
    Drain(bool),
}

/// Header fields to add to a message, in this order. Values are text as it goes on the wire; line
/// ends within are refused where the message is written.
pub type ExtraHeaders = Vec<(HeaderName, String)>;

/// A call to place.
#[derive(Clone)]
pub struct Outgoing {
    /// The Request-URI.
    pub target: Uri,
    /// The URI of From.
    pub from: Uri,
    /// What to call ourselves beside it.
    pub from_name: Option<String>,
    /// The URI of To.
    pub to: Uri,
    /// The way to the first hop.
    pub way: Way,
    /// Header fields to add; they go into every INVITE of this call that is sent again after a
    /// challenge, too.
    pub headers: ExtraHeaders,
    /// Our offer.
    pub offer: Bytes,
    /// What to answer a challenge with.
    pub credentials: Option<Credentials>,
}

/// A request outside any call.
#[derive(Clone)]
pub struct OutsideRequest {
    /// The method: not INVITE, ACK, CANCEL or REGISTER.
    pub method: Method,
    /// The Request-URI.
    pub target: Uri,
    /// The URI of From.
    pub from: Uri,
    /// The URI of To.
    pub to: Uri,
    /// The way to the first hop.
    pub way: Way,
    /// Header fields to add.
    pub headers: ExtraHeaders,
    /// Content-Type and what it describes.
    pub body: Option<(String, Bytes)>,
    /// What to answer a challenge with.
    pub credentials: Option<Credentials>,
}

/// How a request outside a dialog finds its first hop (RFC 3261 8.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Where the Request-URI says.
    Direct,
    /// Through a proxy, whose URI becomes the only Route.
    Proxy(Uri),
    /// Along a flow that is up, like that of a registration (RFC 5626).
    Flow(FlowId),
}

/// What to answer a digest challenge with, and whose (RFC 3261 22.3). Never given to any other realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The realm for which they are meant.
    pub realm: String,
    /// The user's name in that realm.
    pub username: String,
    /// The secret.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("realm", &self.realm)
            .field("username", &self.username)
            .field("password", &"****")
            .finish()
    }
}
