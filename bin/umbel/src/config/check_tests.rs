//! The configuration table of the threats file: each input and what it gets.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;

use super::*;
use umbel_play_on_phone::Number;

use crate::config::{
    Authentication, ConfirmPlayback, DigestAlgorithm, NoDiversionWhenForwarding, PlayOnPhoneIdentity,
    VoicemailForm,
};

const PATH: &str = "/etc/umbel/umbel.toml";

fn check(text: &str) -> Result<Config, String> {
    read(text, Path::new(PATH)).map_err(|failure| {
        assert_eq!(failure.exit, Exit::Config, "{failure}");
        failure.message
    })
}

/// What is wrong must be found at `place` (line:column) and said with `word`.
#[track_caller]
fn refused(text: &str, place: &str, word: &str) {
    let message = check(text).expect_err("this configuration must be refused");
    assert!(message.starts_with(&format!("{PATH}:{place}:")), "{message}");
    assert!(message.contains(word), "{message} does not say {word}");
}

#[test]
fn an_empty_file_runs_no_role() {
    let config = check("").expect("an empty file is valid");
    assert_eq!(config.um, None);
    assert_eq!(config.domain, "example.test");
    assert_eq!(config.data, Path::new("/etc/umbel/data"));
}

#[test]
fn an_um_table_runs_the_unified_messaging_server_with_the_documented_defaults() {
    let um = check("[um]").expect("valid").um.expect("the role is run");
    assert_eq!(um, Um::default());
    assert_eq!(um.listen[0].address.port(), 5065);
    assert_eq!(um.listen[1].transport, Transport::Tls);
    assert_eq!(um.recording.silence, Some(Duration::from_secs(10)));
}

