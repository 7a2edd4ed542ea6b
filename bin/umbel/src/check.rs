//! `umbel check`: what is wrong, by name, and how to mend it.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use serde::Serialize;
use umbel_net::Clock;
use umbel_node::Transport;
use umbel_sip_message::{Scheme, Uri};

use crate::admin::Admin;
use crate::cli::Place;
use crate::config::{self, Config};
use crate::exit::{Exit, Failure};
use crate::mail::Session;
use crate::output;
use crate::serve;

/// How long somebody else's server may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(3);

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    subject: &'static str,
    good: bool,
    detail: String,
    #[serde(skip)]
    exit: Option<Exit>,
}

impl Finding {
    fn good(subject: &'static str, detail: impl Into<String>) -> Self {
        Finding { subject, good: true, detail: detail.into(), exit: None }
    }

    fn bad(subject: &'static str, failure: &Failure) -> Self {
        Finding { subject, good: false, detail: failure.message.clone(), exit: Some(failure.exit) }
    }

    fn of(subject: &'static str, outcome: Result<String, Failure>) -> Self {
        match outcome {
            Ok(detail) => Finding::good(subject, detail),
            Err(failure) => Finding::bad(subject, &failure),
        }
    }
}

/// Looks at everything; ends with the status of the first thing that is wrong.
pub(crate) fn run(place: &Place, print_config: bool, json: bool) -> Result<(), Failure> {
    let config = Config::at(place)?;
    if print_config {
        return output::write(config::print(&config).as_bytes());
    }
    let running = crate::control::is_answered(&config.data);
    let mut findings = vec![Finding::good("configuration", source(&config))];
    findings.push(Finding::of("certificates", certificates(&config)));
    findings.extend(ports(&config, running));
    findings.extend(voice_mail(&config));
    findings.extend(config.mail.as_ref().map(|mail| Finding::of("mail", mail_server(mail, &config.domain))));
    findings.push(Finding::of("prompts", prompts(&config)));
    match Admin::open_or_make(place, json) {
        Ok(mut admin) => {
            findings.push(Finding::good("store", config.data.display().to_string()));
            findings.push(Finding::of("users", users(&mut admin)));
        }
        Err(failure) => findings.push(Finding::bad("store", &failure)),
    }
    report(&findings, json)
}

fn report(findings: &[Finding], json: bool) -> Result<(), Failure> {
    if json {
        output::json_lines(findings)?;
    } else {
        let mark = |good: bool| if good { "ok" } else { "WRONG" }.to_owned();
        let rows: Vec<Vec<String>> = findings
            .iter()
            .map(|finding| vec![finding.subject.to_owned(), mark(finding.good), finding.detail.clone()])
            .collect();
        output::table(&["WHAT", "", "DETAIL"], &rows)?;
    }
    match findings.iter().find_map(|finding| finding.exit) {
        Some(exit) => {
            let wrong = findings.iter().filter(|finding| !finding.good).count();
            Err(Failure::new(
                exit,
                "check-failed",
                format!("{wrong} of {} checks found something wrong", findings.len()),
            ))
        }
        None => Ok(()),
    }
}

fn source(config: &Config) -> String {
    let warnings = serve::warnings(config);
    let name =
        config.source.as_ref().map_or("embedded defaults".to_owned(), |file| file.display().to_string());
    if warnings.is_empty() { name } else { format!("{name}; warning: {}", warnings.join("; warning: ")) }
}

fn certificates(config: &Config) -> Result<String, Failure> {
    let clock = Clock::start();
    let (tls, own) = crate::tls::start(config, clock)?;
    names(config, &own.names)?;
    let left = tls.own_certificate_ends().map(|ends| ends.since(clock.unix_time())).unwrap_or_default();
    Ok(format!("our certificate is valid for {} more days", left.as_secs() / 86_400))
}

/// Telephones go to the advertised name, and turn away where the certificate has another.
fn names(config: &Config, names: &[String]) -> Result<(), Failure> {
    let Some(server) = &config.server else { return Ok(()) };
    let listens = server.listen.iter().any(|listener| listener.transport == Transport::Tls);
    let Some(host) = server.advertise.as_ref().filter(|_| listens) else { return Ok(()) };
    let is_address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    if is_address || names.contains(host) || names.contains(&config.domain) {
        return Ok(());
    }
    let what = format!(
        "[server] advertise: our certificate names {}, and neither {host} nor {}; get one that does",
        if names.is_empty() { "no host".to_owned() } else { names.join(", ") },
        config.domain
    );
    Err(Failure::new(Exit::Config, "certificate", what))
}

