//! Beside the loop: signals, and commands that come over the control socket.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use umbel_net::{Clock, Listener, Tls};
use umbel_um::Order;

use super::control::{ASKED_MAX, Control};
use super::reload;
use super::um_loop::UmLoop;
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::exit::{Exit, Failure};

/// What is needed while the loop runs, to answer signals and commands.
pub(super) struct Supervisor {
    pub(super) config: Config,
    pub(super) listeners: Vec<Listener>,
    pub(super) prompts: umbel_um::Prompts,
    pub(super) tls: Tls,
    pub(super) clock: Clock,
    pub(super) orders: mpsc::Sender<Order>,
}

/// Runs the loop beside signals and commands, until it is drained or told twice to stop.
pub(super) async fn supervise(
    mut supervisor: Supervisor,
    control: Control,
    um_loop: &mut UmLoop,
) -> Result<(), Failure> {
    let no_signals =
        |error: std::io::Error| Failure::new(Exit::TemporaryFailure, "no-signals", error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(no_signals)?;
    let (asking, mut asked) = mpsc::channel(ASKED_MAX);
    let control = tokio::task::spawn_local(control.serve(asking));
    let (mut stopping, mut interrupted) = (false, false);
    let running = um_loop.run();
    tokio::pin!(running);
    let result = loop {
        tokio::select! {
            ended = &mut running => {
                tracing::info!(?ended, "stopped");
                break if interrupted {
                    Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted; all calls have ended in order"))
                } else {
                    Ok(())
                };
            }
            _ = hang_up.recv() => {
                supervisor.reload();
            }
            Some((request, reply)) = asked.recv() => {
                let answer = match request {
                    Request::Reload => supervisor.reload(),
                };
                let _ = reply.send(answer);
            }
            _ = terminate.recv() => if !supervisor.stop(&mut stopping) { break Ok(()) },
            _ = interrupt.recv() => {
                interrupted = true;
                if !supervisor.stop(&mut stopping) {
                    break Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted while calls were running"));
                }
            }
        }
    };
    control.abort();
    result
}

impl Supervisor {
    /// Told to stop: once, calls may end in order (REL-23); twice, at once.
    fn stop(&self, stopping: &mut bool) -> bool {
        if std::mem::replace(stopping, true) {
            return false;
        }
        tracing::info!("stopping: no new calls; running ones have a minute");
        self.order(Order::Drain);
        true
    }

    fn reload(&mut self) -> Answer {
        match reload::reload(&self.config, &self.listeners, &self.prompts, &self.tls, self.clock) {
            Ok(reloaded) => {
                tracing::info!(after_restart = ?reloaded.after_restart, "configuration read again");
                for warning in super::warnings(&reloaded.config) {
                    tracing::warn!("{warning}");
                }
                let answer = reloaded.answer();
                self.config = reloaded.config;
                self.prompts = reloaded.um.prompts.clone();
                self.order(Order::Reload(Box::new(reloaded.um)));
                answer
            }
            Err(failure) => {
                tracing::error!(message = %failure.message, "the new configuration is refused, the old one stays");
                Answer::Refused { message: failure.message }
            }
        }
    }

    /// Waits for room beside the loop, which would otherwise wait for itself.
    fn order(&self, order: Order) {
        let orders = self.orders.clone();
        tokio::task::spawn_local(async move {
            // The loop has ended: there is nothing left to order.
            let _ = orders.send(order).await;
        });
    }
}