#[test]
fn every_key_is_read() {
    let config = check(
        r#"
        domain = "Contoso.Com"
        data = "/var/lib/umbel"
        language = "en"
        prompts = "sounds"
        store = "sqlite"
        [tls]
        certificate = "tls/cert.pem"
        private-key = "tls/key.pem"
        client-authorities = "tls/ca.pem"
        client-revocations = "crl.pem"
        trusted-peers = ["proxy.example.test", "tcp:192.0.2.7",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
        trusted-transport = "any-tls"
        trusted-networks = ["192.0.2.0/24"]
        accept-cleartext-trust = true
        [um]
        listen = ["tcp:127.0.0.1:6065", "tls:[::1]:6066"]
        advertise = "um.example.test"
        pilots = ["vm", "+15550100"]
        unlisted-peers = "refuse"
        gateways = ["198.51.100.0/24", "2001:db8::1"]
        diversion-preference = "first"
        keys = "asterisk"
        rtp-address = "::1"
        rtp-advertise = "192.0.2.1"
        rtp-ports = "40000-40999"
        rtp-learn-source = false
        dscp = 0
        max-calls = 7
        max-call = "2h"
        srtp = "required"
        [um.recording]
        min-length = "0s"
        max-length = "10m"
        silence = "off"
        max-messages = 3
        [pin]
        min-length = 4
        simple-patterns = true
        attempts-per-call = 5
        lock-after = 6
        step-up = "never"
        [http]
        admin-listen = "127.0.0.1:9999"
        [limits]
        connections = 20
        connections-per-address = 2
        "#,
    )
    .expect("valid");
    assert_eq!(config.domain, "contoso.com");
    assert_eq!(config.data, Path::new("/var/lib/umbel"));
    assert_eq!(config.prompts.as_deref(), Some(Path::new("/etc/umbel/sounds")));
    let identity = config.tls.identity.expect("both are set");
    assert_eq!(identity.certificate, Path::new("/etc/umbel/tls/cert.pem"));
    assert_eq!(config.tls.trusted_transport, TrustedTransport::AnyTls);
    assert_eq!(config.tls.trusted_networks, ["192.0.2.0/24".parse().expect("a network")]);
    let um = config.um.expect("the role is run");
    assert_eq!(um.gateways[1].to_string(), "2001:db8::1/128");
    assert_eq!((um.max_calls, um.max_call, um.srtp), (7, Duration::from_secs(7_200), Srtp::Required));
    assert_eq!(um.recording.silence, None);
    assert_eq!((config.pin.min_length, config.limits.connections), (4, 20));
}

#[test]
fn an_unknown_key_is_refused_and_the_nearest_known_one_named() {
    refused("[um]\nmax-call = \"1h\"\nmax-callz = 3\n", "3:1", "did you mean `max-call`?");
    refused("domian = \"x\"", "1:1", "did you mean `domain`?");
    refused("[umm]\n", "1:2", "did you mean `um`?");
}

#[test]
fn the_outbound_proxy_is_a_server_that_speaks_tcp_or_tls() {
    let um = |value: &str| {
        check(&format!("[um]\noutbound-proxy = \"{value}\"\n")).map(|config| config.um.unwrap())
    };
    let proxy = um("sip:proxy.example.test;transport=tls").unwrap().outbound_proxy.unwrap();
    assert_eq!(proxy.as_str(), "sip:proxy.example.test;transport=tls");
    assert_eq!(um("").unwrap().outbound_proxy, None);
    refused("[um]\noutbound-proxy = \"tel:+1555\"\n", "2:18", "is no server");
    refused("[um]\noutbound-proxy = \"proxy\"\n", "2:18", "is no SIP URI");
    refused("[um]\noutbound-proxy = \"sip:p;transport=udp\"\n", "2:18", "TCP and TLS");
}

#[test]
fn a_key_whose_feature_is_still_to_come_is_refused_by_name() {
    refused("store = \"postgres://db/umbel\"", "1:9", "later version");
}

/// SEC-44: denied by default; a rule that cannot be read is named with its place.
#[test]
fn dialling_rules_are_read_or_refused_by_name() {
    let allows = |rules: &str, number: &str| {
        let config = check(&format!("[dialling]\nallow = {rules}\n")).expect("valid");
        config.dialling.allowing(&Number::read(number).expect("a number")).is_some()
    };
    assert!(allows("[\"+1555*\", \"0123\"]", "+15555550100"));
    assert!(allows("[\"+1555*\", \"0123\"]", "0123"));
    assert!(!allows("[\"+1555*\", \"0123\"]", "01234"));
    assert!(!allows("[]", "0123"));
    let none = check("").expect("valid").dialling;
    assert_eq!(none, DiallingRules::default());
    refused(
        "[dialling]\nallow = [\"+1*\", \"+1*5\"]\n",
        "2:17",
        "[dialling] allow: `+1*5` has * before its end",
    );
    refused("[dialling]\nallow = [\"\"]\n", "2:10", "is empty; write a number");
    refused("[dialling]\nallow = [\"sip:bob@x\"]\n", "2:10", "no digit");
    refused("[dialling]\nallow = \"+1*\"\n", "2:9", "invalid type");
    let many = vec!["\"1\""; 1_001].join(",");
    refused(&format!("[dialling]\nallow = [{many}]\n"), "2:9", "more than 1000 rules");
}

/// DEC-24, DEC-27, SENS-18.
#[test]
fn play_on_phone_is_set_in_the_roles_table() {
    let um = |keys: &str| check(&format!("[um]\n{keys}\n")).map(|config| config.um.unwrap());
    let plain = um("").unwrap();
    assert_eq!(plain.confirm_playback, ConfirmPlayback::Numbers);
    assert_eq!(plain.play_on_phone_identity, PlayOnPhoneIdentity::Owner);
    assert!(!plain.play_on_phone_reject_contact);
    let set = um(
        "confirm-playback = \"never\"\nplay-on-phone-identity = \"number\"\nplay-on-phone-reject-contact = true",
    );
    let set = set.unwrap();
    assert_eq!(set.confirm_playback, ConfirmPlayback::Never);
    assert_eq!(set.play_on_phone_identity, PlayOnPhoneIdentity::Number);
    assert!(set.play_on_phone_reject_contact);
    refused("[um]\nconfirm-playback = \"perhaps\"\n", "2:20", "expected one of `numbers`, `always`, `never`");
    refused("[um]\nplay-on-phone-identity = 1\n", "2:26", "");
}

#[test]
fn syntax_errors_types_and_duplicates_are_refused_with_their_place() {
    refused("domain = \n", "1:10", "");
    refused("domain = 5\n", "1:10", "invalid type: integer `5`, expected a string");
    refused("[um]\nmax-calls = 1\nmax-calls = 2\n", "3:1", "duplicate key");
    refused("[um]\nsrtp = \"sometimes\"\n", "2:8", "expected one of `offered`, `required`, `off`");
}

#[test]
fn values_out_of_range_are_refused_on_both_sides() {
    refused("[um]\ndscp = 64\n", "2:8", "0 to 63");
    refused("[um]\nmax-calls = 0\n", "2:13", "1 to 100000");
    refused("[um]\nmax-call = \"59s\"\n", "2:12", "between 60s");
    refused("[um.recording]\nsilence = \"0s\"\n", "2:11", "\"off\"");
    refused("[um.recording]\nmin-length = \"2s\"\nmax-length = \"2s\"\n", "3:14", "longer than min-length");
    refused("[pin]\nmin-length = 3\n", "2:14", "4 to 24");
    refused("[pin]\nmin-length = 25\n", "2:14", "4 to 24");
    refused("[um]\nrtp-ports = \"1023-2000\"\n", "2:13", "1024");
    refused("[um]\nrtp-ports = \"20001-20002\"\n", "2:13", "even port");
    assert!(check("[um]\nrtp-ports = \"20000-20001\"\n").is_ok());
}

#[test]
fn only_tcp_and_tls_can_be_listened_on() {
    refused("[um]\nlisten = [\"udp:127.0.0.1:5060\"]\n", "2:11", "[MS-OCEXUM] 2.1");
    refused("[um]\nlisten = [\"127.0.0.1:5060\"]\n", "2:11", "no listener");
}

/// SEC-33: plain TCP is trusted only after a second, explicit setting.
#[test]
fn a_trusted_network_without_the_second_setting_is_refused() {
    refused("[tls]\ntrusted-networks = [\"127.0.0.0/8\"]\n", "2:20", "accept-cleartext-trust");
    assert!(check("[tls]\ntrusted-networks = [\"127.0.0.0/8\"]\naccept-cleartext-trust = true\n").is_ok());
    assert!(check("[tls]\ntrusted-networks = []\n").is_ok());
}

/// What is allowed, and dangerous, is said at each start and by `umbel check`.
#[test]
fn settings_that_open_everything_are_told_of() {
    let told = |text: &str| crate::serve::warnings(&check(text).unwrap());
    for (narrow, wide, word) in [
        ("gateways = [\"192.0.2.0/24\"]", "gateways = [\"192.0.2.7\", \"0.0.0.0/0\"]", "gateways"),
        ("", "gateways = [\"::/0\"]", "gateways"),
        ("[dialling]\nallow = [\"+1*\", \"1*\"]", "[dialling]\nallow = [\"*\"]", "every number"),
        ("", "[dialling]\nallow = [\"+*\"]", "every number"),
    ] {
        let [narrow, wide] = [narrow, wide].map(|lines| told(&format!("[um]\n{lines}\n")));
        assert_eq!(narrow, [""; 0], "{word}");
        assert!(matches!(&wide[..], [only] if only.contains(word)), "{wide:?}");
    }
}

#[test]
fn secure_media_without_a_secure_listener_is_a_contradiction() {
    refused("[um]\nlisten = [\"tcp:127.0.0.1:1\"]\nsrtp = \"required\"\n", "3:8", "listen has no tls:");
    refused(
        "[tls]\ntrusted-peers = [\"p.example\"]\n[um]\nlisten = [\"tcp:127.0.0.1:1\"]\n",
        "2:18",
        "listen has no tls:",
    );
}

/// PEER-3: no wildcard names.
#[test]
fn trusted_peers_are_exact_names_fingerprints_or_addresses() {
    refused("[tls]\ntrusted-peers = [\"*.example.test\"]\n", "2:18", "wildcards");
    refused("[tls]\ntrusted-peers = [\"sha256:12\"]\n", "2:18", "64 hexadecimal");
    refused("[tls]\ntrusted-peers = [\"tcp:host\"]\n", "2:18", "an IP address");
}

#[test]
fn half_an_identity_is_refused() {
    refused("[tls]\ncertificate = \"c.pem\"\n", "2:15", "without private-key");
    refused("[tls]\nprivate-key = \"k.pem\"\n", "2:15", "without certificate");
}

#[test]
fn a_missing_file_says_which() {
    let failure = load(Path::new("/nowhere/umbel.toml")).expect_err("there is no such file");
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.starts_with("/nowhere/umbel.toml:"), "{failure}");
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("umbel.toml");
    std::fs::write(&path, b"domain = \"x\"\n# \xff\n").expect("written");
    let failure = load(&path).expect_err("not UTF-8");
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("umbel.toml:2: not UTF-8"), "{failure}");
}

