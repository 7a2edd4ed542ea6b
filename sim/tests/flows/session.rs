//! What happens to the session of a call: offers, holds, keys, transports.

use std::time::Duration;

use umbel_sdp::Srtp;
use umbel_sim::Office;
use umbel_sim::office::{By, invite, to_own_voice_mail};
use umbel_sim::telephone::{Do, Offer};
use umbel_sip_message::HeaderName;
use umbel_um::Config;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn described(media: &str) -> Offer {
    Offer::Text(format!(
        "v=0\r\no=- 7 7 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n{media}\r\n"
    ))
}

/// PEER-15, DEC-44: "for an offerless call with the ACK".
#[test]
fn a_call_without_an_offer_gets_ours_and_hears_us_after_the_ack() {
    let mut office = Office::new(4);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice").offering(Offer::None));
    office.wait(2);
    assert_eq!(office.world[erin].answers, [200]);
    assert!(office.world[erin].packets > 20);
    office.order(erin, Do::Speak(secs(3)), secs(4));
    office.order(erin, Do::HangUp, secs(2));
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
}

/// REL-42, DEC-44: the first packet leaves with the answer.
#[test]
fn the_first_prompt_starts_with_the_answer() {
    let mut office = Office::new(4);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    let answered =
        office.world.ladder().responses().find(|(_, r)| r.status().is_success()).map(|(rung, _)| rung.at);
    let first = office.world[erin].first_packet.expect("a packet came");
    assert!(first.since(answered.expect("an answer")) <= Duration::from_millis(10));
}

/// PEER-15: "stops prompt playing and recording timers".
#[test]
fn on_hold_nothing_is_sent_no_silence_is_counted_and_nobody_is_hurried() {
    let mut office = Office::new(4);
    let erin = office.caller("erin", By::Tcp);
    office.call(erin, invite("erin", "alice"));
    office.wait(3);
    office.order(erin, Do::Speak(secs(2)), secs(2));
    let hold = described("m=audio 4002 RTP/AVP 0\r\na=sendonly");
    office.order(erin, Do::Reinvite(hold, Vec::new()), secs(60));
    assert_eq!(office.world[erin].answers, [200, 200]);
    assert_eq!(office.world[erin].hung_up_on, 0);
    assert!(office.server().messages("alice@example.test").is_empty());
    let back = described("m=audio 4002 RTP/AVP 0\r\na=sendrecv");
    office.order(erin, Do::Reinvite(back, Vec::new()), secs(1));
    office.order(erin, Do::Speak(secs(2)), secs(3));
    office.order(erin, Do::HangUp, secs(2));
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
}

/// PEER-15: the time for an answer stands still while the caller is on another line.
#[test]
fn a_menu_does_not_run_out_of_patience_on_hold() {
    let mut office = Office::new(4);
    let alice = office.caller("alice", By::Tcp);
    office.call(alice, to_own_voice_mail("alice"));
    office.wait(2);
    let hold = described("m=audio 4002 RTP/AVP 0\r\na=inactive");
    office.order(alice, Do::Reinvite(hold, Vec::new()), secs(120));
    assert_eq!(office.world[alice].hung_up_on, 0);
    let back = described("m=audio 4002 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000");
    office.order(alice, Do::Reinvite(back, Vec::new()), secs(60));
    assert_eq!(office.world[alice].hung_up_on, 1);
}

/// MED-5, DEC-30.
#[test]
fn srtp_is_used_where_it_is_offered_over_tls() {
    for (srtp, by, encrypted) in [
        (Srtp::Offered, By::Tls, true),
        (Srtp::Required, By::Tls, true),
        (Srtp::Off, By::Tls, false),
        (Srtp::Offered, By::Tcp, false),
    ] {
        let mut office = Office::new(4);
        let erin = office.caller("erin", by);
        office.call(erin, invite("erin", "alice").srtp(srtp));
        office.wait(2);
        let negotiated = office.world[erin].negotiated.clone().expect("an answer");
        assert_eq!(negotiated.srtp.is_some(), encrypted, "{srtp:?} {by:?}");
        office.order(erin, Do::Speak(secs(3)), secs(4));
        office.order(erin, Do::HangUp, secs(2));
        let messages = office.server().messages("alice@example.test");
        assert_eq!(messages.len(), 1, "{srtp:?} {by:?}");
        let audio = office.server().audio(&messages[0]).data;
        // Loud samples of mu-law are far from the 0xff and 0x7f of silence.
        let loud = audio.iter().filter(|octet| **octet & 0x70 < 0x40).count();
        assert!(loud > audio.len() / 3, "{srtp:?} {by:?}: {loud} of {}", audio.len());
    }
}

