//! `umbel phone`, the protocol client: a telephone for people, scripts and tests.

mod call;
mod event_loop;
mod keys;
mod parameters;
mod report;
mod server;
mod sound;

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use umbel_net::{Clock, Identity, Tls, TlsConfig, load_certificates};
use umbel_node::Transport;
use umbel_sdp::{Capabilities, Codec, Srtp};
use umbel_sip_message::{HeaderName, Uri};
use umbel_ua::{Contacts, Credentials, Outgoing, Way};

use crate::cli::{PhoneCommand, PhoneOptions};
use crate::config::parse_duration;
use crate::exit::{Exit, Failure};
use crate::serve::refused;
use call::Plan;
use server::Server;

/// The most extra headers of one call.
const HEADERS_MAX: usize = 64;

/// Runs one of the telephone's commands.
pub(crate) fn run(command: PhoneCommand, json: bool) -> Result<(), Failure> {
    match command {
        PhoneCommand::Voicemail { options, no_skip_pin } => {
            let owner = owner(&options)?;
            // [MS-OCEXUM] 4.1: the voice mail GRUU of the own address; From and To are that address.
            let target = with_parameter(&owner, "opaque", "app:voicemail")?;
            let mut headers = Vec::new();
            let known = options.certificate.is_some() || options.secrets.password_file.is_some();
            if !no_skip_pin && may_skip_pin(Server::parse(&options.server)?.transport, known) {
                headers.push((HeaderName::MsExchangeCommand, "skip-pin".to_owned()));
            }
            dial(&options, json, target, headers)
        }
        PhoneCommand::Call { options, target, subject, priority, headers } => {
            let owner = owner(&options)?;
            let target = callee(&target, owner.host())?;
            let mut all = Vec::new();
            all.extend(subject.map(|text| (HeaderName::Subject, text)));
            all.extend(priority.map(|word| priority_header(&word)).transpose()?);
            for header in &headers {
                all.push(extra_header(header)?);
            }
            if all.len() > HEADERS_MAX || all.iter().any(|(_, value)| value.contains(['\r', '\n', '\0'])) {
                return Err(Failure::usage(format!(
                    "a header is one line, and there are at most {HEADERS_MAX}"
                )));
            }
            dial(&options, json, target, all)
        }
    }
}

/// CMD-11: the command is for a transport whose server we verify, and for clients that the server knows:
/// over TLS, and with a certificate or a password to be known by.
fn may_skip_pin(transport: Transport, known: bool) -> bool {
    match transport {
        Transport::Tls => known,
        Transport::Tcp => false,
    }
}

fn owner(options: &PhoneOptions) -> Result<Uri, Failure> {
    let address = options.address.strip_prefix("sip:").unwrap_or(&options.address);
    sip_uri(address)
        .filter(|uri| uri.user().is_some())
        .ok_or_else(|| Failure::usage(format!("--as `{}` is no address; write user@domain", options.address)))
}

fn sip_uri(address: &str) -> Option<Uri> {
    format!("sip:{address}").parse().ok()
}

fn with_parameter(uri: &Uri, name: &str, value: &str) -> Result<Uri, Failure> {
    format!("{uri};{name}={value}")
        .parse()
        .map_err(|_| Failure::usage(format!("`{uri}` takes no parameters")))
}

/// Whom to call: a URI, an address, or a user or extension in the own domain.
fn callee(text: &str, domain: &str) -> Result<Uri, Failure> {
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
    Ok((name, value.trim().to_owned()))
}

/// Makes the call and waits for its end.
fn dial(
    options: &PhoneOptions,
    json: bool,
    target: Uri,
    headers: Vec<(HeaderName, String)>,
) -> Result<(), Failure> {
    let (password, pin) = crate::admin::password_and_pin(&options.secrets)?;
    let server = Server::parse(&options.server)?;
    let owner = owner(options)?;
    let keys = options
        .keys
        .as_deref()
        .map(|script| keys::parse(script, pin.as_ref()))
        .transpose()?
        .unwrap_or_default();
    let hang_up_after = time(options.for_time.as_deref(), "--for")?;
    let sound_after = time(options.play_after.as_deref(), "--play-after")?.unwrap_or_default();
    let sound = options.play.as_deref().map(|path| sound::read(path, json)).transpose()?;
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
        realm: owner.host().to_owned(),
        username: user.to_owned(),
        password: password.reveal().to_owned(),
    });
    let outgoing = Outgoing {
        // [MS-OCEXUM] 4.1 keeps the GRUU's parameter in To.
        to: target.clone(),
        target,
        from: owner,
        from_name: None,
        way: Way::Proxy(proxy),
        headers,
        offer: bytes::Bytes::new(),
        credentials,
    };
    let plan = Plan {
        outgoing,
        capabilities: Capabilities {
            codecs: vec![Codec::G722, Codec::Pcmu, Codec::Pcma],
            srtp: if tls.is_some() { Srtp::Offered } else { Srtp::Off },
            address: here.ip(),
            port: 0,
        },
        over_tls: tls.is_some(),
        sound,
        sound_after,
        keys,
        record: options.record.is_some(),
        hang_up_after,
    };
    let agent = umbel_ua::Config {
        contacts: Contacts { tcp: Some(contact.clone()), tls: Some(contact) },
        automata: false,
        user_agent: format!("Umbel-phone/{}", env!("CARGO_PKG_VERSION")),
        calls_max: 1,
        ..Default::default()
    };
    event_loop::run(event_loop::Job { plan, agent, tls, clock, record: options.record.clone(), json })
}

fn time(text: Option<&str>, option: &str) -> Result<Option<Duration>, Failure> {
    text.map(|text| parse_duration(text).map_err(|what| Failure::usage(format!("{option}: {what}"))))
        .transpose()
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

    /// OCEXUM-3.1.1-1, OCEXUM-3.1.1-2
    #[test]
    fn the_command_is_sent_over_tls_by_those_whom_the_server_knows_and_by_nobody_else() {
        assert!(may_skip_pin(Transport::Tls, true));
        assert!(!may_skip_pin(Transport::Tls, false));
        assert!(!may_skip_pin(Transport::Tcp, true));
        assert!(!may_skip_pin(Transport::Tcp, false));
    }

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
}