#[test]
fn what_is_printed_reads_back_as_the_same_configuration() {
    let config = check("domain = \"contoso.com\"\n[um]\nmax-calls = 7\n[um.recording]\nsilence = \"off\"\n")
        .expect("valid");
    let printed = super::super::print(&config);
    assert_eq!(check(&printed).expect("what we print is valid"), config);
}

#[test]
fn every_setting_of_the_protocol_server_is_read() {
    let config = check(
        r#"
        domain = "example.test"
        [server]
        listen = ["tcp:0.0.0.0:6060", "tls:[::1]:6061"]
        advertise = "SIP.example.test"
        voicemail = ["sip:um1.example.test;transport=tls", "sips:um2.example.test"]
        voicemail-form = "rfc4458"
        ring-time = "30s"
        authentication = "none"
        digest = ["MD5"]
        no-diversion-when-forwarding = "fail"
        routes = [{ prefix = "+1555", to = ["sip:gw.example.test;transport=tls"] }, { prefix = "0", to = ["sip:192.0.2.9"] }]
        media-relay = "sip:relay.example.test"
        "#,
    )
    .expect("valid");
    assert!(config.um.is_none());
    let server = config.server.clone().expect("the role is run");
    assert_eq!(
        server.listen.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["tcp:0.0.0.0:6060", "tls:[::1]:6061"]
    );
    assert_eq!(server.advertise.as_deref(), Some("sip.example.test"));
    let voicemail = server.voicemail.as_ref().expect("it is set");
    assert_eq!(
        voicemail.iter().map(umbel_sip_message::Uri::host).collect::<Vec<_>>(),
        ["um1.example.test", "um2.example.test"]
    );
    assert_eq!((server.voicemail_form, server.ring_time), (VoicemailForm::Rfc4458, Duration::from_secs(30)));
    assert_eq!(
        (server.authentication, server.digest.as_slice()),
        (Authentication::None, [DigestAlgorithm::Md5].as_slice())
    );
    assert_eq!(server.no_diversion_when_forwarding, NoDiversionWhenForwarding::Fail);
    assert_eq!(server.routes[1].prefix, "0");
    assert_eq!(server.media_relay.as_ref().map(umbel_sip_message::Uri::host), Some("relay.example.test"));
    // What is printed is read back as the same.
    let printed = crate::config::print(&config);
    let again = check(&printed).unwrap_or_else(|error| panic!("{error}\nin\n{printed}"));
    assert_eq!(again.server, config.server);
}

