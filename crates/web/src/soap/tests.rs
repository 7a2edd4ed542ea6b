//! The services as clients meet them: what they are asked over HTTP, and what comes back.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, WWW_AUTHENTICATE};
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Frame;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tower::ServiceExt;
use umbel_ews::entry_id;
use umbel_ews::item::id::ObjectId;
use umbel_ews::xml::BODY_BYTES_MAX;
use umbel_play_on_phone::{CallState, EventCause, News, PhoneCallId, Played, Refusal, Status};
use umbel_store::conformance::{NOON, add, address, admin, deposit, id};
use umbel_store::memory::MemoryStore;
use umbel_store::{Config, MessageId, Op, Password, Reply, StoreError, UserChange, Verdict, execute};
use umbel_store::{Directory, Outbox, PIN_RESETS_MAX, Secrets, Tidings};

use crate::{Client, Desk, Metrics, Ordered, PhoneCalls, Random, Settings, StoreHandle};

const EXCHANGE: &str = "/ews/exchange.asmx";
const LEGACY: &str = "/ews/um2007legacy.asmx";
const SERVICE: &str = "/unifiedmessaging/service.asmx";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

/// alice has the message `id(1)`, bob `id(2)`; both have passwords.
struct Stage {
    app: axum::Router,
    store: Arc<Mutex<MemoryStore>>,
    calls: PhoneCalls,
    orders: Arc<Mutex<Vec<Ordered>>>,
}

fn stage() -> Stage {
    stage_where(|_| None)
}

/// A stage whose store replies this to some operations.
fn stage_where(replies: impl Fn(&Op) -> Option<Reply> + Send + Sync + 'static) -> Stage {
    stage_on(Config::default(), replies)
}

fn stage_on(config: Config, replies: impl Fn(&Op) -> Option<Reply> + Send + Sync + 'static) -> Stage {
    let mut store = MemoryStore::new(config, ChaCha20Rng::seed_from_u64(1));
    for (number, user) in [(1, "alice"), (2, "bob")] {
        let address = add(&mut store, user);
        deposit(&mut store, id(number), &address).unwrap();
        store.set_password(&address, &Password::new(user).unwrap(), &admin(), NOON).unwrap();
    }
    let name = [UserChange::Name("Alice".into()), UserChange::Extension(Some("101".into()))];
    store.change_user(&address("alice"), &name, &admin(), NOON).unwrap();
    let store = Arc::new(Mutex::new(store));
    let asked = Arc::clone(&store);
    let handle = StoreHandle::new(move |op, then| {
        then(match replies(&op) {
            Some(reply) => reply,
            None => execute(&mut *asked.lock().unwrap(), op),
        });
        Ok(())
    });

    // A unified messaging server that knows whose the messages are, dials 1 and up, and one call at a time.
    let calls: Arc<OnceLock<PhoneCalls>> = Arc::default();
    let orders: Arc<Mutex<Vec<Ordered>>> = Arc::default();
    let (tell, noted) = (Arc::clone(&calls), Arc::clone(&orders));
    let busy: Mutex<BTreeMap<String, PhoneCallId>> = Mutex::default();
    let phone_calls = PhoneCalls::new(Random::new([7; 32]), move |order| {
        noted.lock().unwrap().push(order.clone());
        if let Ordered::Play(request) = order {
            let owner = request.owner.to_string();
            let known = [("alice@example.test", id(1)), ("bob@example.test", id(2))];
            let owns = match request.played {
                Played::Message(message) => known.contains(&(owner.as_str(), message)),
                Played::Greeting(_) => true,
            };
            let news = match request.dial_string.as_deref() {
                _ if !owns => News::Refused(Refusal::UnknownItem),
                Some("") => News::Refused(Refusal::NotANumber),
                Some(text) if text.starts_with('+') => News::Refused(Refusal::NotAllowed),
                _ if busy.lock().unwrap().contains_key(&owner) => News::Refused(Refusal::CallInProgress),
                _ => {
                    busy.lock().unwrap().insert(owner, request.id);
                    News::Placed
                }
            };
            let tell = Arc::clone(&tell);
            std::thread::spawn(move || tell.wait().news(request.id, news));
        }
        true
    });
    calls.set(phone_calls.clone()).ok().unwrap();

    let settings = Settings {
        domain: "example.test".into(),
        public_url: "http://127.0.0.1:8080".into(),
        telephone_access_numbers: vec!["9000".into()],
        language: "en".into(),
        mail_from: "voicemail@example.test".into(),
        dialling: umbel_play_on_phone::DiallingRules::default(),
    };
    let metrics = Metrics::new("0");
    let desk = Desk::new(
        handle,
        phone_calls.clone(),
        settings,
        Random::new([8; 32]),
        metrics,
        Arc::new(|| NOON),
        |_, _, _| Err(String::new()),
    );
    Stage { app: super::routes().with_state(desk), store, calls: phone_calls, orders }
}

