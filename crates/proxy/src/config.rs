//! What an operator can set.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use umbel_node::Transport;
use umbel_ocexum::Policy;
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::Uri;
use umbel_sip_message::digest::Algorithm;
use umbel_time::{UnixTime, Weekday};

use crate::forwarding::WhenForwarding;
use crate::routing::{LocalTime, TOTAL_DEFAULT};

/// Settings of a protocol server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The domain whose users these are; the realm of their passwords, too.
    pub domain: String,
    /// Other hosts that mean us, as people and telephones write them: names, addresses; lower case.
    pub hosts: Vec<String>,
    /// Further hosts that mean us with these ports, or with none: where we listen, names in our certificate.
    pub sockets: Vec<SentBy>,
    /// Where others open TCP flows to us.
    pub tcp: Option<SentBy>,
    /// Where others open TLS flows to us.
    pub tls: Option<SentBy>,
    /// We show a certificate on TLS flows that we open.
    pub presents_certificate: bool,
    /// Whose word counts.
    pub trust: Policy,
    /// Whether users prove who they are.
    pub authentication: Required,
    /// Challenges, in this order. Default: SHA-256, MD5.
    pub digest: Vec<Algorithm>,
    /// Unified messaging servers, best first (EUMR-7).
    pub voice_mail: Vec<Uri>,
    /// Further ports at which those on this machine listen.
    pub voice_mail_ports: Vec<u16>,
    /// EUMR-7: versions of those servers, by host in lower case. Where they differ, only the highest
    /// takes part; a server without one is older than all that have one.
    pub voice_mail_versions: BTreeMap<String, u32>,
    /// How they are asked for a mailbox.
    pub voice_mail_form: VoiceMailForm,
    /// EUMR-5: a media relay that voice mail may use.
    pub media_relay: Option<Uri>,
    /// How the server comes to know what waits in mailboxes.
    pub mailbox_states: MailboxStates,
    /// User parts for one's own mailbox.
    pub pilots: Vec<String>,
    /// How long telephones ring.
    pub ring_time: Duration,
    /// DEC-22.
    pub when_forwarding: WhenForwarding,
    /// Where numbers go.
    pub routes: Vec<Route>,
    /// What time it is where a user is: by the IANA zone, or the server's own where none is given.
    pub clocks: Clocks,
}

/// Whether users prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Required {
    /// By digest.
    #[default]
    Digest,
    /// Not at all: closed networks and load tests. Trust headers are believed from nobody then but
    /// listed peers (DEC-15).
    None,
}

/// STD-2: how a mailbox is named in the Request-URI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VoiceMailForm {
    /// `sip:user@domain;opaque=app:voicemail`, [MS-EUMR].
    #[default]
    Gruu,
    /// `sip:voicemail@host;target=...;cause=...`, RFC 4458: other people's voice mail.
    Rfc4458,
}

/// How the server comes to know what waits in mailboxes (REL-40).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailboxStates {
    /// It subscribes at voice mail for its users, and takes what it is told unasked. Right also after
    /// either side was started anew.
    #[default]
    Subscribed,
    /// It is only told: for voice mail that is not to be asked.
    Told,
}

/// Numbers that begin alike go to the same gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// How they begin; the longest match counts.
    pub prefix: String,
    /// Gateways, best first.
    pub to: Vec<Uri>,
}

/// A zone's name (none: the server's own) and a time, and what clocks show there then.
type Reading = dyn Fn(Option<&str>, UnixTime) -> LocalTime + Send + Sync;

/// What clocks show elsewhere. Time zones are data, which a pure room does not have.
#[derive(Clone)]
pub struct Clocks(Arc<Reading>);

impl Clocks {
    /// By this function.
    pub fn new(reading: impl Fn(Option<&str>, UnixTime) -> LocalTime + Send + Sync + 'static) -> Self {
        Clocks(Arc::new(reading))
    }

    /// Coordinated universal time everywhere.
    pub fn utc() -> Self {
        Clocks::new(|_, time| {
            let minutes = time.as_secs().div_euclid(60);
            LocalTime {
                weekday: Weekday::of_day_since_1970(minutes.div_euclid(24 * 60)),
                minute: u16::try_from(minutes.rem_euclid(24 * 60)).unwrap_or_default(),
            }
        })
    }

    /// What they show.
    pub fn local(&self, zone: Option<&str>, time: UnixTime) -> LocalTime {
        self.0(zone, time)
    }
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clocks")
    }
}

impl Config {
    /// The defaults for a domain.
    pub fn new(domain: &str) -> Self {
        Config {
            domain: domain.to_ascii_lowercase(),
            hosts: Vec::new(),
            sockets: Vec::new(),
            tcp: None,
            tls: None,
            presents_certificate: false,
            trust: Policy::default(),
            authentication: Required::Digest,
            digest: vec![Algorithm::Sha256, Algorithm::Md5],
            voice_mail: Vec::new(),
            voice_mail_ports: Vec::new(),
            voice_mail_versions: BTreeMap::new(),
            voice_mail_form: VoiceMailForm::Gruu,
            media_relay: None,
            mailbox_states: MailboxStates::Subscribed,
            pilots: vec!["voicemail".to_owned()],
            ring_time: TOTAL_DEFAULT,
            when_forwarding: WhenForwarding::Ring,
            routes: Vec::new(),
            clocks: Clocks::utc(),
        }
    }

    /// Our own host and port for a transport.
    pub(crate) fn sent_by(&self, transport: Transport) -> Option<&SentBy> {
        match transport {
            Transport::Tcp => self.tcp.as_ref(),
            Transport::Tls => self.tls.as_ref(),
        }
    }

    /// The gateways for a number: those of the longest prefix.
    pub(crate) fn gateways(&self, number: &str) -> Option<&Route> {
        let matching = self.routes.iter().filter(|route| number.starts_with(&route.prefix));
        matching.max_by_key(|route| route.prefix.len()).filter(|route| !route.to.is_empty())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_longest_prefix_counts() {
        let mut config = Config::new("Example.Test");
        let route = |prefix: &str| Route { prefix: prefix.into(), to: vec!["sip:gw.test".parse().unwrap()] };
        config.routes = vec![route("+1"), route("+1555"), route("0")];
        assert_eq!(config.gateways("+15551").unwrap().prefix, "+1555");
        assert_eq!(config.gateways("+1444").unwrap().prefix, "+1");
        assert_eq!(config.gateways("+49"), None);
        assert_eq!(config.domain, "example.test");
    }

    #[test]
    fn universal_time_is_known_without_data() {
        let at = Clocks::utc().local(None, UnixTime::from_secs(1_700_000_000));
        assert_eq!((at.weekday, at.minute), (Weekday::Tuesday, 22 * 60 + 13));
    }
}
