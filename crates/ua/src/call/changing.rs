//! Changing a session that stands: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), either way.

use std::time::Duration;

use bytes::Bytes;
use umbel_sip_endpoint::{ClientTransaction, ServerTransaction};
use umbel_sip_message::{Draft, HeaderName, Method, Request, Response, StatusCode};
use umbel_time::Instant;

use super::{Awaited, Call, Role, Unacknowledged, add, description};
use crate::asked::Purpose;
use crate::negotiation::Negotiation;
use crate::refusal::Refusal;
use crate::repetition::Repetition;
use crate::shared::{CallTimer, Shared};
use crate::{Ending, Event, ExtraHeaders, OfferedBy};

/// How often one change of ours gives way to the peer before it is given up.
const RETRIES_MAX: u8 = 4;
/// The longest wait that a peer can impose on a change of ours by Retry-After.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// A change that the peer asked for.
pub(super) struct Theirs {
    transaction: ServerTransaction,
    request: Request,
}

/// A change that we asked for.
pub(super) struct Change {
    what: Wish,
    method: Method,
    transaction: ClientTransaction,
    retries: u8,
}

/// A change that we want.
#[derive(Clone)]
enum Wish {
    /// Another session: [`crate::Command::Reoffer`].
    Reoffer(Bytes),
    /// The same session, kept alive.
    Refresh,
}

/// Changes that wait until they may be asked for.
#[derive(Default)]
pub(super) struct Wishes {
    reoffer: Option<Bytes>,
    refresh: bool,
    /// We had to give way, so often in a row, and the wait is not over.
    waiting: bool,
    retries: u8,
}

impl Call {
    /// A re-INVITE arrived. Its sequence number is in order.
    pub(super) fn reinvited(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        request: &Request,
    ) -> Result<(), Refusal> {
        crate::check::body(request)?;
        Self::check_interval(shared, request.headers())?;
        match &self.role {
            // RFC 3261 14.2: "a second INVITE before it sends the final response to a first INVITE".
            Role::Answering(incoming) if !incoming.is_accepted() => {
                return Err(Refusal::StillBusy { retry_after: shared.busy_retry_after() });
            }
            // RFC 3261 14.2: "while an INVITE it had sent on that dialog is in progress".
            Role::Placing(placing) if !placing.is_confirmed() => return Err(Refusal::RequestPending),
            Role::Answering(_) | Role::Placing(_) => {}
        }
        if self.ours.as_ref().is_some_and(|change| change.method == Method::Invite) {
            return Err(Refusal::RequestPending);
        }
        if self.theirs.is_some() {
            return Err(Refusal::StillBusy { retry_after: shared.busy_retry_after() });
        }
        let offer = description(request.headers(), request.body());
        self.open_offer(shared, offer.is_some())?;
        // RFC 5407 3.1.4: whoever sends a re-INVITE has our 2xx; its ACK was overtaken or lost.
        self.two_hundred_arrived(now, shared, None);
        self.offered(shared, transaction, request, offer, OfferedBy::Reinvite);
        Ok(())
    }

    /// An UPDATE arrived (RFC 3311 5.2). Its sequence number is in order.
    pub(super) fn updated(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
        request: &Request,
    ) -> Result<(), Refusal> {
        crate::check::body(request)?;
        Self::check_interval(shared, request.headers())?;
        if self.theirs.is_some() {
            return Err(Refusal::StillBusy { retry_after: shared.busy_retry_after() });
        }
        match description(request.headers(), request.body()) {
            Some(offer) => {
                self.open_offer(shared, true)?;
                self.offered(shared, transaction, request, Some(offer), OfferedBy::Update);
            }
            // Nothing but a sign of life, or a new address (RFC 3311 5.1).
            None => {
                let draft = self.agreement(now, shared, request);
                shared.endpoint.respond(now, transaction, draft);
            }
        }
        Ok(())
    }

