//! The lamp: what waits in the owner's mailbox, subscribed to or told unasked (RFC 6665, RFC 3842).

use std::sync::Arc;

use umbel_event_notification::subscriber::{Account, News as Told};
use umbel_event_notification::{Hop, MESSAGE_SUMMARY, MessageSummary, Outgoing, Subscriber};
use umbel_node::FlowId;
use umbel_sip_message::{Draft, Method, Request, Response, StatusCode};
use umbel_time::Instant;
use umbel_ua::{Command, DigestClient, Outcome, Received, RequestKey, Ticket, Way};

use super::Telephone;
use crate::order::{MessageWaiting, News, Wish};

/// A subscription to the owner's mailbox.
pub(super) struct Watch {
    subscriber: Subscriber,
    /// The last SUBSCRIBE: only its response counts.
    last: Ticket,
    /// Its Request-URI, for the digest.
    target: String,
    /// What it has answered to challenges.
    digest: Option<DigestClient>,
    /// The Call-ID of what was told last.
    call_id: String,
    /// Given up by order: what still comes of it interests nobody.
    given_up: bool,
}

impl Watch {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.subscriber.poll_timeout()
    }
}

impl Telephone {
    pub(super) fn watch_mailbox(&mut self, now: Instant) {
        if self.watch.is_none() {
            let owner = &self.config.owner;
            let way = self.way();
            let account = Account {
                package: &MESSAGE_SUMMARY,
                target: owner.clone(),
                from: owner.clone(),
                to: owner.clone(),
                hop: self.hop(),
                // RFC 3261 8.1.2: an outbound proxy is a route set of one.
                route: match way {
                    Way::Proxy(proxy) => Some(proxy.with_param("lr", None)),
                    Way::Flow(_) | Way::Direct => None,
                },
                contact: format!("<{}>", self.config.contact).into(),
                headers: Vec::new(),
                expires: self.config.expires,
            };
            self.watch = Some(Watch {
                subscriber: Subscriber::new(account),
                last: Ticket(0),
                target: String::new(),
                digest: None,
                call_id: String::new(),
                given_up: false,
            });
        }
        self.with_watch(now, |watch, rng| {
            watch.given_up = false;
            watch.subscriber.subscribe(now, rng);
        });
    }

    pub(super) fn unwatch_mailbox(&mut self, now: Instant) {
        self.with_watch(now, |watch, rng| {
            watch.given_up = true;
            watch.subscriber.unsubscribe(now, rng);
        });
    }

    /// We are registered along another flow: the subscription goes there from now on, and whether the server
    /// still knows it is asked at once.
    pub(super) fn follow_registration(&mut self, now: Instant) {
        let (owner, hop) = (self.config.owner.clone(), self.hop());
        self.with_watch(now, |watch, rng| {
            watch.subscriber.redirect(owner, hop);
            watch.subscriber.wake(now, rng);
        });
    }

    pub(super) fn wake_watch(&mut self, now: Instant) {
        if self.watch.as_ref().and_then(Watch::poll_timeout).is_some_and(|due| due <= now) {
            self.with_watch(now, |watch, rng| watch.subscriber.wake(now, rng));
            self.pump(now);
        }
    }

    fn hop(&self) -> Hop {
        let flow = self.registered_flow().map(|(id, _)| id);
        Hop { flow, uri: self.config.server.clone() }
    }

    pub(super) fn subscribe_answered(&mut self, now: Instant, ticket: Ticket, outcome: Outcome) {
        let is_last = self.watch.as_ref().is_some_and(|watch| watch.last == ticket);
        if !is_last {
            return;
        }
        match outcome {
            Outcome::Final(response) => {
                if !self.answer_challenge(now, &response) {
                    self.with_watch(now, |watch, rng| watch.subscriber.responded(now, rng, &response));
                }
            }
            Outcome::NoResponse | Outcome::TransportFailed | Outcome::Abandoned => {
                self.with_watch(now, |watch, rng| watch.subscriber.failed(now, rng));
            }
        }
    }

