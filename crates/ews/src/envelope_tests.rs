//! Envelopes taken off and put on, faults and answers as [MS-OXWUMS] and SOAP 1.1 print them.

use crate::fault::{Exception, Fault};
use crate::response;
use crate::xml::{self, Element, Namespace, Place};
use crate::{ResponseCode, envelope};

use super::{Envelope, SERVER_VERSION, Service};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn envelope(header: &str, body: &str) -> Result<Envelope, Fault> {
    let text =
        format!("<soap:Envelope xmlns:soap='{SOAP}'>{header}<soap:Body>{body}</soap:Body></soap:Envelope>");
    Envelope::read(text.as_bytes())
}

fn printed(text: &str) -> Element {
    xml::read(text.as_bytes()).expect(text).root().clone()
}

/// The one child of the body.
fn in_body(text: &str) -> Element {
    let root = printed(text);
    let body = root.child(Namespace::Soap, "Body").expect(text);
    assert_eq!(body.elements().len(), 1, "{text}");
    body.elements()[0].clone()
}

#[test]
fn the_operation_is_the_child_of_the_body() {
    for header in ["", "<soap:Header/>", "<soap:Header><x xmlns='urn:x'/></soap:Header>"] {
        let envelope = envelope(header, "<IsUMEnabled xmlns='urn:a'/>").expect(header);
        assert_eq!(envelope.operation().name(), "IsUMEnabled");
    }
    let bare = format!("<Envelope xmlns='{SOAP}'><Body><a xmlns=''/></Body></Envelope>");
    assert!(
        Envelope::read(bare.as_bytes()).is_ok_and(|envelope| envelope.operation().is(Namespace::None, "a"))
    );
}

/// IN-H1
#[test]
fn what_is_no_envelope_is_an_invalid_request() {
    let invalid = Fault::Code(ResponseCode::ErrorInvalidRequest);
    for text in [
        "".to_owned(),
        "GET / HTTP/1.1".to_owned(),
        "<a/>".to_owned(),
        format!("<!DOCTYPE a><s:Envelope xmlns:s='{SOAP}'><s:Body><a/></s:Body></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'/>"),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body/></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body>text</s:Body></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body><a/><b/></s:Body></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body><a/></s:Body><s:Body><a/></s:Body></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body><a/></s:Body><s:Header/></s:Envelope>"),
        format!("<s:Envelope xmlns:s='{SOAP}'><s:Body><a/></s:Body>"),
    ] {
        assert_eq!(Envelope::read(text.as_bytes()).err(), Some(invalid.clone()), "{text}");
    }
    let newer =
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><a/></s:Body></s:Envelope>";
    assert_eq!(Envelope::read(newer.as_bytes()).err(), Some(Fault::VersionMismatch));
}

#[test]
fn a_header_that_must_be_understood_is_known_or_refused() {
    let header = |must: &str, of: &str| {
        format!("<soap:Header><h xmlns='{of}' soap:mustUnderstand='{must}'/></soap:Header>")
    };
    let understood = |header: &str| envelope(header, "<a/>").expect(header).understand(&[Namespace::Types]);
    assert_eq!(understood(&header("1", "urn:x")), Err(Fault::MustUnderstand));
    assert_eq!(understood(&header("true", "urn:x")), Err(Fault::MustUnderstand));
    assert_eq!(understood(&header("0", "urn:x")), Ok(()));
    assert_eq!(understood(&header("1", Namespace::Types.name())), Ok(()));
    assert_eq!(understood(""), Ok(()));
    let to = |actor: &str| {
        let header = format!(
            "<soap:Header><h xmlns='urn:x' soap:mustUnderstand='1' soap:actor='{actor}'/></soap:Header>"
        );
        understood(&header)
    };
    assert_eq!(to("http://schemas.xmlsoap.org/soap/actor/next"), Err(Fault::MustUnderstand));
    assert_eq!(to(""), Err(Fault::MustUnderstand));
    assert_eq!(to("urn:somebody-else"), Ok(()));
}

#[test]
fn answers_of_the_exchange_services_tell_the_version_before_the_body() {
    let text = envelope::exchange(|body| response::success(body, "m:DisconnectPhoneCallResponse", |_| {}));
    let root = printed(&text);
    let names: Vec<&str> = root.elements().iter().map(Element::name).collect();
    assert_eq!(names, ["Header", "Body"]);
    let version = root.elements()[0].child(Namespace::Types, "ServerVersionInfo").expect("it is there");
    for (name, value) in SERVER_VERSION {
        assert_eq!(version.attribute(name), Some(value));
    }
    let answer = in_body(&text);
    assert!(answer.is(Namespace::Messages, "DisconnectPhoneCallResponse"));
    assert_eq!(answer.attribute("ResponseClass"), Some("Success"));
}

#[test]
fn answers_of_the_unified_messaging_service_have_no_header() {
    let root = printed(&envelope::unified_messaging(|body| body.empty("m:ResetPINResponse", &[])));
    let names: Vec<&str> = root.elements().iter().map(Element::name).collect();
    assert_eq!(names, ["Body"]);
}

