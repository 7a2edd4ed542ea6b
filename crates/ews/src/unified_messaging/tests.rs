//! Requests as clients write them and as they must not, answers as [MS-OXWUMS] prints them.

use umbel_play_on_phone::{CallState, EventCause, PhoneCallId, Played, Status};
use umbel_store::{GreetingKind, MessageId};

use super::*;
use crate::ResponseCode;
use crate::entry_id;
use crate::envelope::Envelope;
use crate::fault::Fault;

const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const ITEM: MessageId = MessageId::from_bytes([7; 16]);
const CALL: PhoneCallId = PhoneCallId::from_bytes([0xC0; 16]);
const CALL_TEXT: &str = "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0";

fn request(body: &str) -> Result<Operation, Fault> {
    let text = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>{body}</s:Body></s:Envelope>"
    );
    read(&Envelope::read(text.as_bytes()).expect(body))
}

/// An operation with these parameters, its namespace by default.
fn operation(name: &str, parameters: &str) -> Result<Operation, Fault> {
    request(&format!("<{name} xmlns='{MESSAGES}'>{parameters}</{name}>"))
}

#[test]
fn all_eleven_operations_are_read() {
    let entry = entry_id::of_item(ITEM);
    for (name, parameters, expected) in [
        ("IsUMEnabled", "", Operation::IsUmEnabled),
        ("GetUMProperties", "", Operation::GetUmProperties),
        ("SetOofStatus", "<status>true</status>", Operation::SetOofStatus(true)),
        ("SetOofStatus", "<status>0</status>", Operation::SetOofStatus(false)),
        (
            "SetPlayOnPhoneDialString",
            "<dialString>+15555550199</dialString>",
            Operation::SetPlayOnPhoneDialString("+15555550199".into()),
        ),
        (
            "SetTelephoneAccessFolderEmail",
            "<base64FolderID>AAAA</base64FolderID>",
            Operation::SetTelephoneAccessFolderEmail("AAAA".into()),
        ),
        (
            "SetTelephoneAccessFolderEmail",
            "<base64FolderId>AAAA</base64FolderId>",
            Operation::SetTelephoneAccessFolderEmail("AAAA".into()),
        ),
        (
            "SetMissedCallNotificationEnabled",
            "<status>false</status>",
            Operation::SetMissedCallNotificationEnabled(false),
        ),
        ("ResetPIN", "", Operation::ResetPin),
        (
            "PlayOnPhone",
            &format!("<entryId>{entry}</entryId><DialString>12345</DialString>"),
            Operation::PlayOnPhone { item: Some(ITEM), dial_string: "12345".into() },
        ),
        (
            "PlayOnPhone",
            "<entryId>nothing</entryId><DialString/>",
            Operation::PlayOnPhone { item: None, dial_string: String::new() },
        ),
        ("GetCallInfo", &format!("<CallId>{CALL_TEXT}</CallId>"), Operation::GetCallInfo(Some(CALL))),
        ("GetCallInfo", "<CallId>x</CallId>", Operation::GetCallInfo(None)),
        ("Disconnect", &format!("<CallId>{CALL_TEXT}</CallId>"), Operation::Disconnect(Some(CALL))),
        ("Disconnect", "<CallId/>", Operation::Disconnect(None)),
        ("Disconnect", "", Operation::Disconnect(None)),
        (
            "PlayOnPhoneGreeting",
            "<GreetingType>NormalCustom</GreetingType><DialString>1</DialString>",
            Operation::PlayOnPhoneGreeting { kind: GreetingKind::Standard, dial_string: "1".into() },
        ),
        (
            "PlayOnPhoneGreeting",
            "<GreetingType>OofCustom</GreetingType><DialString>1</DialString>",
            Operation::PlayOnPhoneGreeting { kind: GreetingKind::OutOfOffice, dial_string: "1".into() },
        ),
    ] {
        assert_eq!(operation(name, parameters), Ok(expected), "{name} {parameters}");
    }
}

#[test]
fn prefixes_are_the_clients_own_business() {
    let text =
        format!("<ns0:SetOofStatus xmlns:ns0='{MESSAGES}'><ns0:status>1</ns0:status></ns0:SetOofStatus>");
    assert_eq!(request(&text), Ok(Operation::SetOofStatus(true)));
}

