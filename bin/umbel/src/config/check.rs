//! From the file's text to the checked configuration, or to every reason why not.

use std::net::IpAddr;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use umbel_net::Listener;
use umbel_node::Transport;
use umbel_ocexum::{Network, PeerRule, TrustedTransport, UnreadableRule};
use umbel_play_on_phone::rules::RULES_MAX;
use umbel_play_on_phone::{DiallingRules, NotARule, Rule};

use super::file::{self, File, Srtp};
use super::units::Span;
use super::{Config, Http, Identity, Limits, Pin, Recording, Server, Tls, Um, default_admin_listen};
use crate::exit::{Exit, Failure};

/// The longest recording that may be configured; ten minutes is for uploads.
const RECORDING_LONGEST: Duration = Duration::from_secs(60 * 60);
/// The largest configuration file read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads and checks the configuration file at `path`.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    let name = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| {
        Failure::config(format!("{name}: cannot be read: {error}; name an existing file with --config"))
    })?;
    owned(&metadata)
        .map_err(|what| Failure::new(Exit::NoPermission, "permission", format!("{name}: {what}")))?;
    let length = metadata.len();
    if length > FILE_BYTES_MAX {
        return Err(Failure::config(format!(
            "{name}: {length} bytes are more than a configuration has ({FILE_BYTES_MAX})"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Failure::new(Exit::NoPermission, "permission", format!("{name}: {error}; let this user read it"))
        }
        _ => Failure::config(format!("{name}: cannot be read: {error}")),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::config(format!("{name}:{line}: not UTF-8 text; save the file as UTF-8"))
    })?;
    read(&text, path)
}

/// SEC-122: whoever can write the configuration decides who may open mailboxes.
fn owned(metadata: &std::fs::Metadata) -> Result<(), String> {
    let (ours, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (owner, mode) = (metadata.uid(), metadata.mode());
    if owner != ours && owner != 0 {
        return Err(format!(
            "this file belongs to another user ({owner}); chown it to the one that runs this program"
        ));
    }
    // A group of our own is as good as ourselves.
    let written_by_others = mode & 0o002 != 0 || (mode & 0o020 != 0 && metadata.gid() != group);
    if metadata.is_file() && written_by_others {
        return Err(format!("others can write this file (mode {:04o}); run chmod go-w on it", mode & 0o7777));
    }
    Ok(())
}

/// Checks the text of a configuration file that stands, or would stand, at `path`.
pub(crate) fn read(text: &str, path: &Path) -> Result<Config, Failure> {
    let source = Source { text, path };
    let file: File = toml::from_str(text).map_err(|error| source.syntax(&error))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Checker { source, folder }.config(file)
}

/// The text being checked, to turn byte ranges into places.
pub(super) struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    /// `file:line:column` of a byte range.
    fn place(&self, span: &Range<usize>) -> String {
        let before = &self.text[..span.start.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        format!("{}:{line}:{column}", self.path.display())
    }

    pub(super) fn wrong(&self, span: Range<usize>, what: impl AsRef<str>) -> Failure {
        Failure::config(format!("{}: {}", self.place(&span), what.as_ref()))
    }

    /// What the TOML reader found, with the nearest known key where a key is unknown.
    fn syntax(&self, error: &toml::de::Error) -> Failure {
        let message = error.message().trim();
        let hint = match message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
            Some((unknown, rest)) => nearest(unknown, rest).map(|known| format!("; did you mean `{known}`?")),
            None => None,
        };
        self.wrong(error.span().unwrap_or(0..0), format!("{message}{}", hint.unwrap_or_default()))
    }
}

/// The known name nearest to `unknown`, out of a list written with back quotes.
fn nearest<'a>(unknown: &str, list: &'a str) -> Option<&'a str> {
    let known = list.split('`').skip(1).step_by(2);
    let (distance, name) = known.map(|name| (edit_distance(unknown, name), name)).min()?;
    (distance <= unknown.len().max(3) / 2).then_some(name)
}

