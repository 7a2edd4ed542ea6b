//! Messages as others write them: the shapes of [MS-OCEXUM] 4.1 and 4.2, and what a proxy hands on.
#![allow(clippy::unwrap_used)]

mod world;

use umbel_node::Transport;
use umbel_sip_message::HeaderName;
use umbel_ua::{Config, Ending};
use world::World;

// OCEXUM-4-1, OCEXUM-4-2, DEC-2: Via without branch, tag before epid, folded and compact fields.
#[test]
fn the_shape_of_the_subscriber_access_example_gets_through() {
    let mut world = World::new();
    world.transport = Transport::Tls;
    world.agent("um", Config::default());
    world.script("proxy");
    world.certify("proxy", &["proxy.contoso.com"]);
    let flow = world.connect("proxy", "um");
    let invite = "INVITE sip:alice@contoso.com;opaque=app:voicemail SIP/2.0
        Via: SIP/2.0/TLS 192.0.2.2:49152
        Max-Forwards: 70
        From: <sip:alice@contoso.com>;tag=8ce6ed5d7c;epid=01010101
        To: <sip:alice@contoso.com;opaque=app:voicemail>
        Call-ID: 4b8b8df8c5a44a5f8a3a9b4d7f0a0f0e
        CSeq: 1 INVITE
        Contact: <sip:alice@contoso.com;opaque=user:epid:AAAA;gruu>
        Ms-Exchange-Command: skip-pin
        User-Agent: UCCAPI/2.0
        Supported: ms-sender, ms-early-media
        Content-Type: application/sdp

        v=0
        ";
    world.send("proxy", flow, invite);
    world.settle();
    world.answer("um");
    world.settle();
    let response = world.response("proxy");
    assert_eq!(response.status().as_u16(), 200);
    // RFC 3261 8.2.6.2: From as it came.
    assert_eq!(
        world::header(response.headers(), &HeaderName::From),
        "<sip:alice@contoso.com>;tag=8ce6ed5d7c;epid=01010101"
    );
    let to = world::header(response.headers(), &HeaderName::To);
    let inside = |method: &str, cseq: u32| {
        format!(
            "{method} sip:192.0.2.1:5061;transport=tls SIP/2.0
            Via: SIP/2.0/TLS 192.0.2.2:49152
            Max-Forwards: 70
            From: <sip:alice@contoso.com>;epid=01010101;tag=8ce6ed5d7c
            To: {to}
            Call-ID: 4b8b8df8c5a44a5f8a3a9b4d7f0a0f0e
            CSeq: {cseq} {method}
            "
        )
    };
    world.send("proxy", flow, &inside("ACK", 1));
    world.settle();
    world.send("proxy", flow, &inside("BYE", 2));
    world.settle();
    assert_eq!(world.response("proxy").status().as_u16(), 200);
    assert_eq!(world.ending("um"), Ending::ByPeer);
    world.expect(
        "
        0.001 proxy -> um: INVITE 1 sdp
        0.002 um: Invited sdp
        0.021 um -> proxy: 200 (INVITE 1) sdp
        0.041 proxy -> um: ACK 1
        0.042 um: Confirmed
        0.061 proxy -> um: BYE 2
        0.062 um: Ended ByPeer
        0.062 um -> proxy: 200 (BYE 2)
        ",
    );
    world.expect_rest();
}

// OCEXUM-4-3: Allow on two lines, in another case: UPDATE is found, and used to refresh.
#[test]
fn allow_may_be_written_as_in_the_play_on_phone_example() {
    let mut world = World::new();
    world.agent("um", Config { session_expires: Some(90), ..Config::default() });
    world.script("caller");
    let flow = world.connect("caller", "um");
    world.send(
        "caller",
        flow,
        "INVITE sip:um@example.com SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-1
        From: <sip:caller@example.com>
        To: <sip:um@example.com>
        Call-ID: call-1
        CSeq: 1 INVITE
        Contact: <sip:192.0.2.2:5060;transport=tcp>
        Allow: Ack, Cancel, Bye, Invite
        Allow: Update, Info
        Content-Type: application/sdp

        v=0
        ",
    );
    world.settle();
    world.answer("um");
    world.settle();
    let to = world::header(world.response("caller").headers(), &HeaderName::To);
    // RFC 3261 12.1.1: a peer of RFC 2543 has no tag.
    world.send(
        "caller",
        flow,
        &format!(
            "ACK sip:192.0.2.1:5060 SIP/2.0
            Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-2
            From: <sip:caller@example.com>
            To: {to}
            Call-ID: call-1
            CSeq: 1 ACK
            "
        ),
    );
    world.run_for(std::time::Duration::from_secs(46));
    assert_eq!(world.request("caller").1.method().as_str(), "UPDATE");
}

/// An INVITE that came through proxies: the first field is the Via of who hands it to us.
fn through(via: &str, record_route: &str) -> String {
    format!(
        "INVITE sip:um@example.com SIP/2.0
        Via: SIP/2.0/TCP {via};branch=z9hG4bK-p
        Via: SIP/2.0/TCP 198.51.100.7:5060;branch=z9hG4bK-c
        {record_route}From: <sip:caller@example.com>;tag=c1
        To: <sip:um@example.com>
        Call-ID: call-1
        CSeq: 1 INVITE
        Contact: <sip:caller@198.51.100.7:5060;transport=tcp>
        "
    )
}

// RFC 3261 12.1.1, 12.2.1.1, PEER-5: the dialog's requests go back along the proxy's own connection.
#[test]
fn requests_go_back_along_the_connection_of_a_proxy_that_stays_in_the_path() {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("proxy");
    let flow = world.connect("proxy", "um");
    let record_route =
        "Record-Route: <sip:192.0.2.2:5060;transport=tcp;lr>\nRecord-Route: <sip:far.example.com;lr>\n";
    world.send("proxy", flow, &through("192.0.2.2:5060", record_route));
    world.settle();
    world.answer("um");
    world.settle();
    let response = world.response("proxy");
    assert_eq!(response.headers().count(&HeaderName::RecordRoute), 2);
    let to = world::header(response.headers(), &HeaderName::To);
    world.send(
        "proxy",
        flow,
        &format!(
            "ACK sip:192.0.2.1:5060 SIP/2.0
            Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-a
            From: <sip:caller@example.com>;tag=c1
            To: {to}
            Call-ID: call-1
            CSeq: 1 ACK
            "
        ),
    );
    world.settle();
    world.hang_up("um");
    world.settle();
    let (on, bye) = world.request("proxy");
    assert_eq!(on, flow);
    assert_eq!(bye.request_uri().as_str(), "sip:caller@198.51.100.7:5060;transport=tcp");
    let routes: Vec<&[u8]> = bye.headers().elements(&HeaderName::Route).collect();
    assert_eq!(routes, [&b"<sip:192.0.2.2:5060;transport=tcp;lr>"[..], b"<sip:far.example.com;lr>"]);
}

// RFC 3261 16.6: a proxy that did not ask for it is left out.
#[test]
fn requests_do_not_go_through_a_proxy_that_left_the_path() {
    let mut world = World::new();
    world.agent("um", Config::default());
    world.script("proxy");
    let flow = world.connect("proxy", "um");
    world.send("proxy", flow, &through("192.0.2.2:5060", ""));
    world.settle();
    world.answer("um");
    world.run_for(std::time::Duration::from_secs(33));
    // The BYE went to the caller itself, whom nobody can reach here.
    let requests = world.received("proxy").into_iter().filter_map(|(_, message)| message.into_request());
    assert_eq!(requests.count(), 0);
    assert_eq!(world.ending("um"), Ending::NoAck);
}
