//! What the command line says, as what the telephone and its errand need.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use umbel_net::{Clock, Identity, Tls, TlsConfig, load_certificates};
use umbel_node::Transport;
use umbel_phone::{Answering, Config, Redirection};
use umbel_sdp::Srtp;
use umbel_sip_message::{HeaderName, Uri};
use umbel_ua::{Credentials, ExtraHeaders};

use super::card::Card;
use super::errand::{Goal, Wanted};
use super::event_loop::Job;
use super::script::Script;
use super::server::Server;
use super::{keys, sound};
use crate::cli::{AnswerOptions, Audio, Encryption, PhoneOptions};
use crate::config::parse_duration;
use crate::exit::{Exit, Failure};
use crate::{refused, runtime};

/// The most extra headers of one call.
const HEADERS_MAX: usize = 64;
/// The longest name beside an address.
const NAME_MAX: usize = 200;
/// What the telephone writes into each request by itself. A second one would make the request another, or none.
const OWN_HEADERS: [HeaderName; 9] = [
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::Contact,
    HeaderName::ContentLength,
    HeaderName::ContentType,
];
/// How long an ordinary call rings where nothing else is asked for.
const RINGING: Duration = Duration::from_secs(2);
/// How long `answer` waits for a call where nothing else is asked for.
const WITHIN: Duration = Duration::from_secs(600);

/// Everything a run needs; the goal is filled in by who knows it.
pub(super) fn job(options: &PhoneOptions, json: bool, goal: Goal) -> Result<Job, Failure> {
    let card = options.audio.map(|Audio::Device| Card::find()).transpose()?;
    options.record.as_deref().map(sound::writable).transpose()?;
    let (password, pin) = crate::admin::password_and_pin(&options.secrets)?;
    let server = Server::parse(&options.server)?;
    let owner = owner(options)?;
    let keys = options.keys.as_deref().map(|script| keys::parse(script, pin.as_ref())).transpose()?;
    let script = Script {
        sound: options.play.as_deref().map(|path| sound::read(path, json)).transpose()?,
        sound_after: time(options.play_after.as_deref(), "--play-after")?.unwrap_or_default(),
        keys: keys.unwrap_or_default(),
        record: options.record.is_some(),
        hang_up_after: time(options.for_time.as_deref(), "--for")?,
        levels: false,
        listen: card.is_some(),
    };
    let clock = Clock::start();
    let tls = match server.transport {
        Transport::Tls => Some(tls(options, clock)?),
        Transport::Tcp if options.certificate.is_some() => {
            return Err(Failure::usage("--certificate needs a tls: server; over TCP nobody is shown it"));
        }
        Transport::Tcp => None,
    };
    let here = our_address(&server)?;
    let user = owner.user().unwrap_or_default();
    let contact = format!("sip:{user}@{here};transport={}", server.transport.uri_parameter());
    let contact: Uri =
        contact.parse().map_err(|_| Failure::usage(format!("`{owner}` makes no contact address")))?;
    let proxy: Uri = server
        .uri_text()
        .parse()
        .map_err(|_| Failure::usage(format!("--server {}: not a host", options.server)))?;
    let credentials = password.map(|password| Credentials {
        realm: options.realm.clone().unwrap_or_else(|| owner.host().to_owned()),
        username: user.to_owned(),
        password: password.reveal().to_owned(),
    });
    let telephone = Config {
        credentials,
        known_by_certificate: options.certificate.is_some(),
        instance: Some(instance(runtime::seed()?)),
        transfers: !options.no_transfer,
        name: options.name.as_deref().map(name).transpose()?,
        srtp: srtp(options.srtp, server.transport)?,
        rtp_address: here.ip(),
        user_agent: format!("Umbel-phone/{}", env!("CARGO_PKG_VERSION")),
        ..Config::new(owner, proxy, contact)
    };
    Ok(Job {
        telephone,
        goal,
        script,
        tls,
        clock,
        record: options.record.clone(),
        card,
        json,
        terminal: None,
        director: None,
    })
}

/// What is shown beside the address: one line.
fn name(text: &str) -> Result<String, Failure> {
    if text.chars().any(char::is_control) || text.chars().count() > NAME_MAX {
        return Err(Failure::usage(format!("--name is one line of at most {NAME_MAX} characters")));
    }
    Ok(text.to_owned())
}

/// RFC 4568 5.1.2: keys travel in what describes the session, so over TLS alone.
fn srtp(wanted: Option<Encryption>, transport: Transport) -> Result<Srtp, Failure> {
    match (wanted, transport) {
        (Some(Encryption::Off), _) | (None, Transport::Tcp) => Ok(Srtp::Off),
        (Some(Encryption::Offered) | None, Transport::Tls) => Ok(Srtp::Offered),
        (Some(Encryption::Required), Transport::Tls) => Ok(Srtp::Required),
        (Some(Encryption::Offered | Encryption::Required), Transport::Tcp) => Err(Failure::usage(
            "--srtp needs a tls: server; over TCP everybody on the way would read the keys",
        )),
    }
}

