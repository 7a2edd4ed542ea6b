//! How facts and orders print: what and which call, never what a session description or an INFO holds.
//! The former may have SRTP keys in it, the latter the digits of a PIN.

use std::fmt;

use crate::{CallKey, Command, Event, InfoBody, Invitation, Outgoing, OutsideRequest};

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-{}", self.0)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Invited { call, invitation } => write!(f, "Invited {call} {invitation:?}"),
            Event::TurnedAway { status, why, .. } => write!(f, "TurnedAway {} {why}", status.as_u16()),
            Event::Confirmed { call, .. } => write!(f, "Confirmed {call}"),
            Event::Progress { call, status, .. } => write!(f, "Progress {call} {}", status.as_u16()),
            Event::Answered { call, flow, .. } => write!(f, "Answered {call} on {flow}"),
            Event::Offered { call, by, .. } => write!(f, "Offered {call} by {by:?}"),
            Event::Negotiated { call, .. } => write!(f, "Negotiated {call}"),
            Event::Unchanged { call, status } => write!(f, "Unchanged {call} {}", status.as_u16()),
            Event::Info { call, content_type, body } => write!(f, "Info {call} {content_type} {body:?}"),
            Event::Received { key, received } => write!(f, "Received {key:?} {:?}", received.request),
            Event::Referred { call, .. } => write!(f, "Referred {call}"),
            Event::Referring { call, status, last } => {
                write!(f, "Referring {call} {} last={last}", status.as_u16())
            }
            Event::Notified { flow, .. } => write!(f, "Notified on {flow}"),
            Event::Ended { call, ending } => write!(f, "Ended {call} {ending:?}"),
            Event::Completed { ticket, outcome } => write!(f, "Completed {ticket:?} {outcome:?}"),
            Event::Gateway { gateway, standing } => write!(f, "Gateway {gateway} {standing:?}"),
            Event::Registration(news) => write!(f, "Registration {news:?}"),
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Ring { call } => write!(f, "Ring {call}"),
            Command::Answer { call, .. } => write!(f, "Answer {call}"),
            Command::Refuse { call, status, .. } => write!(f, "Refuse {call} {}", status.as_u16()),
            Command::HangUp { call } => write!(f, "HangUp {call}"),
            Command::Accept { call, .. } => write!(f, "Accept {call}"),
            Command::Reject { call, status, .. } => write!(f, "Reject {call} {}", status.as_u16()),
            Command::Invite { call, outgoing } => write!(f, "Invite {call} {outgoing:?}"),
            Command::Reoffer { call, .. } => write!(f, "Reoffer {call}"),
            Command::SendInfo { call, content_type, body } => {
                write!(f, "SendInfo {call} {content_type} {body:?}")
            }
            Command::Refer { call, to, .. } => write!(f, "Refer {call} to {to}"),
            Command::Notify { call, last, .. } => write!(f, "Notify {call} last={last}"),
            Command::Request { ticket, request } => write!(f, "Request {ticket:?} {request:?}"),
            Command::Respond { request, response } => write!(f, "Respond {request:?} {response:?}"),
            Command::Send { ticket, request, .. } => write!(f, "Send {ticket:?} {request:?}"),
            Command::Watch { gateways } => write!(f, "Watch {} gateways", gateways.len()),
            Command::Register { account } => write!(f, "Register {account:?}"),
            Command::Unregister => f.write_str("Unregister"),
            Command::Drain(draining) => write!(f, "Drain {draining}"),
        }
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.call_id, self.flow)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.target)
    }
}

impl fmt::Debug for OutsideRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

impl fmt::Debug for InfoBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn neither_keys_nor_digits_print() {
        let call = CallKey(2);
        let secret = || Bytes::from_static(b"secret");
        let info = || InfoBody(secret());
        let content_type = || "application/dtmf".to_owned();
        let printed = [
            format!("{:?}", Event::Info { call, content_type: content_type(), body: info() }),
            format!("{:?}", Event::Confirmed { call, answer: Some(secret()) }),
            format!("{:?}", Event::Negotiated { call, answer: secret() }),
            format!("{:?}", Command::SendInfo { call, content_type: content_type(), body: info() }),
            format!("{:?}", Command::Answer { call, body: secret(), headers: Vec::new() }),
            format!("{:?}", Command::Reoffer { call, body: secret() }),
        ];
        assert_eq!(
            printed,
            [
                "Info call-2 application/dtmf ****",
                "Confirmed call-2",
                "Negotiated call-2",
                "SendInfo call-2 application/dtmf ****",
                "Answer call-2",
                "Reoffer call-2",
            ]
        );
    }
}
