//! What became of a run, as an exit status and a sentence that says what to do.

use umbel_node::CloseReason;
use umbel_phone::meaning;
use umbel_sip_message::StatusCode;

use super::errand::Outcome;
use crate::exit::{Exit, Failure};

/// The end of a run. `connection` is why the connection was lost or not had, where it was.
pub(super) fn of(outcome: Outcome, connection: Option<CloseReason>) -> Result<(), Failure> {
    let failed = |code, message: String| Err(Failure::new(Exit::Failed, code, message));
    match outcome {
        Outcome::Done | Outcome::Stopped => Ok(()),
        Outcome::Refused { status, reason, error_id } => {
            // DIAG-4: the ErrorId decides what is said; its text is not even here.
            let more = error_id.map(|id| format!(" ({})", meaning(id))).unwrap_or_default();
            let hint = match status {
                StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                    "; the server wants a password that is right, see --password-file"
                }
                _ => "",
            };
            failed("refused", format!("the server refused: {} {reason}{more}{hint}", status.as_u16()))
        }
        Outcome::NoSession { why } => {
            failed("no-session", format!("the sound of the call could not be agreed on: {why}"))
        }
        Outcome::Interrupted => {
            Err(Failure::new(Exit::Interrupted, "interrupted", "stopped before it was done"))
        }
        Outcome::GivenUp => failed("given-up", "hung up before the call was answered".to_owned()),
        Outcome::NoKeys => failed(
            "no-keys",
            "the other side takes no keys (telephone-event, RFC 4733); --keys were not pressed".to_owned(),
        ),
        Outcome::NoAnswer => failed("no-answer", "nobody answered".to_owned()),
        Outcome::NobodyCalled => failed("nobody-called", "nobody called in time; see --within".to_owned()),
        Outcome::CallerGaveUp => failed("caller-gave-up", "the caller gave up before the answer".to_owned()),
        Outcome::NotTold => {
            failed("not-told", "the server did not tell what waits in the mailbox".to_owned())
        }
        Outcome::NotRegistered(status) => failed("not-registered", not_registered(status)),
        Outcome::NotNow(StatusCode::OK) => failed(
            "not-registered",
            "the server accepts the registration for no time at all; it keeps none of ours".to_owned(),
        ),
        Outcome::NotNow(status) => Err(Failure::new(
            Exit::TemporaryFailure,
            "not-registered",
            format!(
                "the server registers nobody now: {} {}; try again later",
                status.as_u16(),
                status.reason()
            ),
        )),
        Outcome::NoRoom => Err(Failure::new(
            Exit::TemporaryFailure,
            "no-ports",
            "there are no ports for the sound of a call; try again later",
        )),
        Outcome::NoResponse => Err(Failure::new(
            Exit::Unavailable,
            "no-response",
            "the server takes connections and does not respond to the call as SIP demands; check the port in --server",
        )),
        Outcome::Unreachable => Err(unreachable(connection)),
    }
}

fn not_registered(status: StatusCode) -> String {
    let code = status.as_u16();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => format!(
            "the server wants a password that is right: {code}; check --password-file, and that the domain of --as is the server's"
        ),
        StatusCode::FORBIDDEN => format!(
            "the server does not let this user register: {code}; check --as and the password in --password-file"
        ),
        StatusCode::NOT_FOUND => format!("the server does not know this user: {code}; check --as"),
        StatusCode::METHOD_NOT_ALLOWED => format!(
            "this server registers nobody: {code}; a unified messaging server is called without --password-file"
        ),
        _ => format!("the server did not register us: {code} {}", status.reason()),
    }
}

fn unreachable(connection: Option<CloseReason>) -> Failure {
    match connection {
        Some(CloseReason::HandshakeFailed) => Failure::new(
            Exit::Config,
            "certificate",
            "the TLS handshake failed: check --authority against the server's certificate and its name, and our own certificate's dates and usage",
        ),
        Some(CloseReason::ConnectFailed) => Failure::new(
            Exit::Unavailable,
            "server-not-reachable",
            "the server does not take connections; check --server",
        ),
        _ => Failure::new(
            Exit::Unavailable,
            "server-not-reachable",
            "the server could not be reached, did not answer in time, or was lost",
        ),
    }
}
