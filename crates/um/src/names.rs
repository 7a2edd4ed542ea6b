//! Whom the URIs of a message name, before and after somebody was looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use umbel_ocexum::Party;
use umbel_sip_message::{AddressOfRecord, NameAddr, Scheme, UriRef, decode};
use umbel_store::{Address, Lookup, User};

/// The opaque value of a voice mail GRUU ([MS-SIPRE] 2.2.3).
pub(crate) const VOICE_MAIL: &str = "app:voicemail";
/// RFC 3966 5.1.1: what may stand between digits, for the eye.
const VISUAL_SEPARATORS: [char; 4] = ['-', '.', '(', ')'];
/// The longest number that is looked up: the longest extension.
const NUMBER_DIGITS_MAX: usize = 20;

/// What one URI names, as far as the message itself can tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// A pilot: the voice mail system itself.
    Pilot,
    /// This user part, in our domain.
    Local(String),
    /// This telephone number.
    Number(String),
    /// Somebody elsewhere, or nobody.
    Foreign,
    /// It cannot be read.
    Unreadable,
}

impl Named {
    /// How the user of this name is looked up; the first that is found counts.
    pub(crate) fn lookups(&self, domain: &str) -> Vec<Lookup> {
        match self {
            Named::Local(user) => {
                let address = Address::new(user, domain).ok().map(Lookup::Address);
                let extension = number(user).map(Lookup::Extension);
                let alias = if extension.is_none() { Some(Lookup::Alias(user.clone())) } else { None };
                address.into_iter().chain(extension).chain(alias).collect()
            }
            Named::Number(number) => vec![Lookup::Extension(number.clone())],
            Named::Pilot => Vec::new(),
            Named::Foreign => Vec::new(),
            Named::Unreadable => Vec::new(),
        }
    }
}

/// What is ours: the domain, the hosts that stand for it, and the pilots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locality {
    /// The domain of the users.
    pub domain: String,
    /// Addresses and names under which we are reached.
    pub hosts: BTreeSet<String>,
    /// User parts to call for one's own mailbox.
    pub pilots: BTreeSet<String>,
}

impl Locality {
    /// Whether a URI's host is one of ours.
    pub(crate) fn is_ours(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case(&self.domain)
            || self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Reads a URI as a name of ours, a number, or somebody else's.
    pub(crate) fn named(&self, uri: UriRef<'_>) -> Named {
        match uri.scheme() {
            Scheme::Sip | Scheme::Sips => self.named_by_sip(uri),
            Scheme::Tel => uri.user().and_then(subscriber).map_or(Named::Unreadable, Named::Number),
            Scheme::Other => Named::Foreign,
        }
    }

    /// As [`Locality::named`], for who calls: what leads to a mailbox must not be guessed at.
    pub(crate) fn named_as_caller(&self, uri: UriRef<'_>) -> Named {
        let is_elsewhere = uri.scheme() == Scheme::Tel && self.is_of_another_domain(uri);
        if is_elsewhere { Named::Foreign } else { self.named(uri) }
    }

    /// RFC 3966 5.1.5: a local number means something in its context alone. One that is a domain, and neither ours nor
    /// below ours, has an extension 1001 of its own (SEC-12). URI-8: other contexts are dial plans.
    fn is_of_another_domain(&self, uri: UriRef<'_>) -> bool {
        let Some(context) = uri.param("phone-context").flatten() else { return false };
        let context = context.to_ascii_lowercase();
        let is_below = |domain: &str| context.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        context.contains('.') && !self.is_ours(&context) && !is_below(&self.domain.to_ascii_lowercase())
    }

    /// As [`Locality::named`], for a peer that is believed about diversions: it may write its own address
    /// beside a number of ours, as gateways do.
    pub(crate) fn named_by_peer(&self, uri: UriRef<'_>, peer: IpAddr) -> Named {
        let host = uri.host().trim_start_matches('[').trim_end_matches(']');
        let is_its_own = host.parse::<IpAddr>().is_ok_and(|host| host.to_canonical() == peer.to_canonical());
        match self.named(uri) {
            Named::Foreign if is_its_own => {
                uri.user_decoded().and_then(|user| subscriber(&user)).map_or(Named::Foreign, Named::Number)
            }
            named => named,
        }
    }

    fn named_by_sip(&self, uri: UriRef<'_>) -> Named {
        if !self.is_ours(uri.host()) {
            return Named::Foreign;
        }
        let Some(user) = uri.user() else { return Named::Foreign };
        // URI-7: `51234;phone-context=…` is a number with its context. Elsewhere a semicolon is a character
        // like others (RFC 4475 3.1.1.9), or `alice;x` would pass for alice. M8: decoded once, after splitting.
        let bare = match user.split_once(';') {
            Some((subscriber, _)) if number(subscriber).is_some() => subscriber,
            Some(_) | None => user,
        };
        decode(bare).map_or(Named::Unreadable, |user| self.named_by_user_part(&user))
    }

    fn named_by_user_part(&self, user: &str) -> Named {
        if self.pilots.contains(user) { Named::Pilot } else { Named::Local(user.to_owned()) }
    }

    /// Reads the `target` of RFC 4458: an address of record, a `tel:` URI or a bare user part.
    pub(crate) fn named_by_target(&self, target: &str) -> Named {
        match UriRef::parse(target) {
            Ok(uri) => self.named(uri),
            Err(_) => match target.rsplit_once('@') {
                Some((user, host)) if self.is_ours(host) => self.named_by_user_part(user),
                Some(_) => Named::Foreign,
                None => self.named_by_user_part(target),
            },
        }
    }
}

/// The digits of a telephone number or extension; `None` where the text is none.
pub(crate) fn number(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !VISUAL_SEPARATORS.contains(c)).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    let is_number = !digits.is_empty()
        && digits.len() <= NUMBER_DIGITS_MAX
        && digits.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then_some(plain)
}

