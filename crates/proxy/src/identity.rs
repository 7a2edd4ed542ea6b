//! The trust boundary: who a sender is, and which headers are believed and passed on
//! ([MS-OCEXUM] 3.1, RFC 3325, SEC-10, SEC-11, SEC-14).

use umbel_ocexum::{Identity, Trust};
use umbel_sip_message::digest::Challenge;
use umbel_sip_message::{Draft, HeaderName, Headers, NameAddr, Token};
use umbel_store::Address;

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A peer on the list: a unified messaging server, another proxy.
    Peer {
        /// Over a transport that is trusted for the PIN, too (DEC-29).
        over_trusted_transport: bool,
    },
    /// A gateway: its caller numbers and diversions count.
    Gateway,
    /// A user who has proved it, and owns From (REG-4).
    User(Address),
    /// Under `authentication = "none"`: somebody who says to be this user.
    Claimed(Address),
    /// Anybody.
    Stranger,
}

impl Sender {
    /// By the connection alone, before any password.
    pub fn of(trust: &Trust) -> Self {
        match trust.identity {
            Identity::Listed => Sender::Peer { over_trusted_transport: trust.transport.is_ok() },
            Identity::Gateway => Sender::Gateway,
            Identity::Unlisted => Sender::Stranger,
        }
    }

    /// SEC-52: who may have requests passed on to places that are not ours.
    pub fn may_relay(&self) -> bool {
        match self {
            Sender::Peer { .. } => true,
            Sender::User(_) => true,
            Sender::Claimed(_) => true,
            // What comes from the telephone network does not go back into it, or elsewhere, by itself.
            Sender::Gateway => false,
            Sender::Stranger => false,
        }
    }

    /// Who may say by whom a call was referred, which lists of callers are compared with.
    pub fn may_refer(&self) -> bool {
        match self {
            Sender::Peer { .. } => true,
            Sender::User(_) => true,
            Sender::Claimed(_) => true,
            Sender::Gateway => false,
            Sender::Stranger => false,
        }
    }

    /// DIAG-2: who is told why.
    pub fn is_inside(&self) -> bool {
        match self {
            Sender::Peer { .. } => true,
            Sender::User(_) => true,
            Sender::Claimed(_) => true,
            Sender::Gateway => false,
            Sender::Stranger => false,
        }
    }

    /// Whose Diversion and History-Info count.
    pub fn is_believed_about_diversions(&self) -> bool {
        matches!(self, Sender::Peer { .. } | Sender::Gateway)
    }
}

/// SEC-10: what older gateways (draft-ietf-sip-privacy) and other cores (RFC 5502) take for the caller.
const OTHER_IDENTITIES: [&str; 2] = ["Remote-Party-ID", "P-Served-User"];

/// Takes out what this sender is not believed, and says who the caller is where we know.
pub fn cross_boundary(draft: &mut Draft, sender: &Sender) {
    // RFC 3325 9.2: a wish to be asserted as somebody ends here. [MS-OCER] 2.2.1.2: so do diagnostics.
    for name in [HeaderName::PPreferredIdentity, HeaderName::MsDiagnostics, HeaderName::MsDiagnosticsPublic] {
        draft.remove(&name);
    }
    // EUMR-5: the relay is ours to name.
    if let Some(relay) = Token::new("Ms-Mras-Address") {
        draft.remove(&HeaderName::Extension(relay));
    }
    if !sender.is_believed_about_diversions() {
        draft.remove(&HeaderName::Diversion);
        draft.remove(&HeaderName::HistoryInfo);
        for name in OTHER_IDENTITIES.into_iter().filter_map(Token::new) {
            draft.remove(&HeaderName::Extension(name));
        }
    }
    match sender {
        Sender::Peer { over_trusted_transport: true } => {}
        // DEC-29: what came in clear must not become trusted by our passing it on.
        Sender::Peer { over_trusted_transport: false } => {
            draft.remove(&HeaderName::MsExchangeCommand);
        }
        // SEC-10: the PIN is nothing that a gateway has a say in.
        Sender::Gateway => {
            draft.remove(&HeaderName::MsExchangeCommand);
            // Its word for a caller counts; where it gave none but From, whoever comes next is to know that it is a
            // gateway's and no stranger's.
            assert_from(draft);
        }
        // DEC-15: relayed byte for byte from the user; EUMR-10: with the identity that was proved.
        Sender::User(address) => {
            draft.remove(&HeaderName::PAssertedIdentity);
            if let Some(address) = umbel_sip_message::AddressOfRecord::new(address.user(), address.domain()) {
                draft.push(HeaderName::PAssertedIdentity, format_args!("<{}>", address.to_uri()));
            }
        }
        Sender::Claimed(_) | Sender::Stranger => {
            draft.remove(&HeaderName::PAssertedIdentity);
            draft.remove(&HeaderName::MsExchangeCommand);
        }
    }
}