/// RFC 5626 4.1, RFC 9562 5.4: a name for this run. Two telephones of one user on one machine must not take
/// each other's registration away, so it is not made from what they have in common.
fn instance(mut seed: [u8; 32]) -> String {
    seed[6] = seed[6] & 0x0f | 0x40;
    seed[8] = seed[8] & 0x3f | 0x80;
    let digits: String = seed.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let parts: Vec<&str> =
        [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|range| digits.get(range)).collect();
    format!("urn:uuid:{}", parts.join("-"))
}

/// What happens to calls that come, and what `answer` takes for success. Without a word, `answer` answers
/// whoever calls but for Play-On-Phone, which nobody asked it to (POP-12), and `register` lets it ring; so does
/// `answer` where a person is there to decide.
pub(super) fn answering(
    options: &AnswerOptions,
    answers: bool,
    person: bool,
) -> Result<(Answering, Wanted), Failure> {
    let AnswerOptions { after, busy, decline, never, deflect, deflect_by, .. } = options;
    let by = match deflect_by {
        None | Some(303) => Redirection::SeeOther,
        Some(302) => Redirection::MovedTemporarily,
        Some(other) => {
            return Err(Failure::usage(format!("--deflect-by {other}: calls are sent on by 302 or 303")));
        }
    };
    Ok(match (after, deflect) {
        (Some(text), _) => {
            let ringing = time(Some(text), "--after")?.unwrap_or_default();
            (Answering::After { ringing, play_on_phone: true }, Wanted::Answered)
        }
        (None, Some(to)) => (Answering::Deflect { to: uri(to)?, by }, Wanted::Refused),
        (None, None) if *busy => (Answering::Busy, Wanted::Refused),
        (None, None) if *decline => (Answering::Decline, Wanted::Refused),
        (None, None) if *never || !answers => (Answering::Ring, Wanted::Rung),
        (None, None) if person => (Answering::Ring, Wanted::Answered),
        (None, None) => (Answering::After { ringing: RINGING, play_on_phone: false }, Wanted::Answered),
    })
}

/// How long to wait for a call.
pub(super) fn within(text: Option<&str>) -> Result<Duration, Failure> {
    Ok(time(text, "--within")?.unwrap_or(WITHIN))
}

pub(super) fn time(text: Option<&str>, option: &str) -> Result<Option<Duration>, Failure> {
    text.map(|text| parse_duration(text).map_err(|what| Failure::usage(format!("{option}: {what}"))))
        .transpose()
}

/// The header fields that a call is given.
pub(super) fn headers(
    subject: Option<String>,
    priority: Option<&str>,
    more: &[String],
) -> Result<ExtraHeaders, Failure> {
    let mut headers = Vec::new();
    headers.extend(subject.map(|text| (HeaderName::Subject, text)));
    headers.extend(priority.map(priority_header).transpose()?);
    for header in more {
        headers.push(extra_header(header)?);
    }
    if headers.len() > HEADERS_MAX || headers.iter().any(|(_, value)| value.contains(['\r', '\n', '\0'])) {
        return Err(Failure::usage(format!("a header is one line, and there are at most {HEADERS_MAX}")));
    }
    Ok(headers)
}

/// A URI to send calls to; an address will do.
fn uri(text: &str) -> Result<Uri, Failure> {
    text.parse().ok().or_else(|| sip_uri(text).filter(|uri| uri.user().is_some())).ok_or_else(|| {
        Failure::usage(format!("--deflect `{text}` is no address; write user@domain or sip:user@domain"))
    })
}

pub(super) fn owner(options: &PhoneOptions) -> Result<Uri, Failure> {
    let address = options.address.strip_prefix("sip:").unwrap_or(&options.address);
    sip_uri(address)
        .filter(|uri| uri.user().is_some())
        .ok_or_else(|| Failure::usage(format!("--as `{}` is no address; write user@domain", options.address)))
}

fn sip_uri(address: &str) -> Option<Uri> {
    format!("sip:{address}").parse().ok()
}

/// Whom to call: a URI, an address, or a user or extension in the own domain.
pub(super) fn callee(text: &str, domain: &str) -> Result<Uri, Failure> {
    let scheme = ["sip:", "sips:", "tel:"].iter().any(|scheme| text.to_ascii_lowercase().starts_with(scheme));
    let uri = match (scheme, text.contains('@')) {
        (true, _) => text.parse().ok(),
        (false, true) => sip_uri(text),
        (false, false) => sip_uri(&format!("{text}@{domain}")),
    };
    uri.ok_or_else(|| {
        Failure::usage(format!(
            "`{text}` cannot be called; write sip:user@domain, user@domain or an extension"
        ))
    })
}

fn priority_header(word: &str) -> Result<(HeaderName, String), Failure> {
    match word {
        "emergency" | "urgent" | "normal" | "non-urgent" => Ok((HeaderName::Priority, word.to_owned())),
        other => Err(Failure::usage(format!(
            "--priority {other}: there are emergency, urgent, normal and non-urgent"
        ))),
    }
}

