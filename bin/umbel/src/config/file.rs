//! The configuration file as it is written: every key of it, and nothing else.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::units::{Span, SpanOrOff};

/// The whole file. A key that is absent has the default that `umbel check --print-config` shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct File {
    pub(super) domain: Option<Spanned<String>>,
    pub(super) data: Option<PathBuf>,
    pub(super) language: Option<Spanned<String>>,
    pub(super) prompts: Option<Spanned<String>>,
    pub(super) store: Option<Spanned<String>>,
    pub(super) tls: Tls,
    pub(super) server: Option<Spanned<Server>>,
    pub(super) um: Option<Spanned<Um>>,
    pub(super) pin: Pin,
    pub(super) dialling: Dialling,
    pub(super) http: Http,
    pub(super) mail: Option<Spanned<Mail>>,
    pub(super) limits: Limits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Tls {
    pub(super) certificate: Option<Spanned<PathBuf>>,
    pub(super) private_key: Option<Spanned<PathBuf>>,
    pub(super) client_authorities: Option<Spanned<PathBuf>>,
    pub(super) client_revocations: Option<Spanned<PathBuf>>,
    pub(super) trusted_peers: Vec<Spanned<String>>,
    pub(super) trusted_transport: Option<TrustedTransport>,
    pub(super) trusted_networks: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) accept_cleartext_trust: bool,
}

/// What makes a transport trusted (decision on `any-tls`: it stands for both conditions on the peer).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TrustedTransport {
    #[default]
    ListedPeer,
    AnyTls,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Server {
    pub(super) listen: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) advertise: Option<Spanned<String>>,
    pub(super) voicemail: Option<Vec<Spanned<String>>>,
    pub(super) voicemail_form: Option<VoicemailForm>,
    pub(super) subscribe_to_voicemail: Option<bool>,
    pub(super) ring_time: Option<Spanned<Span>>,
    pub(super) authentication: Option<Authentication>,
    pub(super) digest: Option<Spanned<Vec<DigestAlgorithm>>>,
    pub(super) no_diversion_when_forwarding: Option<NoDiversionWhenForwarding>,
    pub(super) routes: Option<Vec<Route>>,
    pub(super) media_relay: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VoicemailForm {
    #[default]
    Gruu,
    Rfc4458,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Authentication {
    #[default]
    Digest,
    None,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum DigestAlgorithm {
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "MD5")]
    Md5,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoDiversionWhenForwarding {
    #[default]
    Ring,
    Fail,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Route {
    pub(super) prefix: Spanned<String>,
    pub(super) to: Spanned<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Um {
    pub(super) listen: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) advertise: Option<String>,
    pub(super) outbound_proxy: Option<Spanned<String>>,
    pub(super) pilots: Option<Vec<Spanned<String>>>,
    pub(super) unlisted_peers: Option<UnlistedPeers>,
    pub(super) gateways: Option<Vec<Spanned<String>>>,
    pub(super) diversion_preference: Option<DiversionPreference>,
    pub(super) keys: Option<KeyProfile>,
    pub(super) confirm_playback: Option<ConfirmPlayback>,
    pub(super) play_on_phone_identity: Option<PlayOnPhoneIdentity>,
    pub(super) play_on_phone_reject_contact: Option<bool>,
    pub(super) rtp_address: Option<IpAddr>,
    pub(super) rtp_advertise: Option<Spanned<String>>,
    pub(super) rtp_ports: Option<Spanned<String>>,
    pub(super) rtp_learn_source: Option<bool>,
    pub(super) dscp: Option<Spanned<u8>>,
    pub(super) max_calls: Option<Spanned<u32>>,
    pub(super) max_call: Option<Spanned<Span>>,
    pub(super) srtp: Option<Spanned<Srtp>>,
    pub(super) recording: Recording,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnlistedPeers {
    #[default]
    Untrusted,
    Refuse,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DiversionPreference {
    First,
    #[default]
    Last,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyProfile {
    #[default]
    Exchange,
    Asterisk,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ConfirmPlayback {
    #[default]
    Numbers,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlayOnPhoneIdentity {
    #[default]
    Owner,
    Number,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Srtp {
    #[default]
    Offered,
    Required,
    Off,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Recording {
    pub(super) min_length: Option<Spanned<Span>>,
    pub(super) max_length: Option<Spanned<Span>>,
    pub(super) silence: Option<Spanned<SpanOrOff>>,
    pub(super) max_messages: Option<Spanned<u32>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Pin {
    pub(super) min_length: Option<Spanned<u8>>,
    pub(super) simple_patterns: bool,
    pub(super) attempts_per_call: Option<Spanned<u8>>,
    pub(super) lock_after: Option<Spanned<u8>>,
    pub(super) step_up: Option<StepUp>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StepUp {
    #[default]
    Sensitive,
    Never,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Dialling {
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Http {
    pub(super) listen: Option<Spanned<SocketAddr>>,
    pub(super) tls: Option<Spanned<bool>>,
    pub(super) admin_listen: Option<SocketAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Mail {
    pub(super) smtp: Spanned<String>,
    #[serde(default)]
    pub(super) tls: Option<Spanned<MailTls>>,
    #[serde(default)]
    pub(super) authorities: Option<PathBuf>,
    #[serde(default)]
    pub(super) password_file: Option<Spanned<PathBuf>>,
    pub(super) from: Spanned<String>,
}

/// Whether mails travel encrypted, and the server is who it should be.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MailTls {
    Required,
    Offered,
    Off,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Limits {
    pub(super) connections: Option<Spanned<usize>>,
    pub(super) connections_per_address: Option<Spanned<usize>>,
}