/// Levenshtein's distance, over bytes: names of keys are ASCII.
fn edit_distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

pub(super) struct Checker<'a> {
    pub(super) source: Source<'a>,
    pub(super) folder: &'a Path,
}

impl Checker<'_> {
    fn config(&self, file: File) -> Result<Config, Failure> {
        if let Some(store) = &file.store {
            self.store(store)?;
        }
        let domain = match &file.domain {
            Some(domain) => self.domain(domain)?,
            None => "example.test".to_owned(),
        };
        if let Some(language) = &file.language
            && language.as_ref() != "en"
        {
            return Err(self.source.wrong(language.span(), "only \"en\" is spoken so far"));
        }
        let tls = self.tls(&file.tls)?;
        let server_listen = file.server.as_ref().map(Spanned::span);
        let server = file.server.map(|server| self.server(server.into_inner())).transpose()?;
        let um = file.um.map(|um| self.um(um.into_inner())).transpose()?;
        self.certificates_are_shown(&file.tls, server.as_ref(), um.as_ref())?;
        self.addresses_differ(server.as_ref().zip(server_listen.as_ref()), um.as_ref())?;
        Ok(Config {
            source: Some(self.source.path.to_owned()),
            domain,
            data: self.folder.join(file.data.unwrap_or_else(|| PathBuf::from("data"))),
            language: "en".to_owned(),
            prompts: file
                .prompts
                .filter(|path| !path.as_ref().is_empty())
                .map(|path| self.folder.join(path.into_inner())),
            tls,
            server,
            um,
            pin: self.pin(&file.pin)?,
            dialling: self.dialling(&file.dialling)?,
            http: self.http(&file.http)?,
            admin_listen: file.http.admin_listen.unwrap_or_else(default_admin_listen),
            mail: file.mail.map(|mail| self.mail(mail.into_inner())).transpose()?,
            limits: self.limits(&file.limits)?,
        })
    }

    /// The front and the operators' listener are two: one asks who it is, the other must not be reached by all.
    fn http(&self, http: &file::Http) -> Result<Http, Failure> {
        let default = Http::default();
        let listen = http.listen.as_ref().map_or(default.listen, |listen| *listen.as_ref());
        if let Some(given) = &http.listen
            && listen.port() != 0
            && listen == http.admin_listen.unwrap_or_else(default_admin_listen)
        {
            let what = format!("[http] listen and admin-listen are both {listen}; give one another port");
            return Err(self.source.wrong(given.span(), what));
        }
        Ok(Http { listen, tls: http.tls.as_ref().map_or(default.tls, |tls| *tls.as_ref()) })
    }

    fn store(&self, store: &Spanned<String>) -> Result<(), Failure> {
        match store.as_ref().as_str() {
            "sqlite" => Ok(()),
            other if other.starts_with("postgres:") || other.starts_with("postgresql:") => Err(self
                .source
                .wrong(store.span(), "PostgreSQL stores come in a later version; write store = \"sqlite\"")),
            other => Err(self
                .source
                .wrong(store.span(), format!("unknown store \"{other}\"; write store = \"sqlite\""))),
        }
    }

    fn domain(&self, domain: &Spanned<String>) -> Result<String, Failure> {
        let text = domain.as_ref().to_ascii_lowercase();
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() <= 253 && text.split('.').all(label) {
            Ok(text)
        } else {
            Err(self.source.wrong(
                domain.span(),
                format!("`{text}` is no domain name; write for example \"example.test\""),
            ))
        }
    }

    fn tls(&self, tls: &file::Tls) -> Result<Tls, Failure> {
        let path = |path: &Spanned<PathBuf>| self.folder.join(path.as_ref());
        let identity = match (&tls.certificate, &tls.private_key) {
            (Some(certificate), Some(key)) => {
                Some(Identity { certificate: path(certificate), private_key: path(key) })
            }
            (None, None) => None,
            (Some(alone), None) => {
                return Err(self
                    .source
                    .wrong(alone.span(), "certificate without private-key: set both or neither"));
            }
            (None, Some(alone)) => {
                return Err(self
                    .source
                    .wrong(alone.span(), "private-key without certificate: set both or neither"));
            }
        };
        let trusted_peers = tls
            .trusted_peers
            .iter()
            .map(|peer| peer.as_ref().parse().map_err(|wrong| self.unreadable(peer, wrong)))
            .collect::<Result<Vec<PeerRule>, _>>()?;
        let networks = self.networks(tls.trusted_networks.as_ref().map(|list| list.as_ref().as_slice()))?;
        match &tls.trusted_networks {
            Some(list) if !networks.is_empty() && !tls.accept_cleartext_trust => {
                return Err(self.source.wrong(
                    list.span(),
                    "trusted-networks lets anybody on these networks open mailboxes without a PIN over plain TCP; \
                     if that is meant, add accept-cleartext-trust = true to [tls], else empty the list",
                ));
            }
            _ => {}
        }
        Ok(Tls {
            identity,
            client_authorities: tls.client_authorities.as_ref().map(path),
            client_revocations: tls
                .client_revocations
                .as_ref()
                .filter(|path| !path.as_ref().as_os_str().is_empty())
                .map(path),
            trusted_peers,
            trusted_transport: match tls.trusted_transport {
                Some(file::TrustedTransport::AnyTls) => TrustedTransport::AnyTls,
                Some(file::TrustedTransport::ListedPeer) | None => TrustedTransport::ListedPeer,
            },
            trusted_networks: networks,
        })
    }

    fn networks(&self, list: Option<&[Spanned<String>]>) -> Result<Vec<Network>, Failure> {
        list.unwrap_or_default()
            .iter()
            .map(|text| text.as_ref().parse().map_err(|wrong| self.unreadable(text, wrong)))
            .collect()
    }

    fn unreadable(&self, text: &Spanned<String>, wrong: UnreadableRule) -> Failure {
        self.source.wrong(text.span(), format!("`{}`: {wrong}", text.as_ref()))
    }

    /// A peer that is listed by its certificate must find somebody to show it to.
    fn certificates_are_shown(
        &self,
        tls: &file::Tls,
        server: Option<&Server>,
        um: Option<&Um>,
    ) -> Result<(), Failure> {
        let mut listeners =
            server.iter().flat_map(|server| &server.listen).chain(um.iter().flat_map(|um| &um.listen));
        let is_any = server.is_some() || um.is_some();
        if let Some(unused) = tls.trusted_peers.iter().find(|peer| !peer.as_ref().starts_with("tcp:"))
            && is_any
            && !listeners.any(|listen| listen.transport == Transport::Tls)
        {
            return Err(self.source.wrong(
                unused.span(),
                "this peer shows its certificate over TLS, and listen has no tls: address; add one",
            ));
        }
        Ok(())
    }

    fn um(&self, um: file::Um) -> Result<Um, Failure> {
        let default = Um::default();
        let listen = match &um.listen {
            Some(list) => self.listeners(list, "[um] listen")?,
            None => default.listen,
        };
        let srtp = um.srtp.as_ref().map_or(default.srtp, |srtp| *srtp.as_ref());
        if let Some(required) = um.srtp.as_ref().filter(|_| srtp == Srtp::Required)
            && !listen.iter().any(|listen| listen.transport == Transport::Tls)
        {
            return Err(self.source.wrong(
                required.span(),
                "srtp = \"required\" takes no call over TCP, and [um] listen has no tls: address; add one or offer SRTP",
            ));
        }
        let pilots = match um.pilots {
            Some(list) => list.into_iter().map(|pilot| self.pilot(pilot)).collect::<Result<Vec<_>, _>>()?,
            None => default.pilots,
        };
        Ok(Um {
            listen,
            advertise: um.advertise.filter(|host| !host.is_empty()),
            outbound_proxy: self.outbound_proxy(um.outbound_proxy.as_ref())?,
            pilots,
            unlisted_peers: um.unlisted_peers.unwrap_or_default(),
            gateways: self.networks(um.gateways.as_deref())?,
            diversion_preference: um.diversion_preference.unwrap_or_default(),
            keys: um.keys.unwrap_or_default(),
            confirm_playback: um.confirm_playback.unwrap_or_default(),
            play_on_phone_identity: um.play_on_phone_identity.unwrap_or_default(),
            play_on_phone_reject_contact: um.play_on_phone_reject_contact.unwrap_or_default(),
            rtp_address: um.rtp_address.unwrap_or(default.rtp_address),
            rtp_advertise: self.rtp_advertise(um.rtp_advertise)?,
            rtp_ports: um.rtp_ports.as_ref().map_or(Ok(default.rtp_ports), |text| {
                ports(text.as_ref()).map_err(|what| self.source.wrong(text.span(), what))
            })?,
            rtp_learn_source: um.rtp_learn_source.unwrap_or(default.rtp_learn_source),
            dscp: self.within(um.dscp, default.dscp, 0, 63, "dscp")?,
            max_calls: self.within(um.max_calls, default.max_calls, 1, 100_000, "max-calls")?,
            max_call: self.span_within(um.max_call, default.max_call, 60, 24 * 3_600, "max-call")?,
            srtp,
            recording: self.recording(um.recording)?,
        })
    }

    /// SEC-44: deny by default.
    fn dialling(&self, dialling: &file::Dialling) -> Result<DiallingRules, Failure> {
        let Some(list) = &dialling.allow else { return Ok(DiallingRules::default()) };
        if list.as_ref().len() > RULES_MAX {
            return Err(self.source.wrong(
                list.span(),
                format!("[dialling] allow has more than {RULES_MAX} rules; put those that begin alike together, like \"+1555*\""),
            ));
        }
        let rule = |text: &Spanned<String>| {
            let what = |not: NotARule| format!("[dialling] allow: `{}` {not}", text.as_ref());
            text.as_ref().parse::<Rule>().map_err(|not| self.source.wrong(text.span(), what(not)))
        };
        list.as_ref().iter().map(rule).collect::<Result<Vec<_>, _>>().map(DiallingRules::new)
    }

    fn pilot(&self, pilot: Spanned<String>) -> Result<String, Failure> {
        let valid = !pilot.as_ref().is_empty()
            && pilot.as_ref().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.*#".contains(&byte));
        if valid {
            Ok(pilot.into_inner())
        } else {
            let what = format!(
                "`{}` is no user part; write for example \"voicemail\" or \"+15550100\"",
                pilot.as_ref()
            );
            Err(self.source.wrong(pilot.span(), what))
        }
    }

    fn rtp_advertise(&self, text: Option<Spanned<String>>) -> Result<Option<String>, Failure> {
        match text {
            Some(text) if text.as_ref().is_empty() => Ok(None),
            Some(text) => match text.as_ref().parse::<IpAddr>() {
                Ok(_) => Ok(Some(text.into_inner())),
                Err(_) => {
                    Err(self.source.wrong(text.span(), "rtp-advertise must be an IPv4 or IPv6 address"))
                }
            },
            None => Ok(None),
        }
    }

    fn recording(&self, recording: file::Recording) -> Result<Recording, Failure> {
        let default = Recording::default();
        let max_span = recording.max_length.as_ref().map(Spanned::span);
        let longest = RECORDING_LONGEST.as_secs();
        let checked = Recording {
            min_length: self.span_within(recording.min_length, default.min_length, 0, 60, "min-length")?,
            max_length: self.span_within(
                recording.max_length,
                default.max_length,
                1,
                longest,
                "max-length",
            )?,
            silence: match recording.silence {
                None => default.silence,
                Some(silence) => match silence.as_ref().0 {
                    None => None,
                    Some(duration) if (1..=600).contains(&duration.as_secs()) => Some(duration),
                    Some(_) => {
                        return Err(self
                            .source
                            .wrong(silence.span(), "silence must be \"off\" or between 1s and 600s"));
                    }
                },
            },
            max_messages: self.within(
                recording.max_messages,
                default.max_messages,
                1,
                100_000,
                "max-messages",
            )?,
        };
        match max_span {
            Some(span) if checked.max_length <= checked.min_length => {
                Err(self.source.wrong(span, "max-length must be longer than min-length"))
            }
            _ => Ok(checked),
        }
    }

    fn pin(&self, pin: &file::Pin) -> Result<Pin, Failure> {
        let default = Pin::default();
        Ok(Pin {
            min_length: self.within(pin.min_length.clone(), default.min_length, 4, 24, "min-length")?,
            simple_patterns: pin.simple_patterns,
            attempts_per_call: self.within(
                pin.attempts_per_call.clone(),
                default.attempts_per_call,
                1,
                10,
                "attempts-per-call",
            )?,
            lock_after: self.within(pin.lock_after.clone(), default.lock_after, 1, 15, "lock-after")?,
            step_up: pin.step_up.unwrap_or_default(),
        })
    }

    fn limits(&self, limits: &file::Limits) -> Result<Limits, Failure> {
        let default = Limits::default();
        let connections =
            self.within(limits.connections.clone(), default.connections, 1, 1_000_000, "connections")?;
        let name = "connections-per-address";
        Ok(Limits {
            connections,
            connections_per_address: self.within(
                limits.connections_per_address.clone(),
                default.connections_per_address,
                1,
                1_000_000,
                name,
            )?,
        })
    }

    fn within<T>(
        &self,
        value: Option<Spanned<T>>,
        default: T,
        least: T,
        most: T,
        key: &str,
    ) -> Result<T, Failure>
    where
        T: PartialOrd + std::fmt::Display + Copy,
    {
        match value {
            None => Ok(default),
            Some(value) if *value.as_ref() >= least && *value.as_ref() <= most => Ok(*value.as_ref()),
            Some(value) => {
                let what = format!("{key} = {} is out of range: {least} to {most}", value.as_ref());
                Err(self.source.wrong(value.span(), what))
            }
        }
    }

    pub(super) fn span_within(
        &self,
        value: Option<Spanned<Span>>,
        default: Duration,
        least: u64,
        most: u64,
        key: &str,
    ) -> Result<Duration, Failure> {
        match value {
            None => Ok(default),
            Some(value) => {
                let duration = value.as_ref().0;
                if duration >= Duration::from_secs(least) && duration <= Duration::from_secs(most) {
                    Ok(duration)
                } else {
                    Err(self
                        .source
                        .wrong(value.span(), format!("{key} must be between {least}s and {most}s")))
                }
            }
        }
    }
}

/// Reads a listener, and says why not where the transport is one that [MS-OCEXUM] does not allow.
pub(super) fn listen(text: &str) -> Result<Listener, String> {
    if let Some((transport @ ("udp" | "ws" | "wss"), _)) = text.split_once(':') {
        return Err(format!(
            "`{transport}` is not offered: [MS-OCEXUM] 2.1 allows TCP and TLS; write tcp: or tls:"
        ));
    }
    text.parse().map_err(|wrong| format!("`{text}` is no listener: {wrong}"))
}

/// Reads `FIRST-LAST`, with room for at least one pair of RTP and RTCP.
fn ports(text: &str) -> Result<(u16, u16), String> {
    let form = || format!("`{text}` is no port range; write \"20000-29999\"");
    let (first, last) = text.split_once('-').ok_or_else(form)?;
    let (first, last): (u16, u16) =
        (first.trim().parse().map_err(|_| form())?, last.trim().parse().map_err(|_| form())?);
    if first < 1_024 || last <= first.saturating_add(first % 2) {
        return Err(format!(
            "the range {text} must start at 1024 or above and hold an even port and the next one"
        ));
    }
    Ok((first, last))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