fn extra_header(text: &str) -> Result<(HeaderName, String), Failure> {
    let wrong = || Failure::usage(format!("--header `{text}`: write \"Name: value\""));
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let name = name.trim().parse().map_err(|_| wrong())?;
    if OWN_HEADERS.contains(&name) {
        return Err(Failure::usage(format!("--header `{text}`: the telephone writes {name} itself")));
    }
    Ok((name, value.trim().to_owned()))
}

/// What the telephone shows to the server and whom it believes.
fn tls(options: &PhoneOptions, clock: Clock) -> Result<Tls, Failure> {
    let now = clock.unix_time();
    let identity = match (&options.certificate, &options.private_key) {
        (Some(certificate), Some(key)) => {
            Some(Arc::new(Identity::load(certificate, key, now).map_err(|error| refused::file(&error))?))
        }
        _ => None,
    };
    let authorities = match &options.authority {
        Some(file) => load_certificates(file).map_err(|error| refused::file(&error))?,
        None => Vec::new(),
    };
    let config = TlsConfig {
        identity,
        client_authorities: Vec::new(),
        system_authorities: authorities.is_empty(),
        server_authorities: authorities,
        revocations: Vec::new(),
    };
    Tls::new(&config, clock).map_err(refused::tls)
}

/// Our own address on the way to the server, with some port: nothing is sent to find out.
fn our_address(server: &Server) -> Result<SocketAddr, Failure> {
    let host = server.host.trim_matches(['[', ']']);
    let unreachable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Unavailable, "server-not-reachable", format!("--server {}: {error}", server.host))
    };
    let there = (host, server.port)
        .to_socket_addrs()
        .map_err(|error| unreachable(&error))?
        .next()
        .ok_or_else(|| unreachable(&"this name has no address"))?;
    let any: SocketAddr = if there.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).map_err(|error| unreachable(&error))?;
    socket.connect(there).map_err(|error| unreachable(&error))?;
    socket.local_addr().map_err(|error| unreachable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callee_is_a_uri_an_address_or_a_name_in_the_own_domain() {
        for (text, called) in [
            ("sip:bob@example.org", "bob@example.org"),
            ("bob@example.org", "bob@example.org"),
            ("102", "102@example.test"),
            ("bob", "bob@example.test"),
        ] {
            let uri = callee(text, "example.test").expect(text);
            assert_eq!(uri.address_of_record().expect(text).to_string(), called);
        }
        assert!(callee("bob smith", "example.test").is_err());
        assert!(callee("", "example.test").is_err());
    }

    #[test]
    fn a_header_has_a_name_and_a_value() {
        let (name, value) = extra_header("Ms-Exchange-Command:  skip-pin ").expect("a header");
        assert_eq!((name, value.as_str()), (HeaderName::MsExchangeCommand, "skip-pin"));
        assert!(extra_header("no colon").is_err());
        assert!(extra_header("bad name: x").is_err());
    }

    /// What a second one of would break is not sent; everything else serves tests.
    #[test]
    fn what_the_telephone_writes_itself_is_not_given_again() {
        for own in ["Call-ID: 1", "i: 1", "content-length: 5", "f: <sip:bob@example.test>", "CSeq: 7 INVITE"]
        {
            assert!(extra_header(own).expect_err(own).message.contains("itself"), "{own}");
        }
        for other in ["Ms-Sensitivity: secret", "Route: <sip:192.0.2.1;lr>", "Priority: urgent", "X-Test: 1"]
        {
            assert!(extra_header(other).is_ok(), "{other}");
        }
    }

    /// MED-5, DEC-30: keys over TLS alone; there, they can be left out or insisted on.
    #[test]
    fn sound_is_encrypted_as_is_said() {
        use Transport::{Tcp, Tls};
        for (wanted, transport, becomes) in [
            (None, Tls, Srtp::Offered),
            (None, Tcp, Srtp::Off),
            (Some(Encryption::Off), Tls, Srtp::Off),
            (Some(Encryption::Off), Tcp, Srtp::Off),
            (Some(Encryption::Offered), Tls, Srtp::Offered),
            (Some(Encryption::Required), Tls, Srtp::Required),
        ] {
            assert_eq!(srtp(wanted, transport).expect("a choice"), becomes, "{wanted:?}, {transport:?}");
        }
        for wanted in [Encryption::Offered, Encryption::Required] {
            let refused = srtp(Some(wanted), Tcp).expect_err("keys in clear");
            assert_eq!(refused.exit, Exit::Usage, "{wanted:?}");
        }
    }

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(name("Zoë \"Z\" O'Hara").expect("a name"), "Zoë \"Z\" O'Hara");
        assert!(name("a\r\nb").is_err() && name("a\tb").is_err() && name(&"a".repeat(201)).is_err());
        assert!(name(&"ä".repeat(200)).is_ok());
    }
}
