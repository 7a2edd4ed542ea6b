//! SOAP 1.1 envelopes: taken off requests, put around answers.

use crate::fault::Fault;
use crate::response_code::ResponseCode;
use crate::xml::{self, Document, Element, Namespace, Violation, Writer};

/// SOAP 1.1, section 4.2.2: whoever gets the message first.
const NEXT_ACTOR: &str = "http://schemas.xmlsoap.org/soap/actor/next";

/// A request in its envelope.
#[derive(Clone, Debug)]
pub struct Envelope {
    document: Document,
    /// Which child of the root is the body; it has exactly one child.
    body: usize,
}

/// The two services. They answer the same wrongs in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// [MS-OXWUMS]'s own: faults only, no headers.
    UnifiedMessaging,
    /// The Exchange web services: errors within answers, a version in every header.
    Exchange,
}

impl Envelope {
    /// Takes the envelope off. What is no XML, or none that is allowed here, is `ErrorInvalidRequest`.
    pub fn read(octets: &[u8]) -> Result<Envelope, Fault> {
        const INVALID: Fault = Fault::Code(ResponseCode::ErrorInvalidRequest);
        let document = xml::read(octets).map_err(|_| INVALID)?;
        let root = document.root();
        if root.name() == "Envelope" && root.namespace() != Namespace::Soap {
            return Err(Fault::VersionMismatch);
        }
        if !root.is(Namespace::Soap, "Envelope") {
            return Err(INVALID);
        }
        let mut children = root.children();
        let body = usize::from(children.optional(Namespace::Soap, "Header").is_some());
        let one = children.required(Namespace::Soap, "Body").is_ok_and(|body| body.elements().len() == 1);
        if !one || children.end().is_err() {
            return Err(INVALID);
        }
        Ok(Envelope { document, body })
    }

    /// The child of the body: its name is the operation, whatever `SOAPAction` says.
    pub fn operation(&self) -> &Element {
        // `read` saw that there is exactly one.
        &self.document.root().elements()[self.body].elements()[0]
    }

    /// The children of the header.
    pub fn headers(&self) -> &[Element] {
        self.document.root().child(Namespace::Soap, "Header").map_or(&[], Element::elements)
    }

    /// A header.
    pub fn header(&self, namespace: Namespace, name: &str) -> Option<&Element> {
        self.headers().iter().find(|header| header.is(namespace, name))
    }

    /// SOAP 1.1, section 4.2.3: refuses what must be understood and is none of these namespaces'. What is for another
    /// actor (section 4.2.2) need not be.
    pub fn understand(&self, understood: &[Namespace]) -> Result<(), Fault> {
        let must = |header: &Element| {
            let value = header.attribute_in(Namespace::Soap, "mustUnderstand");
            let actor = header.attribute_in(Namespace::Soap, "actor").unwrap_or_default();
            let is_ours = actor.is_empty() || actor == NEXT_ACTOR;
            is_ours && value.is_some_and(|value| value != "0" && value != "false")
        };
        match self.headers().iter().any(|header| must(header) && !understood.contains(&header.namespace())) {
            true => Err(Fault::MustUnderstand),
            false => Ok(()),
        }
    }

    /// The fault for what is not as the schema says. Nothing was done yet.
    ///
    /// [MS-OXWUMS] has but `ErrorInvalidRequest` for this; the Exchange web services tell the place, and so
    /// avoid the code upon which clients repeat the request in other versions.
    pub fn refuse(&self, service: Service, violation: Violation) -> Fault {
        match service {
            Service::UnifiedMessaging => Fault::Code(ResponseCode::ErrorInvalidRequest),
            Service::Exchange => {
                Fault::Schema { place: self.document.place(violation), violation: violation.what }
            }
        }
    }
}

/// The version that is claimed in every answer of the Exchange web services. Clients choose by it what they
/// ask for, and some do not start without it.
pub const SERVER_VERSION: [(&str, &str); 5] = [
    ("MajorVersion", "15"),
    ("MinorVersion", "1"),
    ("MajorBuildNumber", "2507"),
    ("MinorBuildNumber", "6"),
    ("Version", "Exchange2016"),
];

/// An answer of the Exchange web services: with `ServerVersionInfo` in the header.
pub fn exchange(body: impl FnOnce(&mut Writer)) -> String {
    let declared = [Namespace::Soap, Namespace::Messages, Namespace::Types, Namespace::SchemaInstance];
    print(
        &declared,
        |writer| writer.element("s:Header", &[], |h| h.empty("t:ServerVersionInfo", &SERVER_VERSION)),
        body,
    )
}

/// An answer of the unified messaging service: without headers.
pub fn unified_messaging(body: impl FnOnce(&mut Writer)) -> String {
    print(&[Namespace::Soap, Namespace::Messages], |_| {}, body)
}

/// A fault.
pub(crate) fn fault(body: impl FnOnce(&mut Writer)) -> String {
    print(&[Namespace::Soap], |_| {}, body)
}

/// An envelope with these namespaces declared, a header (printed whole) and a body (its content).
pub(crate) fn print(
    declared: &[Namespace],
    header: impl FnOnce(&mut Writer),
    body: impl FnOnce(&mut Writer),
) -> String {
    let mut writer = Writer::new();
    let declared: Vec<(&'static str, &str)> =
        declared.iter().map(|namespace| (namespace.declaration(), namespace.name())).collect();
    writer.element("s:Envelope", &declared, |envelope| {
        header(envelope);
        envelope.element("s:Body", &[], body);
    });
    writer.finish()
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
