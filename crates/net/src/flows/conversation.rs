//! The life of one connection, in its own task: reading, what could not be written at once, and time.

use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::Interest;
use tokio::time::{sleep, timeout};
use umbel_node::{CloseReason, Input};
use umbel_sip_message::PONG;
use umbel_time::Instant;

use super::connection::Connection;
use super::inbound::{Inbound, Stage, Taken};
use super::shared::{Shared, count};
use super::stream::Stream;

/// How often the wall clock is asked whether a peer's certificate has expired; it may have been set.
const EXPIRY_CHECK: Duration = Duration::from_secs(30);

/// Between two looks at a connection that waits for nothing.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// Holds a conversation with a peer to its end.
pub(super) async fn hold(shared: Rc<Shared>, connection: Rc<Connection>) {
    let guard = Guard::new(&shared, &connection);
    let Some(stream) = connection.stream() else { return };
    let reason = converse(&shared, &connection, stream).await;
    stream.finish();
    guard.tell(reason);
    if reason == CloseReason::ByUs {
        // A socket closed with unread octets is reset, and the peer may lose our last answer.
        let _ = timeout(shared.limits.farewell, drain(&shared, stream)).await;
    }
}

async fn converse(shared: &Shared, connection: &Connection, stream: &Stream) -> CloseReason {
    let mut inbound = Inbound::default();
    let mut heard = shared.clock.now();
    let mut alarm = pin!(sleep(LONG));
    let mut alarm_at = heard + LONG;
    // What came with the end of a TLS handshake makes no socket readable.
    let mut readable = true;
    loop {
        let now = shared.clock.now();
        let room = shared.arrivals.room();
        if inbound.stage() == Stage::Waiting {
            let taken = inbound.resume(connection.id, &shared.arrivals, now);
            answer(shared, connection, taken, now);
        }
        if readable && inbound.wants_more() && !connection.is_closing() {
            match read(shared, connection, stream, &mut inbound, now) {
                Read::Nothing => readable = false,
                // All that there was.
                Read::Something => (heard, readable) = (now, false),
                Read::Much => {
                    heard = now;
                    // Others first: this peer would keep us busy for as long as it likes.
                    tokio::task::yield_now().await;
                    continue;
                }
                Read::Ended(reason) => return reason,
            }
        }
        if let Some(reason) = connection.ended() {
            return reason;
        }
        let due = match due(shared, connection, inbound.stage(), heard, now) {
            Due::Now(reason) => return reason,
            Due::At(due) => due,
        };
        if due < alarm_at || alarm.is_elapsed() {
            alarm.as_mut().reset(tokio::time::Instant::now() + due.since(now));
            alarm_at = due;
        }
        let reading = inbound.wants_more() && !connection.is_closing();
        let blocked = connection.blocked_since().is_some();
        tokio::select! {
            biased;
            () = connection.changed() => {}
            () = ready(stream, reading, blocked) => {
                readable = true;
                if blocked {
                    connection.write(shared.clock.now());
                }
            }
            () = room, if inbound.stage() == Stage::Waiting => {}
            () = &mut alarm => {}
        }
    }
}

enum Read {
    Nothing,
    Something,
    /// And there is more where that came from.
    Much,
    Ended(CloseReason),
}

fn read(
    shared: &Shared,
    connection: &Connection,
    stream: &Stream,
    inbound: &mut Inbound,
    now: Instant,
) -> Read {
    let mut buffers = shared.buffers.borrow_mut();
    let (taken, ended, more) = match stream.read(&mut buffers) {
        Ok(arrived) => {
            let taken = inbound.take(arrived.octets, connection.id, &shared.arrivals, now);
            (taken, arrived.ended, arrived.more)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Nothing,
        // A peer that closes its side and ours at once, or leaves TLS without a goodbye.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Read::Ended(CloseReason::ByPeer);
        }
        Err(_) => return Read::Ended(CloseReason::Broken),
    };
    drop(buffers);
    shared.admission.borrow_mut().heard(connection.id, now);
    answer(shared, connection, taken, now);
    match (ended, more) {
        (true, _) => Read::Ended(CloseReason::ByPeer),
        (false, true) => Read::Much,
        (false, false) => Read::Something,
    }
}

/// Does what the octets ask of the connection itself.
fn answer(shared: &Shared, connection: &Connection, taken: Taken, now: Instant) {
    for _ in 0..taken.malformed {
        count(&shared.counts.malformed);
    }
    if taken.pings > 0 {
        // One answer is enough to say that we are alive, however many asked together.
        connection.transmit(Bytes::from_static(PONG), &shared.limits, now);
        connection.write_from_list(now);
    }
}

