//! Offers and answers, each written out.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::Srtp;

const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const OTHER_KEY: &str = "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm";
const SAVP_80: &str = "AES_CM_128_HMAC_SHA1_80";

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn capabilities(srtp: Srtp) -> Capabilities {
    Capabilities {
        codecs: vec![Codec::G722, Codec::Pcmu, Codec::Pcma],
        srtp,
        address: "192.0.2.1".parse().unwrap(),
        port: 20_000,
    }
}

fn session(srtp: Srtp, over_tls: bool) -> Session {
    Session::new(capabilities(srtp), over_tls, &mut rng())
}

/// A description whose `o=`, `s=`, `c=` and `t=` lines are of no interest.
fn described(media: &str) -> String {
    let media = media.trim().lines().map(str::trim).collect::<Vec<_>>().join("\r\n");
    format!("v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n{media}\r\n")
}

fn answer(session: &mut Session, media: &str) -> Result<(String, Negotiated), Refusal> {
    let (bytes, negotiated) = session.answer(described(media).as_bytes(), &mut rng())?;
    Ok((String::from_utf8(bytes.to_vec()).unwrap(), negotiated))
}

/// The lines from the first `m=` on.
fn media_of(sdp: &str) -> Vec<&str> {
    sdp.lines().skip_while(|line| !line.starts_with("m=")).collect()
}

fn line_of<'a>(sdp: &'a str, start: &str) -> &'a str {
    sdp.lines().find(|line| line.starts_with(start)).unwrap_or_default()
}

fn version_of(sdp: &str) -> u64 {
    line_of(sdp, "o=").split(' ').nth(2).unwrap().parse().unwrap()
}

fn socket(text: &str) -> Option<std::net::SocketAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn a_plain_offer_is_answered_with_one_codec_and_telephone_events() {
    let offer = "m=audio 4000 RTP/AVP 18 8 0 97
        a=rtpmap:97 telephone-event/8000
        a=fmtp:97 0-16
        a=ptime:30";
    let (sdp, negotiated) = answer(&mut session(Srtp::Offered, false), offer).unwrap();
    assert_eq!(
        media_of(&sdp),
        [
            "m=audio 20000 RTP/AVP 8 97",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:97 telephone-event/8000",
            "a=fmtp:97 0-15",
            "a=ptime:20",
            "a=sendrecv"
        ]
    );
    assert_eq!(line_of(&sdp, "c="), "c=IN IP4 192.0.2.1");
    assert_eq!(negotiated.audio, AudioFormat { codec: Codec::Pcma, payload_type: 8 });
    assert_eq!(negotiated.telephone_event, Some(97));
    assert_eq!(negotiated.remote, socket("198.51.100.7:4000"));
    assert_eq!(negotiated.remote_rtcp, socket("198.51.100.7:4001"));
    assert!(!negotiated.held);
    assert_eq!(negotiated.srtp, None);
}

/// MED-1, MED-3: the peer's order is its preference; what we lack is passed over.
#[test]
fn the_first_codec_of_the_offer_that_we_have_is_taken() {
    for (offer, expected) in [
        ("m=audio 4000 RTP/AVP 0 8 9", Some(Codec::Pcmu)),
        ("m=audio 4000 RTP/AVP 9 0 8", Some(Codec::G722)),
        ("m=audio 4000 RTP/AVP 3 18 8", Some(Codec::Pcma)),
        ("m=audio 4000 RTP/AVP 111 0\na=rtpmap:111 opus/48000/2", Some(Codec::Pcmu)),
        ("m=audio 4000 RTP/AVP 100\na=rtpmap:100 pcmu/8000", Some(Codec::Pcmu)),
        ("m=audio 4000 RTP/AVP 0\na=rtpmap:0 PCMU/16000", None),
        ("m=audio 4000 RTP/AVP 18 3", None),
        ("m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000", None),
    ] {
        let answered = answer(&mut session(Srtp::Offered, false), offer);
        assert_eq!(answered.map(|(_, n)| n.audio.codec), expected.ok_or(Refusal::NoCommonCodec), "{offer}");
    }
}

