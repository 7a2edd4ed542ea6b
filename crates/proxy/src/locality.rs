//! What a Request-URI means here: a user, a mailbox, a pilot, ourselves, a number, or somebody else's.

use std::borrow::Cow;
use std::net::IpAddr;

use umbel_node::Transport;
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::{AddressOfRecord, Scheme, Uri, UriRef};

use crate::Config;

/// [MS-SIPRE] 2.2.3: the application part of a voice mail GRUU.
pub(crate) const VOICE_MAIL: &str = "app:voicemail";

/// What a Request-URI means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The server itself.
    Ourselves,
    /// Somebody of our domain, by address or extension.
    User(AddressOfRecord),
    /// URI-1: somebody's voice mail.
    VoiceMail(AddressOfRecord),
    /// The caller's own voice mail.
    Pilot,
    /// A number outside: digits, with `+` or without.
    Number(String),
    /// Not of our domain.
    Foreign,
    /// Nothing that can be routed.
    Unsupported,
}

/// Says what a URI means.
pub(crate) fn meaning(uri: UriRef<'_>, config: &Config) -> Meaning {
    match uri.scheme() {
        Scheme::Tel => {
            return number(uri.user().unwrap_or_default()).map_or(Meaning::Unsupported, Meaning::Number);
        }
        Scheme::Other => return Meaning::Unsupported,
        Scheme::Sip | Scheme::Sips => {}
    }
    if !is_ours(uri, config) {
        return Meaning::Foreign;
    }
    let Some(user) = user_part(uri) else {
        return if uri.user().is_none() { Meaning::Ourselves } else { Meaning::Unsupported };
    };
    if config.pilots.iter().any(|pilot| *pilot == user) {
        // URI-5, RFC 4458: the pilot may say whose voice mail.
        let target = uri.voicemail_target().and_then(|target| local(&target, config));
        return target.map_or(Meaning::Pilot, Meaning::VoiceMail);
    }
    let Some(address) = AddressOfRecord::new(&user, &config.domain) else { return Meaning::Unsupported };
    // URI-2: however it is written, and with `gruu` or without.
    if uri.has_opaque(VOICE_MAIL) {
        return Meaning::VoiceMail(address);
    }
    Meaning::User(address)
}

/// Whether the host is our domain, or we. Others may live at our address with ports of their own.
pub(crate) fn is_ours(uri: UriRef<'_>, config: &Config) -> bool {
    let named = |name: &str| is_same_host(name, uri.host());
    named(&config.domain)
        || config.hosts.iter().any(|name| named(name))
        || is_our_socket(uri, config, uri.port().is_none())
}

/// Whether host and port are where we listen; people leave the port out, telephones do not.
pub(crate) fn is_our_socket(uri: UriRef<'_>, config: &Config, is_any_port: bool) -> bool {
    let is_it = |SentBy { host, port }: &SentBy, default: u16| {
        let is_port = uri.port().unwrap_or(default) == port.unwrap_or(default);
        is_same_host(host, uri.host()) && (is_any_port || is_port)
    };
    let is_secure =
        uri.scheme() == Scheme::Sips || uri.transport().is_some_and(|word| word.eq_ignore_ascii_case("tls"));
    let default = if is_secure { Transport::Tls } else { Transport::Tcp }.default_port();
    config.tcp.iter().any(|tcp| is_it(tcp, Transport::Tcp.default_port()))
        || config.tls.iter().any(|tls| is_it(tls, Transport::Tls.default_port()))
        || config.sockets.iter().any(|socket| is_it(socket, default))
}

/// Whether a unified messaging server is there: voice mail by another name. At whatever port of its host,
/// since it may listen at several; but telephones may live beside it on this very machine.
pub(crate) fn is_at_voice_mail(uri: UriRef<'_>, config: &Config) -> bool {
    let is_its_port = |server: &Uri| {
        let Some(port) = uri.port() else { return true };
        let is_over_tls = server.scheme() == Scheme::Sips
            || server.transport().is_some_and(|word| word.eq_ignore_ascii_case("tls"));
        let default = if is_over_tls { 5_061 } else { 5_060 };
        port == server.port().unwrap_or(default) || config.voice_mail_ports.contains(&port)
    };
    config.voice_mail.iter().any(|server| {
        is_same_host(server.host(), uri.host()) && (!is_loopback(uri.host()) || is_its_port(server))
    })
}

/// Whether voice mail could take the identity for one of our users, though it names none of them here: its
/// own hosts mean our domain to it, and a number may be a user's extension.
pub(crate) fn may_mean_a_user(uri: UriRef<'_>, config: &Config) -> bool {
    user(uri, config).is_some() || uri.scheme() == Scheme::Tel || is_at_voice_mail(uri, config)
}

