//! Calling one's own voice mail: [MS-OCEXUM] 2.2.1, 3.1.1 and 4.1, seen on the wire.

mod stage;

use stage::{OWN_VOICE_MAIL, OWNER, Stage, config};
use umbel_node::Transport;
use umbel_phone::How;
use umbel_sip_message::{HeaderName, Method, StatusCode};

fn commands(stage: &Stage) -> Vec<usize> {
    let invites = stage.requests.iter().filter(|request| *request.method() == Method::Invite);
    invites.map(|invite| invite.headers().count(&HeaderName::MsExchangeCommand)).collect()
}

/// OCEXUM-2.2-1, OCEXUM-2.2.1-1, OCEXUM-3.1.1-1, CMD-11, OCEXUM-4-5: own GRUU, From = To, the header once, and
/// in the INVITE alone.
#[test]
fn the_command_stands_in_the_invite_alone() {
    let mut stage = Stage::registered();
    let call = stage.call_voice_mail(true);
    let invite = stage.last(&Method::Invite);
    let headers = invite.headers();
    assert_eq!(invite.request_uri().as_str(), OWN_VOICE_MAIL);
    assert_eq!(headers.from().uri.as_str(), OWNER);
    assert_eq!(headers.to().uri.as_str(), OWN_VOICE_MAIL);
    assert_eq!(headers.from().uri.address_of_record(), headers.to().uri.address_of_record());
    assert_eq!(headers.get(&HeaderName::MsExchangeCommand).as_deref(), Some(&b"skip-pin"[..]));
    stage.accept(stage::DESCRIPTION);
    stage.order(umbel_phone::Order::HangUp { call });
    assert_eq!(stage.methods(), ["REGISTER", "REGISTER", "INVITE", "ACK", "BYE"]);
    for request in &stage.requests {
        let expected = usize::from(*request.method() == Method::Invite);
        assert_eq!(request.headers().count(&HeaderName::MsExchangeCommand), expected, "{}", request.method());
    }
}

/// OCEXUM-2.2.1-4, OCEXUM-3.1.1-2: who is not registered by password over TLS does not ask.
#[test]
fn without_credentials_that_were_accepted_over_tls_the_command_is_not_sent() {
    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.call_voice_mail(true);
    assert_eq!(commands(&stage), [0], "not registered");

    let mut stage = Stage::new(Transport::Tls, config(Transport::Tls));
    stage.register(false);
    stage.call_voice_mail(true);
    assert_eq!(commands(&stage), [0], "registered without a challenge");

    let mut stage = Stage::new(Transport::Tcp, config(Transport::Tcp));
    stage.register(true);
    stage.call_voice_mail(true);
    assert_eq!(commands(&stage), [0], "in clear");

    let mut stage = Stage::registered();
    stage.call_voice_mail(false);
    assert_eq!(commands(&stage), [0], "not wanted");

    let mut stage = Stage::registered();
    stage.cut();
    stage.call_voice_mail(true);
    assert_eq!(commands(&stage), [0], "the registration is lost");
}

/// CMD-11: a listed peer, directly at the unified messaging server, is known by its certificate.
#[test]
fn a_certificate_that_the_server_is_shown_stands_for_a_registration() {
    let known = |transport| {
        let mut config = config(transport);
        config.credentials = None;
        config.known_by_certificate = true;
        config
    };
    let mut stage = Stage::new(Transport::Tls, known(Transport::Tls));
    stage.call_voice_mail(true);
    assert_eq!(commands(&stage), [1]);
    let mut stage = Stage::new(Transport::Tcp, known(Transport::Tcp));
    stage.call_voice_mail(true);
    assert_eq!(commands(&stage), [0]);
}

