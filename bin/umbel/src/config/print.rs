//! The effective configuration as a file with comments, for `umbel check --print-config`.

use std::fmt::Write;

use super::units::print_duration;
use umbel_ocexum::{PeerRule, TrustedTransport};
use umbel_sip_message::Uri;

use super::{
    Authentication, Config, ConfirmPlayback, DigestAlgorithm, DiversionPreference, KeyProfile, Mail, MailTls,
    NoDiversionWhenForwarding, PlayOnPhoneIdentity, Server, Srtp, StepUp, Um, UnlistedPeers, VoicemailForm,
};

/// Writes every setting with its value in force and a word on what it does.
pub(crate) fn print(config: &Config) -> String {
    let mut out = Page(String::new());
    out.note("The one SIP domain whose addresses are ours.");
    out.text("domain", &config.domain);
    out.note("Store, spool and local certificate authority.");
    out.text("data", &config.data.display().to_string());
    out.text("language", &config.language);
    out.note("A directory of an Asterisk sound pack; empty: our own prompts.");
    out.text("prompts", &config.prompts.as_ref().map(|path| path.display().to_string()).unwrap_or_default());
    out.text("store", "sqlite");
    tls(&mut out, config);
    if let Some(server) = &config.server {
        self::server(&mut out, server);
    }
    if let Some(um) = &config.um {
        self::um(&mut out, um);
    }
    out.table("pin");
    out.value("min-length", config.pin.min_length);
    out.note("true: allow 1234, repeats, the extension.");
    out.value("simple-patterns", config.pin.simple_patterns);
    out.value("attempts-per-call", config.pin.attempts_per_call);
    out.value("lock-after", config.pin.lock_after);
    out.note("\"sensitive\": a call that skipped the PIN is asked for it before it changes the PIN.");
    out.text(
        "step-up",
        match config.pin.step_up {
            StepUp::Sensitive => "sensitive",
            StepUp::Never => "never",
        },
    );
    out.table("dialling");
    out.note("Numbers outside that Play on Phone and transfers may call: \"+15555550100\", \"+1555*\". Users always may be.");
    out.list("allow", config.dialling.rules().map(ToString::to_string));
    out.table("http");
    out.note("The mailbox page, the API and web services.");
    out.text("listen", &config.http.listen.to_string());
    out.note("true: with the certificate of [tls]; without it nobody can sign in from other machines.");
    out.value("tls", config.http.tls);
    out.note("/healthz /readyz /metrics");
    out.text("admin-listen", &config.admin_listen.to_string());
    mail(&mut out, config.mail.as_ref());
    out.table("limits");
    out.value("connections", config.limits.connections);
    out.note("Loopback and trusted peers are exempt.");
    out.value("connections-per-address", config.limits.connections_per_address);
    out.0
}

fn mail(out: &mut Page, mail: Option<&Mail>) {
    let Some(mail) = mail else {
        out.note("[mail]: no mail tells of messages.");
        return;
    };
    out.table("mail");
    out.note("smtp://, smtps:// for TLS from the first octet; the user stands before an @.");
    out.text("smtp", &mail.smtp.to_string());
    if !mail.smtp.implicit_tls {
        out.note("\"required\": by STARTTLS, else nothing is sent; \"offered\"; \"off\".");
        out.text(
            "tls",
            match mail.tls {
                MailTls::Required => "required",
                MailTls::Offered => "offered",
                MailTls::Off => "off",
            },
        );
    }
    out.note("Who vouches for the mail server; empty: the authorities of the operating system.");
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    };
    out.text("authorities", &path(&mail.authorities));
    out.text("password-file", &path(&mail.password_file));
    out.text("from", &mail.from);
}

