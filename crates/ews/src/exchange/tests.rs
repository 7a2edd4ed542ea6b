//! Requests as clients write them and as they must not, answers as the specifications print them.

use umbel_play_on_phone::{CallState, EventCause, Status};
use umbel_store::Address;

use super::*;
use crate::item::folder::Folder;
use crate::item::id::{FolderId, ObjectId};
use crate::xml;

const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
const ITEM: MessageId = MessageId::from_bytes([7; 16]);
const CALL: PhoneCallId = PhoneCallId::from_bytes([0xC0; 16]);

fn envelope(header: &str, body: &str) -> Envelope {
    let text = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:m='{MESSAGES}' xmlns:t='{TYPES}'>\
         <s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    );
    Envelope::read(text.as_bytes()).expect(body)
}

fn request(body: &str) -> Result<Operation, Fault> {
    read(&envelope("", body)).expect(body)
}

#[test]
fn the_telephone_operations_are_read() {
    let play = |id: &str| {
        request(&format!(
            "<m:PlayOnPhone><m:ItemId Id='{id}' ChangeKey='x'/><m:DialString>12345</m:DialString></m:PlayOnPhone>"
        ))
    };
    let expected = |item| Ok(Operation::PlayOnPhone { item, dial_string: "12345".to_owned() });
    assert_eq!(play(&ObjectId::Item(ITEM).text()), expected(Ok(ITEM)));
    assert_eq!(play(""), expected(Err(ResponseCode::ErrorInvalidIdEmpty)));
    assert_eq!(play("nothing"), expected(Err(ResponseCode::ErrorInvalidIdMalformed)));
    assert_eq!(
        play(&ObjectId::Attachment(ITEM).text()),
        expected(Err(ResponseCode::ErrorInvalidIdMalformed))
    );
    let owner = Address::new("alice", "example.test").expect("an address");
    let folder = ObjectId::Folder(FolderId::new(Folder::Inbox, &owner)).text();
    assert_eq!(play(&folder), expected(Err(ResponseCode::ErrorCannotUseFolderIdForItemId)));

    let call = format!("<m:PhoneCallId Id='{CALL}'/>");
    assert_eq!(
        request(&format!("<m:GetPhoneCallInformation>{call}</m:GetPhoneCallInformation>")),
        Ok(Operation::GetPhoneCallInformation(Some(CALL)))
    );
    assert_eq!(
        request(&format!("<m:DisconnectPhoneCall>{call}</m:DisconnectPhoneCall>")),
        Ok(Operation::DisconnectPhoneCall(Some(CALL)))
    );
    assert_eq!(
        request("<m:DisconnectPhoneCall><m:PhoneCallId Id='x'/></m:DisconnectPhoneCall>"),
        Ok(Operation::DisconnectPhoneCall(None))
    );
}

#[test]
fn what_programs_ask_when_they_start_is_read() {
    let acting = "<m:ActingAs><t:Name>A</t:Name><t:EmailAddress>a@example.test</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType></m:ActingAs>";
    let names = "<m:RequestedConfiguration><m:ConfigurationName>UnifiedMessagingConfiguration</m:ConfigurationName><m:ConfigurationName>MailTips</m:ConfigurationName></m:RequestedConfiguration>";
    for (acting, acting_as) in [("", None), (acting, Some("a@example.test".to_owned()))] {
        let requested = vec![ConfigurationName::UnifiedMessaging, ConfigurationName::NotHere];
        assert_eq!(
            request(&format!("<m:GetServiceConfiguration>{acting}{names}</m:GetServiceConfiguration>")),
            Ok(Operation::GetServiceConfiguration { acting_as, requested })
        );
    }
    assert_eq!(
        request(
            "<m:ResolveNames ReturnFullContactData='false'><m:UnresolvedEntry> alice </m:UnresolvedEntry></m:ResolveNames>"
        ),
        Ok(Operation::ResolveNames("alice".to_owned()))
    );
    assert_eq!(
        request("<m:GetServerTimeZones/>"),
        Ok(Operation::GetServerTimeZones { ids: None, full: true })
    );
    assert_eq!(
        request(
            "<m:GetServerTimeZones ReturnFullTimeZoneData='false'><m:Ids><t:Id>UTC</t:Id></m:Ids></m:GetServerTimeZones>"
        ),
        Ok(Operation::GetServerTimeZones { ids: Some(vec!["UTC".to_owned()]), full: false })
    );
}

