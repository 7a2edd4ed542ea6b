//! What the services speak: WSDL 1.1 and XML Schema, in our own words, of the operations that there are.
//!
//! The schemas are files of this room. The WSDL repeats each operation four times; here they are named once.

use crate::xml::Writer;

/// Messages of the Exchange web services.
pub const MESSAGES: &str = include_str!("../schema/messages.xsd");
/// Types of the Exchange web services.
pub const TYPES: &str = include_str!("../schema/types.xsd");

/// Operations of the Exchange web services.
pub const EXCHANGE_OPERATIONS: [&str; 19] = [
    "ConvertId",
    "CopyItem",
    "DeleteItem",
    "DisconnectPhoneCall",
    "FindFolder",
    "FindItem",
    "GetAttachment",
    "GetFolder",
    "GetItem",
    "GetPhoneCallInformation",
    "GetServerTimeZones",
    "GetServiceConfiguration",
    "MarkAllItemsAsRead",
    "MoveItem",
    "PlayOnPhone",
    "ResolveNames",
    "SyncFolderHierarchy",
    "SyncFolderItems",
    "UpdateItem",
];

/// Operations of the unified messaging service.
pub const UNIFIED_MESSAGING_OPERATIONS: [&str; 11] = [
    "Disconnect",
    "GetCallInfo",
    "GetUMProperties",
    "IsUMEnabled",
    "PlayOnPhone",
    "PlayOnPhoneGreeting",
    "ResetPIN",
    "SetMissedCallNotificationEnabled",
    "SetOofStatus",
    "SetPlayOnPhoneDialString",
    "SetTelephoneAccessFolderEmail",
];

/// Headers of requests: part, and element among the types.
const HEADERS: [(&str, &str); 3] = [
    ("Impersonation", "t:ExchangeImpersonation"),
    ("MailboxCulture", "t:MailboxCulture"),
    ("RequestVersion", "t:RequestServerVersion"),
];

const SOAP_ACTION: &str = "http://schemas.microsoft.com/exchange/services/2006/messages/";

/// The Exchange web services. Some clients build all that they send from this: prefixes, names of parts and
/// of the binding are theirs to expect.
pub fn services() -> String {
    let mut texts = Texts::default();
    for operation in EXCHANGE_OPERATIONS {
        let (input, output) = (format!("{operation}SoapIn"), format!("{operation}SoapOut"));
        let result = format!("{operation}Result");
        texts.message(&input, |message| {
            part(message, "request", &format!("tns:{operation}"));
            for (name, element) in HEADERS {
                part(message, name, element);
            }
        });
        texts.message(&output, |message| {
            part(message, &result, &format!("tns:{operation}Response"));
            part(message, "ServerVersion", "t:ServerVersionInfo");
        });
        texts.operation(operation);
        texts.binding(
            operation,
            |input| {
                for (part, _) in HEADERS {
                    header(input, operation, "SoapIn", part);
                }
                input.empty("soap:body", &[("parts", "request"), ("use", "literal")]);
            },
            |output| {
                header(output, operation, "SoapOut", "ServerVersion");
                output.empty("soap:body", &[("parts", &result), ("use", "literal")]);
            },
        );
    }
    texts.put_into(include_str!("../schema/services.wsdl"))
}

/// The unified messaging service, at the front that is reached by `base_url`.
pub fn unified_messaging(base_url: &str) -> String {
    let mut texts = Texts::default();
    for operation in UNIFIED_MESSAGING_OPERATIONS {
        let body = |within: &mut Writer| within.empty("soap:body", &[("use", "literal")]);
        texts.message(&format!("{operation}SoapIn"), |message| {
            part(message, "parameters", &format!("tns:{operation}"));
        });
        texts.message(&format!("{operation}SoapOut"), |message| {
            part(message, "parameters", &format!("tns:{operation}Response"));
        });
        texts.operation(operation);
        texts.binding(operation, body, body);
    }
    let mut address = Writer::default();
    address.empty("soap:address", &[("location", &format!("{base_url}/EWS/UM2007Legacy.asmx"))]);
    texts.put_into(include_str!("../schema/um2007legacy.wsdl")).replace("@ADDRESS@", &address.finish())
}

/// The three parts of a WSDL that repeat the operations.
#[derive(Default)]
struct Texts {
    messages: Writer,
    operations: Writer,
    bindings: Writer,
}

impl Texts {
    fn message(&mut self, name: &str, parts: impl FnOnce(&mut Writer)) {
        self.messages.element("wsdl:message", &[("name", name)], parts);
        self.messages.characters("\n");
    }

    fn operation(&mut self, name: &str) {
        self.operations.element("wsdl:operation", &[("name", name)], |operation| {
            operation.empty("wsdl:input", &[("message", &format!("tns:{name}SoapIn"))]);
            operation.empty("wsdl:output", &[("message", &format!("tns:{name}SoapOut"))]);
        });
        self.operations.characters("\n");
    }

    fn binding(&mut self, name: &str, input: impl FnOnce(&mut Writer), output: impl FnOnce(&mut Writer)) {
        self.bindings.element("wsdl:operation", &[("name", name)], |operation| {
            operation.empty("soap:operation", &[("soapAction", &format!("{SOAP_ACTION}{name}"))]);
            operation.element("wsdl:input", &[], input);
            operation.element("wsdl:output", &[], output);
        });
        self.bindings.characters("\n");
    }