fn tls(out: &mut Page, config: &Config) {
    let tls = &config.tls;
    out.table("tls");
    match &tls.identity {
        Some(identity) => {
            out.text("certificate", &identity.certificate.display().to_string());
            out.text("private-key", &identity.private_key.display().to_string());
        }
        None => out.note(
            "certificate and private-key: made by the local authority, authority.pem in the data directory.",
        ),
    }
    match &tls.client_authorities {
        Some(path) => out.text("client-authorities", &path.display().to_string()),
        None => out.note("client-authorities: the local authority vouches for peers."),
    }
    out.text(
        "client-revocations",
        &tls.client_revocations.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
    );
    out.note("Whose calls may skip the PIN: exact names, \"sha256:…\"; \"tcp:ADDRESS\" for identity only.");
    out.list("trusted-peers", tls.trusted_peers.iter().map(peer));
    out.text(
        "trusted-transport",
        match tls.trusted_transport {
            TrustedTransport::ListedPeer => "listed-peer",
            TrustedTransport::AnyTls => "any-tls",
        },
    );
    out.list("trusted-networks", tls.trusted_networks.iter().map(ToString::to_string));
    out.value("accept-cleartext-trust", !tls.trusted_networks.is_empty());
}

fn server(out: &mut Page, server: &Server) {
    out.table("server");
    out.list("listen", server.listen.iter().map(ToString::to_string));
    out.note("Host for Via and Record-Route; empty: the address listened on.");
    out.text("advertise", server.advertise.as_deref().unwrap_or_default());
    match &server.voicemail {
        Some(servers) => out.list("voicemail", servers.iter().map(ToString::to_string)),
        None => out.note("voicemail: our own unified messaging server, where it is run."),
    }
    out.note("How a mailbox is asked for; \"rfc4458\": other people's voice mail.");
    out.text(
        "voicemail-form",
        match server.voicemail_form {
            VoicemailForm::Gruu => "gruu",
            VoicemailForm::Rfc4458 => "rfc4458",
        },
    );
    out.note("Lamps: ask voice mail for each user; false: it tells of every change by itself.");
    out.value("subscribe-to-voicemail", server.subscribe_to_voicemail);
    out.text("ring-time", &print_duration(server.ring_time));
    out.note("\"none\": closed networks and load tests only.");
    out.text(
        "authentication",
        match server.authentication {
            Authentication::Digest => "digest",
            Authentication::None => "none",
        },
    );
    out.note("Challenges, in this order.");
    out.list(
        "digest",
        server.digest.iter().map(|algorithm| {
            match algorithm {
                DigestAlgorithm::Sha256 => "SHA-256",
                DigestAlgorithm::Md5 => "MD5",
            }
            .to_owned()
        }),
    );
    out.note("A call that must not be diverted, to somebody who forwards all calls: \"ring\" or \"fail\".");
    out.text(
        "no-diversion-when-forwarding",
        match server.no_diversion_when_forwarding {
            NoDiversionWhenForwarding::Ring => "ring",
            NoDiversionWhenForwarding::Fail => "fail",
        },
    );
    out.note("Where numbers go: the longest prefix counts.");
    let routes = server.routes.iter().map(|route| {
        let to: Vec<String> = route.to.iter().map(|uri| quoted(&uri.to_string())).collect();
        format!("{{ prefix = {}, to = [{}] }}", quoted(&route.prefix), to.join(", "))
    });
    out.value("routes", format!("[{}]", routes.collect::<Vec<_>>().join(", ")));
    out.note("A media relay that voice mail may use; empty: none.");
    out.text("media-relay", server.media_relay.as_ref().map(Uri::as_str).unwrap_or_default());
}