/// The number of a telephone subscriber, whose parameters may follow it (RFC 3966 3).
fn subscriber(text: &str) -> Option<String> {
    number(text.split(';').next().unwrap_or(text))
}

/// What people see of an address: `user@host`, or the digits of a number. Empty for nobody.
pub(crate) fn shown(address: &NameAddr<'_>) -> String {
    let uri = address.uri;
    match uri.scheme() {
        Scheme::Tel => uri.user().and_then(subscriber).unwrap_or_default(),
        // RFC 3323 4.1.1.3
        Scheme::Sip | Scheme::Sips if uri.host().eq_ignore_ascii_case("anonymous.invalid") => String::new(),
        Scheme::Sip | Scheme::Sips => match uri.user_decoded() {
            Some(user)
                if uri.param("user").flatten().is_some_and(|kind| kind.eq_ignore_ascii_case("phone")) =>
            {
                subscriber(&user).unwrap_or_else(|| format!("{user}@{}", uri.host()))
            }
            Some(user) => format!("{user}@{}", uri.host()),
            None => uri.host().to_owned(),
        },
        Scheme::Other => String::new(),
    }
}

/// Those who were found, by the names that led to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    found: BTreeMap<Named, User>,
}

impl People {
    /// Notes that `named` is this user.
    pub(crate) fn add(&mut self, named: Named, user: User) {
        self.found.insert(named, user);
    }

    /// The user of a name.
    pub(crate) fn user(&self, named: &Named) -> Option<&User> {
        self.found.get(named)
    }

    /// The same for the rules about the PIN.
    pub(crate) fn party(&self, named: &Named) -> Party {
        match (named, self.user(named)) {
            (_, Some(user)) => record(user.address()).map_or(Party::Unreadable, Party::User),
            (Named::Pilot, None) => Party::Pilot,
            (Named::Unreadable, None) => Party::Unreadable,
            // A name in our domain that is nobody's.
            (Named::Local(_) | Named::Number(_), None) => Party::Foreign,
            (Named::Foreign, None) => Party::Foreign,
        }
    }
}