    fn put_into(self, frame: &str) -> String {
        frame
            .replace("@MESSAGES@", &self.messages.finish())
            .replace("@OPERATIONS@", &self.operations.finish())
            .replace("@BINDINGS@", &self.bindings.finish())
    }
}

fn part(message: &mut Writer, name: &str, element: &str) {
    message.empty("wsdl:part", &[("name", name), ("element", element)]);
}

fn header(within: &mut Writer, operation: &str, message: &str, part: &str) {
    let message = format!("tns:{operation}{message}");
    within.empty("soap:header", &[("message", &message), ("part", part), ("use", "literal")]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{self, Element};

    fn root(text: &str) -> Element {
        // `use` of schemaLocation in requests is refused; in a description it is an ordinary attribute.
        xml::read(text.as_bytes()).expect("well-formed").root().clone()
    }

    fn named<'a>(element: &'a Element, kind: &str) -> Vec<&'a str> {
        let children = element.elements().iter().filter(|child| child.name() == kind);
        children.filter_map(|child| child.attribute("name")).collect()
    }

    #[test]
    fn each_operation_has_messages_a_port_and_a_binding() {
        let both = [
            (services(), EXCHANGE_OPERATIONS.as_slice()),
            (unified_messaging("https://um.example.test"), UNIFIED_MESSAGING_OPERATIONS.as_slice()),
        ];
        for (text, operations) in both {
            assert!(!text.contains('@'), "{text}");
            let root = root(&text);
            let messages = named(&root, "message");
            for kind in ["portType", "binding"] {
                let port = root.elements().iter().find(|child| child.name() == kind).expect(kind);
                assert_eq!(named(port, "operation"), operations);
            }
            for operation in operations {
                for message in [format!("{operation}SoapIn"), format!("{operation}SoapOut")] {
                    assert!(messages.contains(&message.as_str()), "{message}");
                }
            }
        }
    }

    #[test]
    fn each_message_is_an_element_of_the_schema() {
        let exchange = root(MESSAGES);
        let elements = named(&exchange, "element");
        for operation in EXCHANGE_OPERATIONS {
            assert!(elements.contains(&operation), "{operation}");
            assert!(elements.contains(&format!("{operation}Response").as_str()), "{operation}");
        }
        let wsdl = root(&unified_messaging("https://um.example.test"));
        let schema = &wsdl.elements()[0].elements()[0];
        let elements = named(schema, "element");
        for operation in UNIFIED_MESSAGING_OPERATIONS {
            assert!(elements.contains(&operation), "{operation}");
            assert!(elements.contains(&format!("{operation}Response").as_str()), "{operation}");
        }
    }

    /// Every type that is named is one that there is.
    #[test]
    fn types_that_are_referred_to_are_defined() {
        fn walk(element: &Element, defined: &mut Vec<String>, used: &mut Vec<String>, prefix: &str) {
            let kinds = ["complexType", "simpleType", "element", "group", "attributeGroup"];
            if let Some(name) = element.attribute("name").filter(|_| kinds.contains(&element.name())) {
                defined.push(format!("{prefix}:{name}"));
            }
            let references = ["type", "base", "ref"].into_iter().filter_map(|name| element.attribute(name));
            used.extend(references.filter(|name| !name.starts_with("xs:")).map(str::to_owned));
            element.elements().iter().for_each(|child| walk(child, defined, used, prefix));
        }
        let (mut defined, mut used) = (Vec::new(), Vec::new());
        walk(&root(MESSAGES), &mut defined, &mut used, "m");
        walk(&root(TYPES), &mut defined, &mut used, "t");
        let missing: Vec<_> = used.iter().filter(|name| !defined.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_address_is_the_one_that_was_used() {
        let text = unified_messaging("https://um.example.test:8443");
        assert!(
            text.contains("<soap:address location=\"https://um.example.test:8443/EWS/UM2007Legacy.asmx\"/>")
        );
        assert!(unified_messaging("x\"<&").contains("location=\"x&quot;&lt;&amp;/EWS/"));
    }

    /// What a client that builds its requests from the description looks for.
    #[test]
    fn the_exchange_services_are_described_as_clients_expect() {
        let text = services();
        assert!(!text.contains("wsdl:service"), "the client inserts one");
        assert!(text.contains("<wsdl:binding name=\"ExchangeServiceBinding\""));
        assert!(text.contains(
            "<wsdl:message name=\"PlayOnPhoneSoapIn\"><wsdl:part name=\"request\" element=\"tns:PlayOnPhone\"/>\
             <wsdl:part name=\"Impersonation\" element=\"t:ExchangeImpersonation\"/>\
             <wsdl:part name=\"MailboxCulture\" element=\"t:MailboxCulture\"/>\
             <wsdl:part name=\"RequestVersion\" element=\"t:RequestServerVersion\"/></wsdl:message>"
        ));
        assert!(text.contains("<soap:body parts=\"request\" use=\"literal\"/>"));
        assert!(text.contains("<soap:body parts=\"PlayOnPhoneResult\" use=\"literal\"/>"));
    }
}
