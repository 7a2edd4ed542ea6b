//! The INVITE of a Play-On-Phone call: POP-1 to POP-5.

use bytes::Bytes;
use umbel_ocexum::PlayOnPhone;
use umbel_sip_message::{AddressOfRecord, HeaderName, Scheme, Uri};
use umbel_store::Address;
use umbel_ua::{Outgoing, Way};

use super::inquiry::Target;
use crate::config::{self, Identity};

/// An INVITE, and whom its From and To name.
pub(crate) struct Invite {
    pub(crate) outgoing: Outgoing,
    pub(crate) party: AddressOfRecord,
}

/// The INVITE to `target` for `owner`, through `proxy`; `None` where no URI can be made of a name.
pub(crate) fn invite(
    target: &Target,
    owner: &Address,
    proxy: &Uri,
    offer: Bytes,
    settings: &config::PlayOnPhone,
) -> Option<Invite> {
    let own = Uri::sip(owner.user(), owner.domain())?;
    let request_uri = match target {
        Target::Address(address) => Uri::sip(address.user(), address.domain())?,
        // POP-3. Made of parts that were read, so that nothing in a dial string means anything here (SEC-45).
        Target::Number(number) => {
            Uri::sip(number.as_str(), owner.domain())?.with_param("user", Some("phone"))
        }
    };
    let parties = match (settings.identity, target) {
        (Identity::Owner, _) | (Identity::Number, Target::Address(_)) => PlayOnPhone::new(&own),
        // DEC-24: for gateways that route on To.
        (Identity::Number, Target::Number(_)) => PlayOnPhone::new(&request_uri),
    };
    // [MS-OCEXUM] 3.2.1. There is no Diversion: nobody has diverted anything.
    let mut headers = vec![(HeaderName::MsSensitivity, parties.sensitivity().as_str().to_owned())];
    if let Target::Number(_) = target {
        headers.push((HeaderName::PAssertedIdentity, format!("<{own}>")));
    }
    if settings.caller_preferences {
        // SENS-18, RFC 3841 9.2: for proxies that do not know Ms-Sensitivity.
        headers.push((HeaderName::RejectContact, "*;automata".to_owned()));
        headers.push((HeaderName::RejectContact, "*;actor=\"msg-taker\"".to_owned()));
    }
    let party = parties.to().address_of_record()?;
    let outgoing = Outgoing {
        target: request_uri,
        from: parties.from().clone(),
        from_name: None,
        to: parties.to().clone(),
        way: Way::Proxy(proxy.clone()),
        headers,
        offer,
        // SEC-42: a challenge ends the call, whatever the realm; peers know us by our certificate.
        credentials: None,
    };
    Some(Invite { outgoing, party })
}

/// Whether what is sent to this server goes over TLS, by its URI.
pub(crate) fn goes_over_tls(proxy: &Uri) -> bool {
    proxy.scheme() == Scheme::Sips
        || proxy.transport().is_some_and(|transport| transport.eq_ignore_ascii_case("tls"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use umbel_play_on_phone::Number;
    use umbel_sip_message::UriRef;

    use super::*;

    fn made(target: &Target, settings: &config::PlayOnPhone) -> Outgoing {
        let owner: Address = "alice@example.test".parse().unwrap();
        let proxy: Uri = "sip:proxy.example.test;transport=tls".parse().unwrap();
        invite(target, &owner, &proxy, Bytes::new(), settings).unwrap().outgoing
    }

    fn number(text: &str) -> Target {
        Target::Number(Number::read(text).unwrap())
    }

    /// The values of one header.
    fn values(outgoing: &Outgoing, name: &HeaderName) -> Vec<String> {
        outgoing.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect()
    }

    /// OCEXUM-3.2-5, OCEXUM-3.2-6, POP-1, POP-2, POP-3, POP-5, SEC-39.
    #[test]
    fn from_and_to_are_the_owner_whatever_is_called() {
        for (target, request_uri) in [
            (Target::Address("alice@example.test".parse().unwrap()), "sip:alice@example.test"),
            (Target::Address("bob@example.test".parse().unwrap()), "sip:bob@example.test"),
            (number("1002"), "sip:1002@example.test;user=phone"),
            (number("+1 555 555 0100"), "sip:+15555550100@example.test;user=phone"),
        ] {
            let outgoing = made(&target, &config::PlayOnPhone::default());
            assert_eq!(outgoing.target.as_str(), request_uri);
            assert_eq!(
                (outgoing.from.as_str(), outgoing.to.as_str()),
                ("sip:alice@example.test", outgoing.from.as_str())
            );
            assert!(outgoing.from.is_equivalent(&outgoing.to));
            assert_eq!(values(&outgoing, &HeaderName::MsSensitivity), ["private-no-diversion"]);
            assert!(values(&outgoing, &HeaderName::Diversion).is_empty());
            assert!(values(&outgoing, &HeaderName::HistoryInfo).is_empty());
            let asserted =
                if matches!(target, Target::Number(_)) { &["<sip:alice@example.test>"][..] } else { &[] };
            assert_eq!(values(&outgoing, &HeaderName::PAssertedIdentity), asserted);
            assert!(matches!(&outgoing.way, Way::Proxy(proxy) if proxy.host() == "proxy.example.test"));
            assert!(outgoing.credentials.is_none());
        }
    }

    /// DEC-24: `play-on-phone-identity = "number"`.
    #[test]
    fn a_gateway_that_routes_on_to_finds_the_number_there() {
        let settings = config::PlayOnPhone { identity: Identity::Number, ..Default::default() };
        let outgoing = made(&number("+15555550100"), &settings);
        assert_eq!(outgoing.from.as_str(), "sip:+15555550100@example.test");
        assert!(outgoing.from.is_equivalent(&outgoing.to));
        assert_eq!(values(&outgoing, &HeaderName::PAssertedIdentity), ["<sip:alice@example.test>"]);
        let own = made(&Target::Address("alice@example.test".parse().unwrap()), &settings);
        assert_eq!(own.to.as_str(), "sip:alice@example.test");
    }

    /// SENS-18: when enabled and not otherwise, and beside the header.
    #[test]
    fn caller_preferences_supplement_the_header() {
        let reject = |settings| values(&made(&number("1001"), &settings), &HeaderName::RejectContact);
        assert!(reject(config::PlayOnPhone::default()).is_empty());
        let settings = config::PlayOnPhone { caller_preferences: true, ..Default::default() };
        assert_eq!(reject(settings.clone()), ["*;automata", "*;actor=\"msg-taker\""]);
        assert_eq!(values(&made(&number("1001"), &settings), &HeaderName::MsSensitivity).len(), 1);
    }

    /// A name that means something in a URI is escaped.
    #[test]
    fn odd_names_are_escaped() {
        let outgoing =
            made(&Target::Address("a;b@example.test".parse().unwrap()), &config::PlayOnPhone::default());
        let uri = UriRef::parse(outgoing.target.as_str()).unwrap();
        assert_eq!((uri.user_decoded().as_deref(), uri.host()), (Some("a;b"), "example.test"));
        assert_eq!(uri.params().count(), 0);
    }
}
