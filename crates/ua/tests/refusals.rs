//! What a request gets that is not in order: RFC 3261 8.2 and 12.2.2, against text sent by hand.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use umbel_node::FlowId;
use umbel_sip_message::{HeaderName, Response};
use umbel_ua::{Command, Config, Ending};
use world::{World, header};

/// A scripted caller on a link to an agent.
fn world() -> (World, FlowId) {
    with(Config::default())
}

fn with(config: Config) -> (World, FlowId) {
    let mut world = World::new();
    world.agent("um", config);
    world.script("caller");
    let flow = world.connect("caller", "um");
    (world, flow)
}

/// A request outside a dialog: `start` is its start line, `extra` header fields and perhaps a body.
fn request(start: &str, extra: &str) -> String {
    let method = start.split(' ').next().unwrap();
    format!(
        "{start}
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-{}
        Max-Forwards: 70
        From: <sip:caller@example.com>;tag=c1
        To: <sip:um@example.com>
        Call-ID: call-1
        CSeq: 1 {method}
        {extra}",
        extra.len() + start.len()
    )
}

const CONTACT: &str = "Contact: <sip:caller@192.0.2.2:5060;transport=tcp>\n";

fn answer_to(start: &str, extra: &str) -> Response {
    let (mut world, flow) = world();
    world.send("caller", flow, &request(start, extra));
    world.settle();
    world.response("caller")
}

#[track_caller]
fn check(start: &str, extra: &str, status: u16, fields: &[(HeaderName, &str)]) {
    let response = answer_to(start, extra);
    assert_eq!(response.status().as_u16(), status, "{start}\n{extra}");
    for (name, value) in fields {
        assert_eq!(header(response.headers(), name), *value, "{start}\n{extra}");
    }
    // RFC 3261 8.2.6.2, SEC-54
    let tag = response.headers().to().tag().unwrap();
    assert_eq!(tag.len(), 16);
}

const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK";
const INVITE: &str = "INVITE sip:um@example.com SIP/2.0";

// PEER-12, XFER-4, SEC-55
#[test]
fn a_method_that_is_not_allowed_gets_405_and_hears_which_are() {
    for method in ["REGISTER", "REFER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH", "DANCE", "invite"] {
        check(&format!("{method} sip:um@example.com SIP/2.0"), "", 405, &[(HeaderName::Allow, ALLOW)]);
    }
}

// PEER-10
#[test]
fn options_gets_what_we_can_do() {
    check(
        "OPTIONS sip:um@example.com SIP/2.0",
        "",
        200,
        &[
            (HeaderName::Allow, ALLOW),
            (HeaderName::Accept, "application/sdp"),
            (HeaderName::Supported, "100rel, timer"),
        ],
    );
}

// PEER-10
#[test]
fn options_gets_503_while_draining() {
    let (mut world, flow) = world();
    world.command("um", Command::Drain(true));
    world.send("caller", flow, &request("OPTIONS sip:um@example.com SIP/2.0", ""));
    world.settle();
    let response = world.response("caller");
    assert_eq!(response.status().as_u16(), 503);
    assert!((1..=30).contains(&response.headers().retry_after().unwrap().unwrap().seconds));
}

// SEC-54: a request that lives in dialogs only.
#[test]
fn what_belongs_into_a_dialog_gets_481_outside() {
    for method in ["BYE", "PRACK", "UPDATE", "INFO"] {
        check(&format!("{method} sip:um@example.com SIP/2.0"), "", 481, &[]);
    }
}

// RFC 3261 8.1.1.8, threats 5: INVITE without Contact.
#[test]
fn an_invite_must_say_where_the_caller_is() {
    check(INVITE, "", 400, &[]);
    check(INVITE, "Contact: <sip:a@192.0.2.2>, <sip:b@192.0.2.2>\n", 400, &[]);
    check(INVITE, "Contact: *\n", 400, &[]);
    check(INVITE, "Contact: <tel:+15550100>\n", 400, &[]);
    // M6
    check(INVITE, "Contact: <sip:a@192.0.2.2?Subject=x>\n", 400, &[]);
}

// RFC 3261 8.2.2.3
#[test]
fn an_unknown_extension_is_named() {
    let extra = format!("{CONTACT}Require: 100rel, replaces\nRequire: gruu\n");
    check(INVITE, &extra, 420, &[(HeaderName::Unsupported, "replaces, gruu")]);
    check("OPTIONS sip:um@example.com SIP/2.0", "Require: gruu\n", 420, &[(HeaderName::Unsupported, "gruu")]);
}

// RFC 3261 8.2.2.1
#[test]
fn an_unknown_scheme_gets_416() {
    check("INVITE fax:+15550100 SIP/2.0", CONTACT, 416, &[]);
    check("OPTIONS http://example.com SIP/2.0", "", 416, &[]);
}