/// IN-H2
#[test]
fn what_the_schema_does_not_say_is_refused_with_its_place() {
    for body in [
        "<m:PlayOnPhone><m:DialString>1</m:DialString></m:PlayOnPhone>",
        "<m:PlayOnPhone><m:ItemId/><m:DialString>1</m:DialString></m:PlayOnPhone>",
        "<m:PlayOnPhone><m:ItemId Id='x'>y</m:ItemId><m:DialString>1</m:DialString></m:PlayOnPhone>",
        "<m:PlayOnPhone><m:ItemId Id='x'/></m:PlayOnPhone>",
        "<m:PlayOnPhone><m:DialString>1</m:DialString><m:ItemId Id='x'/></m:PlayOnPhone>",
        "<m:PlayOnPhone><t:ItemId Id='x'/><m:DialString>1</m:DialString></m:PlayOnPhone>",
        // What the other service of the same name is asked.
        "<m:PlayOnPhone><m:entryId>AAAA</m:entryId><m:DialString>1</m:DialString></m:PlayOnPhone>",
        "<m:GetPhoneCallInformation/>",
        "<m:GetPhoneCallInformation><m:PhoneCallId/></m:GetPhoneCallInformation>",
        "<m:DisconnectPhoneCall><m:PhoneCallId Id='x'/><m:PhoneCallId Id='x'/></m:DisconnectPhoneCall>",
        "<m:GetServiceConfiguration><m:RequestedConfiguration/></m:GetServiceConfiguration>",
        "<m:GetServiceConfiguration><m:RequestedConfiguration><m:ConfigurationName>Other</m:ConfigurationName></m:RequestedConfiguration></m:GetServiceConfiguration>",
        "<m:ResolveNames/>",
        "<m:GetServerTimeZones ReturnFullTimeZoneData='maybe'/>",
        "<t:DisconnectPhoneCall><m:PhoneCallId Id='x'/></t:DisconnectPhoneCall>",
    ] {
        assert!(matches!(request(body), Err(Fault::Schema { place, .. }) if place.line == 1), "{body}");
    }
    for body in ["<m:SendItem/>", "<m:IsUMEnabled/>", "<playonphone/>"] {
        let envelope = envelope("", body);
        assert_eq!(read(&envelope), None, "{body}");
        assert!(matches!(unknown_operation(&envelope), Fault::Schema { .. }));
    }
}

#[test]
fn versions_are_known_or_refused_and_nobody_acts_for_another() {
    let admitted = |header: &str| admit(&envelope(header, "<m:DisconnectPhoneCall/>"));
    for header in [
        "",
        "<t:RequestServerVersion Version='Exchange2010'/>",
        "<t:RequestServerVersion Version='Exchange2016' s:mustUnderstand='1'/>",
        "<t:MailboxCulture>de-DE</t:MailboxCulture><t:TimeZoneContext><t:TimeZoneDefinition Id='UTC'/></t:TimeZoneContext>",
        "<x:Trace xmlns:x='urn:x'/>",
    ] {
        assert_eq!(admitted(header), Ok(()), "{header}");
    }
    for header in ["<t:RequestServerVersion/>", "<t:RequestServerVersion Version='Exchange2099'/>"] {
        assert_eq!(admitted(header), Err(Fault::Code(ResponseCode::ErrorInvalidServerVersion)), "{header}");
    }
    let other = "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>b@example.test</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>";
    assert_eq!(admitted(other), Err(Fault::Code(ResponseCode::ErrorImpersonateUserDenied)));
    for header in [
        "<t:OpenAsAdminOrSystemService LogonType='Admin'><t:ConnectingSID><t:SID>S-1-5</t:SID></t:ConnectingSID></t:OpenAsAdminOrSystemService>",
        "<t:SerializedSecurityContext><t:UserSid>S-1-5</t:UserSid></t:SerializedSecurityContext>",
    ] {
        let refused = Err(Fault::Code(ResponseCode::ErrorImpersonateUserDenied));
        assert_eq!(admitted(header), refused, "{header}");
    }
    assert_eq!(admitted("<x:Trace xmlns:x='urn:x' s:mustUnderstand='1'/>"), Err(Fault::MustUnderstand));
}

/// What is within the body.
fn body(answer: &str) -> &str {
    assert!(xml::read(answer.as_bytes()).is_ok(), "{answer}");
    let (_, body) = answer.split_once("</s:Header><s:Body>").expect(answer);
    body.strip_suffix("</s:Body></s:Envelope>").expect(answer)
}