/// The address of a user as SIP writes it.
pub(crate) fn record(address: &Address) -> Option<AddressOfRecord> {
    AddressOfRecord::new(address.user(), address.domain())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn locality() -> Locality {
        Locality {
            domain: "example.test".to_owned(),
            hosts: ["192.0.2.1".to_owned(), "2001:db8::1".to_owned()].into(),
            pilots: ["voicemail".to_owned(), "5000".to_owned()].into(),
        }
    }

    fn local(user: &str) -> Named {
        Named::Local(user.to_owned())
    }

    fn digits(number: &str) -> Named {
        Named::Number(number.to_owned())
    }

    /// URI-2, URI-7, SEC-12.
    #[test]
    fn a_uri_names_a_user_of_ours_a_pilot_a_number_or_somebody_else() {
        for (uri, expected) in [
            ("sip:alice@example.test", local("alice")),
            ("sips:alice@EXAMPLE.test;opaque=app:voicemail;gruu", local("alice")),
            ("sip:alice@192.0.2.1:5065", local("alice")),
            ("sip:1001@[2001:db8::1]", local("1001")),
            ("sip:%61lice@example.test", local("alice")),
            ("sip:alice%2540@example.test", local("alice%40")),
            ("sip:alice%3Bx@example.test", local("alice;x")),
            ("sip:alice;x@example.test", local("alice;x")),
            ("sip:alice;phone-context=dialstring@example.test", local("alice;phone-context=dialstring")),
            ("sip:1001%3Bx@example.test", local("1001;x")),
            ("sip:Alice@example.test", local("Alice")),
            ("sip:51234;phone-context=dialstring@example.test;user=phone", local("51234")),
            ("sip:voicemail@example.test", Named::Pilot),
            ("sip:5000@192.0.2.1;transport=tls", Named::Pilot),
            ("sip:voicemail@elsewhere.test", Named::Foreign),
            ("sip:alice@elsewhere.test", Named::Foreign),
            ("sip:alice@example.test.elsewhere.test", Named::Foreign),
            ("sip:example.test", Named::Foreign),
            ("tel:+1-425-555-0123", digits("+14255550123")),
            ("tel:1001;phone-context=example.test", digits("1001")),
            ("urn:service:sos", Named::Foreign),
        ] {
            assert_eq!(locality().named(UriRef::parse(uri).unwrap()), expected, "{uri}");
        }
    }

    /// SEC-12, URI-8.
    #[test]
    fn a_caller_by_a_number_of_another_domain_is_nobody_here() {
        for (uri, expected) in [
            ("tel:1001", digits("1001")),
            ("tel:1001;phone-context=example.test", digits("1001")),
            ("tel:1001;phone-context=dp1.EXAMPLE.test", digits("1001")),
            ("tel:1001;phone-context=dialstring", digits("1001")),
            ("tel:1001;phone-context=elsewhere.test", Named::Foreign),
            ("tel:1001;PHONE-CONTEXT=notexample.test", Named::Foreign),
            ("tel:1001;x=y;phone-context=example.test.elsewhere.test", Named::Foreign),
            ("sip:alice@example.test", local("alice")),
        ] {
            assert_eq!(locality().named_as_caller(UriRef::parse(uri).unwrap()), expected, "{uri}");
        }
        // Whom somebody calls is another matter: the number was sent to us.
        assert_eq!(
            locality().named(UriRef::parse("tel:1001;phone-context=pbx.test").unwrap()),
            digits("1001")
        );
    }

    #[test]
    fn a_gateway_may_write_its_own_address_beside_our_numbers() {
        let peer = "198.51.100.7".parse().unwrap();
        let named = |uri| locality().named_by_peer(UriRef::parse(uri).unwrap(), peer);
        assert_eq!(named("sip:1001@198.51.100.7"), digits("1001"));
        assert_eq!(named("sip:1001@198.51.100.8"), Named::Foreign);
        assert_eq!(named("sip:alice@198.51.100.7"), Named::Foreign);
        assert_eq!(named("sip:alice@example.test"), local("alice"));
    }

    /// STD-1: percent-decoded; an address, `tel:` or a bare user.
    #[test]
    fn a_voicemail_target_is_read_in_all_its_forms() {
        for (target, expected) in [
            ("bob@example.test", local("bob")),
            ("sip:bob@example.test", local("bob")),
            ("tel:+15551234", digits("+15551234")),
            ("bob", local("bob")),
            ("1002", local("1002")),
            ("bob@elsewhere.test", Named::Foreign),
        ] {
            assert_eq!(locality().named_by_target(target), expected, "{target}");
        }
    }

    #[test]
    fn a_number_is_looked_up_as_an_address_and_as_an_extension() {
        let address = |text: &str| Lookup::Address(text.parse().unwrap());
        assert_eq!(
            local("1001").lookups("example.test"),
            [address("1001@example.test"), Lookup::Extension("1001".to_owned())]
        );
        assert_eq!(
            local("alice").lookups("example.test"),
            [address("alice@example.test"), Lookup::Alias("alice".to_owned())]
        );
        assert_eq!(digits("+1555").lookups("example.test"), [Lookup::Extension("+1555".to_owned())]);
        // SEC-12: like a number, and none.
        assert!(!local("1001;x").lookups("example.test").contains(&Lookup::Extension("1001".to_owned())));
        assert!(Named::Pilot.lookups("example.test").is_empty());
        assert!(Named::Foreign.lookups("example.test").is_empty());
    }

    #[test]
    fn callers_are_shown_as_people_know_them() {
        for (value, expected) in [
            ("\"Erin\" <sip:erin@example.test;x=y>;tag=1", "erin@example.test"),
            ("<sip:+14255550123@gw.test;user=phone>", "+14255550123"),
            ("<tel:+1-425-555-0123>", "+14255550123"),
            ("\"Anonymous\" <sip:anonymous@anonymous.invalid>", ""),
            ("<sip:gw.test>", "gw.test"),
        ] {
            assert_eq!(shown(&NameAddr::parse(value.as_bytes()).unwrap()), expected, "{value}");
        }
    }

    proptest! {
        /// Nothing that a peer writes makes the reading of names panic, and nothing is looked up that no user
        /// can be called.
        #[test]
        fn any_name_is_read(text in "[ -~]{0,60}", target in "\\PC{0,40}") {
            if let Ok(uri) = UriRef::parse(&text) {
                let named = locality().named_by_peer(uri, "198.51.100.7".parse().unwrap());
                prop_assert!(named.lookups("example.test").len() <= 2);
            }
            let _ = locality().named_by_target(&target).lookups("example.test");
            let _ = number(&target);
        }
    }
}
