//! Callers who gave up while telephones still rang: a protocol server tells of them (MISS-2), by MESSAGE to the
//! voice mail address of whom they called; the form is that of decision 0006.

use std::collections::BTreeMap;

use umbel_ocexum::{Identity, trust};
use umbel_sip_message::{
    Draft, Fragment, FragmentStart, HeaderName, Method, NameAddr, Request, StatusCode, UriRef,
};
use umbel_store::{
    Address, Caller, MissedCall, MissedCallId, Op, Reply, StoreError, Ticket, call_id_on_record, clean_text,
};
use umbel_time::Instant;
use umbel_ua::{Received, RequestKey};

use crate::counter::{Counter, Questions};
use crate::names::{Named, shown};
use crate::refusal::Refusal;
use crate::search::Search;

/// Notices of missed calls that are being looked into. Their bound is that of the user agent
/// ([`umbel_ua::RECEIVED_MAX`]).
#[derive(Debug)]
pub(crate) struct MissedCalls {
    notices: BTreeMap<RequestKey, Notice>,
    questions: Questions<(RequestKey, Question)>,
}

#[derive(Debug)]
enum Question {
    /// Who has this name?
    Who { named: Named, rank: usize },
    /// Is it noted?
    Noted,
}

/// A notice whose mailbox is being looked for.
#[derive(Debug)]
struct Notice {
    request: Request,
    called: Named,
    search: Search,
    missed: Missed,
}

/// What a notice says of a call.
#[derive(Debug, PartialEq, Eq)]
struct Missed {
    caller: Caller,
    subject: String,
    call_id: String,
    /// From and To are the same: Play on Phone rang in vain.
    is_own: bool,
}

impl MissedCalls {
    pub(crate) fn new() -> Self {
        MissedCalls { notices: BTreeMap::new(), questions: Questions::new() }
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.notices.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.questions.next()
    }

    /// A MESSAGE came.
    pub(crate) fn received(&mut self, key: RequestKey, received: &Received, counter: &mut Counter<'_>) {
        let request = &received.request;
        let identity = trust(&received.transport, &counter.config.trust, counter.wall).identity;
        // The word of a stranger would put anything into anybody's list.
        let config = counter.config;
        // DEC-18: a listed peer is believed. Our own protocol server tells of strangers' calls too, with the From that
        // they wrote; a From of ours it takes from nobody else.
        let is_own = config.trust.is_own(&received.transport);
        let is_vouched = |from: UriRef<'_>| !is_own || config.locality.named(from) != Named::Foreign;
        let missed = match identity {
            Identity::Listed => read(request, is_vouched),
            Identity::Gateway | Identity::Unlisted => Err(Refusal::Unlisted),
        };
        let missed = match missed {
            Ok(missed) => missed,
            Err(refusal) => return counter.refuse(key, request, &refusal),
        };
        if missed.is_own {
            return counter.respond(key, Draft::reply(request, StatusCode::OK));
        }
        let called = counter.config.locality.named(request.request_uri());
        let domain = &counter.config.locality.domain;
        let mut lookups = Vec::new();
        let search = Search::begin([&called], domain, |named, rank, lookup| {
            lookups.push((Question::Who { named, rank }, Op::FindUser(lookup)));
        });
        for (question, op) in lookups {
            self.questions.ask((key, question), op, counter);
        }
        self.notices.insert(key, Notice { request: request.clone(), called, search, missed });
        self.go_on(key, counter);
    }

    /// The store replied; says whether to us.
    pub(crate) fn replied(
        &mut self,
        ticket: Ticket,
        reply: Reply,
        counter: &mut Counter<'_>,
    ) -> Option<Reply> {
        let Some((key, question)) = self.questions.answered(ticket) else { return Some(reply) };
        self.answered(key, question, reply, counter);
        None
    }

    /// Too late is as good as not at all.
    pub(crate) fn fire(&mut self, counter: &mut Counter<'_>) {
        while let Some((key, question)) = self.questions.overdue(counter.now) {
            self.answered(key, question, Reply::Failed(StoreError::Overloaded), counter);
        }
    }

