//! One connection to a mail server, over which mails go one after the other.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;
use umbel_mail::courier::Delivery;
use umbel_store::clean_text;
use zeroize::Zeroizing;

use super::begin;
use crate::admin::first_line;
use crate::config::Mail;

/// How long a server may take until it has greeted us, encrypted the connection and believed our password.
const OPEN_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take for the reply to one command.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to take in a whole mail and say so (RFC 5321 4.5.3.2.6: ten minutes; ours are short).
const CONTENT_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How long it may take to say farewell.
const QUIT_WITHIN: Duration = Duration::from_secs(5);

/// A connection that mails can be sent over.
pub(crate) struct Session {
    connection: AsyncSmtpConnection,
    /// It has taken a mail before: the server may have hung up meanwhile, which is nobody's fault.
    used: bool,
    /// Nothing can be sent over it any more.
    broken: bool,
}

impl Session {
    /// Connects, encrypts and signs in, as the configuration says; why not, for people. `hello` is our name.
    pub(crate) async fn open(mail: &Mail, hello: &str) -> Result<Session, String> {
        match timeout(OPEN_WITHIN, Session::try_open(mail, hello)).await {
            Ok(opened) => opened.map_err(|reason| clean_text(&reason)),
            Err(_) => Err(format!("{} takes longer than {OPEN_WITHIN:?} to begin", mail.smtp)),
        }
    }

    async fn try_open(mail: &Mail, hello: &str) -> Result<Session, String> {
        let stream = begin::connect(mail, hello).await?;
        let name = ClientId::Domain(hello.to_owned());
        let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name)
            .await
            .map_err(|error| format!("{}: {error}", mail.smtp))?;
        if let (Some(user), Some(file)) = (&mail.smtp.user, &mail.password_file) {
            let password = password(file)?;
            let credentials = Credentials::new(user.clone(), password.as_str().to_owned());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await
                .map_err(|error| format!("{} does not let us in: {error}", mail.smtp))?;
        }
        Ok(Session { connection, used: false, broken: false })
    }

    /// Sends one mail; what came of it.
    pub(crate) async fn send(&mut self, from: &str, to: &str, octets: &[u8]) -> Delivery {
        let sent = self.try_send(from, to, octets).await;
        self.used = true;
        match sent {
            Ok(()) => Delivery::Taken,
            Err(delivery) => {
                // The next mail begins anew, where the server is still there for it.
                if !self.broken {
                    let reset = timeout(COMMAND_WITHIN, self.connection.command(Rset)).await;
                    self.broken = !matches!(reset, Ok(Ok(_)));
                }
                delivery
            }
        }
    }

    /// Whether another mail can be sent over it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.broken
    }

    /// Says farewell.
    pub(crate) async fn quit(mut self) {
        if !self.broken {
            // A server that does not answer is left alone.
            let _ = timeout(QUIT_WITHIN, self.connection.quit()).await;
        }
    }

    async fn try_send(&mut self, from: &str, to: &str, octets: &[u8]) -> Result<(), Delivery> {
        let address = |text: &str| text.parse::<Address>();
        let sender = address(from).map_err(|error| Delivery::Away(format!("[mail] from: {error}")))?;
        let recipient = address(to).map_err(|error| Delivery::Refused(format!("{to}: {error}")))?;
        let mail = MailFrom::new(Some(sender), Vec::new());
        if let Err(wrong) = self.command(mail).await {
            return Err(match wrong {
                // It hung up while nothing was to do.
                Wrong::Broke(reason) if self.used => Delivery::Away(reason),
                // What is wrong with our address is not this mail's fault; still others may go.
                Wrong::Broke(reason) | Wrong::Never(reason) | Wrong::NotNow(reason) => {
                    Delivery::PutOff(reason)
                }
            });
        }
        self.command(Rcpt::new(recipient, Vec::new())).await.map_err(Wrong::delivery)?;
        self.command(Data).await.map_err(Wrong::delivery)?;
        let content = timeout(CONTENT_WITHIN, self.connection.message(octets)).await;
        self.judge(content.ok()).map_err(Wrong::delivery)
    }

    async fn command(&mut self, command: impl std::fmt::Display) -> Result<(), Wrong> {
        let reply = timeout(COMMAND_WITHIN, self.connection.command(command)).await;
        self.judge(reply.ok())
    }

    fn judge<T>(&mut self, reply: Option<Result<T, Error>>) -> Result<(), Wrong> {
        let error = match reply {
            Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => error,
            None => {
                self.broken = true;
                return Err(Wrong::Broke("the mail server does not answer".to_owned()));
            }
        };
        let reason = clean_text(&error.to_string());
        // RFC 5321 3.8: with 421 the server hangs up.
        let leaves = error.status().is_some_and(|code| u16::from(code) == 421);
        self.broken |= leaves || !(error.is_permanent() || error.is_transient());
        Err(match (error.is_permanent(), error.is_transient()) {
            (true, _) => Wrong::Never(reason),
            (false, true) => Wrong::NotNow(reason),
            (false, false) => Wrong::Broke(reason),
        })
    }
}

/// The password that the server knows us by; read anew for each connection, so that it can be changed.
fn password(file: &Path) -> Result<Zeroizing<String>, String> {
    let metadata = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    // SEC-121
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!("others can read {}; run chmod 600 on it", file.display()));
    }
    let password = first_line(file).map_err(|failure| failure.message)?;
    if password.is_empty() { Err(format!("{} holds no password", file.display())) } else { Ok(password) }
}

/// Why a command did not do what it should.
enum Wrong {
    /// The server says no, for good.
    Never(String),
    /// The server says no, for now.
    NotNow(String),
    /// The connection broke, or what came over it was no reply.
    Broke(String),
}

impl Wrong {
    fn delivery(self) -> Delivery {
        match self {
            Wrong::Never(reason) => Delivery::Refused(reason),
            Wrong::NotNow(reason) => Delivery::PutOff(reason),
            Wrong::Broke(reason) => Delivery::PutOff(reason),
        }
    }
}