#[test]
fn an_error_has_text_code_and_link_key_in_this_order() {
    let text = envelope::exchange(|body| {
        response::error(body, "m:GetPhoneCallInformationResponse", ResponseCode::ErrorInvalidPhoneCallId);
    });
    let answer = in_body(&text);
    assert_eq!(answer.attribute("ResponseClass"), Some("Error"));
    let children: Vec<(&str, &str)> =
        answer.elements().iter().map(|child| (child.name(), child.text())).collect();
    assert_eq!(
        children,
        [
            ("MessageText", "The phone call ID isn't valid."),
            ("ResponseCode", "ErrorInvalidPhoneCallId"),
            ("DescriptiveLinkKey", "0"),
        ]
    );
    assert!(answer.elements().iter().all(|child| child.namespace() == Namespace::Messages));
}

/// [MS-OXWUMS]'s own examples, in our prefixes.
#[test]
fn faults_look_as_the_specification_prints_them() {
    let exception = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
        <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
        <faultcode xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/errors\">a:InvalidCallIdException</faultcode>\
        <faultstring xml:lang=\"en-US\">The call identifier isn't valid.</faultstring>\
        <detail><m:ExceptionType xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\">InvalidCallIdException</m:ExceptionType></detail>\
        </s:Fault></s:Body></s:Envelope>";
    assert_eq!(Fault::Exception(Exception::InvalidCallId).to_xml(), exception);
    let invalid = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
        <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
        <faultcode xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">a:ErrorInvalidRequest</faultcode>\
        <faultstring xml:lang=\"en-US\">The request is invalid.</faultstring>\
        <detail><e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">ErrorInvalidRequest</e:ResponseCode>\
        <e:Message xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">The request is invalid.</e:Message></detail>\
        </s:Fault></s:Body></s:Envelope>";
    assert_eq!(Fault::Code(ResponseCode::ErrorInvalidRequest).to_xml(), invalid);
}

#[test]
fn faults_of_the_exchange_services_carry_what_clients_look_for() {
    let detail = |fault: Fault| {
        let fault = in_body(&fault.to_xml());
        assert!(fault.is(Namespace::Soap, "Fault"));
        fault.child(Namespace::None, "detail").expect("there is one").clone()
    };
    let place = Place { line: 3, column: 14 };
    let schema = detail(Fault::Schema { place, violation: "Another element is expected here." });
    assert_eq!(
        schema.child(Namespace::Errors, "ResponseCode").map(Element::text),
        Some("ErrorSchemaValidation")
    );
    let more = schema.child(Namespace::Types, "MessageXml").expect("there is one");
    let more: Vec<(&str, &str)> = more.elements().iter().map(|child| (child.name(), child.text())).collect();
    assert_eq!(
        more,
        [("LineNumber", "3"), ("LinePosition", "14"), ("Violation", "Another element is expected here.")]
    );
    let busy = detail(Fault::Busy { back_off_milliseconds: 1500 });
    let value =
        busy.child(Namespace::Types, "MessageXml").and_then(|more| more.child(Namespace::Types, "Value"));
    assert_eq!(
        value.map(|value| (value.attribute("Name"), value.text())),
        Some((Some("BackOffMilliseconds"), "1500"))
    );
}

/// SOAP 1.1, section 4.4: without a detail, a fault has nothing to do with the body.
#[test]
fn what_is_wrong_with_the_envelope_has_no_detail() {
    for (fault, code) in
        [(Fault::VersionMismatch, "s:VersionMismatch"), (Fault::MustUnderstand, "s:MustUnderstand")]
    {
        let fault = in_body(&fault.to_xml());
        assert_eq!(fault.child(Namespace::None, "faultcode").map(Element::text), Some(code));
        assert!(fault.child(Namespace::None, "detail").is_none(), "{code}");
    }
}

/// SEC-100
#[test]
fn an_internal_fault_tells_its_reference_and_nothing_else() {
    let fault = in_body(&Fault::Internal { reference: "00c0ffee".to_owned() }.to_xml());
    let text = fault.child(Namespace::None, "faultstring").map(Element::text);
    assert_eq!(text, Some("The server could not do this because of a fault of its own. Reference: 00c0ffee"));
}

/// DEC-25
#[test]
fn a_violation_is_told_with_its_place_where_the_service_can() {
    let envelope = envelope("", "<a xmlns='urn:a'>\n<b/></a>").expect("it is one");
    let violation = envelope.operation().elements()[0].violation("The element is not expected here.");
    let place = Place { line: 2, column: 1 };
    let schema = Fault::Schema { place, violation: "The element is not expected here." };
    assert_eq!(envelope.refuse(Service::Exchange, violation), schema);
    let invalid = Fault::Code(ResponseCode::ErrorInvalidRequest);
    assert_eq!(envelope.refuse(Service::UnifiedMessaging, violation), invalid);
}

#[test]
fn every_code_has_a_text_that_ends() {
    for code in ResponseCode::ALL {
        assert!(code.name().starts_with("Error"), "{code:?}");
        assert!(code.text().ends_with('.'), "{code:?}");
    }
}