#[test]
fn opus_is_taken_with_telephone_events_of_its_own_clock_rate() {
    let mut session = session(Srtp::Offered, false);
    session.capabilities.codecs.insert(0, Codec::Opus);
    let offer = "m=audio 4000 RTP/AVP 111 0 101 110
        a=rtpmap:111 opus/48000/2
        a=rtpmap:101 telephone-event/8000
        a=rtpmap:110 telephone-event/48000";
    let (sdp, negotiated) = answer(&mut session, offer).unwrap();
    assert_eq!(line_of(&sdp, "m="), "m=audio 20000 RTP/AVP 111 110");
    assert_eq!(line_of(&sdp, "a=rtpmap:110"), "a=rtpmap:110 telephone-event/48000");
    assert_eq!(negotiated.audio.codec, Codec::Opus);
    assert_eq!(negotiated.telephone_event, Some(110));
    let g711 = offer.replace("111 0 101", "0 101");
    assert_eq!(answer(&mut session, &g711).unwrap().1.telephone_event, Some(101));
}

/// The IN table for SDP: "odd ptime: ignored, served".
#[test]
fn a_wish_for_another_packet_length_is_not_followed() {
    for wish in ["a=ptime:0", "a=ptime:25", "a=ptime:-20", "a=ptime:1000", "a=ptime:twenty", "a=maxptime:10"]
    {
        let offer = format!("m=audio 4000 RTP/AVP 0\n{wish}");
        let (sdp, _) = answer(&mut session(Srtp::Offered, false), &offer).unwrap();
        assert_eq!(line_of(&sdp, "a=ptime"), "a=ptime:20", "{wish}");
    }
}

/// RFC 3264 6: as many lines as were offered.
#[test]
fn lines_that_we_do_not_take_are_answered_with_port_0() {
    let offer = "m=video 5000 RTP/AVP 31
        a=rtpmap:31 H261/90000
        m=audio 4000 RTP/AVP 0
        m=audio 6000 RTP/AVP 8
        m=image 7000 udptl t38";
    let (sdp, _) = answer(&mut session(Srtp::Offered, false), offer).unwrap();
    let lines: Vec<_> = sdp.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        ["m=video 0 RTP/AVP 31", "m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/AVP 8", "m=image 0 udptl t38"]
    );
}

#[test]
fn an_audio_line_that_cannot_be_served_gives_way_to_one_that_can() {
    let offer = "m=audio 4000 UDP/TLS/RTP/SAVP 0
        m=audio 6000 RTP/AVP 8";
    let (sdp, negotiated) = answer(&mut session(Srtp::Offered, true), offer).unwrap();
    let lines: Vec<_> = sdp.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(lines, ["m=audio 0 UDP/TLS/RTP/SAVP 0", "m=audio 20000 RTP/AVP 8"]);
    assert_eq!(negotiated.remote, socket("198.51.100.7:6000"));
}

/// The IN table for SDP.
#[test]
fn what_cannot_be_served_is_refused_with_its_reason() {
    let mut plain = session(Srtp::Offered, false);
    for (offer, expected) in [
        ("", Refusal::NoAudio),
        ("m=video 5000 RTP/AVP 31", Refusal::NoAudio),
        ("m=image 5000 udptl t38", Refusal::NoAudio),
        ("m=audio 4000 RTP/AVP 18", Refusal::NoCommonCodec),
        ("m=audio 4000 RTP/AVP x", Refusal::Formats),
        ("m=audio 4000 RTP/AVP 128", Refusal::Formats),
        ("m=audio 4000 RTP/AVP 0 *", Refusal::Formats),
        ("m=audio 4000 RTP/AVP", Refusal::Unreadable),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 0", Refusal::Profile),
        ("m=audio 4000 RTP 0", Refusal::Profile),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::7", Refusal::AddressFamily),
        ("m=audio 4000 RTP/AVP 0\nc=ATM NSAP 47.0091", Refusal::NetworkType),
        ("m=audio 66000 RTP/AVP 0", Refusal::Unreadable),
    ] {
        assert_eq!(answer(&mut plain, offer).unwrap_err(), expected, "{offer}");
    }
    let no_connection = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(plain.answer(no_connection.as_bytes(), &mut rng()).unwrap_err(), Refusal::NoConnection);
    assert_eq!(plain.answer(b"hello", &mut rng()).unwrap_err(), Refusal::NotSdp);
    assert_eq!((Refusal::NotSdp.status(), Refusal::NoAudio.status()), (400, 488));
    assert_eq!(Refusal::SecuritySetting.warning(), 399);
    assert_eq!(Refusal::SecuritySetting.to_string(), "Incompatible security setting");
    assert_eq!(Refusal::NoCommonCodec.warning(), 305);
}

