//! When a client asks to skip the PIN: [MS-OCEXUM] 2.2.1 and 3.1.1, CMD-11.

use umbel_node::{Flow, Origin, Transport};

/// What the server knows of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Unknown,
    /// We showed it a certificate, which it may have listed.
    ShowsCertificate,
    /// We are registered, and it asked for our credentials and accepted them.
    Authenticated,
}

/// Evidence that [MS-OCEXUM] 2.2.1 and 3.1.1 allow us to ask: "the client … has been authenticated by the
/// SIP server", over a trusted transport. Made by [`entitled`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entitled(());

/// Whether a call to our own voice mail may carry `Ms-Exchange-Command`.
///
/// Over TLS only: [`Origin::Opened`] over TLS means that the server's certificate was verified by name, or the
/// flow would not be there (`umbel_net`).
pub(crate) fn entitled(transport: Transport, flow: Option<&Flow>, standing: Standing) -> Option<Entitled> {
    // OCEXUM-3.1.1-2: never in clear.
    if transport != Transport::Tls {
        return None;
    }
    let verified = flow.is_some_and(|flow| flow.transport == Transport::Tls && flow.origin == Origin::Opened);
    match standing {
        Standing::Unknown => None,
        // A server whose name does not fit gets no INVITE at all, so the flow need not be up yet.
        Standing::ShowsCertificate => Some(Entitled(())),
        Standing::Authenticated => verified.then_some(Entitled(())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(transport: Transport, origin: Origin) -> Flow {
        let address = ([192, 0, 2, 1], 5_061).into();
        Flow { transport, local: address, remote: address, origin, peer: None }
    }

    /// OCEXUM-2.2.1-4, OCEXUM-3.1.1-1, OCEXUM-3.1.1-2, CMD-11
    #[test]
    fn only_those_whom_the_server_knows_ask_and_only_over_verified_tls() {
        use Standing::*;
        use Transport::*;
        let verified = flow(Tls, Origin::Opened);
        assert!(entitled(Tls, Some(&verified), Authenticated).is_some());
        assert!(entitled(Tls, Some(&verified), ShowsCertificate).is_some());
        assert!(entitled(Tls, None, ShowsCertificate).is_some());

        assert!(entitled(Tls, Some(&verified), Unknown).is_none(), "registered without a challenge");
        assert!(entitled(Tls, None, Authenticated).is_none(), "the flow of the registration is gone");
        assert!(entitled(Tls, Some(&flow(Tcp, Origin::Opened)), Authenticated).is_none());
        assert!(entitled(Tls, Some(&flow(Tls, Origin::Accepted)), Authenticated).is_none());
        for standing in [Unknown, ShowsCertificate, Authenticated] {
            assert!(entitled(Tcp, Some(&flow(Tcp, Origin::Opened)), standing).is_none(), "{standing:?}");
            assert!(entitled(Tcp, Some(&verified), standing).is_none(), "{standing:?}");
        }
    }
}
