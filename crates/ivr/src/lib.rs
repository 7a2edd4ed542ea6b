//! The conversations: what a caller hears, which keys mean what, and what is asked of the mailbox.
//!
//! [MS-OCEXUM] 1.1 and 1.3 name them: *call answering* takes a message from somebody who did not reach the
//! person called; *subscriber access* lets the owner hear it; *Play on Phone* plays it on a telephone that we have
//! called. Each is a script: a value with
//! `step(self, Input) -> (Self, Actions)`. A script knows neither SIP nor RTP, neither time nor language.
//!
//! | module | question it answers |
//! |---|---|
//! | [`call_answering`], [`subscriber_access`], [`play_on_phone`] | what happens next? |
//! | [`menu`], [`keys`] | which key means what, in which [`KeyProfile`]? |
//! | [`collect`] | when has the caller finished pressing keys? |
//! | [`phrase`] | *what* is said? |
//! | [`language`] | which recordings say it? |
//! | [`mailbox`] | what a script must know of users and messages |
//! | [`conversation`] | all of the above joined into one value for the owner of the call |
//!
//! The owner of a call holds a [`Conversation`], tells it what happened ([`Event`]) and carries out what it
//! orders ([`Order`]). It runs the one timer, the store's operations and the media; nothing else.

mod action;
mod envelope;
mod input;

pub mod call_answering;
pub mod collect;
pub mod conversation;
pub mod keys;
pub mod language;
pub mod mailbox;
pub mod menu;
pub mod phrase;
pub mod play_on_phone;
pub mod subscriber_access;

pub use action::{ACTIONS_MAX, Action, Actions, Clip, Purpose, Request, Seek, Speed, StartAt, Volume};
pub use call_answering::CallAnswering;
pub use collect::{Entry, Grammar};
pub use conversation::{Conversation, Event, Order, Sound};
pub use input::{Input, Recorded, RecordingEnding};
pub use keys::{Key, Keys};
pub use language::{Language, Prompt};
pub use menu::{Choice, KeyProfile, Menu};
pub use phrase::Phrase;
pub use play_on_phone::PlayOnPhone;
pub use subscriber_access::{Access, StepUp, SubscriberAccess};