    fn answered(&mut self, key: RequestKey, question: Question, reply: Reply, counter: &mut Counter<'_>) {
        match question {
            Question::Who { named, rank } => {
                let Some(notice) = self.notices.get_mut(&key) else { return };
                notice.search.replied(named, rank, reply);
                self.go_on(key, counter);
            }
            Question::Noted => {
                let Some(notice) = self.notices.remove(&key) else { return };
                match reply {
                    // Whether the owner wants notices, and whether it was known before, is nobody else's business.
                    Reply::Noted(_) => counter.respond(key, Draft::reply(&notice.request, StatusCode::OK)),
                    Reply::Failed(StoreError::Refused(_)) => {
                        counter.refuse(key, &notice.request, &Refusal::NoSuchMailbox);
                    }
                    _ => counter.refuse(key, &notice.request, &Refusal::NoStore),
                }
            }
        }
    }

    /// Once it is known whose mailbox it is, the call is noted.
    fn go_on(&mut self, key: RequestKey, counter: &mut Counter<'_>) {
        let Some(notice) = self.notices.get_mut(&key) else { return };
        let mailbox = match notice.search.people() {
            None => return,
            Some(people) => people.and_then(|people| {
                people.user(&notice.called).map(|user| user.address().clone()).ok_or(Refusal::NoSuchMailbox)
            }),
        };
        match mailbox {
            Ok(mailbox) => {
                let op = Op::NoteMissedCall(Box::new(notice.missed.of(mailbox, counter)));
                self.questions.ask((key, Question::Noted), op, counter);
            }
            Err(refusal) => {
                counter.refuse(key, &notice.request, &refusal);
                self.notices.remove(&key);
            }
        }
    }
}

impl Missed {
    /// The notice. The call was now: what the caller's clock shows is nothing to go by.
    fn of(&self, mailbox: Address, counter: &Counter<'_>) -> MissedCall {
        MissedCall {
            id: MissedCallId(0),
            mailbox,
            caller: self.caller.clone(),
            subject: self.subject.clone(),
            at: counter.wall,
            call_id: self.call_id.clone(),
        }
    }
}

/// Reads what a MESSAGE says of a call.
fn read(request: &Request, is_vouched: impl Fn(UriRef<'_>) -> bool) -> Result<Missed, Refusal> {
    let kind = request.headers().content_type().ok().flatten();
    if !kind.is_some_and(|kind| kind.is("message", "sipfrag")) {
        return Err(Refusal::UnknownBody);
    }
    let fragment = Fragment::parse(request.body()).map_err(|_| Refusal::NoNotice)?;
    let is_invite = matches!(fragment.start(), Some(FragmentStart::Request { method: Method::Invite, .. }));
    let party = |name| fragment.address(&name).ok().flatten().ok_or(Refusal::NoNotice);
    let (from, to) = (party(HeaderName::From)?, party(HeaderName::To)?);
    let call_id = fragment.get_text(&HeaderName::CallId).filter(|call_id| !call_id.is_empty());
    let call_id = call_id.filter(|_| is_invite).ok_or(Refusal::NoNotice)?;
    let name = from.display_name().map(std::borrow::Cow::into_owned);
    Ok(Missed {
        caller: Caller { id: shown(&from), name, verified: is_vouched(from.uri) }.clean(),
        subject: fragment
            .get_text(&HeaderName::Subject)
            .map(|subject| clean_text(&subject))
            .unwrap_or_default(),
        call_id: call_id_on_record(&call_id).to_owned(),
        is_own: is_same(&from, &to),
    })
}

/// Whether two addresses are one person's.
fn is_same(from: &NameAddr<'_>, to: &NameAddr<'_>) -> bool {
    match (from.uri.address_of_record(), to.uri.address_of_record()) {
        (Some(from), Some(to)) => from == to,
        _ => from.uri.is_equivalent(&to.uri),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use umbel_sip_message::{Message, parse};

    use super::*;

    /// DEC-18: what is no caller of ours is verified only by whom the reader says to believe about it.
    #[test]
    fn a_notice_verifies_whom_its_teller_may_vouch_for() {
        let invite = "INVITE sip:alice@example.test SIP/2.0\r\nFrom: <sip:+15551112222@elsewhere.test>;tag=1\r\n\
                      To: <sip:alice@example.test>\r\nCall-ID: 1\r\n";
        let text = format!(
            "MESSAGE sip:alice@example.test SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\nCall-ID: 2\r\nCSeq: 1 MESSAGE\r\n\
             Max-Forwards: 70\r\nContent-Type: message/sipfrag\r\nContent-Length: {}\r\n\r\n{invite}",
            invite.len()
        );
        let Ok(Message::Request(request)) = parse(text.into_bytes().into()) else { panic!("no request") };
        for vouched in [true, false] {
            let missed = read(&request, |from| vouched && from.host() == "elsewhere.test").unwrap();
            assert_eq!(missed.caller.verified, vouched);
        }
    }
}
