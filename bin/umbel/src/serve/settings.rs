//! From the configuration file's words to the settings of each room.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use umbel_ivr::phrase::LocalTime;
use umbel_ivr::{Language, conversation};
use umbel_net::Listener;
use umbel_node::Transport;
use umbel_ocexum::{PeerRule, Policy};
use umbel_proxy::Required;
use umbel_proxy::forwarding::WhenForwarding;
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::Uri;
use umbel_sip_message::digest::Algorithm;
use umbel_time::{UnixTime, Weekday};
use umbel_um::{Clocks, Notified, Prompts};

use crate::config::{
    Authentication, Config, ConfirmPlayback, DigestAlgorithm, DiversionPreference, KeyProfile,
    NoDiversionWhenForwarding, PlayOnPhoneIdentity, Server, Srtp, StepUp, Um, UnlistedPeers, VoicemailForm,
};
use crate::exit::Failure;
use crate::refused::not_a_host;
use crate::tls::Own;

/// Where both roles listen, as it was bound; nowhere, where one is not run.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) um: &'a [Listener],
    pub(super) server: &'a [Listener],
}

/// Settings of the unified messaging server.
pub(super) fn um(
    config: &Config,
    um: &Um,
    bound: Bound<'_>,
    prompts: Prompts,
    own: &Own,
) -> Result<umbel_um::Config, Failure> {
    let listeners = bound.um;
    let contacts = contacts(um, listeners)?;
    // PEER-5 gives way to T1: what comes along a flow that we opened is trusted for nothing, so that peers are not
    // offered ours for their requests (RFC 5923), and open their own. An offer of theirs is taken.
    let mut endpoint = umbel_sip_endpoint::Config::default();
    for listener in listeners {
        let sent_by =
            SentBy { host: host(um.advertise.as_deref(), listener), port: Some(listener.address.port()) };
        match listener.transport {
            Transport::Tcp => endpoint.tcp.get_or_insert(sent_by),
            Transport::Tls => endpoint.tls.get_or_insert(sent_by),
        };
    }
    Ok(umbel_um::Config {
        agent: umbel_ua::Config {
            contacts,
            automata: true,
            user_agent: format!("Umbel/{}", env!("CARGO_PKG_VERSION")),
            endpoint,
            ..Default::default()
        },
        locality: umbel_um::Locality {
            domain: config.domain.clone(),
            hosts: hosts(um, listeners),
            pilots: um.pilots.iter().cloned().collect(),
        },
        trust: trust(config, own),
        refuse_unlisted: um.unlisted_peers == UnlistedPeers::Refuse,
        diversion_preference: match um.diversion_preference {
            DiversionPreference::First => umbel_um::DiversionPreference::First,
            DiversionPreference::Last => umbel_um::DiversionPreference::Last,
        },
        conversation: conversation(config, um),
        media: umbel_um::Media {
            codecs: codecs(),
            srtp: match um.srtp {
                Srtp::Offered => umbel_sdp::Srtp::Offered,
                Srtp::Required => umbel_sdp::Srtp::Required,
                Srtp::Off => umbel_sdp::Srtp::Off,
            },
            advertise: um.rtp_advertise.as_deref().and_then(|address| address.parse().ok()),
            learn_source: um.rtp_learn_source,
        },
        recording: umbel_um::Recording {
            min: um.recording.min_length,
            max: um.recording.max_length,
            silence: um.recording.silence,
        },
        calls_max: usize::try_from(um.max_calls).unwrap_or(usize::MAX),
        call_max: um.max_call,
        listeners: listeners.iter().map(|listener| listener.address).collect(),
        gateways: gateways(um),
        notified: notified(config, um, bound.server)?,
        prompts,
        clocks: Clocks::new(local_time),
        play_on_phone: umbel_um::PlayOnPhone {
            outbound_proxy: outbound_proxy(config, um, bound.server)?,
            rules: config.dialling.clone(),
            confirm: match um.confirm_playback {
                ConfirmPlayback::Numbers => umbel_um::ConfirmPlayback::Numbers,
                ConfirmPlayback::Always => umbel_um::ConfirmPlayback::Always,
                ConfirmPlayback::Never => umbel_um::ConfirmPlayback::Never,
            },
            identity: match um.play_on_phone_identity {
                PlayOnPhoneIdentity::Owner => umbel_um::Identity::Owner,
                PlayOnPhoneIdentity::Number => umbel_um::Identity::Number,
            },
            caller_preferences: um.play_on_phone_reject_contact,
            ..Default::default()
        },
    })
}

