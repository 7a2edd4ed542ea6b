//! `umbel check`: what is wrong, by name, and how to mend it.

use std::net::{TcpListener, UdpSocket};

use serde::Serialize;
use umbel_net::Clock;

use crate::admin::{Admin, configuration};
use crate::cli::Place;
use crate::config::{self, Config};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::serve;

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
    let config = configuration(place)?;
    if print_config {
        return output::write(config::print(&config).as_bytes());
    }
    let running = crate::control::is_answered(&config.data);
    let mut findings = vec![Finding::good("configuration", source(&config))];
    findings.push(Finding::of("certificates", certificates(&config)));
    findings.extend(ports(&config, running));
    findings.push(Finding::of("prompts", prompts(&config)));
    match Admin::open(place, json) {
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
    let (tls, _) = crate::tls::start(config, clock)?;
    let left = tls.own_certificate_ends().map(|ends| ends.since(clock.unix_time())).unwrap_or_default();
    Ok(format!("our certificate is valid for {} more days", left.as_secs() / 86_400))
}

/// Whether each address can be listened on; those of a running server are in use, as they should be.
fn ports(config: &Config, running: bool) -> Vec<Finding> {
    let Some(um) = &config.um else { return Vec::new() };
    let mut findings = Vec::new();
    let listeners = um.listen.iter().map(|listener| (listener.to_string(), listener.address));
    for (name, address) in listeners.chain([(config.admin_listen.to_string(), config.admin_listen)]) {
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
    findings.push(match UdpSocket::bind((um.rtp_address, 0)) {
        Ok(_) => {
            Finding::good("media", format!("{} ports {}-{}", um.rtp_address, um.rtp_ports.0, um.rtp_ports.1))
        }
        Err(error) => {
            let what =
                format!("[um] rtp-address {}: {error}; give an address of this machine", um.rtp_address);
            Finding::bad("media", &Failure::new(Exit::Unavailable, "cannot-listen", what))
        }
    });
    findings
}

fn prompts(config: &Config) -> Result<String, Failure> {
    let loaded = serve::load_prompts(config)?;
    Ok(format!("{} recordings, {} of them from the sound pack", loaded.count(), loaded.from_pack))
}

fn users(admin: &mut Admin) -> Result<String, Failure> {
    let users = crate::admin::all_users(admin)?;
    let generated = users.iter().filter(|user| user.pin == umbel_store::PinState::Generated).count();
    Ok(format!("{} users, {generated} of them with a PIN still to be changed", users.len()))
}