fn address(host: &str) -> Option<IpAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_loopback(host: &str) -> bool {
    address(host).map_or_else(|| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

/// One name, or one address however it is written.
fn is_same_host(one: &str, other: &str) -> bool {
    match (address(one), address(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Whether the identity is one of our domain, under whatever of our names.
pub(crate) fn user(uri: UriRef<'_>, config: &Config) -> Option<AddressOfRecord> {
    let is_sip = matches!(uri.scheme(), Scheme::Sip | Scheme::Sips);
    let user = user_part(uri).filter(|_| is_sip && is_ours(uri, config))?;
    AddressOfRecord::new(&user, &config.domain)
}

/// URI-7: of `51234;phone-context=…` the number, as voice mail reads it. Elsewhere a semicolon is a character like
/// others. M8: decoded once, after splitting.
fn user_part(uri: UriRef<'_>) -> Option<Cow<'_, str>> {
    match uri.user()?.split_once(';') {
        Some((subscriber, _)) if number(subscriber).is_some() => Some(Cow::Borrowed(subscriber)),
        Some(_) | None => uri.user_decoded(),
    }
}

/// The dialled digits of a user part or `tel` URI, without its parameters and visual separators.
pub(crate) fn number(user: &str) -> Option<String> {
    let subscriber = user.split(';').next().unwrap_or_default();
    let digits: String = subscriber.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
    let bare = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number = !bare.is_empty() && bare.bytes().all(|c| c.is_ascii_digit());
    is_number.then_some(digits)
}

/// RFC 4458 `target`: an address, a URI, or a bare user.
fn local(target: &str, config: &Config) -> Option<AddressOfRecord> {
    if let Ok(uri) = UriRef::parse(target) {
        return user(uri, config);
    }
    let (name, host) = target.rsplit_once('@').unwrap_or((target, &config.domain));
    let address = AddressOfRecord::new(name, host)?;
    (address.host() == config.domain).then_some(address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: Meaning) {
        let mut config = Config::new("example.test");
        config.hosts = vec!["sip.example.test".into()];
        config.tcp = Some(SentBy { host: "192.0.2.10".into(), port: Some(5_070) });
        config.sockets = vec![SentBy { host: "192.0.2.11".into(), port: Some(5_061) }];
        let uri: umbel_sip_message::Uri = uri.parse().unwrap();
        assert_eq!(meaning(uri.as_ref(), &config), expected, "{uri}");
    }

    fn bob() -> AddressOfRecord {
        "bob@example.test".parse().unwrap()
    }

    #[test]
    fn users_are_known_by_every_name_of_ours() {
        for uri in [
            "sip:bob@example.test",
            "sips:b%6Fb@EXAMPLE.test",
            "sip:bob@192.0.2.10:5070",
            "sip:bob@sip.example.test",
            "sip:bob@192.0.2.11:5061",
            "sips:bob@192.0.2.11",
            "sip:bob@192.0.2.11",
            "sip:bob@[::ffff:192.0.2.11]:5061",
        ] {
            check(uri, Meaning::User(bob()));
        }
        let number = Meaning::User("51234@example.test".parse().unwrap());
        check("sip:51234;phone-context=dialstring@example.test;user=phone", number);
        check(
            "sip:bob;x@example.test",
            Meaning::User(AddressOfRecord::new("bob;x", "example.test").unwrap()),
        );
        check("sip:200@192.0.2.10", Meaning::User("200@example.test".parse().unwrap()));
        check("sip:example.test", Meaning::Ourselves);
        check("sip:bob@192.0.2.10:40000", Meaning::Foreign);
        check("sip:bob@192.0.2.11:5062", Meaning::Foreign);
        check("sip:bob@elsewhere.test", Meaning::Foreign);
        check("sip:bob@example.test.evil.test", Meaning::Foreign);
    }

    // URI-1, URI-2, URI-5
    // SENS-6
    #[test]
    fn where_voice_mail_is_telephones_are_not_unless_it_is_this_machine() {
        let is_there = |server: &str, uri: &str| {
            let mut config = Config::new("example.test");
            config.voice_mail = vec![server.parse().unwrap()];
            config.voice_mail_ports = vec![5_065];
            let uri: Uri = uri.parse().unwrap();
            is_at_voice_mail(uri.as_ref(), &config)
        };
        let (far, near) = ("sip:192.0.2.7:5066;transport=tls", "sip:127.0.0.1:5066;transport=tls");
        for port in ["", ":5065", ":5066", ":5067", ":30000"] {
            assert!(is_there(far, &format!("sip:alice@192.0.2.7{port}")), "{port}");
            assert!(!is_there(far, &format!("sip:alice@192.0.2.8{port}")), "{port}");
        }
        for (port, expected) in [("", true), (":5065", true), (":5066", true), (":30000", false)] {
            assert_eq!(is_there(near, &format!("sip:alice@127.0.0.1{port}")), expected, "{port}");
            assert_eq!(is_there(near, &format!("sip:alice@[::ffff:127.0.0.1]{port}")), expected, "{port}");
        }
        assert!(is_there("sips:localhost", "sip:alice@LOCALHOST:5061"));
        assert!(!is_there("sips:localhost", "sip:alice@localhost:5060"));
    }

    #[test]
    fn voice_mail_is_known_in_all_its_forms() {
        for uri in [
            "sip:bob@example.test;opaque=app:voicemail",
            "sip:bob@example.test;gruu;opaque=APP:VoiceMail",
            "sip:bob@example.test;opaque=app%3Avoicemail;gruu",
            "sip:voicemail@example.test;target=bob%40example.test;cause=408",
            "sip:voicemail@example.test;target=bob",
            "sip:voicemail@example.test;target=sip:bob%40example.test",
        ] {
            check(uri, Meaning::VoiceMail(bob()));
        }
        check("sip:voicemail@example.test", Meaning::Pilot);
        check("sip:voicemail@example.test;target=bob%40elsewhere.test", Meaning::Pilot);
        check("sip:bob@example.test;opaque=user:epid:abc;gruu", Meaning::User(bob()));
    }

    // URI-7
    #[test]
    fn numbers_are_digits() {
        check("tel:+1-555-555-0100", Meaning::Number("+15555550100".into()));
        check("tel:5123;phone-context=x.test", Meaning::Number("5123".into()));
        check("http://x", Meaning::Unsupported);
        check("tel:*1", Meaning::Unsupported);
        assert_eq!(number("51234;phone-context=dp"), Some("51234".into()));
        assert_eq!(number("bob"), None);
        assert_eq!(number("+"), None);
    }
}