/// PEER-15, RFC 3264 6.1 and 8.4.
#[test]
fn hold_is_recognised_in_all_its_forms() {
    for (lines, direction, held, sends) in [
        ("", "sendrecv", false, true),
        ("a=sendrecv", "sendrecv", false, true),
        ("a=recvonly", "sendonly", false, true),
        ("a=sendonly", "recvonly", true, false),
        ("a=inactive", "inactive", true, false),
        ("c=IN IP4 0.0.0.0", "recvonly", true, false),
        ("c=IN IP4 0.0.0.0\na=inactive", "inactive", true, false),
    ] {
        let offer = format!("m=audio 4000 RTP/AVP 0\n{lines}");
        let (sdp, negotiated) = answer(&mut session(Srtp::Offered, false), &offer).unwrap();
        assert!(sdp.contains(&format!("a={direction}\r\n")), "{lines}: {sdp}");
        assert_eq!(negotiated.direction.as_str(), direction, "{lines}");
        assert_eq!(negotiated.held, held, "{lines}");
        assert_eq!(negotiated.remote.is_some(), sends, "{lines}");
    }
    let session_level = described("m=audio 4000 RTP/AVP 0").replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n");
    let (_, negotiated) = session(Srtp::Offered, false).answer(session_level.as_bytes(), &mut rng()).unwrap();
    assert!(negotiated.held);
}

#[test]
fn port_0_is_served_without_media() {
    let (sdp, negotiated) = answer(&mut session(Srtp::Offered, false), "m=audio 0 RTP/AVP 0").unwrap();
    assert_eq!(media_of(&sdp), ["m=audio 0 RTP/AVP 0"]);
    assert_eq!((negotiated.remote, negotiated.direction, negotiated.held), (None, Direction::Inactive, true));
}

/// SEC-80.
#[test]
fn nothing_is_sent_to_broadcast_multicast_or_names() {
    for address in ["255.255.255.255", "224.2.1.1/127", "239.1.1.1", "pbx.example.test"] {
        let offer = format!("m=audio 4000 RTP/AVP 0\nc=IN IP4 {address}");
        let (_, negotiated) = answer(&mut session(Srtp::Offered, false), &offer).unwrap();
        assert_eq!((negotiated.remote, negotiated.remote_rtcp), (None, None), "{address}");
        assert!(!negotiated.held, "{address}");
    }
}

#[test]
fn a_media_lines_own_connection_goes_before_the_sessions() {
    let offer = "m=audio 4000 RTP/AVP 0\nc=IN IP4 203.0.113.9\na=rtcp:4444 IN IP4 203.0.113.9";
    let (_, negotiated) = answer(&mut session(Srtp::Offered, false), offer).unwrap();
    assert_eq!(negotiated.remote, socket("203.0.113.9:4000"));
    assert_eq!(negotiated.remote_rtcp, socket("203.0.113.9:4444"));
}