/// SEC-74: "re-INVITE from SAVP to AVP: 488, session stays as it was".
#[test]
fn an_encrypted_call_stays_encrypted() {
    let mut office = Office::new(4);
    let erin = office.caller("erin", By::Tls);
    office.call(erin, invite("erin", "alice").srtp(Srtp::Required));
    office.wait(2);
    office.order(erin, Do::Reinvite(described("m=audio 4002 RTP/AVP 0"), Vec::new()), secs(1));
    assert_eq!(office.world[erin].answers, [200, 488]);
    assert!(office.world[erin].is_talking());
    office.order(erin, Do::Speak(secs(3)), secs(4));
    office.order(erin, Do::HangUp, secs(2));
    assert_eq!(office.server().messages("alice@example.test").len(), 1);
}

/// PEER-6, PEER-7, SEC-75, 11.3, and the IN table for SDP.
#[test]
fn what_cannot_be_served_is_refused_with_a_warning() {
    let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    for (by, setting, media, status, warning) in [
        (By::Tcp, Srtp::Offered, format!("m=audio 4002 RTP/SAVP 0\r\n{key}"), 488, "399"),
        (
            By::Tls,
            Srtp::Off,
            format!("m=audio 4002 RTP/SAVP 0\r\n{key}"),
            488,
            "399 example.test \"Incompatible security setting\"",
        ),
        (
            By::Tls,
            Srtp::Required,
            "m=audio 4002 RTP/AVP 0".to_owned(),
            488,
            "399 example.test \"Incompatible security setting\"",
        ),
        (By::Tls, Srtp::Offered, "m=audio 4002 RTP/SAVP 0".to_owned(), 488, "399"),
        (By::Tls, Srtp::Offered, "m=audio 4002 UDP/TLS/RTP/SAVP 0".to_owned(), 488, "302"),
        (By::Tcp, Srtp::Offered, "m=audio 4002 RTP/AVP 18".to_owned(), 488, "305"),
        (By::Tcp, Srtp::Offered, "m=image 4002 udptl t38".to_owned(), 488, "304"),
    ] {
        let mut office = Office::with(4, |config: &mut Config| config.media.srtp = setting);
        let erin = office.caller("erin", by);
        office.call(erin, invite("erin", "alice").offering(described(&media)));
        assert_eq!(office.world[erin].answers, [status], "{media}");
        let response = office.world[erin].last_response.clone().expect("a response");
        let said = response.headers().get_text(&HeaderName::Warning).expect("a warning").into_owned();
        assert!(said.starts_with(warning), "{media}: {said}");
        office.wait(40);
        assert!(office.server().is_at_rest(), "{media}");
    }
}

/// SEC-80: "no media sent to broadcast, multicast, unspecified or our own listeners".
#[test]
fn nothing_is_sent_where_it_would_do_harm() {
    for address in ["255.255.255.255", "239.1.1.1", "0.0.0.0", "pbx.example.test"] {
        let mut office = Office::new(4);
        let erin = office.caller("erin", By::Tcp);
        let offer = format!("m=audio 4002 RTP/AVP 0\r\nc=IN IP4 {address}");
        office.call(erin, invite("erin", "alice").offering(described(&offer)));
        office.wait(2);
        assert_eq!(office.world[erin].answers, [200], "{address}");
        assert_eq!(office.world[erin].packets, 0, "{address}");
    }
    // Our own media socket, and our own SIP listener: sound sent there would be heard as the caller's.
    for port in [20_000, 5_060] {
        let listeners =
            |config: &mut Config| config.listeners = vec!["192.0.2.1:5060".parse().expect("an address")];
        let mut office = Office::with(4, listeners);
        let erin = office.caller("erin", By::Tcp);
        let offer = format!("m=audio {port} RTP/AVP 0\r\nc=IN IP4 192.0.2.1");
        office.call(erin, invite("erin", "alice").offering(described(&offer)));
        office.wait(30);
        assert!(office.server().messages("alice@example.test").is_empty(), "{port}");
    }
}

/// The IN table for SDP: "488 (400 when it is not SDP at all)".
#[test]
fn what_is_no_session_description_is_a_bad_request() {
    for (body, status) in [("hello", 400), ("v=0\r\nm=audio x\r\n", 488), ("v=0\r\n", 488)] {
        let mut office = Office::new(4);
        let erin = office.caller("erin", By::Tcp);
        office.call(erin, invite("erin", "alice").offering(Offer::Text(body.to_owned())));
        assert_eq!(office.world[erin].answers, [status], "{body}");
    }
}
