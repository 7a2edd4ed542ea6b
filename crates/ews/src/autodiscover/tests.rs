//! Requests as clients write them, and the elements that they look for in the answers.

use super::*;
use crate::ResponseCode;
use crate::envelope::Envelope;
use crate::fault::Fault;
use crate::xml::{self, Element, Namespace};

const OUTLOOK: Namespace = Namespace::AutodiscoverOutlook;
const A: Namespace = Namespace::Autodiscover;

fn alice() -> Directions {
    Directions {
        display_name: "Alice & Co".to_owned(),
        address: "alice@example.test".to_owned(),
        base_url: "https://um.example.test:8443".to_owned(),
    }
}

fn plain(inner: &str) -> String {
    format!(
        "<Autodiscover xmlns='http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006'><Request>{inner}</Request></Autodiscover>"
    )
}

const SCHEMA: &str = "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>";

#[test]
fn the_plain_form_names_an_address_or_the_name_that_was_told() {
    let asked = |inner: &str| read_plain(plain(inner).as_bytes());
    let alice = Ok("alice@example.test".to_owned());
    assert_eq!(asked(&format!("<EMailAddress> alice@example.test </EMailAddress>{SCHEMA}")), alice);
    assert_eq!(asked(&format!("<LegacyDN>/o=Umbel/cn=alice@example.test</LegacyDN>{SCHEMA}")), alice);
    assert_eq!(asked(&format!("<LegacyDN>/o=Other/cn=alice</LegacyDN>{SCHEMA}")), Err(Unanswerable::Address));
    assert_eq!(asked(SCHEMA), Err(Unanswerable::Address));
    assert_eq!(asked("<EMailAddress>a@b</EMailAddress>"), Err(Unanswerable::InvalidRequest));
    let other = "<EMailAddress>a@b</EMailAddress><AcceptableResponseSchema>urn:x</AcceptableResponseSchema>";
    assert_eq!(asked(other), Err(Unanswerable::Provider));
    for text in ["", "<a/>", "<!DOCTYPE a><a/>"] {
        assert_eq!(read_plain(text.as_bytes()), Err(Unanswerable::InvalidRequest), "{text}");
    }
}

#[test]
fn the_plain_answer_has_two_namespaces_and_all_urls_twice() {
    let document = xml::read(plain_answer(&alice()).as_bytes()).expect("well-formed");
    let root = document.root();
    assert!(root.is(Namespace::AutodiscoverResponse, "Autodiscover"));
    let response = root.child(OUTLOOK, "Response").expect("there is one");
    let user = response.child(OUTLOOK, "User").expect("there is one");
    assert_eq!(user.child(OUTLOOK, "DisplayName").map(Element::text), Some("Alice & Co"));
    let account = response.child(OUTLOOK, "Account").expect("there is one");
    let protocols: Vec<&Element> =
        account.elements().iter().filter(|element| element.is(OUTLOOK, "Protocol")).collect();
    let kinds: Vec<Option<&str>> =
        protocols.iter().map(|protocol| protocol.child(OUTLOOK, "Type").map(Element::text)).collect();
    assert_eq!(kinds, [Some("EXCH"), Some("EXPR")]);
    for protocol in protocols {
        let text = |name: &str| protocol.child(OUTLOOK, name).map(Element::text);
        assert_eq!(text("ASUrl"), Some("https://um.example.test:8443/EWS/Exchange.asmx"));
        assert_eq!(text("EwsUrl"), text("ASUrl"));
        assert_eq!(text("UMUrl"), Some("https://um.example.test:8443/EWS/UM2007Legacy.asmx"));
        assert_eq!(text("Server"), Some("um.example.test"));
    }
    for (why, code) in [
        (Unanswerable::InvalidRequest, "600"),
        (Unanswerable::Provider, "601"),
        (Unanswerable::Address, "500"),
    ] {
        let document = xml::read(plain_refusal(why).as_bytes()).expect("well-formed");
        let error =
            document.root().child(OUTLOOK, "Response").and_then(|response| response.child(OUTLOOK, "Error"));
        let told = error.and_then(|error| error.child(OUTLOOK, "ErrorCode")).map(Element::text);
        assert_eq!(told, Some(code));
    }
}