/// Whose connections are trusted, and what for. Where both servers run here, each is a peer of the other:
/// whoever holds the key of our own certificate is we.
pub(super) fn trust(config: &Config, own: &Own) -> Policy {
    let mut peers = config.tls.trusted_peers.clone();
    let runs_both = config.server.is_some() && config.um.is_some();
    if runs_both {
        peers.push(PeerRule::Fingerprint(own.fingerprint));
    }
    Policy {
        peers,
        transport: config.tls.trusted_transport,
        networks: config.tls.trusted_networks.clone(),
        accept_cleartext: !config.tls.trusted_networks.is_empty(),
        gateways: config.um.as_ref().map(|um| um.gateways.clone()).unwrap_or_default(),
        own: runs_both.then_some(own.fingerprint),
    }
}

/// Settings of the protocol server, listening on `listeners`; our own unified messaging server, where it is
/// run, on `voice_mail`.
pub(super) fn server(
    config: &Config,
    server: &Server,
    listeners: &[Listener],
    voice_mail: &[Listener],
    own: &Own,
) -> Result<umbel_proxy::Config, Failure> {
    let mut settings = umbel_proxy::Config::new(&config.domain);
    settings.hosts = server.advertise.iter().cloned().collect();
    settings.sockets = sockets(listeners, own);
    for listener in listeners {
        let sent_by =
            SentBy { host: host(server.advertise.as_deref(), listener), port: Some(listener.address.port()) };
        match listener.transport {
            Transport::Tcp => settings.tcp.get_or_insert(sent_by),
            Transport::Tls => settings.tls.get_or_insert(sent_by),
        };
    }
    settings.trust = trust(config, own);
    settings.authentication = match server.authentication {
        Authentication::Digest => Required::Digest,
        Authentication::None => Required::None,
    };
    settings.digest = server
        .digest
        .iter()
        .map(|algorithm| match algorithm {
            DigestAlgorithm::Sha256 => Algorithm::Sha256,
            DigestAlgorithm::Md5 => Algorithm::Md5,
        })
        .collect();
    settings.voice_mail = match &server.voicemail {
        Some(servers) => servers.clone(),
        None => own_voice_mail(config, voice_mail)?,
    };
    settings.voice_mail_ports = voice_mail.iter().map(|listener| listener.address.port()).collect();
    settings.media_relay = server.media_relay.clone();
    settings.voice_mail_form = match server.voicemail_form {
        VoicemailForm::Gruu => umbel_proxy::VoiceMailForm::Gruu,
        VoicemailForm::Rfc4458 => umbel_proxy::VoiceMailForm::Rfc4458,
    };
    settings.mailbox_states = match server.subscribe_to_voicemail {
        true => umbel_proxy::MailboxStates::Subscribed,
        false => umbel_proxy::MailboxStates::Told,
    };
    if let Some(um) = &config.um {
        settings.pilots = um.pilots.clone();
    }
    settings.ring_time = server.ring_time;
    settings.when_forwarding = match server.no_diversion_when_forwarding {
        NoDiversionWhenForwarding::Ring => WhenForwarding::Ring,
        NoDiversionWhenForwarding::Fail => WhenForwarding::Fail,
    };
    let route = |route: &crate::config::Route| umbel_proxy::Route {
        prefix: route.prefix.clone(),
        to: route.to.clone(),
    };
    settings.routes = server.routes.iter().map(route).collect();
    settings.clocks = umbel_proxy::Clocks::new(time_of_day);
    Ok(settings)
}

