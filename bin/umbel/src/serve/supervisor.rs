//! Beside the roles: signals, and commands that come over the control socket.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use umbel_net::{Clock, Listener, Tls};
use umbel_store::Op;

use super::control::{ASKED_MAX, Control};
use super::event_loop::Ended;
use super::http::{self, Web};
use super::mailing::Mailing;
use super::reload;
use super::role_thread::Running;
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::exit::{Exit, Failure};

/// What is needed while the roles run, to answer signals and commands.
pub(super) struct Supervisor {
    pub(super) config: Config,
    pub(super) prompts: umbel_um::Prompts,
    pub(super) tls: Tls,
    pub(super) clock: Clock,
    pub(super) roles: Roles,
    pub(super) web: Web,
    /// Rings when another part of the program wants it all to stop.
    pub(super) stop: Arc<Notify>,
    pub(super) mailing: Option<Mailing>,
}

/// The roles that run.
pub(super) struct Roles {
    pub(super) server: Option<Running<umbel_proxy::Order>>,
    pub(super) um: Option<Running<umbel_um::Order>>,
    /// Rings when the protocol server is to stop and no call rings there any more.
    server_has_answered: Arc<Notify>,
    /// The unified messaging server was told to stop.
    is_um_told: bool,
}

/// How far the process has come in ending.
#[derive(Default)]
struct Ending {
    is_stopping: bool,
    is_interrupted: bool,
    /// A role that broke.
    broke: Option<Failure>,
}

/// Runs beside the roles until they are drained, or told twice to stop.
pub(super) async fn supervise(supervisor: &mut Supervisor, control: Control) -> Result<(), Failure> {
    let no_signals =
        |error: std::io::Error| Failure::new(Exit::TemporaryFailure, "no-signals", error.to_string());
    let [mut terminate, mut interrupt, mut hang_up] = signals().map_err(no_signals)?;
    let (asking, mut asked) = mpsc::channel(ASKED_MAX);
    let control = tokio::task::spawn_local(control.serve(asking));
    let has_answered = Arc::clone(&supervisor.roles.server_has_answered);
    let stop = Arc::clone(&supervisor.stop);
    let mut ending = Ending::default();
    let result = loop {
        tokio::select! {
            (name, ended) = supervisor.roles.one_ended() => {
                supervisor.ended(name, ended, &mut ending);
                if supervisor.roles.are_gone() {
                    break ending.result();
                }
            }
            () = has_answered.notified() => supervisor.roles.drain_um(),
            _ = hang_up.recv() => {
                supervisor.reload();
            }
            Some((request, reply)) = asked.recv() => {
                let desk = supervisor.web.desk.clone();
                let answer = match request {
                    Request::Reload => supervisor.reload(),
                    Request::PlayOnPhone { message, number } => {
                        // Signals are heard while it is decided whether the call is placed.
                        tokio::task::spawn_local(async move {
                            let _ = reply.send(http::play(desk, message, number).await);
                        });
                        continue;
                    }
                    Request::PhoneCall { mailbox, id } => http::phone_call(&desk, &mailbox, &id),
                    Request::HangUp { mailbox, id } => http::hang_up(&desk, &mailbox, &id),
                    Request::SendMails => supervisor.send_mails(),
                    Request::UsersChanged => {
                        // The answer of the store's thread tells all who remember users.
                        tokio::task::spawn_local(async move {
                            let _counted = desk.store.ask(Op::CountUserChanges).await;
                            let _ = reply.send(Answer::Done { after_restart: Vec::new() });
                        });
                        continue;
                    }
                };
                let _ = reply.send(answer);
            }
            () = stop.notified() => if !supervisor.stop(&mut ending) { break ending.at_once() },
            _ = terminate.recv() => if !supervisor.stop(&mut ending) { break ending.at_once() },
            _ = interrupt.recv() => {
                ending.is_interrupted = true;
                if !supervisor.stop(&mut ending) {
                    break ending.at_once();
                }
            }
        }
    };
    control.abort();
    result
}

fn signals() -> std::io::Result<[Signal; 3]> {
    Ok([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?])
}

impl Ending {
    /// Every role has ended.
    fn result(self) -> Result<(), Failure> {
        match self.broke {
            Some(failure) => Err(failure),
            None if self.is_interrupted => Err(Failure::new(
                Exit::Interrupted,
                "interrupted",
                "interrupted; all calls have ended in order",
            )),
            None => Ok(()),
        }
    }

    /// Told twice to stop.
    fn at_once(self) -> Result<(), Failure> {
        match self.broke {
            Some(failure) => Err(failure),
            None if self.is_interrupted => {
                Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted while calls were running"))
            }
            None => Ok(()),
        }
    }
}