/// RFC 3325 9.1: says of whom we believe it that From is the caller, where nothing was said.
fn assert_from(draft: &mut Draft) {
    if draft.has(&HeaderName::PAssertedIdentity) {
        return;
    }
    let from = draft.header(&HeaderName::From).and_then(|from| NameAddr::parse(from).ok());
    if let Some(uri) = from.map(|from| from.uri.to_uri()) {
        draft.push(HeaderName::PAssertedIdentity, format_args!("<{uri}>"));
    }
}

/// RFC 3325 7, RFC 3323: who is not trusted does not learn an identity that is to stay private.
/// Telephones are not trusted, even those of users.
pub fn keep_private(draft: &mut Draft) {
    let wants_privacy = draft.header(&HeaderName::Privacy).is_some_and(|privacy| {
        String::from_utf8_lossy(privacy).split(';').any(|word| word.trim().eq_ignore_ascii_case("id"))
    });
    if wants_privacy {
        draft.remove(&HeaderName::PAssertedIdentity);
    }
}

/// Where a request leaves the network of those who trust each other.
pub fn leave(draft: &mut Draft) {
    keep_private(draft);
    draft.remove(&HeaderName::MsExchangeCommand);
}

/// DIAG-2: takes diagnostics out of a response that goes to somebody outside.
pub fn leave_response(draft: &mut Draft, sender: &Sender) {
    if !sender.is_inside() {
        draft.remove(&HeaderName::MsDiagnostics);
    }
}

/// The headers in which passwords are asked for.
pub(crate) const CHALLENGES: [HeaderName; 2] = [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate];

/// Passes on who asks the caller for a password. SEC-50: not in our name, though: an answer to somebody
/// else's nonce is all that is needed to guess a password at leisure.
pub(crate) fn copy_challenges(draft: &mut Draft, headers: &Headers, name: &HeaderName, domain: &str) {
    for value in headers.all(name) {
        let is_ours = match Challenge::parse(&value) {
            Ok(Some(challenge)) => challenge.realm.eq_ignore_ascii_case(domain),
            // Nobody could answer it, or it depends on the reader.
            Ok(None) | Err(_) => String::from_utf8_lossy(&value).to_ascii_lowercase().contains(domain),
        };
        if !is_ours {
            draft.push(name.clone(), &*value);
        }
    }
}