/// CMD-12
#[test]
fn after_a_challenge_the_invite_has_the_command_and_the_credentials() {
    let mut stage = Stage::registered();
    stage.call_voice_mail(true);
    stage.challenge(&Method::Invite, "example.test");
    assert_eq!(commands(&stage), [1, 1]);
    let again = stage.last(&Method::Invite).headers();
    let credentials = again.get_text(&HeaderName::ProxyAuthorization).expect("credentials");
    assert!(credentials.contains("SHA-256"), "{credentials}");
    stage.accept(stage::DESCRIPTION);
    assert_eq!(stage.told(), ["answered"]);
}

/// OCEXUM-3.1.1-2: a call to another's voice mail is a call like any other.
#[test]
fn a_call_to_anothers_voice_mail_has_no_command() {
    let mut stage = Stage::registered();
    stage.call("sip:bob@example.test;opaque=app:voicemail");
    assert_eq!(commands(&stage), [0]);
}

/// SEC-50: nothing for other realms, and no more than two answers for our own.
#[test]
fn credentials_are_for_the_own_realm_and_given_twice_at_most() {
    let mut stage = Stage::registered();
    stage.call_voice_mail(true);
    stage.challenge(&Method::Invite, "elsewhere.test");
    assert_eq!(commands(&stage).len(), 1);
    assert!(matches!(
        &stage.ended().how,
        How::Refused { status: StatusCode::PROXY_AUTHENTICATION_REQUIRED, .. }
    ));

    let mut stage = Stage::registered();
    stage.call_voice_mail(true);
    for _ in 0..5 {
        stage.challenge(&Method::Invite, "example.test");
    }
    assert!(commands(&stage).len() <= 3, "{:?}", commands(&stage));
    assert!(matches!(stage.ended().how, How::Refused { .. }));
}

/// DIAG-3: a client adds no ms-diagnostics-public, whatever it was told itself.
#[test]
fn nothing_that_is_sent_has_diagnostics() {
    let mut stage = Stage::registered();
    stage.call_voice_mail(true);
    stage.answer_with(&Method::Invite, StatusCode::TEMPORARILY_UNAVAILABLE, |draft| {
        draft.push(HeaderName::MsDiagnosticsPublic, "13002;reason=\"no\"");
    });
    stage.invite(&stage::Invite::from("sip:bob@example.test"));
    let requests = stage.requests.iter().map(|request| request.as_bytes().clone());
    let responses = stage.responses.iter().map(|response| response.as_bytes().clone());
    for message in requests.chain(responses) {
        let text = String::from_utf8_lossy(&message).to_ascii_lowercase();
        assert!(!text.contains("ms-diagnostics"), "{text}");
    }
}

/// DIAG-4: the ErrorId is told, its text is not.
#[test]
fn of_diagnostics_only_the_id_is_told() {
    let ended = |text: &str| {
        let mut stage = Stage::registered();
        stage.call("sip:bob@example.test");
        stage.answer_with(&Method::Invite, StatusCode::TEMPORARILY_UNAVAILABLE, |draft| {
            draft.push(HeaderName::MsDiagnostics, text);
        });
        stage.ended().clone()
    };
    let one = ended("13002;reason=\"one\";source=\"a.example.test\"");
    assert_eq!(one, ended("13002;source=\"b.example.test\";reason=\"two\""));
    assert_ne!(one, ended("13000;reason=\"one\";source=\"a.example.test\""));
    assert!(matches!(one.how, How::Refused { error_id: Some(13_002), .. }), "{one:?}");
    assert!(matches!(ended("nonsense").how, How::Refused { error_id: None, .. }));
}

/// HDR-3: an automatic system is told as such.
#[test]
fn an_automatic_system_is_told_as_such() {
    let mut stage = Stage::registered();
    stage.call_voice_mail(true);
    stage.accept(stage::DESCRIPTION);
    let automatic = stage.news.iter().any(|news| {
        matches!(
            news,
            umbel_phone::News::Call { change: umbel_phone::Progress::Answered(answered), .. }
                if answered.automatic
        )
    });
    assert!(automatic, "{:?}", stage.news);
}
