//! What became of a run, as an exit status and a sentence that says what to do.

use umbel_net::HandshakeFailure;
use umbel_node::CloseReason;
use umbel_phone::meaning;
use umbel_sip_message::digest::Challenge;
use umbel_sip_message::{HeaderName, Response, StatusCode};

use super::errand::Outcome;
use crate::exit::{Exit, Failure};

/// What was wrong with the way to the server, as far as that is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// Why the connection was lost or not had.
    pub(super) connection: Option<CloseReason>,
    /// Why its handshake failed.
    pub(super) handshake: Option<HandshakeFailure>,
    /// What came along it was no SIP.
    pub(super) garbled: bool,
    /// Whose password the server wants, where that is not whose we have.
    pub(super) realm: Option<String>,
}

/// Whose password a challenge wants, where it is not the one of `ours`.
pub(super) fn other_realm(response: &Response, ours: &str) -> Option<String> {
    let name = match response.status() {
        StatusCode::UNAUTHORIZED => HeaderName::WwwAuthenticate,
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => HeaderName::ProxyAuthenticate,
        _ => return None,
    };
    let challenges =
        response.headers().all(&name).filter_map(|value| Challenge::parse(&value).ok().flatten());
    let realms: Vec<String> = challenges.map(|challenge| challenge.realm).collect();
    realms.iter().all(|realm| realm != ours).then(|| realms.into_iter().next()).flatten()
}

/// The end of a run.
pub(super) fn of(outcome: Outcome, trouble: Trouble) -> Result<(), Failure> {
    let failed = |code, message: String| Err(Failure::new(Exit::Failed, code, message));
    match outcome {
        Outcome::Done | Outcome::Stopped => Ok(()),
        Outcome::Refused { status, reason, error_id } => {
            // DIAG-4: the ErrorId decides what is said; its text is not even here.
            let more = error_id.map(|id| format!(" ({})", meaning(id))).unwrap_or_default();
            let hint = match (status, trouble.realm) {
                (StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(realm)) => {
                    format!("; {}", wants_another(&realm))
                }
                (StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED, None) => {
                    "; the server wants a password that is right, see --password-file".to_owned()
                }
                _ => String::new(),
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
        Outcome::NotRegistered(status) => {
            failed("not-registered", not_registered(status, trouble.realm.as_deref()))
        }
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
        Outcome::Unreachable => Err(unreachable(trouble)),
    }
}

/// SEC-50: a password is given to nobody who asks in another's name, unless its owner says so.
fn wants_another(realm: &str) -> String {
    let realm = crate::output::printable(realm);
    format!(
        "the server wants a password of `{realm}`; check the domain of --as, or if it is the one in --password-file, say --realm \"{realm}\""
    )
}

fn not_registered(status: StatusCode, realm: Option<&str>) -> String {
    let code = status.as_u16();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED if realm.is_some() => {
            format!("{}: {code}", wants_another(realm.unwrap_or_default()))
        }
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

fn unreachable(trouble: Trouble) -> Failure {
    let missing = |message| Failure::new(Exit::Unavailable, "server-not-reachable", message);
    match trouble {
        Trouble { connection: Some(CloseReason::HandshakeFailed), handshake, .. } => {
            insecure(handshake.unwrap_or(HandshakeFailure::Other))
        }
        Trouble { connection: Some(CloseReason::ConnectFailed), .. } => {
            missing("the server does not take connections; check --server")
        }
        Trouble { garbled: true, .. } => missing(
            "what answers there does not speak SIP, or not over tcp: or tls: as --server says; check its port",
        ),
        _ => missing("the server could not be reached, did not answer in time, or was lost"),
    }
}

fn insecure(why: HandshakeFailure) -> Failure {
    let wrong = |message: &str| {
        Failure::new(Exit::Config, "certificate", format!("the TLS handshake failed: {message}"))
    };
    let silent = |message| Failure::new(Exit::Unavailable, "server-not-reachable", message);
    match why {
        HandshakeFailure::OutOfDate => wrong(
            "the server's certificate has expired or is not valid yet; renew it, or check the clock here",
        ),
        HandshakeFailure::OtherName => wrong(
            "the server's certificate is for other names; write the name that it bears into --server, or check whom that leads to",
        ),
        HandshakeFailure::UnknownAuthority => wrong(
            "no authority that is believed here vouches for the server's certificate; name the right one with --authority",
        ),
        HandshakeFailure::Revoked => wrong("the server's certificate was revoked"),
        HandshakeFailure::Unfit => {
            wrong("the server's certificate is not fit for this use; check it, and --authority")
        }
        HandshakeFailure::ByPeer => wrong(
            "the server broke it off; it may want a certificate (--certificate), or ours has expired or is of an authority that it does not believe",
        ),
        HandshakeFailure::NoTls => {
            silent("what answers there does not speak TLS; check the port in --server, or write tcp:")
        }
        HandshakeFailure::TooSlow => {
            silent("the server takes connections and does not speak TLS; check the port in --server")
        }
        HandshakeFailure::Other => wrong(
            "check --authority against the server's certificate and its name, and our own certificate's dates and usage",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "A clear sentence and the right exit status": certificates are the administrator's to mend, and whoever does not
    /// speak TLS is not our server.
    #[test]
    fn each_trouble_has_its_sentence_and_its_status() {
        let handshake = |why| Trouble {
            connection: Some(CloseReason::HandshakeFailed),
            handshake: Some(why),
            ..Trouble::default()
        };
        let garbled = Trouble { garbled: true, connection: Some(CloseReason::ByUs), ..Trouble::default() };
        let refused = Trouble { connection: Some(CloseReason::ConnectFailed), ..Trouble::default() };
        for (trouble, exit, word) in [
            (handshake(HandshakeFailure::OutOfDate), Exit::Config, "expired"),
            (handshake(HandshakeFailure::OtherName), Exit::Config, "names"),
            (handshake(HandshakeFailure::UnknownAuthority), Exit::Config, "--authority"),
            (handshake(HandshakeFailure::Revoked), Exit::Config, "revoked"),
            (handshake(HandshakeFailure::Unfit), Exit::Config, "--authority"),
            (handshake(HandshakeFailure::ByPeer), Exit::Config, "--certificate"),
            (handshake(HandshakeFailure::Other), Exit::Config, "--authority"),
            (handshake(HandshakeFailure::NoTls), Exit::Unavailable, "tcp:"),
            (handshake(HandshakeFailure::TooSlow), Exit::Unavailable, "--server"),
            (garbled, Exit::Unavailable, "SIP"),
            (refused, Exit::Unavailable, "does not take connections"),
            (Trouble::default(), Exit::Unavailable, "could not be reached"),
        ] {
            let failure = of(Outcome::Unreachable, trouble.clone()).expect_err(word);
            assert_eq!(failure.exit, exit, "{trouble:?}");
            assert!(failure.message.contains(word), "{}", failure.message);
        }
    }
}