/// Whether each address can be listened on; those of a running server are in use, as they should be.
fn ports(config: &Config, running: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_server = config.server.iter().flat_map(|server| &server.listen);
    let listeners = of_server.chain(config.um.iter().flat_map(|um| &um.listen));
    let listeners = listeners.map(|listener| (listener.to_string(), listener.address));
    let web = [("http", config.http.listen), ("admin", config.admin_listen)];
    let web = web.map(|(name, address)| (format!("{name}:{address}"), address));
    for (name, address) in listeners.chain(web) {
        findings.push(match TcpListener::bind(address) {
            Ok(_) => Finding::good("address", format!("{name} is free")),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && running => {
                Finding::good("address", format!("{name} is in use by a running server"))
            }
            Err(error) => {
                let failure = Failure::new(Exit::Unavailable, "address-in-use", format!("{name}: {error}"));
                Finding::bad("address", &failure)
            }
        });
    }
    findings.extend(config.um.as_ref().map(media));
    findings
}

fn media(um: &config::Um) -> Finding {
    match UdpSocket::bind((um.rtp_address, 0)) {
        Ok(_) => {
            Finding::good("media", format!("{} ports {}-{}", um.rtp_address, um.rtp_ports.0, um.rtp_ports.1))
        }
        Err(error) => {
            let what =
                format!("[um] rtp-address {}: {error}; give an address of this machine", um.rtp_address);
            Finding::bad("media", &Failure::new(Exit::Unavailable, "cannot-listen", what))
        }
    }
}

/// What the protocol server needs beside addresses: somebody who takes what nobody answers.
fn voice_mail(config: &Config) -> Vec<Finding> {
    const SUBJECT: &str = "voice mail";
    let Some(server) = &config.server else { return Vec::new() };
    let reached = |uri: &Uri| {
        let default = if is_tls(uri) { Transport::Tls } else { Transport::Tcp }.default_port();
        let (host, port) = (uri.host().trim_matches(['[', ']']), uri.port().unwrap_or(default));
        let addresses = (host, port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        let connected = addresses.and_then(|addresses| {
            let attempts = addresses.iter().map(|address| TcpStream::connect_timeout(address, CONNECTING));
            attempts.reduce(Result::or).unwrap_or(Err(ErrorKind::NotFound.into()))
        });
        match connected {
            Ok(_) => Finding::good(SUBJECT, format!("{uri} takes connections")),
            Err(error) => {
                let what = format!(
                    "[server] voicemail {uri}: {error}; start it, mend the address, or take it out: its calls get 480"
                );
                Finding::bad(SUBJECT, &Failure::new(Exit::Unavailable, "no-voice-mail", what))
            }
        }
    };
    match (&server.voicemail, &config.um) {
        (Some(servers), _) if servers.is_empty() => {
            vec![Finding::good(SUBJECT, "none: calls that nobody answers end with 480")]
        }
        (Some(servers), _) => servers.iter().map(reached).collect(),
        (None, Some(_)) => vec![Finding::good(SUBJECT, "our own unified messaging server")],
        (None, None) => {
            vec![Finding::good(
                SUBJECT,
                "none: neither [server] voicemail nor [um]; unanswered calls end with 480",
            )]
        }
    }
}

/// Connects, encrypts and signs in as for a mail, and sends none.
fn mail_server(mail: &config::Mail, hello: &str) -> Result<String, Failure> {
    let opened = std::cell::RefCell::new(Err(String::new()));
    crate::runtime::run(async {
        let session = Session::open(mail, hello).await;
        *opened.borrow_mut() = match session {
            Ok(session) => {
                session.quit().await;
                Ok(())
            }
            Err(reason) => Err(reason),
        };
        Ok(())
    })?;
    opened.into_inner().map_err(|reason| {
        let what = format!("[mail]: {reason}; mails wait until this is mended");
        Failure::new(Exit::Unavailable, "no-mail-server", what)
    })?;
    let way = match (mail.smtp.implicit_tls, mail.tls) {
        (true, _) => "over TLS",
        (false, config::MailTls::Required) => "by STARTTLS",
        (false, config::MailTls::Offered) => "encrypted where it is offered",
        (false, config::MailTls::Off) => "unencrypted",
    };
    let known = if mail.smtp.user.is_some() { "knows us" } else { "takes connections" };
    Ok(format!("{} {known}, {way}", mail.smtp))
}

fn is_tls(uri: &Uri) -> bool {
    uri.scheme() == Scheme::Sips || uri.transport().is_some_and(|word| word.eq_ignore_ascii_case("tls"))
}

fn prompts(config: &Config) -> Result<String, Failure> {
    let loaded = serve::load_prompts(config)?;
    Ok(format!("{} recordings, {} of them from the sound pack", loaded.count(), loaded.from_pack))
}

fn users(admin: &mut Admin) -> Result<String, Failure> {
    let users = crate::admin::all_users(admin)?;
    for user in &users {
        let names = user.settings.extension.as_deref().into_iter().chain([user.address().user()]);
        umbel_store::no_pilot(names, admin.config.pilots())
            .map_err(|why| Failure::config(format!("{}: {why}", user.address())))?;
    }
    let generated = users.iter().filter(|user| user.pin == umbel_store::PinState::Generated).count();
    Ok(format!("{} users, {generated} of them with a PIN still to be changed", users.len()))
}