#[test]
fn ipv6_is_offered_and_answered() {
    let address = "2001:db8::1".parse().unwrap();
    let capabilities = Capabilities { address, ..capabilities(Srtp::Offered) };
    let mut session = Session::new(capabilities, false, &mut rng());
    let offer = "m=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::7";
    let (sdp, negotiated) = answer(&mut session, offer).unwrap();
    assert_eq!(line_of(&sdp, "c="), "c=IN IP6 2001:db8::1");
    assert_eq!(negotiated.remote, socket("[2001:db8::7]:4000"));
}

/// RFC 3264 8.
#[test]
fn a_re_answer_keeps_its_origin_and_counts_changes() {
    let mut session = session(Srtp::Offered, false);
    let (first, _) = answer(&mut session, "m=audio 4000 RTP/AVP 0").unwrap();
    let (same, _) = answer(&mut session, "m=audio 4002 RTP/AVP 0").unwrap();
    let (held, _) = answer(&mut session, "m=audio 4002 RTP/AVP 0\na=sendonly").unwrap();
    assert_eq!(answer(&mut session, "m=video 1 RTP/AVP 31").unwrap_err(), Refusal::NoAudio);
    let (back, _) = answer(&mut session, "m=audio 4002 RTP/AVP 0").unwrap();
    let versions = [&first, &same, &held, &back].map(|sdp| version_of(sdp));
    assert_eq!(versions, [1, 1, 2, 3]);
    let id = |sdp: &str| line_of(sdp, "o=").split(' ').nth(1).unwrap().to_owned();
    assert_eq!(id(&first), id(&back));
}

/// MED-5, DEC-30.
#[test]
fn savp_over_tls_is_answered_with_a_key_under_the_same_tag() {
    for suite in ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"] {
        for profile in ["RTP/SAVP", "RTP/AVP", "RTP/SAVPF"] {
            let offer = format!("m=audio 4000 {profile} 0\na=crypto:5 {suite} {KEY}");
            let (sdp, negotiated) = answer(&mut session(Srtp::Offered, true), &offer).unwrap();
            assert_eq!(line_of(&sdp, "m="), format!("m=audio 20000 {profile} 0"));
            assert!(sdp.contains(&format!("a=crypto:5 {suite} inline:")), "{sdp}");
            let keys = negotiated.srtp.unwrap();
            assert_eq!(keys.theirs.key(), b"wDfvg&T+)xG7@fb5");
            assert_ne!(keys.ours, keys.theirs);
        }
    }
}

#[test]
fn the_first_usable_crypto_line_is_taken() {
    let offer = format!(
        "m=audio 4000 RTP/SAVP 0
        a=crypto:1 AES_256_CM_HMAC_SHA1_80 {KEY}
        a=crypto:2 {SAVP_80} {KEY}|2^31|1:1
        a=crypto:3 {SAVP_80} {OTHER_KEY}|2^31
        a=crypto:4 AES_CM_128_HMAC_SHA1_32 {KEY}"
    );
    let (sdp, _) = answer(&mut session(Srtp::Offered, true), &offer).unwrap();
    assert_eq!(sdp.lines().filter(|line| line.starts_with("a=crypto")).count(), 1);
    assert!(line_of(&sdp, "a=crypto").starts_with(&format!("a=crypto:3 {SAVP_80} inline:")));
}

/// SEC-74: 488, and never plain RTP.
#[test]
fn keys_that_cannot_be_used_are_refused_and_not_answered_in_plain() {
    let bad = [
        String::new(),
        format!("a=crypto:1 {SAVP_80} inline:short"),
        format!("a=crypto:1 AES_256_CM_HMAC_SHA1_80 {KEY}"),
        "a=crypto".to_owned(),
        "a=crypto:".to_owned(),
    ];
    for crypto in &bad {
        let offer = format!("m=audio 4000 RTP/SAVP 0\n{crypto}\nm=audio 4002 RTP/AVP 0");
        let refused = answer(&mut session(Srtp::Offered, true), &offer).unwrap_err();
        assert_eq!(refused, Refusal::NoUsableKey, "{crypto}");
        assert_eq!(refused.status(), 488);
    }
    let offer = format!("m=audio 4000 RTP/AVP 0\na=crypto:1 {SAVP_80} inline:short");
    assert_eq!(answer(&mut session(Srtp::Offered, true), &offer).unwrap_err(), Refusal::NoUsableKey);
}

