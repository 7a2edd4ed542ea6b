//! The user-agent core: dialogs, calls and registrations, without a clock or a socket.
//!
//! Above this line nobody sees a SIP transaction: calls begin with [`Event::Invited`] or
//! [`Command::Invite`], change by offers and answers, and end with [`Event::Ended`], once.
//!
//! | module | what it knows |
//! |---|---|
//! | `agent` | which call, which request: RFC 3261 8 |
//! | `call` | one call from INVITE to BYE: RFC 3261 12 to 15, RFC 3262, 3311, 4028, 6086 |
//! | `invite` | the two machines of an invitation: RFC 3261 13 |
//! | `dialog` | tags, sequence numbers, routes: RFC 3261 12 |
//! | `agent::referring` | calls that are sent elsewhere by the peer: RFC 3515 |
//! | `agent::beside` | what is asked beside calls, handed up and answered by command: RFC 3428, RFC 6665 |
//! | `negotiation`, `session_timer`, `repetition`, `evidence`, `ping` | small decisions, each on a page |
//! | `check`, `refusal`, `capabilities` | what is served, and what all else gets: RFC 3261 8.2 |
//! | `asked`, `digest_client` | our requests, and sending one again: RFC 3261 22 |
//! | [`registration`] | RFC 3261 10.2, RFC 5626 |

mod agent;
mod asked;
mod call;
mod capabilities;
mod check;
mod command;
mod config;
mod dialog;
mod digest_client;
mod event;
mod evidence;
mod invite;
mod negotiation;
mod outside;
mod ping;
mod printing;
mod refusal;
pub mod registration;
mod repetition;
mod session_timer;
mod shared;
mod tag;

pub use agent::{Agent, CALLS_OVER_MAX, GATEWAYS_MAX, RECEIVED_MAX, REFERRALS_MAX, REQUESTS_MAX};
pub use command::{Command, Credentials, ExtraHeaders, Outgoing, OutsideRequest, Way};
pub use config::{Config, Contacts};
pub use digest_client::DigestClient;
pub use event::{Ending, Event, InfoBody, Invitation, OfferedBy, Outcome, Received, Refused, Ticket};
pub use ping::Standing;

/// Our name for a request beside calls that awaits an answer from above; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(pub u64);

/// Our name for a call, for as long as it lasts; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub u64);