#[test]
fn answers_have_their_code_first_and_then_what_was_asked_for() {
    assert_eq!(
        body(&call_placed(CALL)),
        "<m:PlayOnPhoneResponse ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>\
         <m:PhoneCallId Id=\"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\"/></m:PlayOnPhoneResponse>"
    );
    assert_eq!(
        body(&disconnected()),
        "<m:DisconnectPhoneCallResponse ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>\
         </m:DisconnectPhoneCallResponse>"
    );
    // DEC-26: ringing is not shown, nor is the response.
    let ringing = Status {
        state: CallState::Alerted,
        cause: EventCause::None,
        response: Some((180, "Ringing".to_owned())),
    };
    assert_eq!(
        body(&phone_call_information(&ringing)),
        "<m:GetPhoneCallInformationResponse ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>\
         <m:PhoneCallInformation><t:PhoneCallState>Connecting</t:PhoneCallState>\
         <t:ConnectionFailureCause>None</t:ConnectionFailureCause></m:PhoneCallInformation>\
         </m:GetPhoneCallInformationResponse>"
    );
    assert_eq!(
        body(&refuse(&Operation::DisconnectPhoneCall(None), ResponseCode::ErrorInvalidPhoneCallId)),
        "<m:DisconnectPhoneCallResponse ResponseClass=\"Error\"><m:MessageText>The phone call ID isn't valid.</m:MessageText>\
         <m:ResponseCode>ErrorInvalidPhoneCallId</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>\
         </m:DisconnectPhoneCallResponse>"
    );
}

#[test]
fn each_configuration_that_was_asked_for_has_its_answer() {
    let settings = TelephoneSettings {
        um_enabled: true,
        play_on_phone_dial_string: "alice@example.test".to_owned(),
        play_on_phone_enabled: true,
    };
    let both = [ConfigurationName::UnifiedMessaging, ConfigurationName::NotHere];
    assert_eq!(
        body(&configurations(&both, &settings)),
        "<m:GetServiceConfigurationResponse ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>\
         <m:ResponseMessages><m:ServiceConfigurationResponseMessageType ResponseClass=\"Success\">\
         <m:ResponseCode>NoError</m:ResponseCode><m:UnifiedMessagingConfiguration><t:UmEnabled>true</t:UmEnabled>\
         <t:PlayOnPhoneDialString>alice@example.test</t:PlayOnPhoneDialString>\
         <t:PlayOnPhoneEnabled>true</t:PlayOnPhoneEnabled></m:UnifiedMessagingConfiguration>\
         </m:ServiceConfigurationResponseMessageType><m:ServiceConfigurationResponseMessageType ResponseClass=\"Error\">\
         <m:MessageText>The operation is not possible here.</m:MessageText>\
         <m:ResponseCode>ErrorInvalidOperation</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>\
         </m:ServiceConfigurationResponseMessageType></m:ResponseMessages></m:GetServiceConfigurationResponse>"
    );
    assert!(body(&refuse_configurations()).contains("<m:ResponseCode>ErrorAccessDenied</m:ResponseCode>"));
}

#[test]
fn names_are_the_callers_own_or_nobodys() {
    let alice = Person { name: "Alice <&>".to_owned(), address: "alice@example.test".to_owned() };
    assert!(body(&resolution(&alice)).contains(
        "<t:Mailbox><t:Name>Alice &lt;&amp;&gt;</t:Name><t:EmailAddress>alice@example.test</t:EmailAddress>\
         <t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
    ));
    assert!(body(&nobody()).contains("<m:ResponseCode>ErrorNameResolutionNoResults</m:ResponseCode>"));
}

#[test]
fn the_one_time_zone_is_told_to_who_asks_for_it() {
    let utc = ["UTC".to_owned()];
    for (ids, full, zones, periods) in [
        (None, true, 1, 1),
        (None, false, 1, 0),
        (Some(utc.as_slice()), true, 1, 1),
        (Some([].as_slice()), true, 0, 0),
    ] {
        let answer = time_zones(ids, full);
        let answer = body(&answer);
        assert_eq!(answer.matches("<t:TimeZoneDefinition Id=\"UTC\"").count(), zones, "{answer}");
        assert_eq!(answer.matches("<t:Period ").count(), periods, "{answer}");
    }
}