    /// Whether an offer, or a request for one of ours, may be taken now.
    fn open_offer(&mut self, shared: &mut Shared, has_offer: bool) -> Result<(), Refusal> {
        let mut negotiation = self.negotiation;
        let taken = negotiation.receive_offer();
        taken.map_err(|conflict| Refusal::of_conflict(conflict, shared.busy_retry_after()))?;
        if has_offer {
            self.negotiation = negotiation;
        }
        Ok(())
    }

    fn offered(
        &mut self,
        shared: &mut Shared,
        transaction: ServerTransaction,
        request: &Request,
        offer: Option<Bytes>,
        by: OfferedBy,
    ) {
        self.theirs = Some(Box::new(Theirs { transaction, request: request.clone() }));
        shared.answering.insert(transaction, self.key);
        shared.tell(Event::Offered { call: self.key, offer, by });
    }

    /// [`crate::Command::Accept`]
    pub(crate) fn accept(&mut self, now: Instant, shared: &mut Shared, body: Bytes) {
        let Some(theirs) = self.theirs.take() else { return };
        let Theirs { transaction, request } = *theirs;
        shared.answering.remove(&transaction);
        let mut draft = self.agreement(now, shared, &request);
        draft.body(crate::capabilities::ACCEPT, body.clone());
        self.describe_session(body);
        if *request.method() == Method::Invite {
            let response = Unacknowledged {
                transaction,
                draft,
                repetition: Repetition::of_success(),
                what: Awaited::AckOfReinvite,
                cseq: request.headers().cseq().number,
            };
            self.send_until_acknowledged(now, shared, response);
        } else {
            shared.endpoint.respond(now, transaction, draft);
            self.pursue(now, shared);
        }
    }