fn um(out: &mut Page, um: &Um) {
    out.table("um");
    out.list("listen", um.listen.iter().map(ToString::to_string));
    out.note("Host for Contact; empty: the address listened on.");
    out.text("advertise", um.advertise.as_deref().unwrap_or_default());
    out.note("The way of our own requests; empty: our own [server], where there is one.");
    out.text(
        "outbound-proxy",
        um.outbound_proxy.as_ref().map(ToString::to_string).as_deref().unwrap_or_default(),
    );
    out.note("User parts to call for one's own mailbox.");
    out.list("pilots", um.pilots.iter().cloned());
    out.note("\"refuse\": 403 for peers that are not listed.");
    out.text(
        "unlisted-peers",
        match um.unlisted_peers {
            UnlistedPeers::Untrusted => "untrusted",
            UnlistedPeers::Refuse => "refuse",
        },
    );
    out.note("Networks whose caller numbers are believed; never for the PIN.");
    out.list("gateways", um.gateways.iter().map(ToString::to_string));
    out.note("Which of several diversions names the mailbox.");
    out.text(
        "diversion-preference",
        match um.diversion_preference {
            DiversionPreference::First => "first",
            DiversionPreference::Last => "last",
        },
    );
    out.text(
        "keys",
        match um.keys {
            KeyProfile::Exchange => "exchange",
            KeyProfile::Asterisk => "asterisk",
        },
    );
    out.note(
        "When Play on Phone waits for a key before it plays: \"numbers\" outside, \"always\", \"never\".",
    );
    out.text(
        "confirm-playback",
        match um.confirm_playback {
            ConfirmPlayback::Numbers => "numbers",
            ConfirmPlayback::Always => "always",
            ConfirmPlayback::Never => "never",
        },
    );
    out.note(
        "Whom From and To of Play on Phone name: \"owner\", or \"number\" for gateways that route on To.",
    );
    out.text(
        "play-on-phone-identity",
        match um.play_on_phone_identity {
            PlayOnPhoneIdentity::Owner => "owner",
            PlayOnPhoneIdentity::Number => "number",
        },
    );
    out.note("true: Play on Phone adds Reject-Contact, for servers that do not know Ms-Sensitivity.");
    out.value("play-on-phone-reject-contact", um.play_on_phone_reject_contact);
    out.text("rtp-address", &um.rtp_address.to_string());
    out.note("Public address, when behind NAT.");
    out.text("rtp-advertise", um.rtp_advertise.as_deref().unwrap_or_default());
    out.text("rtp-ports", &format!("{}-{}", um.rtp_ports.0, um.rtp_ports.1));
    out.note("Send to where the first valid packet came from, once per negotiation.");
    out.value("rtp-learn-source", um.rtp_learn_source);
    out.value("dscp", um.dscp);
    out.value("max-calls", um.max_calls);
    out.text("max-call", &print_duration(um.max_call));
    out.text(
        "srtp",
        match um.srtp {
            Srtp::Offered => "offered",
            Srtp::Required => "required",
            Srtp::Off => "off",
        },
    );
    out.table("um.recording");
    out.note("Shorter messages are dropped; \"0s\": keep all.");
    out.text("min-length", &print_duration(um.recording.min_length));
    out.text("max-length", &print_duration(um.recording.max_length));
    out.note("Silence that ends a message; \"off\": never.");
    out.text("silence", &um.recording.silence.map_or("off".to_owned(), print_duration));
    out.value("max-messages", um.recording.max_messages);
}

/// A peer as the file writes it.
fn peer(rule: &PeerRule) -> String {
    match rule {
        PeerRule::Name(name) => name.clone(),
        PeerRule::Fingerprint(octets) => {
            let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("sha256:{digits}")
        }
        PeerRule::Tcp(address) => format!("tcp:{address}"),
    }
}

/// The page being written.
struct Page(String);

impl Page {
    fn note(&mut self, note: &str) {
        let _ = writeln!(self.0, "# {note}");
    }

    fn table(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n[{name}]");
    }

    fn text(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.0, "{key} = {}", quoted(value));
    }

    fn value(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn list(&mut self, key: &str, values: impl Iterator<Item = String>) {
        let values: Vec<String> = values.map(|value| quoted(&value)).collect();
        let _ = writeln!(self.0, "{key} = [{}]", values.join(", "));
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