/// An answer: its status, what it asks for, its text.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    challenge: Option<String>,
    text: String,
}

impl Answer {
    /// The text of the first element of this name, of any prefix.
    fn text_of(&self, name: &str) -> Option<&str> {
        let open = format!("{name}>");
        let at = self
            .text
            .match_indices(&open)
            .find(|(at, _)| matches!(&self.text[..*at].chars().last(), Some(':' | '<')))?;
        let rest = &self.text[at.0 + open.len()..];
        rest.split_once('<').map(|(text, _)| text)
    }

    #[track_caller]
    fn is_fault(&self, code: &str) {
        assert_eq!(self.status, StatusCode::INTERNAL_SERVER_ERROR, "{self:?}");
        let fault = self.text.contains("<s:Fault>") && self.text.contains(&format!(">a:{code}</faultcode>"));
        assert!(fault, "{code}: {self:?}");
    }

    #[track_caller]
    fn is_error(&self, code: &str) {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        assert!(self.text.contains("ResponseClass=\"Error\""), "{self:?}");
        assert_eq!(self.text_of("ResponseCode"), Some(code), "{self:?}");
        assert!(self.text.contains("t:ServerVersionInfo"), "{self:?}");
    }
}

fn envelope(header: &str, body: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='utf-8'?><s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:m='{MESSAGES}' xmlns:t='{TYPES}'><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn request(user: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let credentials = STANDARD.encode(format!("{user}@example.test:{user}"));
    Request::post(path)
        .header(AUTHORIZATION, format!("Basic {credentials}"))
        .header(CONTENT_TYPE, "text/xml; charset=utf-8")
        .header(HOST, "um.example.test:8080")
        .body(body.into())
        .unwrap()
}

impl Stage {
    async fn send(&self, mut request: Request<Body>) -> Answer {
        let (remote, local) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        request.extensions_mut().insert(Client { remote, local, is_encrypted: false });
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let challenge =
            response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
        assert!(response.headers().get("set-cookie").is_none());
        let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, challenge, text: String::from_utf8(text.to_vec()).unwrap() }
    }

    /// Alice asks the unified messaging service.
    async fn telephone(&self, operation: &str, parameters: &str) -> Answer {
        let body = envelope("", &format!("<{operation} xmlns='{MESSAGES}'>{parameters}</{operation}>"));
        self.send(request("alice", LEGACY, body)).await
    }

    /// Alice asks the Exchange web services.
    async fn exchange(&self, body: &str) -> Answer {
        self.send(request("alice", EXCHANGE, envelope("", body))).await
    }

    async fn play(&self, user: &str, item: &str, dial_string: &str) -> Answer {
        let body = format!(
            "<m:PlayOnPhone><m:ItemId Id='{item}'/><m:DialString>{dial_string}</m:DialString></m:PlayOnPhone>"
        );
        self.send(request(user, EXCHANGE, envelope("", &body))).await
    }

    fn orders(&self) -> usize {
        self.orders.lock().unwrap().len()
    }
}

fn entry(item: MessageId) -> String {
    format!("<entryId>{}</entryId>", entry_id::of_item(item))
}

fn item(item: MessageId) -> String {
    ObjectId::Item(item).text()
}

