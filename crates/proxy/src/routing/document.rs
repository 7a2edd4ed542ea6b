//! The XML document of [MS-SIPRE] 2.2.9: one instance to a [`Preamble`], and [`Rules`] to a document.
//!
//! SIPRE-10: a document comes from somebody's telephone or file. There is no document type, no entity
//! but the five of XML, no processing instruction and nothing that leads outside; size, depth, elements
//! and attributes are bounded.

use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use quick_xml::{XmlVersion, escape::escape};

use super::{Flag, Preamble, Rules, WAIT_MAX};

/// The namespace of `routing`.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/02/2006/sip/routing";
/// The name of the instance that [`write`] makes: the one that telephones make.
const NAME: &str = "rtcdefault";

/// A longer document is refused.
pub const BYTES_MAX: usize = 64 << 10;
/// Elements within elements; a deeper document is refused. The schema has four.
pub const DEPTH_MAX: usize = 16;
/// Elements of a document; one with more is refused.
pub const ELEMENTS_MAX: usize = 1_024;
/// Attributes of an element; a document with more is refused.
pub const ATTRIBUTES_MAX: usize = 16;
/// Instances that one user may have.
pub const INSTANCES_MAX: usize = 16;

/// A document that says nothing, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Malformed {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "their texts say what they are")]
pub enum Fault {
    #[error("longer than 64 KiB")]
    TooLong,
    #[error("elements stand deeper than 16 levels")]
    TooDeep,
    #[error("more than 1024 elements")]
    TooManyElements,
    #[error("more than 16 attributes")]
    TooManyAttributes,
    #[error("not UTF-8")]
    NotUtf8,
    #[error("not well-formed: {0}")]
    NotWellFormed(String),
    #[error("a document type, which routing documents do not have")]
    DocumentType,
    #[error("a processing instruction, which routing documents do not have")]
    ProcessingInstruction,
    #[error("the entity `{0}`, which XML does not have")]
    Entity(String),
    #[error("not a routing document: it begins with `{0}`")]
    NotRouting(String),
    #[error("`{0}` has no {1}")]
    AttributeMissing(&'static str, &'static str),
    #[error("{1} of `{0}` is not a number")]
    NotANumber(&'static str, &'static str),
    #[error("there is no preamble")]
    NoPreamble,
    #[error("there is a second preamble")]
    SecondPreamble,
}

/// Reads one instance. SIPRE-2: elements and attributes that are not known are passed over.
pub fn read(document: &[u8]) -> Result<Preamble, Malformed> {
    let first = |fault| Malformed { line: 1, fault };
    if document.len() > BYTES_MAX {
        return Err(first(Fault::TooLong));
    }
    let text = std::str::from_utf8(document)
        .map_err(|error| Malformed { line: line(document, error.valid_up_to()), fault: Fault::NotUtf8 })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or_default();
        let step = match reader.read_resolved_event() {
            Ok((_, Event::Eof)) => {
                let end = reading.end();
                return end.map_err(|fault| Malformed { line: line(text.as_bytes(), text.len()), fault });
            }
            Ok((namespace, event)) => reading.event(&namespace, &event),
            Err(error) => Err(Fault::NotWellFormed(error.to_string())),
        };
        step.map_err(|fault| Malformed { line: line(text.as_bytes(), at), fault })?;
    }
}

fn line(text: &[u8], at: usize) -> usize {
    1 + text.iter().take(at).filter(|octet| **octet == b'\n').count()
}

/// Where we are in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Routing,
    Preamble,
    List,
    /// In something that we do not look into.
    Elsewhere,
}

#[derive(Default)]
struct Reading {
    preamble: Preamble,
    places: Vec<Place>,
    elements: usize,
    preambles: usize,
}