impl Roles {
    /// `server_has_answered` is rung by the protocol server.
    pub(super) fn new(
        server: Option<Running<umbel_proxy::Order>>,
        um: Option<Running<umbel_um::Order>>,
        server_has_answered: Arc<Notify>,
    ) -> Self {
        Roles { server, um, server_has_answered, is_um_told: false }
    }

    /// What each listens on, as it was bound.
    pub(super) fn listeners(&self) -> Vec<(&'static str, &[Listener])> {
        let server = self.server.as_ref().map(|server| ("server", server.listeners.as_slice()));
        let um = self.um.as_ref().map(|um| ("um", um.listeners.as_slice()));
        server.into_iter().chain(um).collect()
    }

    /// The next role that ends.
    async fn one_ended(&mut self) -> (&'static str, Result<Ended, Failure>) {
        tokio::select! {
            ended = ended(&mut self.server) => ("server", ended),
            ended = ended(&mut self.um) => ("um", ended),
        }
    }

    fn are_gone(&self) -> bool {
        self.server.is_none() && self.um.is_none()
    }

    /// REL-23: no new calls. The protocol server passes on what calls of the other one still need; the other
    /// one waits for calls that ring, whose callers may want to leave a message.
    fn drain(&mut self) {
        match &self.server {
            Some(server) => {
                server.order(umbel_proxy::Order::Drain(true));
                if self.um.is_none() {
                    server.may_end();
                }
            }
            None => self.drain_um(),
        }
    }

    fn drain_um(&mut self) {
        if let Some(um) = &self.um
            && !std::mem::replace(&mut self.is_um_told, true)
        {
            um.order(umbel_um::Order::Drain);
        }
    }
}

/// When a role ends; never, where it does not run.
async fn ended<O: Send + 'static>(role: &mut Option<Running<O>>) -> Result<Ended, Failure> {
    match role {
        Some(running) => {
            let ended = running.ended().await;
            if let Some(running) = role.take() {
                running.join();
            }
            ended
        }
        None => std::future::pending().await,
    }
}

impl Supervisor {
    fn ended(&mut self, name: &'static str, ended: Result<Ended, Failure>, ending: &mut Ending) {
        match ended {
            Ok(ended) => tracing::info!(role = name, ?ended, "stopped"),
            Err(failure) => {
                tracing::error!(role = name, error = %failure.message, "the process ends");
                ending.broke.get_or_insert(failure);
            }
        }
        if let Some(server) = self.roles.server.as_ref().filter(|_| self.roles.um.is_none()) {
            server.may_end();
        }
        if ending.is_stopping && self.roles.server.is_none() {
            self.roles.drain_um();
        }
        // Half a server helps nobody: whoever watches the process is to start it anew.
        if ending.broke.is_some() && !self.roles.are_gone() {
            self.stop(ending);
        }
    }

    /// Told to stop: once, calls may end in order (REL-23); twice, at once.
    fn stop(&mut self, ending: &mut Ending) -> bool {
        if std::mem::replace(&mut ending.is_stopping, true) {
            return false;
        }
        tracing::info!("stopping: no new calls; running ones have a minute");
        self.roles.drain();
        true
    }

    fn send_mails(&self) -> Answer {
        match &self.mailing {
            Some(mailing) => {
                mailing.try_now();
                Answer::Done { after_restart: Vec::new() }
            }
            None => Answer::Refused {
                message: "this server sends no mail: it was started without [mail]".to_owned(),
            },
        }
    }

    fn reload(&mut self) -> Answer {
        match reload::reload(&self.config, &self.roles, &self.prompts, &self.tls, self.clock) {
            Ok(reloaded) => {
                tracing::info!(after_restart = ?reloaded.after_restart, "configuration read again");
                for warning in super::warnings(&reloaded.config) {
                    tracing::warn!("{warning}");
                }
                let answer = reloaded.answer();
                self.web.reload(&reloaded.config, reloaded.web);
                self.config = reloaded.config;
                if let (Some(mailing), Some(mail)) = (&self.mailing, &self.config.mail) {
                    mailing.reload(mail.clone());
                }
                if let (Some(um), Some(settings)) = (&self.roles.um, reloaded.um) {
                    self.prompts = settings.prompts.clone();
                    um.order(umbel_um::Order::Reload(Box::new(settings)));
                }
                if let (Some(server), Some(settings)) = (&self.roles.server, reloaded.server) {
                    server.order(umbel_proxy::Order::Reload(Box::new(settings)));
                }
                answer
            }
            Err(failure) => {
                tracing::error!(error = %failure.message, "the new configuration is refused, the old one stays");
                Answer::Refused { message: failure.message }
            }
        }
    }
}
