//! What the worst documents that a request may hold take in memory, counted allocation by allocation. How long they
//! take is for `cargo bench -p umbel-ews`: no test depends on how fast a machine is.
#![allow(missing_docs, clippy::unwrap_used)]

use allocation_counter::measure;
use umbel_ews::envelope::Envelope;
use umbel_ews::xml::{self, BODY_BYTES_MAX, ELEMENTS_MAX};

/// SEC-94: "within … 16 MiB", the document itself included.
const MEMORY_MAX: u64 = 16 << 20;

/// `one` again and again between `start` and `end`, up to the longest document.
fn filled(start: &str, one: &str, end: &str) -> String {
    let room = BODY_BYTES_MAX - start.len() - end.len();
    format!("{start}{}{end}", one.repeat(room / one.len()))
}

/// The same, with so many at most.
fn with_elements(one: &str, elements_of_one: usize) -> String {
    let most = (ELEMENTS_MAX - 1) / elements_of_one;
    format!("<a>{}</a>", one.repeat(most.min((BODY_BYTES_MAX - 7) / one.len())))
}

/// Each with whether it can be read: what is refused must not cost more than what is not.
fn worst() -> Vec<(&'static str, String, bool)> {
    let numbered = |name: &str| -> String {
        let attributes: String = (0..100_000).map(|number| format!(" {name}{number}='1'")).collect();
        format!("<a{attributes}/>")
    };
    let entities: String = (0..1_000).map(|n| format!("<!ENTITY a{} '&a{n};&a{n};'>", n + 1)).collect();
    vec![
        ("entities", format!("<!DOCTYPE a [<!ENTITY a0 'ha'>{entities}]><a>&a1000;</a>"), false),
        ("100,000 attributes", numbered("a"), false),
        ("100,000 declarations", numbered("xmlns:a"), false),
        ("attributes of one element", filled("<a", " a=''", "/>"), false),
        ("declarations of one element", filled("<a", " xmlns:a=''", "/>"), false),
        ("too many elements", filled("<a>", "<b/>", "</a>"), false),
        ("elements", with_elements("<b/>", 1), true),
        ("elements with attributes", with_elements("<b c='' d=''/>", 1), true),
        ("elements with text", with_elements("<b>&#65;</b>", 1), true),
        ("elements in each other", with_elements(&("<b>".repeat(8) + &"</b>".repeat(8)), 8), true),
        ("elements among text", with_elements("x<b/>", 1), false),
        ("references", filled("<a>", "&#65;", "</a>"), true),
        ("text", format!("<a>{}</a>", "x".repeat(xml::TEXT_BYTES_MAX)), true),
        ("too much text", filled("<a>", "x", "</a>"), false),
        ("never closed", filled("", "<b>", ""), false),
    ]
}

/// SEC-94
#[test]
fn the_worst_document_takes_less_than_sixteen_mebibytes() {
    for (name, text, readable) in worst() {
        let mut is_read = false;
        let counted = measure(|| is_read = xml::read(text.as_bytes()).is_ok());
        assert_eq!(is_read, readable, "{name}");
        let most = counted.bytes_max + text.len() as u64;
        assert!(most < MEMORY_MAX, "{name}: {most} octets at once");
        assert_eq!(counted.bytes_current, 0, "{name}: nothing stays");
    }
}

/// SEC-94: within an envelope, as it comes.
#[test]
fn neither_does_a_request_that_holds_it() {
    for (name, text, _) in worst() {
        let envelope = format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>{text}</s:Body></s:Envelope>"
        );
        let counted = measure(|| drop(Envelope::read(envelope.as_bytes())));
        let most = counted.bytes_max + envelope.len() as u64;
        assert!(most < MEMORY_MAX, "{name}: {most} octets at once");
    }
}