impl Reading {
    fn event(&mut self, namespace: &ResolveResult<'_>, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(element) => self.start(is_ours(namespace), element),
            Event::End(_) => {
                self.places.pop();
                Ok(())
            }
            Event::DocType(_) => Err(Fault::DocumentType),
            Event::PI(_) => Err(Fault::ProcessingInstruction),
            Event::GeneralRef(name) => {
                let known = name.is_char_ref() || ["lt", "gt", "amp", "apos", "quot"].contains(&&**name);
                if known { Ok(()) } else { Err(Fault::Entity(name.to_string())) }
            }
            Event::Decl(declaration) => match declaration.encoding() {
                None => Ok(()),
                Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
                Some(_) => Err(Fault::NotUtf8),
            },
            // There is no text in the schema. Empty elements come as start and end.
            Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Empty(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, is_ours: bool, element: &BytesStart<'_>) -> Result<(), Fault> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(Fault::TooManyElements);
        }
        if self.places.len() >= DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        let attributes = Attributes::read(element)?;
        let name = element.local_name();
        let name = if is_ours { name.as_ref() } else { "" };
        let place = match (self.places.last(), name) {
            (None, "routing") if self.elements == 1 => {
                // SIPRE-1. SIPRE-2: minSupportedClientVersion is not looked at.
                attributes.required("routing", "name")?;
                self.preamble.version =
                    number("routing", "version", attributes.required("routing", "version")?)?;
                Place::Routing
            }
            (None, _) if self.elements == 1 => {
                return Err(Fault::NotRouting(element.name().as_ref().to_owned()));
            }
            (None, _) => return Err(Fault::NotWellFormed("a second element at the top".to_owned())),
            (Some(Place::Routing), "preamble") => {
                self.preambles += 1;
                if self.preambles > 1 {
                    return Err(Fault::SecondPreamble);
                }
                Place::Preamble
            }
            (Some(Place::Preamble), "list") => {
                let name = attributes.required("list", "name")?.to_owned();
                self.preamble.lists.push((name, Vec::new()));
                Place::List
            }
            (Some(Place::Preamble), "flags") => {
                let name = attributes.required("flags", "name")?.to_owned();
                let value = attributes.required("flags", "value")?.to_owned();
                self.preamble.flags.push((name, value));
                Place::Elsewhere
            }
            (Some(Place::Preamble), "wait") => {
                let name = attributes.required("wait", "name")?.to_owned();
                let seconds = number("wait", "seconds", attributes.required("wait", "seconds")?)?;
                self.preamble.waits.push((name, seconds));
                Place::Elsewhere
            }
            (Some(Place::List), "target") => {
                // A target may name an application instead, of which there is none here.
                let uri = attributes.get("uri").unwrap_or_default();
                if let Some((_, targets)) = self.preamble.lists.last_mut() {
                    targets.push(uri.to_owned());
                }
                Place::Elsewhere
            }
            (Some(_), _) => Place::Elsewhere,
        };
        self.places.push(place);
        Ok(())
    }

    fn end(self) -> Result<Preamble, Fault> {
        if !self.places.is_empty() || self.elements == 0 {
            return Err(Fault::NotWellFormed("it ends early".to_owned()));
        }
        if self.preambles == 0 { Err(Fault::NoPreamble) } else { Ok(self.preamble) }
    }
}

fn is_ours(namespace: &ResolveResult<'_>) -> bool {
    matches!(namespace, ResolveResult::Bound(Namespace(name)) if *name == NAMESPACE)
}

/// SIPRE-9: an integer; what is negative is clamped here, what is too large where waits are merged.
fn number(element: &'static str, attribute: &'static str, text: &str) -> Result<u32, Fault> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.get(..1).unwrap_or_default(), digits),
        None => ("", text),
    };
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(Fault::NotANumber(element, attribute));
    }
    Ok(if sign == "-" { 0 } else { digits.parse().unwrap_or(u32::MAX) })
}

/// The attributes of one element, without a namespace.
struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn read(element: &BytesStart<'_>) -> Result<Self, Fault> {
        let mut attributes = Vec::new();
        for attribute in element.attributes() {
            if attributes.len() >= ATTRIBUTES_MAX {
                return Err(Fault::TooManyAttributes);
            }
            let broken = |error: String| Fault::NotWellFormed(error);
            let attribute = attribute.map_err(|error| broken(error.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| broken(error.to_string()))?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Attributes(attributes))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, element: &'static str, name: &'static str) -> Result<&str, Fault> {
        self.get(name).ok_or(Fault::AttributeMissing(element, name))
    }
}

/// Writes one instance with all that a document can say of these rules.
pub fn write(rules: &Rules) -> String {
    let one = |target: &Option<umbel_sip_message::Uri>| target.clone().into_iter().collect::<Vec<_>>();
    let lists = [
        ("forwardto", &one(&rules.forward_to)),
        ("simultaneous_ring", &one(&rules.ring_also)),
        ("team", &rules.team),
        ("delegates", &rules.delegates),
        ("breakthrough", &rules.breakthrough),
    ];
    let flags: Vec<&str> = rules.flags.iter().map(|flag| flag.as_str()).collect();
    let waits = [("total", rules.total), ("user", rules.user), ("team2", rules.team2)];

    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    };
    let version = version(rules);
    line(format_args!("<routing xmlns=\"{NAMESPACE}\" name=\"{NAME}\" version=\"{version}\">"));
    line(format_args!("  <preamble>"));
    for (name, targets) in lists.into_iter().filter(|(_, targets)| !targets.is_empty()) {
        line(format_args!("    <list name=\"{name}\">"));
        for target in targets {
            line(format_args!("      <target uri=\"{}\"/>", escape(target.as_str())));
        }
        line(format_args!("    </list>"));
    }
    line(format_args!("    <flags name=\"clientflags\" value=\"{}\"/>", flags.join(" ")));
    for (name, wait) in waits {
        if let Some(wait) = wait {
            let seconds = wait.min(WAIT_MAX).as_secs();
            line(format_args!("    <wait name=\"{name}\" seconds=\"{seconds}\"/>"));
        }
    }
    line(format_args!("  </preamble>"));
    line(format_args!("</routing>"));
    text
}

/// The lowest version that has all of it.
fn version(rules: &Rules) -> u32 {
    let second = [Flag::DelegateRing, Flag::TeamRing, Flag::SkipPrimary];
    let lists = [&rules.team, &rules.delegates, &rules.breakthrough];
    let needs_second =
        second.into_iter().any(|flag| rules.has(flag)) || lists.into_iter().any(|list| !list.is_empty());
    if needs_second { 2 } else { 1 }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
