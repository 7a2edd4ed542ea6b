//! Web services: whatever is sent is read within its limits, or refused; what is printed of it can be read.

use umbel_ews::envelope::Envelope;
use umbel_ews::xml::{self, DEPTH_MAX, Element, TEXT_BYTES_MAX, Writer};
use umbel_ews::{autodiscover, exchange, unified_messaging};

/// Octets as a request to any of the services.
pub fn envelope(octets: &[u8]) {
    let _ = autodiscover::read_plain(octets);
    if let Ok(document) = xml::read(octets) {
        within_limits(document.root(), 1);
    }
    match Envelope::read(octets) {
        Ok(envelope) => {
            let _ = (exchange::admit(&envelope), exchange::read(&envelope));
            let _ = (unified_messaging::read(&envelope), autodiscover::read_soap(&envelope));
            printed(envelope.operation());
        }
        // A fault is an answer, so it is XML.
        Err(fault) => assert!(xml::read(fault.to_xml().as_bytes()).is_ok()),
    }
}

fn within_limits(element: &Element, depth: usize) {
    assert!(depth <= DEPTH_MAX && element.text().len() <= TEXT_BYTES_MAX);
    element.elements().iter().for_each(|child| within_limits(child, depth + 1));
}

fn printed(element: &Element) {
    let mut writer = Writer::new();
    writer.element("x", &[("y", element.text())], |within| within.characters(element.text()));
    // Escapes may make it longer than a request may be.
    if let Ok(again) = xml::read(writer.finish().as_bytes()) {
        assert_eq!(again.root().text(), element.text());
    }
}