/// SEC-75, MED-5.
#[test]
fn keys_in_clear_are_refused_for_savp_and_ignored_for_avp() {
    let offer = format!("m=audio 4000 RTP/SAVP 0\na=crypto:1 {SAVP_80} {KEY}");
    assert_eq!(answer(&mut session(Srtp::Offered, false), &offer).unwrap_err(), Refusal::KeyInClear);
    let offer = offer.replace("SAVP 0", "AVP 0");
    let (sdp, negotiated) = answer(&mut session(Srtp::Offered, false), &offer).unwrap();
    assert!(!sdp.contains("crypto"));
    assert_eq!(negotiated.srtp, None);
}

/// SEC-74: "re-INVITE from SAVP to AVP: 488, session stays as it was".
#[test]
fn an_encrypted_session_refuses_a_plain_re_offer_and_stays() {
    let secure = format!("m=audio 4000 RTP/SAVP 0\na=crypto:1 {SAVP_80} {KEY}");
    let mut session = session(Srtp::Offered, true);
    let (first, negotiated) = answer(&mut session, &secure).unwrap();
    assert_eq!(answer(&mut session, "m=audio 4000 RTP/AVP 0").unwrap_err(), Refusal::Downgrade);
    // Not by way of hold either.
    answer(&mut session, "m=audio 0 RTP/SAVP 0").unwrap();
    assert_eq!(answer(&mut session, "m=audio 4000 RTP/AVP 0").unwrap_err(), Refusal::Downgrade);
    let (again, renegotiated) = answer(&mut session, &secure).unwrap();
    assert_eq!(line_of(&first, "a=crypto"), line_of(&again, "a=crypto"));
    assert_eq!(negotiated, renegotiated);
}

#[test]
fn a_new_key_of_the_peer_leaves_ours_and_a_new_suite_changes_it() {
    let offer = |suite: &str, key: &str| format!("m=audio 4000 RTP/SAVP 0\na=crypto:1 {suite} {key}");
    let mut session = session(Srtp::Offered, true);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut negotiate = |suite, key| {
        session.answer(described(&offer(suite, key)).as_bytes(), &mut rng).unwrap().1.srtp.unwrap()
    };
    let first = negotiate(SAVP_80, KEY);
    let second = negotiate(SAVP_80, OTHER_KEY);
    let third = negotiate("AES_CM_128_HMAC_SHA1_32", OTHER_KEY);
    assert_eq!(first.ours, second.ours);
    assert_ne!(first.theirs, second.theirs);
    assert_ne!(second.ours, third.ours);
}

/// DEC-33: wideband is offered first.
#[test]
fn our_offer_names_all_codecs_wideband_first() {
    let (offer, _pending) = session(Srtp::Offered, false).offer(Direction::SendRecv, &mut rng()).unwrap();
    let sdp = String::from_utf8(offer.to_vec()).unwrap();
    assert_eq!(
        media_of(&sdp),
        [
            "m=audio 20000 RTP/AVP 9 0 8 101",
            "a=rtpmap:9 G722/8000",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=ptime:20",
            "a=sendrecv"
        ]
    );
    let mut with_opus = session(Srtp::Offered, false);
    with_opus.capabilities.codecs.insert(0, Codec::Opus);
    let (offer, _pending) = with_opus.offer(Direction::SendRecv, &mut rng()).unwrap();
    let sdp = String::from_utf8(offer.to_vec()).unwrap();
    assert_eq!(line_of(&sdp, "m="), "m=audio 20000 RTP/AVP 96 9 0 8 97 101");
    assert_eq!(line_of(&sdp, "a=rtpmap:97"), "a=rtpmap:97 telephone-event/48000");
}