    /// RFC 3261 22.2: sends the SUBSCRIBE again with our credentials, where they are asked for.
    fn answer_challenge(&mut self, now: Instant, response: &Response) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        let Some(digest) = &mut watch.digest else { return false };
        let (status, headers) = (response.status(), response.headers());
        let answer = digest.answer(status, headers, &Method::Subscribe, &watch.target, &mut self.rng);
        let authorized = answer.is_some_and(|(name, value)| watch.subscriber.authorize(name, &value));
        match watch.subscriber.poll_request().filter(|_| authorized) {
            Some(outgoing) => {
                self.send_subscribe(now, outgoing);
                true
            }
            None => false,
        }
    }

    /// A NOTIFY of a subscription: ours, or one that we do not know.
    pub(super) fn received(&mut self, now: Instant, key: RequestKey, received: &Received) {
        let Received { flow, request, .. } = received;
        let ours = self.watch.as_ref().is_some_and(|watch| watch.subscriber.owns(request));
        let response = if ours {
            let mut response = None;
            self.with_watch(now, |watch, rng| {
                watch.call_id = request.headers().call_id().to_owned();
                response = Some(watch.subscriber.notified(now, rng, request, Some(*flow)));
            });
            response
        } else {
            None
        };
        // RFC 6665 4.1.3: 481 to who notifies of nothing that we know.
        let response =
            response.unwrap_or_else(|| Draft::reply(request, StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST));
        self.agent.command(now, Command::Respond { request: key, response: Box::new(response) });
    }

    /// Told unasked. From the server that we are registered with, or it is not believed.
    pub(super) fn notified(&mut self, flow: FlowId, notify: &Request) {
        let registered = self.registered_flow().is_some_and(|(id, _)| id == flow);
        let summary = MessageSummary::parse(notify.body()).ok().filter(|_| registered);
        if let Some(summary) = summary {
            let call_id = notify.headers().call_id().to_owned();
            let change = MessageWaiting::Summary { summary, subscribed: false };
            self.wish(Wish::Tell(News::MessageWaiting { call_id, change }));
        }
    }

    /// Lets the subscription do something, and does what comes of it.
    fn with_watch(&mut self, now: Instant, act: impl FnOnce(&mut Watch, &mut rand_chacha::ChaCha20Rng)) {
        let Some(watch) = &mut self.watch else { return };
        act(watch, &mut self.rng);
        if let Some(outgoing) = watch.subscriber.poll_request() {
            // This one was not challenged yet.
            let credentials = self.config.credentials.clone();
            watch.digest = credentials.map(|credentials| DigestClient::new(Arc::new(credentials)));
            self.send_subscribe(now, outgoing);
        }
        self.tell_watch();
    }

    fn send_subscribe(&mut self, now: Instant, outgoing: Outgoing) {
        let Some(watch) = &mut self.watch else { return };
        watch.last = Ticket(watch.last.0 + 1);
        watch.target = outgoing.draft.request_uri().map(ToString::to_string).unwrap_or_default();
        let (ticket, request) = (watch.last, Box::new(outgoing.draft));
        let send = Command::Send { ticket, request, flow: outgoing.to.flow, hop: outgoing.to.uri };
        self.agent.command(now, send);
    }

    fn tell_watch(&mut self) {
        while let Some(told) = self.watch.as_mut().and_then(|watch| watch.subscriber.poll_news()) {
            if self.watch.as_ref().is_some_and(|watch| watch.given_up) {
                continue;
            }
            let change = match told {
                // The state comes with the NOTIFY.
                Told::Subscribed => continue,
                Told::State(body) => match MessageSummary::parse(&body) {
                    Ok(summary) => MessageWaiting::Summary { summary, subscribed: true },
                    // What cannot be read is shown as it was.
                    Err(_) => continue,
                },
                Told::Lost => MessageWaiting::Lost,
                Told::Refused(status) => MessageWaiting::Refused(status),
                Told::Rejected | Told::Unsubscribed => MessageWaiting::Ended,
            };
            let call_id = self.watch.as_ref().map(|watch| watch.call_id.clone()).unwrap_or_default();
            self.wish(Wish::Tell(News::MessageWaiting { call_id, change }));
        }
    }
}