// RFC 3261 8.2.3, SEC-63, SEC-64
#[test]
fn a_body_that_we_cannot_read_gets_415() {
    let accept = [(HeaderName::Accept, "application/sdp")];
    check(INVITE, &format!("{CONTACT}Content-Type: text/plain\n\nhello\n"), 415, &accept);
    check(INVITE, &format!("{CONTACT}\nv=0\n"), 415, &accept);
    let encoded = format!("{CONTACT}Content-Type: application/sdp\nContent-Encoding: gzip\n\nv=0\n");
    check(INVITE, &encoded, 415, &[(HeaderName::AcceptEncoding, "identity")]);
    let multipart = format!("{CONTACT}Content-Type: multipart/mixed;boundary=x\n\n--x\n");
    check(INVITE, &multipart, 415, &accept);
}

// RFC 3261 21.4.7, RFC 4475 3.3.15
#[test]
fn a_caller_who_takes_no_session_description_gets_406() {
    for accept in ["text/plain", "text/*, image/png", ""] {
        check(INVITE, &format!("{CONTACT}Accept: {accept}\n"), 406, &[]);
    }
    for accept in ["application/sdp", "text/plain, Application / SDP;level=1", "application/*", "*/*;q=0.1"] {
        let (mut world, flow) = world();
        world.send("caller", flow, &request(INVITE, &format!("{CONTACT}Accept: {accept}\n")));
        world.settle();
        assert_eq!(world.agent_of("um").call_count(), 1, "{accept}");
    }
}

#[test]
fn a_body_that_may_be_left_aside_is() {
    let (mut world, flow) = world();
    let optional = "Content-Type: text/plain\nContent-Disposition: render;handling=optional\n\nhello\n";
    world.send("caller", flow, &request(INVITE, &format!("{CONTACT}{optional}")));
    world.settle();
    assert_eq!(world.agent_of("um").call_count(), 1);
}

// SEC-23, SEC-42
#[test]
fn nobody_takes_over_a_call() {
    check(INVITE, &format!("{CONTACT}Replaces: abc;to-tag=1;from-tag=2\n"), 403, &[]);
    check(INVITE, &format!("{CONTACT}Join: abc;to-tag=1;from-tag=2\n"), 403, &[]);
    // Whatever it says: nobody looks.
    check(INVITE, &format!("{CONTACT}Replaces: abc\n"), 403, &[]);
    check(INVITE, &format!("{CONTACT}Require: replaces\n"), 420, &[(HeaderName::Unsupported, "replaces")]);
}

// PEER-16, RFC 4028 9
#[test]
fn a_session_interval_too_small_gets_422() {
    let extra = format!("{CONTACT}Supported: timer\nSession-Expires: 89\n");
    check(INVITE, &extra, 422, &[(HeaderName::MinSe, "90")]);
}

// RFC 3261 12.1.1, 16.6
#[test]
fn a_route_longer_than_any_path_gets_400() {
    let entry = "Record-Route: <sip:proxy.example.com;lr>\n";
    let (mut world, flow) = world();
    world.send("caller", flow, &request(INVITE, &format!("{CONTACT}{}", entry.repeat(32))));
    world.settle();
    assert_eq!(world.agent_of("um").call_count(), 1);
    check(INVITE, &format!("{CONTACT}{}", entry.repeat(33)), 400, &[]);
}

// SEC-25, SEC-54: a tag that is no dialog's, in our spelling or another.
#[test]
fn a_tag_of_no_dialog_gets_481() {
    for tag in ["0123456789abcdef", "x", "um"] {
        for method in ["INVITE", "BYE", "UPDATE", "INFO", "PRACK", "OPTIONS"] {
            let (mut world, flow) = world();
            let text = request(&format!("{method} sip:um@example.com SIP/2.0"), CONTACT);
            world.send(
                "caller",
                flow,
                &text.replace("um@example.com>", &format!("um@example.com>;tag={tag}")),
            );
            world.settle();
            assert_eq!(world.response("caller").status().as_u16(), 481, "{method} {tag}");
            assert_eq!(world.agent_of("um").call_count(), 0);
        }
    }
}

/// A call of the scripted caller that was answered and acknowledged; gives our tag.
fn talking() -> (World, FlowId, String) {
    let (mut world, flow) = world();
    let tag = establish(&mut world, flow, CONTACT);
    (world, flow, tag)
}

fn establish(world: &mut World, flow: FlowId, extra: &str) -> String {
    world.send("caller", flow, &request(INVITE, &format!("{extra}Content-Type: application/sdp\n\nv=0\n")));
    world.settle();
    world.answer("um");
    world.settle();
    let tag = world.response("caller").headers().to().tag().unwrap().to_owned();
    world.send("caller", flow, &inside("ACK", &tag, 1, ""));
    world.settle();
    world.forget_ladder();
    tag
}