/// Hosts that mean us on our ports; others may live at the same addresses on ports of their own.
fn sockets(listeners: &[Listener], own: &Own) -> Vec<SentBy> {
    let loopback = || ["127.0.0.1", "[::1]", "localhost"].map(str::to_owned).to_vec();
    let hosts = |address: IpAddr| match address {
        any if any.is_unspecified() => loopback(),
        IpAddr::V4(address) if address.is_loopback() => vec![address.to_string(), "localhost".to_owned()],
        IpAddr::V6(address) if address.is_loopback() => vec![format!("[{address}]"), "localhost".to_owned()],
        IpAddr::V4(address) => vec![address.to_string()],
        IpAddr::V6(address) => vec![format!("[{address}]")],
    };
    let of_listener = |listener: &Listener| {
        let port = listener.address.port();
        let hosts = hosts(listener.address.ip()).into_iter().chain(own.names.iter().cloned());
        hosts.map(move |host| SentBy { host, port: Some(port) }).collect::<Vec<_>>()
    };
    listeners.iter().flat_map(of_listener).collect()
}

/// Our own unified messaging server.
fn own_voice_mail(config: &Config, listeners: &[Listener]) -> Result<Vec<Uri>, Failure> {
    if config.um.is_none() {
        return Ok(Vec::new());
    }
    Ok(within("um", listeners)?.into_iter().collect())
}

/// What a clock shows in a zone, as far as working hours go.
fn time_of_day(zone: Option<&str>, at: UnixTime) -> umbel_proxy::routing::LocalTime {
    let civil = civil_time(zone, at);
    let weekday = Weekday::days_after_monday(civil.weekday().to_monday_zero_offset().into());
    let minute = i32::from(civil.hour()) * 60 + i32::from(civil.minute());
    umbel_proxy::routing::LocalTime { weekday, minute: u16::try_from(minute).unwrap_or(0) }
}

/// Wideband first. Opus, where it is built in, stands lost packets best.
fn codecs() -> Vec<umbel_sdp::Codec> {
    let mut codecs = umbel_um::Media::default().codecs;
    if cfg!(feature = "opus") {
        codecs.insert(0, umbel_sdp::Codec::Opus);
    }
    codecs
}

fn conversation(config: &Config, um: &Um) -> conversation::Config {
    let mut conversation = conversation::Config {
        language: Language::from_tag(&config.language).unwrap_or_default(),
        keys: match um.keys {
            KeyProfile::Exchange => umbel_ivr::KeyProfile::Exchange,
            KeyProfile::Asterisk => umbel_ivr::KeyProfile::Asterisk,
        },
        ..Default::default()
    };
    conversation.call_answering.shortest = um.recording.min_length;
    conversation.call_answering.longest = um.recording.max_length;
    conversation.subscriber_access.shortest = um.recording.min_length;
    conversation.subscriber_access.pin_attempts_max = config.pin.attempts_per_call;
    conversation.subscriber_access.pin_digits_min = config.pin.min_length;
    conversation.subscriber_access.step_up = match config.pin.step_up {
        StepUp::Sensitive => umbel_ivr::StepUp::Sensitive,
        StepUp::Never => umbel_ivr::StepUp::Never,
    };
    conversation
}

/// The host that peers reach a listener by.
fn host(advertise: Option<&str>, listener: &Listener) -> String {
    match (advertise, listener.address.ip()) {
        (Some(host), _) => host.to_owned(),
        (None, IpAddr::V4(address)) => address.to_string(),
        (None, IpAddr::V6(address)) => format!("[{address}]"),
    }
}

fn contacts(um: &Um, listeners: &[Listener]) -> Result<umbel_ua::Contacts, Failure> {
    let mut contacts = umbel_ua::Contacts::default();
    for listener in listeners {
        let uri = uri("um", um.advertise.as_deref(), listener)?;
        match listener.transport {
            Transport::Tcp => contacts.tcp.get_or_insert(uri),
            Transport::Tls => contacts.tls.get_or_insert(uri),
        };
    }
    Ok(contacts)
}

/// Names and addresses that stand for us in a URI's host.
fn hosts(um: &Um, listeners: &[Listener]) -> BTreeSet<String> {
    let addresses = listeners.iter().map(|listener| listener.address.ip().to_string());
    addresses.chain(um.advertise.clone()).chain(["localhost".to_owned()]).collect()
}

