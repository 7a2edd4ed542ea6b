//! One connection, as the event loop and the connection's own task share it.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;
use umbel_node::{CloseReason, Flow, FlowId, PeerCertificate};
use umbel_time::{Instant, UnixTime};

use super::stream::{Outbound, Stream, Written};
use crate::Limits;

/// A flow from the moment it is asked for, or accepted, until its end was told.
///
/// Loop and task are on one thread and neither holds a borrow across an await.
pub(super) struct Connection {
    pub(super) id: FlowId,
    up: OnceCell<Up>,
    outbound: RefCell<Outbound>,
    /// Since when the peer takes nothing of what waits.
    blocked: Cell<Option<Instant>>,
    /// The end that the loop, or a bound, has decided on.
    end: Cell<Option<End>>,
    kept: Cell<bool>,
    /// In the loop's list of connections to write to.
    listed: Cell<bool>,
    /// For the task: one of the above has changed.
    changed: Notify,
}

struct Up {
    stream: Stream,
    flow: RefCell<Flow>,
    /// The fingerprint of the certificate by which the other side knows us, where we opened the connection.
    shown: Option<[u8; 32]>,
}

/// How a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// When what waits to be sent has left.
    WhenSent,
    /// Now.
    Now(CloseReason),
}

impl Connection {
    pub(super) fn new(id: FlowId) -> Self {
        Connection {
            id,
            up: OnceCell::new(),
            outbound: RefCell::default(),
            blocked: Cell::new(None),
            end: Cell::new(None),
            kept: Cell::new(false),
            listed: Cell::new(false),
            changed: Notify::new(),
        }
    }

    /// The connection is there; before, what is to be sent only waits.
    pub(super) fn is_up(&self, stream: Stream, flow: Flow, shown: Option<[u8; 32]>) {
        // Set once: by the task that accepted or opened it.
        let _ = self.up.set(Up { stream, flow: RefCell::new(flow), shown });
    }

    /// The fingerprint of the certificate that we showed where we opened the connection.
    pub(super) fn shown(&self) -> Option<[u8; 32]> {
        self.up.get().and_then(|up| up.shown)
    }

    pub(super) fn stream(&self) -> Option<&Stream> {
        self.up.get().map(|up| &up.stream)
    }

    pub(super) fn flow(&self) -> Option<Flow> {
        self.up.get().map(|up| up.flow.borrow().clone())
    }

    /// Notes what is believed of the peer from now on; says whether that is news.
    pub(super) fn believe(&self, peer: Option<Arc<PeerCertificate>>) -> bool {
        let Some(up) = self.up.get() else { return false };
        let mut flow = up.flow.borrow_mut();
        let news = flow.peer != peer;
        flow.peer = peer;
        if news {
            self.changed.notify_one();
        }
        news
    }

    /// When the certificate of a peer that we believe expires.
    pub(super) fn peer_ends(&self) -> Option<UnixTime> {
        self.up.get().and_then(|up| up.flow.borrow().peer.as_ref().map(|peer| peer.not_after))
    }

    /// Queues `bytes`; says whether this is the first since the loop last wrote.
    pub(super) fn transmit(&self, bytes: Bytes, limits: &Limits, now: Instant) -> bool {
        if self.end.get().is_some() {
            return false;
        }
        self.outbound.borrow_mut().push(bytes);
        if self.outbound.borrow().bytes() > limits.queued_bytes {
            // The peer may well be reading, and the loop be late.
            self.write(now);
            if self.outbound.borrow().bytes() > limits.queued_bytes {
                self.cut(CloseReason::Stalled);
            }
        }
        !self.listed.replace(true)
    }

    /// The loop writes to its whole list once a turn.
    pub(super) fn write_from_list(&self, now: Instant) {
        self.listed.set(false);
        if self.blocked.get().is_none() {
            self.write(now);
        }
    }

    /// Sends what can be sent at once. What cannot is left to the task.
    pub(super) fn write(&self, now: Instant) {
        let Some(up) = self.up.get() else { return };
        let before = self.blocked.get();
        match up.stream.write(&mut self.outbound.borrow_mut()) {
            Ok(Written::All) => self.blocked.set(None),
            Ok(Written::Some) => self.blocked.set(Some(now)),
            Ok(Written::Nothing) => self.blocked.set(before.or(Some(now))),
            Err(_) => self.cut(CloseReason::Broken),
        }
        // The task waits for room in the socket only where it is told to, and for the last octet only
        // where an end is set.
        if before.is_none() != self.blocked.get().is_none() || self.is_closing() {
            self.changed.notify_one();
        }
    }

    /// Ends the connection when what was transmitted has left; nothing is read from here on.
    pub(super) fn close(&self) {
        if self.end.get().is_none() {
            self.end.set(Some(End::WhenSent));
            self.changed.notify_one();
        }
    }

    /// Ends the connection at once.
    pub(super) fn cut(&self, reason: CloseReason) {
        if !matches!(self.end.get(), Some(End::Now(_))) {
            self.end.set(Some(End::Now(reason)));
            self.changed.notify_one();
        }
    }

    pub(super) fn keep(&self, kept: bool) {
        if self.kept.replace(kept) != kept {
            self.changed.notify_one();
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept.get()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.end.get().is_some()
    }

    /// The reason to end now, if there is one.
    pub(super) fn ended(&self) -> Option<CloseReason> {
        match self.end.get()? {
            End::Now(reason) => Some(reason),
            End::WhenSent => {
                let sent = self.blocked.get().is_none() && self.outbound.borrow().bytes() == 0;
                sent.then_some(CloseReason::ByUs)
            }
        }
    }

    pub(super) fn blocked_since(&self) -> Option<Instant> {
        self.blocked.get()
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}