/// SEC-97, IN-H6
#[tokio::test]
async fn nobody_gets_in_without_the_right_password() {
    let stage = stage();
    for path in
        [EXCHANGE, LEGACY, SERVICE, "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"]
    {
        for method in ["GET", "POST"] {
            for credentials in [None, Some("alice@example.test:wrong"), Some("nobody@example.test:alice")] {
                let mut request =
                    Request::builder().method(method).uri(path).header(CONTENT_TYPE, "text/xml");
                if let Some(credentials) = credentials {
                    request =
                        request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)));
                }
                let answer = stage.send(request.body(Body::from("<a/>")).unwrap()).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {credentials:?}");
                assert!(
                    answer.challenge.is_some_and(|challenge| challenge.starts_with("Basic realm=")),
                    "{path}"
                );
            }
        }
    }
}

/// SEC-98
#[tokio::test]
async fn cookies_open_nothing() {
    let stage = stage();
    let mut request = request("alice", LEGACY, envelope("", &format!("<IsUMEnabled xmlns='{MESSAGES}'/>")));
    request.headers_mut().remove(AUTHORIZATION);
    for name in ["umbel-session", "__Host-umbel-session"] {
        request
            .headers_mut()
            .append(COOKIE, format!("{name}=00000000000000000000000000000000").parse().unwrap());
    }
    assert_eq!(stage.send(request).await.status, StatusCode::UNAUTHORIZED);
}

