//! Who left a message, and when: what every script says of it before it plays.

use crate::action::{Action, Actions, Clip, StartAt};
use crate::mailbox::{Caller, Envelope};
use crate::phrase::Phrase;

/// Says who called, by the recorded name where there is one, and when.
pub(crate) fn say_who_and_when(envelope: &Envelope, actions: &mut Actions) {
    actions.push(Action::Say(match &envelope.caller {
        Caller::Named => Phrase::From,
        Caller::Extension(digits) => Phrase::FromExtension(*digits),
        Caller::Number(digits) => Phrase::FromNumber(*digits),
        Caller::UnverifiedNumber(digits) => Phrase::FromUnverifiedNumber(*digits),
        Caller::Unknown => Phrase::FromUnknown,
    }));
    if envelope.caller == Caller::Named {
        actions.push(Action::Play(Clip::CallerName(envelope.id), StartAt::Beginning));
    }
    actions.push(Action::Say(Phrase::Received(envelope.received.seen_from(envelope.now))));
}