/// Until the socket may have news: octets if we want to read, room if we wait for it.
async fn ready(stream: &Stream, reading: bool, blocked: bool) {
    let interest = match (reading, blocked) {
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        (true, false) => Interest::READABLE,
        (false, true) => Interest::WRITABLE,
        (false, false) => return std::future::pending().await,
    };
    // An error here is one that reading or writing will meet and report.
    let _ = stream.socket().ready(interest).await;
}

enum Due {
    Now(CloseReason),
    At(Instant),
}

/// What must have happened by when: SEC-58, SEC-60, SEC-65.
fn due(shared: &Shared, connection: &Connection, stage: Stage, heard: Instant, now: Instant) -> Due {
    let limits = &shared.limits;
    let message = match stage {
        Stage::Between | Stage::Waiting => None,
        Stage::Header(since) => Some((since + limits.header, CloseReason::Idle)),
        Stage::Body(since) => Some((since + limits.body, CloseReason::Idle)),
        // The node has been told, and may answer; then there is nothing left to do here.
        Stage::Lost(since) => Some((since + limits.farewell, CloseReason::ByUs)),
    };
    let idle = (!connection.is_kept()).then_some((heard + limits.idle, CloseReason::Idle));
    let stalled = connection.blocked_since().map(|since| (since + limits.stalled, CloseReason::Stalled));
    let first = [message, idle, stalled].into_iter().flatten().min_by_key(|(deadline, _)| *deadline);
    let look_again = expiry(shared, connection, now);
    match first {
        Some((deadline, reason)) if deadline <= now => Due::Now(reason),
        Some((deadline, _)) => Due::At(deadline.min(look_again)),
        None => Due::At(look_again),
    }
}

/// Stops believing the peer when its certificate expires (SEC-05); says when to ask again.
fn expiry(shared: &Shared, connection: &Connection, now: Instant) -> Instant {
    let Some(ends) = connection.peer_ends() else { return now + LONG };
    // RFC 5280 4.1.2.5: the last second of a certificate belongs to it.
    let expired = ends + Duration::from_secs(1);
    let wall = shared.clock.unix_time();
    if wall < expired {
        return now + expired.since(wall).min(EXPIRY_CHECK);
    }
    connection.believe(None);
    shared.weigh(connection);
    shared.arrivals.push(Input::Reverified { id: connection.id, peer: None });
    now + LONG
}

/// Reads and forgets until the peer has closed its side.
async fn drain(shared: &Shared, stream: &Stream) {
    while stream.socket().readable().await.is_ok() {
        match stream.read(&mut shared.buffers.borrow_mut()) {
            Ok(arrived) if !arrived.ended => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Sees to it that the end of a connection is told and its place is free, even after a panic (SEC-70).
pub(super) struct Guard {
    shared: Rc<Shared>,
    connection: Rc<Connection>,
}

impl Guard {
    pub(super) fn new(shared: &Rc<Shared>, connection: &Rc<Connection>) -> Self {
        Guard { shared: Rc::clone(shared), connection: Rc::clone(connection) }
    }

    pub(super) fn tell(&self, reason: CloseReason) {
        self.shared.tell_closed(self.connection.id, reason);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tell(CloseReason::Broken);
        self.shared.admission.borrow_mut().remove(self.connection.id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use umbel_node::FlowId;

    use super::super::Config;
    use super::*;
    use crate::Clock;

    // SEC-70
    #[test]
    fn a_panic_ends_its_connection_and_is_told_and_counted() {
        let runtime = tokio::runtime::Builder::new_current_thread().build_local(Default::default()).unwrap();
        runtime.block_on(async {
            let shared = Rc::new(Shared::new(Config::default(), Clock::start()));
            let connection = Rc::new(Connection::new(FlowId(2)));
            shared.add(&connection);
            let (in_task, of_task) = (Rc::clone(&shared), Rc::clone(&connection));
            shared.spawn(async move {
                let _guard = Guard::new(&in_task, &of_task);
                panic!("as a bug would");
            });
            shared.arrivals.came().await;
            let told = shared.arrivals.pop();
            assert!(
                matches!(told, Some(Input::Closed { id: FlowId(2), reason: CloseReason::Broken })),
                "{told:?}"
            );
            assert!(shared.arrivals.pop().is_none(), "once");
            shared.reap();
            assert_eq!(shared.stats().panics, 1);
            assert_eq!(shared.stats().flows, 0);
        });
    }
}