/// Two of our sessions, one with the other.
fn between(offerer: &mut Session, answerer: &mut Session) -> (Negotiated, Negotiated) {
    let mut one = ChaCha20Rng::seed_from_u64(2);
    let mut other = ChaCha20Rng::seed_from_u64(3);
    let (offer, pending) = offerer.offer(Direction::SendRecv, &mut one).unwrap();
    let (answer, answered) = answerer.answer(&offer, &mut other).unwrap();
    (offerer.complete(pending, &answer).unwrap(), answered)
}

#[test]
fn both_sides_of_an_exchange_arrive_at_the_same() {
    for (srtp, over_tls, encrypted) in [
        (Srtp::Off, true, false),
        (Srtp::Offered, true, true),
        (Srtp::Offered, false, false),
        (Srtp::Required, true, true),
    ] {
        let mut offerer = session(srtp, over_tls);
        let mut answerer = session(Srtp::Offered, over_tls);
        answerer.capabilities.codecs = vec![Codec::Pcma, Codec::Pcmu];
        for _round in 0..2 {
            let (ours, theirs) = between(&mut offerer, &mut answerer);
            assert_eq!(ours.audio, theirs.audio);
            assert_eq!(ours.audio.codec, Codec::Pcmu);
            assert_eq!(ours.telephone_event, Some(101));
            assert_eq!(ours.srtp.is_some(), encrypted, "{srtp:?} {over_tls}");
            if let (Some(ours), Some(theirs)) = (ours.srtp, theirs.srtp) {
                assert_eq!((ours.ours, ours.theirs), (theirs.theirs, theirs.ours));
            }
        }
    }
}

#[test]
fn an_answer_without_a_key_leaves_an_opportunistic_offer_plain_and_fails_a_strict_one() {
    let plain = described("m=audio 4000 RTP/AVP 0");
    let mut offered = session(Srtp::Offered, true);
    let (_, pending) = offered.offer(Direction::SendRecv, &mut rng()).unwrap();
    assert_eq!(offered.complete(pending, plain.as_bytes()).unwrap().srtp, None);

    let mut required = session(Srtp::Required, true);
    let (_, pending) = required.offer(Direction::SendRecv, &mut rng()).unwrap();
    assert_eq!(required.complete(pending, plain.as_bytes()).unwrap_err(), Refusal::AnswerMismatch);
    let (_, pending) = required.offer(Direction::SendRecv, &mut rng()).unwrap();
    let keyless = described("m=audio 4000 RTP/SAVP 0");
    assert_eq!(required.complete(pending, keyless.as_bytes()).unwrap_err(), Refusal::NoUsableKey);
}

#[test]
fn an_answer_must_take_one_of_the_keys_that_were_offered() {
    for (crypto, expected) in [
        (format!("1 {SAVP_80} {KEY}"), None),
        (format!("2 {SAVP_80} {KEY}"), Some(Refusal::AnswerMismatch)),
        (format!("2 AES_CM_128_HMAC_SHA1_32 {KEY}"), None),
        (format!("9 {SAVP_80} {KEY}"), Some(Refusal::AnswerMismatch)),
        (format!("1 {SAVP_80} inline:short"), Some(Refusal::NoUsableKey)),
    ] {
        let mut session = session(Srtp::Offered, true);
        let (_, pending) = session.offer(Direction::SendRecv, &mut rng()).unwrap();
        let answer = described(&format!("m=audio 4000 RTP/AVP 0\na=crypto:{crypto}"));
        assert_eq!(session.complete(pending, answer.as_bytes()).err(), expected, "{crypto}");
    }
}