/// A request within the dialog.
fn inside(method: &str, tag: &str, cseq: u32, extra: &str) -> String {
    format!(
        "{method} sip:192.0.2.1:5060;transport=tcp SIP/2.0
        Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK-{method}-{cseq}
        Max-Forwards: 70
        From: <sip:caller@example.com>;tag=c1
        To: <sip:um@example.com>;tag={tag}
        Call-ID: call-1
        CSeq: {cseq} {method}
        {extra}"
    )
}

fn ask(world: &mut World, flow: FlowId, text: &str) -> Response {
    world.send("caller", flow, text);
    world.settle();
    world.response("caller")
}

// RFC 3261 12.2.2: one below, at, and above the number used last.
#[test]
fn a_number_that_was_used_gets_500() {
    let (mut world, flow, tag) = talking();
    assert_eq!(ask(&mut world, flow, &inside("OPTIONS", &tag, 5, "")).status().as_u16(), 200);
    assert_eq!(ask(&mut world, flow, &inside("INFO", &tag, 5, "")).status().as_u16(), 500);
    assert_eq!(ask(&mut world, flow, &inside("INFO", &tag, 4, "")).status().as_u16(), 500);
    assert_eq!(ask(&mut world, flow, &inside("INFO", &tag, 6, "")).status().as_u16(), 200);
    // Gaps are lawful.
    assert_eq!(ask(&mut world, flow, &inside("BYE", &tag, 100, "")).status().as_u16(), 200);
    world.expect_rest();
}

// SEC-54: the right tag of ours alone is not the dialog.
#[test]
fn half_of_a_dialog_is_none() {
    let (mut world, flow, tag) = talking();
    let bye = inside("BYE", &tag, 2, "");
    for forged in
        [bye.replace("tag=c1", "tag=c2"), bye.replace("call-1", "call-2"), bye.replace(";tag=c1", "")]
    {
        assert_eq!(ask(&mut world, flow, &forged).status().as_u16(), 481);
    }
    assert_eq!(world.agent_of("um").call_count(), 1);
    assert_eq!(ask(&mut world, flow, &bye).status().as_u16(), 200);
    assert_eq!(world.ending("um"), Ending::ByPeer);
}

// XFER-4, SEC-20
#[test]
fn a_refer_within_the_call_is_refused_and_the_call_goes_on() {
    let (mut world, flow, tag) = talking();
    let refer = inside("REFER", &tag, 2, "Refer-To: <sip:carol@example.com?Ms-Exchange-Command=skip-pin>\n");
    let response = ask(&mut world, flow, &refer);
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(header(response.headers(), &HeaderName::Allow), ALLOW);
    world.expect(
        "
        0.061 caller -> um: REFER 2
        0.062 um -> caller: 405 (REFER 2)
        ",
    );
    assert_eq!(world.agent_of("um").call_count(), 1);
}

// MED-4, RFC 6086
#[test]
fn digits_in_info_come_up_and_other_things_do_not() {
    let (mut world, flow, tag) = talking();
    let relay = "Content-Type: Application/DTMF-Relay;x=1\n\nSignal=5\nDuration=160\n";
    assert_eq!(ask(&mut world, flow, &inside("INFO", &tag, 2, relay)).status().as_u16(), 200);
    let plain = "Content-Type: application/dtmf\n\n5\n";
    assert_eq!(ask(&mut world, flow, &inside("INFO", &tag, 3, plain)).status().as_u16(), 200);
    assert_eq!(ask(&mut world, flow, &inside("INFO", &tag, 4, "")).status().as_u16(), 200);
    let other = "Content-Type: application/media_control+xml\n\n<x/>\n";
    let response = ask(&mut world, flow, &inside("INFO", &tag, 5, other));
    assert_eq!(response.status().as_u16(), 415);
    assert_eq!(header(response.headers(), &HeaderName::Accept), "application/dtmf-relay, application/dtmf");
    let package = "Info-Package: conference\nContent-Type: application/dtmf\n\n5\n";
    let response = ask(&mut world, flow, &inside("INFO", &tag, 6, package));
    assert_eq!(response.status().as_u16(), 469);
    assert!(response.headers().has(&HeaderName::RecvInfo));
    world.expect(
        "
        0.061 caller -> um: INFO 2 +
        0.062 um: Info application/dtmf-relay
        0.062 um -> caller: 200 (INFO 2)
        0.081 caller -> um: INFO 3 +
        0.082 um: Info application/dtmf
        0.082 um -> caller: 200 (INFO 3)
        0.101 caller -> um: INFO 4
        0.102 um -> caller: 200 (INFO 4)
        0.121 caller -> um: INFO 5 +
        0.122 um -> caller: 415 (INFO 5)
        0.141 caller -> um: INFO 6 +
        0.142 um -> caller: 469 (INFO 6)
        ",
    );
}