#[test]
fn the_protocol_server_has_the_defaults_of_the_contract() {
    let server = check("[server]\n").expect("valid").server.expect("the role is run");
    assert_eq!(server, crate::config::Server::default());
    assert_eq!(server.listen[1].to_string(), "tls:127.0.0.1:5061");
    assert_eq!((server.voicemail, server.ring_time), (None, Duration::from_secs(20)));
    assert_eq!(server.digest, [DigestAlgorithm::Sha256, DigestAlgorithm::Md5]);
    assert_eq!(server.authentication, Authentication::Digest);
}

#[test]
fn contradictions_of_the_protocol_server_are_refused_with_their_place() {
    refused("[server]\nlisten = []\n", "2:10", "names no address");
    refused("[server]\nlisten = [\"tcp:127.0.0.1:1\", \"tls:127.0.0.1:1\"]\n", "2:30", "listened on twice");
    refused("[server]\nlisten = [\"udp:127.0.0.1:5060\"]\n", "2:11", "[MS-OCEXUM] 2.1");
    refused("[server]\nlisten = [\"tcp:0.0.0.0:5060\"]\n", "2:10", "add advertise");
    refused("[server]\nadvertise = \"a b\"\n", "2:13", "no host name");
    refused("[server]\nadvertise = \"a.test:5060\"\n", "2:13", "no host name");
    refused("[server]\nvoicemail = [\"um.example.test\"]\n", "2:14", "no SIP URI");
    refused("[server]\nvoicemail = [\"tel:+1\"]\n", "2:14", "no server");
    refused("[server]\nvoicemail = [\"sip:um.test;transport=udp\"]\n", "2:14", "[MS-OCEXUM] 2.1");
    refused("[server]\nring-time = \"0s\"\n", "2:13", "between 1s");
    refused("[server]\nring-time = \"1201s\"\n", "2:13", "1200s");
    refused("[server]\nauthentication = \"basic\"\n", "2:18", "expected `digest` or `none`");
    refused("[server]\ndigest = []\n", "2:10", "nobody could log in");
    refused("[server]\ndigest = [\"MD5\", \"MD5\"]\n", "2:10", "twice");
    refused("[server]\ndigest = [\"SHA-1\"]\n", "2:11", "expected `SHA-256` or `MD5`");
    let gateway = "to = [\"sip:gw.test\"]";
    refused(
        &format!("[server]\nroutes = [{{ prefix = \"+1a\", {gateway} }}]\n"),
        "2:22",
        "no beginning of a number",
    );
    refused("[server]\nroutes = [{ prefix = \"0\", to = [] }]\n", "2:32", "no gateway");
    refused(
        &format!("[server]\nroutes = [{{ prefix = \"0\", {gateway} }}, {{ prefix = \"0\", {gateway} }}]\n"),
        "2:62",
        "two entries",
    );
    refused(
        "[server]\nlisten = [\"tcp:127.0.0.1:5066\"]\n[um]\nlisten = [\"tcp:127.0.0.1:5066\"]\n",
        "1:1",
        "both listen on 127.0.0.1:5066",
    );
    refused("[um]\nlisten = []\n", "2:10", "names no address");
    assert!(check("[server]\nvoicemail = []\n").is_ok(), "no voice mail is allowed");
}