/// SEC-95, SEC-96, IN-H7, IN-H8
#[tokio::test]
async fn what_is_too_long_or_of_another_kind_has_no_soap_body() {
    let stage = stage();
    let long = stage.send(request("alice", LEGACY, " ".repeat(BODY_BYTES_MAX + 1))).await;
    assert_eq!((long.status, long.text.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, ""));
    stage.send(request("alice", LEGACY, " ".repeat(BODY_BYTES_MAX))).await.is_fault("ErrorInvalidRequest");

    let body = envelope("", &format!("<IsUMEnabled xmlns='{MESSAGES}'/>"));
    for kind in ["application/soap+xml", "application/json", "text/xml; charset=utf-16"] {
        let mut request = request("alice", LEGACY, body.clone());
        request.headers_mut().insert(CONTENT_TYPE, kind.parse().unwrap());
        assert_eq!(stage.send(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let mut request = request("alice", LEGACY, body.clone());
        *request.method_mut() = method.parse().unwrap();
        assert_eq!(stage.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

/// IN-H7: who sends slowly is waited for, and not for ever.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let stage = stage();
    let body = Body::new(Never);
    assert_eq!(stage.send(request("alice", LEGACY, body)).await.status, StatusCode::REQUEST_TIMEOUT);
}

/// A body that never comes.
struct Never;

impl HttpBody for Never {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

/// SEC-93, IN-H1
#[tokio::test]
async fn what_is_not_xml_or_not_allowed_is_an_invalid_request() {
    let stage = stage();
    let inner = format!("<IsUMEnabled xmlns='{MESSAGES}'/>");
    for text in [
        String::new(),
        "hello".to_owned(),
        envelope("", &inner)[..200].to_owned(),
        envelope("", &inner).replace("?>", "?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"),
        envelope("", "&x;"),
        envelope("<?php?>", &inner),
    ] {
        for path in [LEGACY, SERVICE, EXCHANGE, "/autodiscover/autodiscover.svc"] {
            stage.send(request("alice", path, text.clone())).await.is_fault("ErrorInvalidRequest");
        }
    }
    let utf16: Vec<u8> = b"\xFF\xFE"
        .iter()
        .copied()
        .chain(envelope("", &inner).encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    stage.send(request("alice", LEGACY, utf16)).await.is_fault("ErrorInvalidRequest");
}

/// IN-H2
#[tokio::test]
async fn unknown_operations_are_refused_by_either_service_in_its_own_way() {
    let stage = stage();
    stage.telephone("NoSuchOperation", "").await.is_fault("ErrorInvalidRequest");
    stage.telephone("SetOofStatus", "<status>perhaps</status>").await.is_fault("ErrorInvalidRequest");
    for body in ["<m:NoSuchOperation/>", "<m:IsUMEnabled/>", "<m:PlayOnPhone/>"] {
        let answer = stage.exchange(body).await;
        answer.is_fault("ErrorSchemaValidation");
        assert_eq!(answer.text_of("LineNumber"), Some("1"), "{answer:?}");
    }
    assert_eq!(stage.orders(), 0);
}

#[tokio::test]
async fn settings_are_read_and_changed() {
    let stage = stage();
    let enabled = stage.telephone("IsUMEnabled", "").await;
    assert_eq!((enabled.status, enabled.text_of("IsUMEnabledResponse")), (StatusCode::OK, Some("")));
    assert!(enabled.text.contains(">true</m:IsUMEnabledResponse>"), "{enabled:?}");

    let told = async || {
        let answer = stage.telephone("GetUMProperties", "").await;
        let names = [
            "OofStatus",
            "MissedCallNotificationEnabled",
            "PlayOnPhoneDialString",
            "TelephoneAccessNumbers",
            "TelephoneAccessFolderEmail",
        ];
        names.map(|name| answer.text_of(name).unwrap_or("missing").to_owned())
    };
    assert_eq!(told().await, ["false", "true", "", "9000", ""]);
    for (operation, parameters) in [
        ("SetOofStatus", "<status>true</status>"),
        ("SetMissedCallNotificationEnabled", "<status>0</status>"),
        ("SetPlayOnPhoneDialString", "<dialString>+1 555 555 0199</dialString>"),
        ("SetTelephoneAccessFolderEmail", "<base64FolderID>AAAAAG1hcGk=</base64FolderID>"),
    ] {
        let answer = stage.telephone(operation, parameters).await;
        assert_eq!(answer.status, StatusCode::OK, "{operation}: {answer:?}");
        assert!(answer.text.contains(&format!("<s:Body><m:{operation}Response/></s:Body>")), "{answer:?}");
    }
    assert_eq!(told().await, ["true", "false", "+1 555 555 0199", "9000", "AAAAAG1hcGk="]);
    let configuration = stage.exchange(CONFIGURATION).await;
    assert_eq!(configuration.text_of("PlayOnPhoneDialString"), Some("+1 555 555 0199"));

    stage.telephone("SetPlayOnPhoneDialString", "<dialString/>").await;
    stage.telephone("SetTelephoneAccessFolderEmail", "<base64FolderId/>").await;
    stage.telephone("SetOofStatus", "<status>false</status>").await;
    assert_eq!(told().await, ["false", "false", "", "9000", ""]);
    // Nobody else's.
    let bob = stage
        .send(request("bob", LEGACY, envelope("", &format!("<GetUMProperties xmlns='{MESSAGES}'/>"))))
        .await;
    assert_eq!(bob.text_of("MissedCallNotificationEnabled"), Some("true"));
}

#[tokio::test]
async fn what_cannot_be_set_is_refused_and_nothing_changes() {
    let stage = stage();
    let long = format!("<dialString>{}</dialString>", "1".repeat(129));
    stage.telephone("SetPlayOnPhoneDialString", &long).await.is_fault("ErrorInvalidPhoneNumber");
    let folder = "<base64FolderID>no base 64!</base64FolderID>";
    stage.telephone("SetTelephoneAccessFolderEmail", folder).await.is_fault("ErrorInvalidIdMalformed");
    // No mail is set up.
    stage.telephone("ResetPIN", "").await.is_fault("ErrorUnifiedMessagingRequestFailed");
    let settings = stage.telephone("GetUMProperties", "").await;
    assert_eq!(settings.text_of("PlayOnPhoneDialString"), Some(""));
}

/// [MS-OXWUMS] `ResetPIN`, DEC-14: by mail, a few times an hour, and never into the answer.
#[tokio::test]
async fn a_new_pin_goes_by_mail_and_not_too_often() {
    let stage = stage_on(Config { mail: true, ..Config::default() }, |_| None);
    stage.telephone("ResetPIN", "").await.is_fault("ErrorUnifiedMessagingRequestFailed");
    let mail = [UserChange::Email(Some("alice@mail.test".into()))];
    stage.store.lock().unwrap().change_user(&address("alice"), &mail, &admin(), NOON).unwrap();
    for number in 1..=PIN_RESETS_MAX {
        let answer = stage.telephone("ResetPIN", "").await;
        assert_eq!(answer.status, StatusCode::OK, "{number}: {answer:?}");
        assert!(answer.text.ends_with("<s:Body><m:ResetPINResponse/></s:Body></s:Envelope>"), "{answer:?}");
    }
    let waiting = stage.store.lock().unwrap().due_mails(NOON).unwrap();
    let pins = waiting.iter().filter(|mail| matches!(mail.tidings, Tidings::NewPin { pin: Some(_), .. }));
    assert_eq!(pins.count(), 1, "each takes the place of the one before");
    stage.telephone("ResetPIN", "").await.is_fault("ErrorUnifiedMessagingRequestFailed");
}

const CONFIGURATION: &str = "<m:GetServiceConfiguration><m:RequestedConfiguration>\
    <m:ConfigurationName>UnifiedMessagingConfiguration</m:ConfigurationName></m:RequestedConfiguration></m:GetServiceConfiguration>";

/// IN-H5: somebody whose mailbox was disabled gets in no more; whoever was let in at that very moment is told.
#[tokio::test]
async fn who_is_not_enabled_is_told_so() {
    let off = [UserChange::Enabled(false)];
    let stage = stage();
    stage.store.lock().unwrap().change_user(&address("alice"), &off, &admin(), NOON).unwrap();
    assert_eq!(stage.telephone("IsUMEnabled", "").await.status, StatusCode::UNAUTHORIZED);

    let right = || Reply::Checked(Verdict::Right { must_change: false });
    let stage = stage_where(move |op| matches!(op, Op::CheckPassword(_)).then(right));
    stage.store.lock().unwrap().change_user(&address("alice"), &off, &admin(), NOON).unwrap();
    let enabled = stage.telephone("IsUMEnabled", "").await;
    assert!(enabled.text.contains(">false</m:IsUMEnabledResponse>"), "{enabled:?}");
    for (operation, parameters) in [
        ("GetUMProperties", String::new()),
        ("ResetPIN", String::new()),
        ("PlayOnPhone", entry(id(1)) + "<DialString>1</DialString>"),
    ] {
        stage.telephone(operation, &parameters).await.is_fault("ErrorUserNotUnifiedMessagingEnabled");
    }
    let configuration = stage.exchange(CONFIGURATION).await;
    assert_eq!(configuration.text_of("UmEnabled"), Some("false"));
    assert_eq!(configuration.text_of("PlayOnPhoneEnabled"), Some("false"));
}

/// IN-H3, IN-H4, SEC-44 to SEC-46, DEC-25: in the unified messaging service.
#[tokio::test]
async fn a_call_is_placed_followed_and_ended() {
    let stage = stage();
    let play = |item: String, dial_string: &str| {
        let parameters = format!("{item}<DialString>{dial_string}</DialString>");
        async { stage.telephone("PlayOnPhone", &{ parameters }).await }
    };
    for other in
        ["<entryId>no base 64!</entryId>".to_owned(), "<entryId/>".to_owned(), entry(id(2)), entry(id(9))]
    {
        play(other, "101").await.is_fault("InvalidObjectIdException");
    }
    play(entry(id(1)), "+15555550199").await.is_fault("DialingRulesException");
    play(entry(id(1)), "").await.is_fault("DialingRulesException");

    let placed = play(entry(id(1)), "101").await;
    assert_eq!(placed.status, StatusCode::OK, "{placed:?}");
    let inner = placed.text.split("<m:PlayOnPhoneResponse>").nth(2).unwrap();
    let call = inner.split('<').next().unwrap().to_owned();
    play(entry(id(1)), "101").await.is_fault("ErrorUnifiedMessagingRequestFailed");

    let info = async |call: &str| stage.telephone("GetCallInfo", &format!("<CallId>{call}</CallId>")).await;
    let first = info(&call).await;
    assert_eq!((first.text_of("CallState"), first.text_of("EventCause")), (Some("Connecting"), Some("None")));
    let standing =
        |state, cause| News::Standing(Status { state, cause, response: Some((486, "Busy Here".into())) });
    stage.calls.news(call.parse().unwrap(), standing(CallState::Alerted, EventCause::None));
    assert_eq!(info(&call).await.text_of("CallState"), Some("Connecting"), "ringing is not shown");
    let ended = stage.telephone("Disconnect", &format!("<CallId>{call}</CallId>")).await;
    assert!(ended.text.contains("<m:DisconnectResponse/>"), "{ended:?}");
    assert_eq!(stage.orders.lock().unwrap().last(), Some(&Ordered::Disconnect(call.parse().unwrap())));
    stage.calls.news(call.parse().unwrap(), standing(CallState::Disconnected, EventCause::UserBusy));
    let last = info(&call).await;
    assert_eq!(
        (last.text_of("CallState"), last.text_of("EventCause")),
        (Some("Disconnected"), Some("UserBusy"))
    );
    assert!(!last.text.contains("486"), "{last:?}");
    // One that has ended stays so.
    assert_eq!(
        stage.telephone("Disconnect", &format!("<CallId>{call}</CallId>")).await.status,
        StatusCode::OK
    );

    let unknown = "0".repeat(32);
    for other in [unknown.as_str(), "", "x"] {
        info(other).await.is_fault("InvalidCallIdException");
        stage
            .telephone("Disconnect", &format!("<CallId>{other}</CallId>"))
            .await
            .is_fault("InvalidCallIdException");
    }
    stage.telephone("Disconnect", "").await.is_fault("InvalidCallIdException");
    // SEC-99: another's call is as if it were not.
    let body = envelope("", &format!("<m:GetCallInfo><m:CallId>{call}</m:CallId></m:GetCallInfo>"));
    stage.send(request("bob", LEGACY, body)).await.is_fault("InvalidCallIdException");
}

#[tokio::test]
async fn greetings_are_played_and_both_addresses_are_one_service() {
    let stage = stage();
    let parameters = "<GreetingType>OofCustom</GreetingType><DialString>101</DialString>";
    let body =
        envelope("", &format!("<PlayOnPhoneGreeting xmlns='{MESSAGES}'>{parameters}</PlayOnPhoneGreeting>"));
    let placed = stage.send(request("alice", SERVICE, body)).await;
    assert!(
        placed.text.contains("<m:PlayOnPhoneGreetingResponse><m:PlayOnPhoneGreetingResponse>"),
        "{placed:?}"
    );
    let orders = stage.orders.lock().unwrap();
    let Some(Ordered::Play(asked)) = orders.first() else { panic!("{orders:?}") };
    assert_eq!(asked.played, Played::Greeting(umbel_store::GreetingKind::OutOfOffice));
    assert_eq!(asked.dial_string.as_deref(), Some("101"));
    assert_eq!(asked.owner, address("alice"));
}

/// IN-H3, IN-H4, SEC-44 to SEC-46, DEC-25: in the Exchange web services.
#[tokio::test]
async fn the_exchange_services_place_follow_and_end_calls() {
    let stage = stage();
    stage.play("alice", "", "101").await.is_error("ErrorInvalidIdEmpty");
    stage.play("alice", "nothing", "101").await.is_error("ErrorInvalidIdMalformed");
    assert_eq!(stage.orders(), 0);
    for other in [id(2), id(9)] {
        stage.play("alice", &item(other), "101").await.is_error("ErrorItemNotFound");
    }
    stage.play("alice", &item(id(1)), "+15555550199").await.is_error("ErrorPhoneNumberNotDialable");
    stage.play("alice", &item(id(1)), "").await.is_error("ErrorPhoneNumberNotDialable");

    let placed = stage.play("alice", &item(id(1)), "101").await;
    assert_eq!(placed.text_of("ResponseCode"), Some("NoError"), "{placed:?}");
    let call =
        placed.text.split("<m:PhoneCallId Id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    stage.play("alice", &item(id(1)), "101").await.is_error("ErrorUnifiedMessagingRequestFailed");

    let ask = |user: &'static str, operation: &str, call: &str| {
        let body = format!("<m:{operation}><m:PhoneCallId Id='{call}'/></m:{operation}>");
        stage.send(request(
            user,
            EXCHANGE,
            envelope("<t:RequestServerVersion Version='Exchange2010'/>", &body),
        ))
    };
    let connected = Status { state: CallState::Connected, cause: EventCause::None, response: None };
    stage.calls.news(call.parse().unwrap(), News::Standing(connected));
    let standing = ask("alice", "GetPhoneCallInformation", &call).await;
    assert_eq!(standing.text_of("PhoneCallState"), Some("Connected"), "{standing:?}");
    assert_eq!(standing.text_of("ConnectionFailureCause"), Some("None"));
    // The other service knows the same calls.
    let info = stage.telephone("GetCallInfo", &format!("<CallId>{call}</CallId>")).await;
    assert_eq!(info.text_of("CallState"), Some("Connected"));

    for operation in ["GetPhoneCallInformation", "DisconnectPhoneCall"] {
        ask("bob", operation, &call).await.is_error("ErrorInvalidPhoneCallId");
        ask("alice", operation, "x").await.is_error("ErrorInvalidPhoneCallId");
    }
    let ended = ask("alice", "DisconnectPhoneCall", &call).await;
    assert_eq!(ended.text_of("ResponseCode"), Some("NoError"), "{ended:?}");
}

/// SEC-97, DEC-25: refused for its headers is refused before anything happened.
#[tokio::test]
async fn versions_and_impersonation_are_refused_before_any_call() {
    let stage = stage();
    let body = format!(
        "<m:PlayOnPhone><m:ItemId Id='{}'/><m:DialString>101</m:DialString></m:PlayOnPhone>",
        item(id(1))
    );
    let sid = "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>bob@example.test</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>";
    for (header, code) in [
        ("<t:RequestServerVersion Version='Exchange2099'/>", "ErrorInvalidServerVersion"),
        (sid, "ErrorImpersonateUserDenied"),
    ] {
        stage.send(request("alice", EXCHANGE, envelope(header, &body))).await.is_fault(code);
    }
    assert_eq!(stage.orders(), 0);
    let acting = CONFIGURATION.replace("<m:RequestedConfiguration>", "<m:ActingAs><t:EmailAddress>bob@example.test</t:EmailAddress></m:ActingAs><m:RequestedConfiguration>");
    stage.exchange(&acting).await.is_error("ErrorAccessDenied");
    let own = acting.replace("bob@", "alice@");
    assert_eq!(stage.exchange(&own).await.text_of("UmEnabled"), Some("true"));
}

#[tokio::test]
async fn names_and_time_zones_are_told_as_far_as_clients_ask() {
    let stage = stage();
    let resolve = |entry: &str| {
        let body = format!(
            "<m:ResolveNames ReturnFullContactData='false'><m:UnresolvedEntry>{entry}</m:UnresolvedEntry></m:ResolveNames>"
        );
        async { stage.exchange(&{ body }).await }
    };
    for entry in ["alice", "Alice@Example.Test", "smtp:alice@example.test", "101"] {
        assert_eq!(resolve(entry).await.text_of("EmailAddress"), Some("alice@example.test"), "{entry}");
    }
    for entry in ["bob", "bob@example.test", "", "nobody"] {
        resolve(entry).await.is_error("ErrorNameResolutionNoResults");
    }
    let zones = stage.exchange("<m:GetServerTimeZones ReturnFullTimeZoneData='false'/>").await;
    assert!(zones.text.contains("<t:TimeZoneDefinition Id=\"UTC\""), "{zones:?}");
}

#[tokio::test]
async fn autodiscover_tells_where_the_services_are_to_their_owner() {
    let stage = stage();
    let ask = |address: &str| {
        let body = format!(
            "<Autodiscover xmlns='http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006'><Request>\
             <EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
             </AcceptableResponseSchema></Request></Autodiscover>"
        );
        stage.send(request("alice", "/autodiscover/autodiscover.xml", body))
    };
    let own = ask("Alice@example.test").await;
    assert_eq!(own.status, StatusCode::OK);
    assert_eq!(own.text_of("ASUrl"), Some("http://um.example.test:8080/EWS/Exchange.asmx"), "{own:?}");
    assert_eq!(own.text_of("UMUrl"), Some("http://um.example.test:8080/EWS/UM2007Legacy.asmx"));
    for other in ["bob@example.test", "nobody@example.test"] {
        assert_eq!(ask(other).await.text_of("ErrorCode"), Some("500"));
    }
    let a = "http://schemas.microsoft.com/exchange/2010/Autodiscover";
    let body = format!(
        "<a:GetUserSettingsRequestMessage xmlns:a='{a}'><a:Request><a:Users><a:User><a:Mailbox>alice@example.test</a:Mailbox></a:User></a:Users>\
         <a:RequestedSettings><a:Setting>ExternalUMUrl</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage>"
    );
    let answer = stage.send(request("alice", "/autodiscover/autodiscover.svc", envelope("", &body))).await;
    assert_eq!(
        answer.text_of("Value"),
        Some("http://um.example.test:8080/EWS/UM2007Legacy.asmx"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_descriptions_are_for_everybody() {
    let stage = stage();
    let get = |path: &str| {
        stage.send(Request::get(path).header(HOST, "um.example.test").body(Body::empty()).unwrap())
    };
    for (path, holds) in [
        ("/ews/services.wsdl", "ExchangeServiceBinding"),
        ("/ews/exchange.asmx?wsdl", "ExchangeServiceBinding"),
        ("/ews/messages.xsd", "PlayOnPhoneType"),
        ("/ews/types.xsd", "PhoneCallStateType"),
        ("/ews/um2007legacy.wsdl", "http://um.example.test/EWS/UM2007Legacy.asmx"),
        ("/ews/um2007legacy.asmx?WSDL", "http://um.example.test/EWS/UM2007Legacy.asmx"),
        ("/unifiedmessaging/service.asmx?wsdl", "http://um.example.test/EWS/UM2007Legacy.asmx"),
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.text.contains(holds), "{path}");
    }
    assert_eq!(get("/ews/exchange.asmx?other").await.status, StatusCode::UNAUTHORIZED);
}

/// SEC-100, IN-H9
#[tokio::test]
async fn an_own_fault_tells_a_number_and_nothing_else() {
    let stage = stage_where(|op| {
        matches!(op, Op::ChooseGreeting { .. }).then_some(Reply::Failed(StoreError::Refused(ALIEN)))
    });
    let answer = stage.telephone("SetOofStatus", "<status>true</status>").await;
    answer.is_fault("ErrorInternalServerError");
    let said = "The server could not do this because of a fault of its own. Reference: ";
    let number = answer.text.split(said).nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    assert!(number.len() == 12 && number.bytes().all(|octet| octet.is_ascii_hexdigit()), "{answer:?}");
}

/// No operation here is refused with it.
const ALIEN: umbel_store::Refusal = umbel_store::Refusal::UserExists;

/// IN-H7
#[tokio::test]
async fn a_store_that_has_too_much_to_do_says_when_to_ask_again() {
    let stage = stage_where(|op| {
        matches!(op, Op::ChooseGreeting { .. }).then_some(Reply::Failed(StoreError::Overloaded))
    });
    let answer = stage.telephone("SetOofStatus", "<status>true</status>").await;
    answer.is_fault("ErrorServerBusy");
    assert!(answer.text.contains("<t:Value Name=\"BackOffMilliseconds\">1000</t:Value>"), "{answer:?}");
    let stage =
        stage_where(|op| matches!(op, Op::ChangeUser { .. }).then_some(Reply::Failed(StoreError::DiskFull)));
    let answer = stage.telephone("SetPlayOnPhoneDialString", "<dialString>1</dialString>").await;
    answer.is_fault("ErrorMailboxStoreUnavailable");
}