// SEC-24: the same INVITE by another branch.
#[test]
fn a_merged_invite_gets_482_and_makes_no_second_call() {
    let (mut world, flow) = world();
    let invite = request(INVITE, CONTACT);
    world.send("caller", flow, &invite);
    world.settle();
    let copy = invite.replace("z9hG4bK-", "z9hG4bK-other-");
    assert_eq!(ask(&mut world, flow, &copy).status().as_u16(), 482);
    assert_eq!(world.agent_of("um").call_count(), 1);
}

// REL-35: another connection of the same kind; SEC-54: and one of a lesser kind.
#[test]
fn a_request_may_come_on_another_connection_of_the_same_trust() {
    use umbel_node::Transport;
    let mut world = World::new();
    world.transport = Transport::Tls;
    world.agent("um", Config::default());
    world.script("caller");
    world.certify("caller", &["proxy.example.com"]);
    let first = world.connect("caller", "um");
    let tag = establish(&mut world, first, CONTACT);

    world.transport = Transport::Tcp;
    let in_clear = world.connect("caller", "um");
    assert_eq!(ask(&mut world, in_clear, &inside("BYE", &tag, 2, "")).status().as_u16(), 481);
    world.transport = Transport::Tls;
    world.certify("caller", &["stranger.example.org"]);
    let stranger = world.connect("caller", "um");
    assert_eq!(ask(&mut world, stranger, &inside("BYE", &tag, 3, "")).status().as_u16(), 481);

    world.certify("caller", &["proxy.example.com"]);
    let second = world.connect("caller", "um");
    assert_eq!(ask(&mut world, second, &inside("OPTIONS", &tag, 4, "")).status().as_u16(), 200);
    // And from now on we talk there, too.
    world.hang_up("um");
    world.settle();
    assert_eq!(world.request("caller").0, second);
}

// SEC-54: an ACK that is not theirs confirms nothing, and gets nothing (M7).
#[test]
fn a_forged_ack_confirms_nothing() {
    let (mut world, flow) = world();
    world.send("caller", flow, &request(INVITE, CONTACT));
    world.settle();
    world.answer("um");
    world.settle();
    let tag = world.response("caller").headers().to().tag().unwrap().to_owned();
    world.forget_ladder();
    world.send("caller", flow, &inside("ACK", &tag, 1, "").replace("tag=c1", "tag=c2"));
    world.send("caller", flow, &inside("ACK", "0123456789abcdef", 1, ""));
    world.send("caller", flow, &inside("ACK", &tag, 2, ""));
    world.settle();
    world.expect(
        "
        0.041 caller -> um: ACK 1
        0.041 caller -> um: ACK 1
        0.041 caller -> um: ACK 2
        ",
    );
    world.send("caller", flow, &inside("ACK", &tag, 1, ""));
    world.run_for(Duration::from_millis(2));
    world.expect(
        "
        0.061 caller -> um: ACK 1
        0.062 um: Confirmed
        ",
    );
}

// PEER-13, HDR-3
#[test]
fn contact_says_that_a_machine_answers_and_need_not() {
    for (automata, expected) in
        [(true, "<sip:192.0.2.1:5060;transport=tcp>;automata"), (false, "<sip:192.0.2.1:5060;transport=tcp>")]
    {
        let (mut world, flow) = with(Config { automata, ..Config::default() });
        world.send("caller", flow, &request(INVITE, CONTACT));
        world.settle();
        world.ring("um");
        world.settle();
        assert_eq!(header(world.response("caller").headers(), &HeaderName::Contact), expected);
        world.answer("um");
        world.settle();
        let response = world.response("caller");
        assert_eq!(header(response.headers(), &HeaderName::Contact), expected);
        assert_eq!(header(response.headers(), &HeaderName::Allow), ALLOW);
        assert_eq!(header(response.headers(), &HeaderName::Supported), "100rel, timer");
    }
}

// RFC 3842, where a telephone wants it.
#[test]
fn message_waiting_is_taken_where_it_is_wanted() {
    let (mut world, flow) = with(Config { notify: true, ..Config::default() });
    let notify = |event: &str| {
        let extra = format!("Event: {event}\nSubscription-State: terminated\nContent-Type: x/y\n\nyes\n");
        request("NOTIFY sip:um@example.com SIP/2.0", &extra)
    };
    assert_eq!(ask(&mut world, flow, &notify("message-summary")).status().as_u16(), 200);
    world.expect(
        "
        0.001 caller -> um: NOTIFY 1 +
        0.002 um: Notified
        0.002 um -> caller: 200 (NOTIFY 1)
        ",
    );
    let response = ask(&mut world, flow, &notify("presence"));
    assert_eq!(response.status().as_u16(), 489);
    assert_eq!(header(response.headers(), &HeaderName::AllowEvents), "message-summary");
}