#[test]
fn an_answer_of_another_shape_is_refused() {
    for (answer, expected) in [
        ("", Refusal::AnswerMismatch),
        ("m=video 4000 RTP/AVP 31", Refusal::AnswerMismatch),
        ("m=audio 4000 RTP/SAVP 0", Refusal::AnswerMismatch),
        ("m=audio 4000 RTP/AVP 18", Refusal::NoCommonCodec),
    ] {
        let mut session = session(Srtp::Offered, false);
        let (_, pending) = session.offer(Direction::SendRecv, &mut rng()).unwrap();
        assert_eq!(
            session.complete(pending, described(answer).as_bytes()).unwrap_err(),
            expected,
            "{answer}"
        );
    }
    let mut session = session(Srtp::Offered, false);
    let (_, pending) = session.offer(Direction::SendRecv, &mut rng()).unwrap();
    let rejected = session.complete(pending, described("m=audio 0 RTP/AVP 0").as_bytes()).unwrap();
    assert_eq!((rejected.remote, rejected.held), (None, true));
}

#[test]
fn an_answer_allows_no_more_than_was_offered() {
    let mut session = session(Srtp::Offered, false);
    let (offer, pending) = session.offer(Direction::SendOnly, &mut rng()).unwrap();
    assert!(String::from_utf8(offer.to_vec()).unwrap().contains("a=sendonly\r\n"));
    let negotiated = session.complete(pending, described("m=audio 4000 RTP/AVP 0").as_bytes()).unwrap();
    assert_eq!(negotiated.direction, Direction::SendOnly);
}

/// Secrets never reach a log.
#[test]
fn nothing_here_prints_a_key() {
    let mut session = session(Srtp::Offered, true);
    let offer = described(&format!("m=audio 4000 RTP/SAVP 0\na=crypto:1 {SAVP_80} {KEY}"));
    let (sdp, negotiated) = session.answer(offer.as_bytes(), &mut rng()).unwrap();
    let sdp = String::from_utf8(sdp.to_vec()).unwrap();
    let ours = line_of(&sdp, "a=crypto").rsplit(':').next().unwrap().to_owned();
    let (_, pending) = session.offer(Direction::SendRecv, &mut rng()).unwrap();
    let printed = format!("{session:?} {negotiated:?} {pending:?}");
    for secret in [ours.as_str(), "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "119, 68, 102"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

fn offered_line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a=sendonly".to_owned()),
        Just("a=inactive".to_owned()),
        Just("c=IN IP4 0.0.0.0".to_owned()),
        Just("c=IN IP6 ::1".to_owned()),
        Just(format!("a=crypto:1 {SAVP_80} {KEY}")),
        "a=(rtpmap|fmtp|ptime|maxptime|rtcp|crypto):[ -~]{0,30}",
        "m=(audio|video|image) [0-9]{1,5} (RTP/AVP|RTP/SAVP|udptl) [0-9 ]{1,12}",
    ]
}

proptest! {
    /// Whatever is offered, an answer has a line for each that was offered and takes one at most; it
    /// can be read again; and audio is encrypted exactly when the line that carries it says so.
    #[test]
    fn every_answer_fits_its_offer(
        lines in proptest::collection::vec(offered_line(), 0..10),
        over_tls: bool,
        required: bool,
    ) {
        let srtp = if required { Srtp::Required } else { Srtp::Offered };
        let mut session = session(srtp, over_tls);
        let offer = described(&lines.join("\n"));
        if let Ok((answer, negotiated)) = session.answer(offer.as_bytes(), &mut rng()) {
            let answer = String::from_utf8(answer.to_vec()).unwrap();
            let count = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();
            prop_assert_eq!(count(&offer), count(&answer));
            let taken = answer.lines().filter(|line| line.starts_with("m=audio 20000 ")).count();
            prop_assert!(taken <= 1);
            prop_assert_eq!(answer.contains("a=crypto:"), negotiated.srtp.is_some());
            prop_assert!(!required || taken == 0 || negotiated.srtp.is_some());
            prop_assert!(over_tls || negotiated.srtp.is_none());
            prop_assert!(Description::parse(answer.as_bytes()).is_ok());
        }
    }

    #[test]
    fn any_answer_is_taken_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut session = session(Srtp::Offered, true);
        let (_, pending) = session.offer(Direction::SendRecv, &mut rng()).unwrap();
        let _ = session.complete(pending, &octets);
        let _ = session.answer(&octets, &mut rng());
    }
}