/// A gateway network of one address is one that can be pinged.
fn gateways(um: &Um) -> Vec<Uri> {
    let single = |network: &umbel_ocexum::Network| {
        let text = network.to_string();
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { "32" } else { "128" };
        (bits == whole).then(|| SocketAddr::new(address, Transport::Tcp.default_port()))
    };
    um.gateways
        .iter()
        .filter_map(single)
        .filter_map(|address| format!("sip:{address};transport=tcp").parse().ok())
        .collect()
}

/// MWI-1: who is told what is in mailboxes without having asked: the server that our requests go through, or our
/// own, and each gateway of one address.
fn notified(config: &Config, um: &Um, server: &[Listener]) -> Result<Vec<Notified>, Failure> {
    let proxy = outbound_proxy(config, um, server)?;
    let gateways = gateways(um).into_iter().map(Notified::Gateway);
    Ok(proxy.map(Notified::Server).into_iter().chain(gateways).collect())
}

/// The server that our own requests go through: the one that is set, or our own.
fn outbound_proxy(config: &Config, um: &Um, server: &[Listener]) -> Result<Option<Uri>, Failure> {
    match &um.outbound_proxy {
        Some(proxy) => Ok(Some(proxy.clone())),
        None => own_server(config, server),
    }
}

/// Our own protocol server.
fn own_server(config: &Config, listeners: &[Listener]) -> Result<Option<Uri>, Failure> {
    if config.server.is_none() {
        return Ok(None);
    }
    within("server", listeners)
}

/// How one of our servers is reached by the other: over TLS, where it listens on that. It is on this machine,
/// whatever name others know it by.
fn within(role: &str, listeners: &[Listener]) -> Result<Option<Uri>, Failure> {
    let by = |wanted| listeners.iter().find(move |listener| listener.transport == wanted);
    let Some(listener) = by(Transport::Tls).or_else(|| by(Transport::Tcp)) else { return Ok(None) };
    let mut listener = *listener;
    if listener.address.ip().is_unspecified() {
        listener.address.set_ip(match listener.address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    uri(role, None, &listener).map(Some)
}

/// The URI that peers reach a listener by.
fn uri(role: &str, advertise: Option<&str>, listener: &Listener) -> Result<Uri, Failure> {
    let host = host(advertise, listener);
    let transport = listener.transport.uri_parameter();
    let text = format!("sip:{host}:{};transport={transport}", listener.address.port());
    text.parse().map_err(|_| not_a_host(role, &host))
}

/// What a clock shows in a zone; without a zone, in the server's own.
fn civil_time(zone: Option<&str>, at: UnixTime) -> jiff::civil::DateTime {
    let zone =
        zone.and_then(|name| jiff::tz::TimeZone::get(name).ok()).unwrap_or_else(jiff::tz::TimeZone::system);
    let instant = jiff::Timestamp::from_second(at.as_secs()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    instant.to_zoned(zone).datetime()
}

/// The same, as it is spoken.
fn local_time(zone: Option<&str>, at: UnixTime) -> LocalTime {
    let civil = civil_time(zone, at);
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    LocalTime {
        year: civil.year(),
        month: small(civil.month()),
        day: small(civil.day()),
        hour: small(civil.hour()),
        minute: small(civil.minute()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REL-29: spoken times follow the owner's zone, on both sides of a change to daylight saving time.
    #[test]
    fn clocks_follow_the_zone_and_its_daylight_saving_time() {
        let shown = |zone, seconds| {
            let time = local_time(Some(zone), UnixTime::from_secs(seconds));
            (time.day, time.hour, time.minute)
        };
        // 2026-03-29 00:59:59 and 01:00:00 UTC: Berlin goes from 01:59:59 to 03:00:00.
        assert_eq!(shown("Europe/Berlin", 1_774_745_999), (29, 1, 59));
        assert_eq!(shown("Europe/Berlin", 1_774_746_000), (29, 3, 0));
        // 2026-10-25 00:59:59 and 01:00:00 UTC: from 02:59:59 back to 02:00:00.
        assert_eq!(shown("Europe/Berlin", 1_792_889_999), (25, 2, 59));
        assert_eq!(shown("Europe/Berlin", 1_792_890_000), (25, 2, 0));
    }
}