/// Whether the request says that it was passed on before (LOOP-5): how often, and how often it may be.
pub fn diversions(headers: &Headers) -> Option<(usize, Option<usize>)> {
    let diversions = headers.diversions().ok()?;
    let count: usize = diversions.iter().map(|diversion| usize::from(diversion.counter)).sum();
    let limit = diversions.iter().filter_map(|diversion| diversion.limit).map(usize::from).min();
    let history = headers.history_info().ok()?;
    let mapped =
        history.iter().filter(|entry| matches!(entry.source, Some(umbel_sip_message::Source::Mapped(_))));
    // RFC 4244 has no `mp`: there, who was left says why.
    let left = history.iter().filter(|entry| !entry.reasons().is_empty());
    Some((count.max(mapped.count()).max(left.count()), limit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const EVERYTHING: &str = "INVITE sip:bob@example.test SIP/2.0\r\n\
        Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n\
        ms-EXCHANGE-command \t:\r\n skip-pin\r\n\
        P-Asserted-Identity: <sip:boss@example.test>\r\n\
        P-Preferred-Identity: <sip:boss@example.test>\r\n\
        Diversion: <sip:carol@example.test>;counter=2;limit=4\r\n\
        History-Info: <sip:carol@example.test>;index=1\r\n\
        Ms-Mras-Address: sip:relay@example.test\r\n\
        remote-PARTY-id: <sip:boss@example.test>;party=calling\r\n\
        P-Served-User: <sip:boss@example.test>\r\n\
        ms-diagnostics: 13000;reason=\"x\";source=\"y\"\r\n\
        Ms-Sensitivity: private-no-diversion\r\n\
        From: <sip:alice@example.test>;tag=1\r\nTo: <sip:bob@example.test>\r\n\
        Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";

    fn draft() -> Draft {
        let bytes = bytes::Bytes::from_static(EVERYTHING.as_bytes());
        Draft::forward(&umbel_sip_message::parse(bytes).unwrap().into_request().unwrap())
    }

    fn crossed(sender: &Sender) -> String {
        let mut draft = draft();
        cross_boundary(&mut draft, sender);
        String::from_utf8(draft.print().to_vec()).unwrap()
    }

    fn alice() -> Address {
        "alice@example.test".parse().unwrap()
    }

    // SEC-10, SEC-11, SEC-14; OCEXUM-3.1-P-2, DEC-15
    #[test]
    fn trust_headers_of_strangers_are_removed_however_they_are_spelled() {
        for sender in [Sender::Stranger, Sender::Claimed(alice())] {
            let text = crossed(&sender);
            for name in [
                "exchange",
                "p-asserted",
                "p-preferred",
                "diversion:",
                "history-info",
                "remote-party",
                "p-served",
                "mras",
                "ms-diagnostics",
            ] {
                assert!(!text.to_ascii_lowercase().contains(name), "{name} of {sender:?}\n{text}");
            }
            // SENS-5
            assert!(text.contains("Ms-Sensitivity: private-no-diversion\r\n"));
        }
    }

    // OCEXUM-3.1-P-1, DEC-15, EUMR-10
    #[test]
    fn the_command_of_a_user_passes_octet_for_octet_and_the_identity_is_ours() {
        let text = crossed(&Sender::User(alice()));
        assert!(text.contains("ms-EXCHANGE-command \t:\r\n skip-pin\r\n"), "{text}");
        assert!(text.contains("P-Asserted-Identity: <sip:alice@example.test>\r\n"), "{text}");
        assert_eq!(text.matches("P-Asserted-Identity").count(), 1);
        assert!(!text.contains("\r\nDiversion") && !text.contains("boss"));
    }

    #[test]
    fn peers_are_believed_and_gateways_about_all_but_the_pin() {
        let peer = crossed(&Sender::Peer { over_trusted_transport: true });
        let in_clear = crossed(&Sender::Peer { over_trusted_transport: false });
        let gateway = crossed(&Sender::Gateway);
        for text in [&peer, &in_clear, &gateway] {
            assert!(text.contains("\r\nP-Asserted-Identity: <sip:boss@example.test>"));
            assert!(text.contains("\r\nDiversion") && text.contains("\r\nHistory-Info"));
            assert!(text.contains("\r\nremote-PARTY-id") && text.contains("\r\nP-Served-User"));
            assert!(!text.contains("Mras") && !text.contains("ms-diagnostics"));
        }
        assert!(peer.contains("skip-pin"));
        assert!(!gateway.contains("skip-pin") && !in_clear.contains("skip-pin"));
    }

    // DEC-18, SEC-90
    #[test]
    fn the_caller_that_a_gateway_names_is_asserted_and_a_strangers_is_not() {
        let crossed = |sender: &Sender| {
            let mut draft = draft();
            draft.remove(&HeaderName::PAssertedIdentity);
            cross_boundary(&mut draft, sender);
            String::from_utf8(draft.print().to_vec()).unwrap()
        };
        assert!(crossed(&Sender::Gateway).contains("\r\nP-Asserted-Identity: <sip:alice@example.test>\r\n"));
        for sender in [Sender::Stranger, Sender::Peer { over_trusted_transport: true }] {
            assert!(!crossed(&sender).contains("P-Asserted-Identity"), "{sender:?}");
        }
    }

    #[test]
    fn outside_nobody_learns_what_is_private() {
        let mut outward = draft();
        leave(&mut outward);
        assert!(outward.has(&HeaderName::PAssertedIdentity));
        assert!(!outward.has(&HeaderName::MsExchangeCommand));
        let mut private = draft();
        private.push(HeaderName::Privacy, "user; ID");
        leave(&mut private);
        assert!(!private.has(&HeaderName::PAssertedIdentity));
    }

    // LOOP-5
    #[test]
    fn diversions_are_counted() {
        let request = draft().into_request().unwrap();
        assert_eq!(diversions(request.headers()), Some((2, Some(4))));
    }
}
