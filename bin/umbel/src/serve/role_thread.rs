//! A thread for each role: its runtime, its connections and its event loop, and nothing of the others'.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use umbel_net::{Clock, Flows, Limits, Listener, Tls};
use umbel_ocexum::Policy;

use super::event_loop::{Ended, EventLoop, ORDERS_MAX, Role, trusted_by};
use crate::exit::{Exit, Failure};
use crate::{refused, runtime};

/// After the last call, what connections still have to send gets this long.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the connections of a role are made with.
pub(super) struct Connections {
    pub(super) limits: Limits,
    pub(super) tls: Tls,
    pub(super) trust: Policy,
    pub(super) clock: Clock,
}

/// A role whose listeners are bound. Nobody is answered before it runs.
pub(super) struct Bound<R: Role> {
    pub(super) listeners: Vec<Listener>,
    pub(super) orders: mpsc::Sender<R::Order>,
    end: Arc<Notify>,
    start: oneshot::Sender<R>,
    ended: oneshot::Receiver<Ended>,
    thread: JoinHandle<()>,
}

/// A role that runs.
pub(super) struct Running<O> {
    name: &'static str,
    pub(super) listeners: Vec<Listener>,
    orders: mpsc::Sender<O>,
    end: Arc<Notify>,
    ended: oneshot::Receiver<Ended>,
    thread: JoinHandle<()>,
}

/// Starts a role's thread and binds its listeners.
pub(super) async fn bind<R: Role + Send + 'static>(
    name: &'static str,
    listen: Vec<Listener>,
    connections: Connections,
) -> Result<Bound<R>, Failure> {
    let (orders, inbox) = mpsc::channel(ORDERS_MAX);
    let (report, reported) = oneshot::channel();
    let (start, started) = oneshot::channel();
    let (tell, ended) = oneshot::channel();
    let end = Arc::new(Notify::new());
    let life = Life { name, listen, connections, report, started, inbox, end: Arc::clone(&end), tell };
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(failure) = runtime::run(life.live()) {
            tracing::error!(role = name, error = %failure.message, "the role cannot run");
        }
    });
    let thread = thread.map_err(|error| {
        Failure::new(Exit::TemporaryFailure, "no-threads", format!("the thread of [{name}]: {error}"))
    })?;
    let listeners = reported.await.map_err(|_| broke(name))??;
    Ok(Bound { listeners, orders, end, start, ended, thread })
}

/// What a role's thread begins with.
struct Life<R: Role> {
    name: &'static str,
    listen: Vec<Listener>,
    connections: Connections,
    /// For the listeners, or why there are none.
    report: oneshot::Sender<Result<Vec<Listener>, Failure>>,
    started: oneshot::Receiver<R>,
    inbox: mpsc::Receiver<R::Order>,
    end: Arc<Notify>,
    tell: oneshot::Sender<Ended>,
}

impl<R: Role> Life<R> {
    async fn live(self) -> Result<(), Failure> {
        let clock = self.connections.clock;
        let (flows, listeners) = match open(self.name, &self.listen, self.connections) {
            Ok(opened) => opened,
            Err(failure) => {
                let _ = self.report.send(Err(failure));
                return Ok(());
            }
        };
        let _ = self.report.send(Ok(listeners));
        // Something else went wrong at the start, and this role is not wanted any more.
        let Ok(role) = self.started.await else { return Ok(()) };
        let mut event_loop =
            EventLoop { role, flows, clock, orders: self.inbox, end: self.end, kept: BTreeSet::new() };
        let how = event_loop.run().await;
        event_loop.role.leave();
        let EventLoop { flows, role, orders, .. } = event_loop;
        flows.shut_down(FAREWELL).await;
        // Nobody takes orders any more, so that the store's thread does not wait for that.
        drop(orders);
        drop(role);
        let _ = self.tell.send(how);
        Ok(())
    }
}

fn open(
    name: &'static str,
    listen: &[Listener],
    connections: Connections,
) -> Result<(Flows, Vec<Listener>), Failure> {
    let Connections { limits, tls, trust, clock } = connections;
    let resolver = umbel_net::Resolver::system(runtime::seed()?)
        .inspect_err(|error| tracing::warn!(%error, "names of other hosts cannot be found"))
        .ok();
    let trusts = trusted_by(trust, clock);
    let flows = Flows::new(umbel_net::Config { limits, tls: Some(tls), resolver, trusts }, clock);
    let bind = |listener: &Listener| {
        let address = flows.listen(listener).map_err(|error| refused::listen(name, &error))?;
        Ok(Listener { transport: listener.transport, address })
    };
    let listeners = listen.iter().map(bind).collect::<Result<_, Failure>>()?;
    Ok((flows, listeners))
}

/// A thread that ended without a word has panicked, and the panic has been reported.
fn broke(name: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "internal",
        format!("a fault of this program ended the role [{name}]; please report it"),
    )
}

impl<R: Role> Bound<R> {
    /// Lets the role run.
    pub(super) fn start(self, name: &'static str, role: R) -> Result<Running<R::Order>, Failure> {
        let Bound { listeners, orders, end, start, ended, thread } = self;
        start.send(role).map_err(|_| broke(name))?;
        Ok(Running { name, listeners, orders, end, ended, thread })
    }
}

impl<O: Send + 'static> Running<O> {
    /// Waits for room in the inbox beside whoever gives the order.
    pub(super) fn order(&self, order: O) {
        let orders = self.orders.clone();
        tokio::task::spawn_local(async move {
            // The loop has ended: there is nothing left to order.
            let _ = orders.send(order).await;
        });
    }

    /// Nobody else needs the role any more.
    pub(super) fn may_end(&self) {
        self.end.notify_one();
    }

    /// Waits until the loop has ended. May be dropped and called again before it has.
    pub(super) async fn ended(&mut self) -> Result<Ended, Failure> {
        (&mut self.ended).await.map_err(|_| broke(self.name))
    }

    /// Waits for the thread, which has nothing more to do.
    pub(super) fn join(self) {
        let Running { thread, orders, .. } = self;
        drop(orders);
        // A panic has been reported where it happened.
        let _ = thread.join();
    }
}

#[cfg(test)]
#[path = "role_thread_tests.rs"]
mod tests;