#[test]
fn the_server_is_the_host_of_the_base() {
    for (base_url, server) in [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("https://um.example.test", "um.example.test"),
        ("https://[2001:db8::1]:443", "[2001:db8::1]"),
        ("https://[2001:db8::1]", "[2001:db8::1]"),
    ] {
        assert_eq!(Directions { base_url: base_url.to_owned(), ..alice() }.server(), server);
    }
}

fn soap(body: &str) -> Result<UserSettings, Fault> {
    let text = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:a='{}' xmlns:wsa='{}'><s:Header>\
         <a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion><wsa:Action s:mustUnderstand='1'>x</wsa:Action>\
         <wsa:To s:mustUnderstand='1'>y</wsa:To></s:Header><s:Body>{body}</s:Body></s:Envelope>",
        A.name(),
        Namespace::Addressing.name()
    );
    Envelope::read(text.as_bytes()).and_then(|envelope| read_soap(&envelope))
}

#[test]
fn the_soap_form_asks_for_users_and_settings() {
    let request = "<a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>alice@example.test</a:Mailbox></a:User></a:Users>\
        <a:RequestedSettings><a:Setting>ExternalUMUrl</a:Setting><a:Setting>EcpVoicemailUrlFragment</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage>";
    let asked = UserSettings {
        mailboxes: vec!["alice@example.test".to_owned()],
        settings: vec!["ExternalUMUrl".to_owned(), "EcpVoicemailUrlFragment".to_owned()],
    };
    assert_eq!(soap(request), Ok(asked));
    let invalid = Err(Fault::Code(ResponseCode::ErrorInvalidRequest));
    for other in [
        "<a:GetDomainSettingsRequestMessage/>",
        "<a:GetUserSettingsRequestMessage/>",
        "<GetUserSettingsRequestMessage/>",
    ] {
        assert_eq!(soap(other), invalid, "{other}");
    }
}

#[test]
fn the_soap_answer_tells_the_own_settings_and_of_nobody_else() {
    let asked = UserSettings {
        mailboxes: vec!["Alice@Example.Test".to_owned(), "bob@example.test".to_owned()],
        settings: vec![
            "ExternalUMUrl".to_owned(),
            "InternalEwsUrl".to_owned(),
            "EcpVoicemailUrlFragment".to_owned(),
        ],
    };
    let document = xml::read(soap_answer(&asked, &alice()).as_bytes()).expect("well-formed");
    let header = document.root().child(Namespace::Soap, "Header").expect("there is one");
    assert_eq!(
        header.child(Namespace::Addressing, "Action").map(Element::text),
        Some("http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettingsResponse")
    );
    let version = header.child(A, "ServerVersionInfo").and_then(|version| version.child(A, "MajorVersion"));
    assert_eq!(version.map(Element::text), Some("15"));
    let body = document.root().child(Namespace::Soap, "Body").expect("there is one");
    let response =
        body.child(A, "GetUserSettingsResponseMessage").and_then(|message| message.child(A, "Response"));
    let users = response.and_then(|response| response.child(A, "UserResponses")).expect("there are some");
    let [alice, bob] = users.elements() else { panic!("two were asked for") };
    let names: Vec<&str> = alice.elements().iter().map(Element::name).collect();
    assert_eq!(names, ["ErrorCode", "ErrorMessage", "RedirectTarget", "UserSettingErrors", "UserSettings"]);
    let told: Vec<(&str, &str)> = alice.elements()[4]
        .elements()
        .iter()
        .map(|setting| (setting.elements()[0].text(), setting.elements()[1].text()))
        .collect();
    assert_eq!(
        told,
        [
            ("ExternalUMUrl", "https://um.example.test:8443/EWS/UM2007Legacy.asmx"),
            ("InternalEwsUrl", "https://um.example.test:8443/EWS/Exchange.asmx"),
        ]
    );
    let missing = alice.elements()[3].elements();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].child(A, "SettingName").map(Element::text), Some("EcpVoicemailUrlFragment"));
    assert_eq!(bob.child(A, "ErrorCode").map(Element::text), Some("InvalidUser"));
    assert!(bob.child(A, "UserSettings").is_some_and(|settings| settings.elements().is_empty()));
}