    /// The 2xx to a re-INVITE or UPDATE, but for its body.
    fn agreement(&mut self, now: Instant, shared: &mut Shared, request: &Request) -> Draft {
        self.learn(request.headers());
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(request.headers());
        }
        let mut draft = Draft::reply(request, StatusCode::OK);
        shared.describe(&mut draft, self.contact(shared));
        draft.push(HeaderName::Server, shared.config.user_agent.as_str());
        self.grant_session(now, shared, request.headers(), &mut draft);
        draft
    }

    /// [`crate::Command::Reject`]
    pub(crate) fn reject(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        status: StatusCode,
        headers: &ExtraHeaders,
    ) {
        let Some(theirs) = self.theirs.take() else { return };
        shared.answering.remove(&theirs.transaction);
        let mut draft = Draft::reply(&theirs.request, super::refusing(status));
        add(&mut draft, headers);
        shared.respond(now, theirs.transaction, &theirs.request, draft, None);
        // RFC 3261 14.1: the session stays as it was.
        self.negotiation.settle();
        self.pursue(now, shared);
    }

    /// The peer took its re-INVITE back (RFC 3261 9.2).
    pub(super) fn change_cancelled(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ServerTransaction,
    ) {
        if self.theirs.as_ref().is_some_and(|theirs| theirs.transaction == transaction) {
            self.reject(now, shared, StatusCode::REQUEST_TERMINATED, &Vec::new());
        }
    }

    /// Their transaction is gone, unanswered: so is what it asked for.
    pub(crate) fn change_lost(&mut self, now: Instant, shared: &mut Shared, transaction: ServerTransaction) {
        if self.theirs.as_ref().is_some_and(|theirs| theirs.transaction == transaction) {
            self.theirs = None;
            self.negotiation.settle();
            self.pursue(now, shared);
        }
    }

    /// Before the call is forgotten, what still waits for an answer of ours gets one (I4), and what
    /// still waits for one of theirs is taken back: an INVITE with a provisional response would
    /// otherwise wait for ever.
    pub(crate) fn close_changes(&mut self, now: Instant, shared: &mut Shared) {
        if let Some(change) = self.ours.take_if(|change| change.method == Method::Invite) {
            shared.endpoint.cancel(now, change.transaction, None);
        }
        if let Some(theirs) = self.theirs.take() {
            shared.answering.remove(&theirs.transaction);
            shared.reply(now, theirs.transaction, &theirs.request, StatusCode::REQUEST_TERMINATED);
        }
    }

    /// [`crate::Command::Reoffer`]
    pub(crate) fn reoffer(&mut self, now: Instant, shared: &mut Shared, body: Bytes) {
        self.wishes.reoffer = Some(body);
        self.pursue(now, shared);
    }

    /// It is time to refresh the session (RFC 4028 10).
    pub(super) fn refresh(&mut self, now: Instant, shared: &mut Shared) {
        self.wishes.refresh = true;
        self.pursue(now, shared);
    }

    /// The wait after giving way is over.
    pub(super) fn retry(&mut self, now: Instant, shared: &mut Shared) {
        self.wishes.waiting = false;
        self.pursue(now, shared);
    }

    /// Asks for the next change that we want, if nothing stands in the way (RFC 3261 14.1).
    pub(super) fn pursue(&mut self, now: Instant, shared: &mut Shared) {
        let free = self.is_established()
            && self.ending.is_none()
            && self.unacknowledged.is_none()
            && self.theirs.is_none()
            && self.ours.is_none()
            && self.negotiation == Negotiation::Stable;
        if !free || self.wishes.waiting {
            return;
        }
        if let Some(body) = self.wishes.reoffer.take() {
            // A re-INVITE refreshes the session, too (RFC 4028 7.4).
            self.wishes.refresh = false;
            self.ask_for(now, shared, Wish::Reoffer(body));
        } else if self.wishes.refresh {
            self.wishes.refresh = false;
            self.ask_for(now, shared, Wish::Refresh);
        }
    }

    fn ask_for(&mut self, now: Instant, shared: &mut Shared, what: Wish) {
        let Some(mut dialog) = self.dialog.take() else { return };
        // RFC 4028 7.4: an UPDATE is better where the peer takes it, since it needs no offer; and
        // RFC 3311 5.1: a re-INVITE is better for an offer that somebody may have to think about.
        let (method, body) = match &what {
            Wish::Refresh if self.peer_takes_update => (Method::Update, None),
            Wish::Refresh => (Method::Invite, Some(self.local_description.clone())),
            Wish::Reoffer(body) => (Method::Invite, Some(body.clone())),
        };
        let mut draft = dialog.request(method.clone());
        shared.describe(&mut draft, self.contact_for(shared, &dialog));
        self.propose_session(shared, &mut draft);
        if let Some(body) = body {
            self.negotiation.send_offer();
            draft.body(crate::capabilities::ACCEPT, body);
        }
        let purpose = match method {
            Method::Invite => Purpose::Reinvite { call: self.key, answered: false },
            _ => Purpose::Update { call: self.key },
        };
        let target = self.target(shared, &dialog);
        let credentials = self.credentials();
        let transaction = shared.ask(now, purpose, draft, target, credentials.as_ref());
        self.dialog = Some(dialog);
        self.ours = Some(Change { what, method, transaction, retries: self.wishes.retries });
    }

    /// The request for our change was sent again, as another transaction.
    pub(crate) fn asked_again(&mut self, transaction: ClientTransaction) {
        if let Some(change) = &mut self.ours {
            change.transaction = transaction;
        }
    }

    /// A final response to our re-INVITE or UPDATE came. A 2xx to a re-INVITE has had its ACK.
    pub(crate) fn change_answered(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ClientTransaction,
        response: &Response,
    ) {
        let Some(change) = self.ours.take_if(|change| change.transaction == transaction) else { return };
        self.negotiation.settle();
        let (status, headers) = (response.status(), response.headers());
        if status.is_success() {
            self.wishes.retries = 0;
            self.learn(headers);
            if let Some(dialog) = &mut self.dialog {
                dialog.refresh_target(headers);
            }
            self.session_agreed(now, shared, headers);
            if let Wish::Reoffer(body) = change.what {
                self.local_description = body;
                match description(headers, response.body()) {
                    Some(answer) => shared.tell(Event::Negotiated { call: self.key, answer }),
                    None => shared.tell(Event::Unchanged { call: self.key, status }),
                }
            }
            self.pursue(now, shared);
            return;
        }
        let retry_after = headers.retry_after().ok().flatten().map(|retry| retry.seconds);
        match (status, retry_after) {
            // RFC 3261 12.2.1.2: the dialog is gone, or nobody is there.
            (StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST | StatusCode::REQUEST_TIMEOUT, _) => {
                self.lose(now, shared, Ending::NoResponse);
            }
            (StatusCode::REQUEST_PENDING, _) => {
                let wait = self.wait_after_glare(shared);
                self.give_way(now, shared, change, status, wait);
            }
            // RFC 3261 14.2: the peer has something of its own under way.
            (StatusCode::SERVER_INTERNAL_ERROR | StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
                let wait = Duration::from_secs(u64::from(seconds)).min(RETRY_AFTER_MAX);
                self.give_way(now, shared, change, status, wait);
            }
            _ => self.give_up(now, shared, change, status),
        }
    }

    /// RFC 3261 14.1: "If the UAC is the owner of the Call-ID of the dialog ID, T has a randomly
    /// chosen value between 2.1 and 4 seconds in units of 10 ms" … else "between 0 and 2 seconds".
    fn wait_after_glare(&self, shared: &mut Shared) -> Duration {
        match self.role {
            Role::Placing(_) => shared.random_between(Duration::from_millis(2_100), Duration::from_secs(4)),
            Role::Answering(_) => shared.random_between(Duration::ZERO, Duration::from_secs(2)),
        }
    }

    /// The change is wanted again after a while; a newer wish of its kind takes its place.
    fn give_way(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        change: Change,
        status: StatusCode,
        wait: Duration,
    ) {
        if change.retries >= RETRIES_MAX {
            return self.give_up(now, shared, change, status);
        }
        self.wishes.retries = change.retries + 1;
        match change.what {
            Wish::Reoffer(body) => {
                self.wishes.reoffer.get_or_insert(body);
            }
            Wish::Refresh => self.wishes.refresh = true,
        }
        self.wishes.waiting = true;
        shared.arm(now, self.key, CallTimer::Retry, wait);
    }

    /// The session goes on as it was (RFC 3261 14.1). Where it was to be kept alive, it ends when it
    /// expires (RFC 4028 10).
    fn give_up(&mut self, now: Instant, shared: &mut Shared, change: Change, status: StatusCode) {
        self.wishes.retries = 0;
        if let Wish::Reoffer(_) = change.what {
            shared.tell(Event::Unchanged { call: self.key, status });
        }
        self.pursue(now, shared);
    }

    /// A request of ours within the dialog got no response.
    pub(crate) fn request_failed(&mut self, now: Instant, shared: &mut Shared, ending: Ending) {
        if self.is_established() {
            self.lose(now, shared, ending);
        }
    }

    /// Our re-INVITE or UPDATE got no response.
    pub(crate) fn change_failed(
        &mut self,
        now: Instant,
        shared: &mut Shared,
        transaction: ClientTransaction,
        ending: Ending,
    ) {
        let Some(change) = self.ours.take_if(|change| change.transaction == transaction) else { return };
        self.negotiation.settle();
        // REL-35: a broken connection is no reason to end a call; the next try opens another.
        if ending == Ending::TransportFailed && change.retries < RETRIES_MAX {
            let wait = self.wait_after_glare(shared);
            self.give_way(now, shared, change, StatusCode::SERVICE_UNAVAILABLE, wait);
        } else {
            self.lose(now, shared, ending);
        }
    }

    /// [`crate::Command::SendInfo`]
    pub(crate) fn send_info(&mut self, now: Instant, shared: &mut Shared, content_type: &str, body: Bytes) {
        if !self.is_established() {
            return;
        }
        let Some(mut dialog) = self.dialog.take() else { return };
        let mut draft = dialog.request(Method::Info);
        draft.body(content_type, body);
        let target = self.target(shared, &dialog);
        let credentials = self.credentials();
        shared.ask(now, Purpose::Info { call: self.key }, draft, target, credentials.as_ref());
        self.dialog = Some(dialog);
    }
}