/// IN-H2
#[test]
fn what_the_schema_does_not_say_is_an_invalid_request() {
    let invalid = Err(Fault::Code(ResponseCode::ErrorInvalidRequest));
    for (name, parameters) in [
        ("NoSuchOperation", ""),
        ("isumenabled", ""),
        ("IsUMEnabled", "<status>true</status>"),
        ("SetOofStatus", ""),
        ("SetOofStatus", "<Status>true</Status>"),
        ("SetOofStatus", "<status>perhaps</status>"),
        ("SetOofStatus", "<status>true</status><status>true</status>"),
        ("SetOofStatus", "<status xmlns=''>true</status>"),
        ("SetPlayOnPhoneDialString", "<DialString>1</DialString>"),
        ("SetTelephoneAccessFolderEmail", ""),
        ("PlayOnPhone", "<DialString>1</DialString>"),
        ("PlayOnPhone", "<entryId>AAAA</entryId>"),
        ("PlayOnPhone", "<DialString>1</DialString><entryId>AAAA</entryId>"),
        ("PlayOnPhone", "<entryId><x/></entryId><DialString>1</DialString>"),
        // What the other service of the same name is asked.
        ("PlayOnPhone", "<ItemId Id='AAAA'/><DialString>1</DialString>"),
        ("GetCallInfo", ""),
        ("PlayOnPhoneGreeting", "<GreetingType>Any</GreetingType><DialString>1</DialString>"),
        ("ResetPIN", "<PIN>1234</PIN>"),
    ] {
        assert_eq!(operation(name, parameters), invalid, "{name} {parameters}");
    }
    let types = "http://schemas.microsoft.com/exchange/services/2006/types";
    for namespace in ["", types, "https://schemas.microsoft.com/exchange/services/2006/messages"] {
        assert_eq!(request(&format!("<IsUMEnabled xmlns='{namespace}'/>")), invalid, "{namespace}");
    }
}

#[test]
fn what_places_a_call_says_what_is_to_be_heard() {
    let item = Operation::PlayOnPhone { item: Some(ITEM), dial_string: String::new() };
    assert_eq!(item.played(), Some(Played::Message(ITEM)));
    let greeting =
        Operation::PlayOnPhoneGreeting { kind: GreetingKind::Standard, dial_string: String::new() };
    assert_eq!(greeting.played(), Some(Played::Greeting(GreetingKind::Standard)));
    assert_eq!(Operation::PlayOnPhone { item: None, dial_string: String::new() }.played(), None);
    assert_eq!(Operation::GetUmProperties.played(), None);
}

/// What is within the body, whose namespaces the envelope has declared.
fn body(answer: &str) -> &str {
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:m=\"{MESSAGES}\"><s:Body>"
    );
    answer.strip_prefix(&head).and_then(|rest| rest.strip_suffix("</s:Body></s:Envelope>")).expect(answer)
}

#[test]
fn values_sit_in_an_inner_element_of_the_same_name() {
    assert_eq!(
        body(&is_enabled(true)),
        "<m:IsUMEnabledResponse><m:IsUMEnabledResponse>true</m:IsUMEnabledResponse></m:IsUMEnabledResponse>"
    );
    let item = Operation::PlayOnPhone { item: Some(ITEM), dial_string: String::new() };
    assert_eq!(
        body(&call_placed(&item, CALL)),
        "<m:PlayOnPhoneResponse><m:PlayOnPhoneResponse>c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0</m:PlayOnPhoneResponse>\
         </m:PlayOnPhoneResponse>"
    );
    let status = Status { state: CallState::Disconnected, cause: EventCause::NoAnswer, response: None };
    assert_eq!(
        body(&call_info(&status)),
        "<m:GetCallInfoResponse><m:GetCallInfoResponse><m:CallState>Disconnected</m:CallState>\
         <m:EventCause>NoAnswer</m:EventCause></m:GetCallInfoResponse></m:GetCallInfoResponse>"
    );
    let settings = Properties {
        oof_status: false,
        missed_call_notification_enabled: true,
        play_on_phone_dial_string: "alice@example.test".into(),
        telephone_access_numbers: vec!["9000".into(), "+15555550100".into()],
        telephone_access_folder_email: String::new(),
    };
    assert_eq!(
        body(&properties(&settings)),
        "<m:GetUMPropertiesResponse><m:GetUMPropertiesResponse><m:OofStatus>false</m:OofStatus>\
         <m:MissedCallNotificationEnabled>true</m:MissedCallNotificationEnabled>\
         <m:PlayOnPhoneDialString>alice@example.test</m:PlayOnPhoneDialString>\
         <m:TelephoneAccessNumbers>9000, +15555550100</m:TelephoneAccessNumbers>\
         <m:TelephoneAccessFolderEmail></m:TelephoneAccessFolderEmail></m:GetUMPropertiesResponse>\
         </m:GetUMPropertiesResponse>"
    );
}

#[test]
fn operations_without_a_value_answer_an_empty_element() {
    for (operation, expected) in [
        (Operation::SetOofStatus(true), "<m:SetOofStatusResponse/>"),
        (Operation::SetPlayOnPhoneDialString(String::new()), "<m:SetPlayOnPhoneDialStringResponse/>"),
        (
            Operation::SetTelephoneAccessFolderEmail(String::new()),
            "<m:SetTelephoneAccessFolderEmailResponse/>",
        ),
        (Operation::SetMissedCallNotificationEnabled(true), "<m:SetMissedCallNotificationEnabledResponse/>"),
        (Operation::ResetPin, "<m:ResetPINResponse/>"),
        (Operation::Disconnect(None), "<m:DisconnectResponse/>"),
    ] {
        assert_eq!(body(&done(&operation)), expected);
    }
}
