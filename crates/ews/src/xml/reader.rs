//! Octets into a tree, within limits (SEC-93 to SEC-95), by quick-xml's reader.
//!
//! That reader knows no document types and fetches nothing, but it lets much pass that is not well-formed.
//! What it lets pass and what would be harmful here is refused here: at the first such token, before the tree grows.

use quick_xml::Error;
use quick_xml::XmlVersion;
use quick_xml::escape::EscapeError;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::{Element, Namespace, Violation};

/// SEC-95: the longest document. Whoever reads from a connection stops there too, with 413.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// SEC-95: elements within each other.
pub const DEPTH_MAX: usize = 32;
/// SEC-95: attributes of one element, declarations of namespaces among them.
pub const ATTRIBUTES_MAX: usize = 64;
/// SEC-95: text of one element, or value of one attribute.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Namespaces declared at one place of the document: each name is looked up among them.
pub const NAMESPACES_MAX: usize = 64;
/// Elements of a document. Bounds the memory of the tree: an element of four octets costs some 150 here.
pub const ELEMENTS_MAX: usize = 16 * 1024;

/// A document that was read.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    root: Element,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

/// Why octets are no document. The words are ours alone (SEC-100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not well-formed, or cut off.
    #[error("not XML: {0}")]
    NotXml(&'static str),
    /// SEC-93: a document type, an entity, a processing instruction, XInclude, a schema to be fetched.
    #[error("not allowed here: {0}")]
    Forbidden(&'static str),
    /// SEC-95: a limit.
    #[error("too many or too long: {0}")]
    TooMuch(&'static str),
    /// Not UTF-8.
    #[error("not UTF-8")]
    Charset,
}

impl Document {
    /// The outermost element.
    pub fn root(&self) -> &Element {
        &self.root
    }

    /// Where a violation is, for the one fault that tells it.
    pub fn place(&self, violation: Violation) -> Place {
        let before = self.text.get(..violation.at).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            line: 1 + before.bytes().filter(|octet| *octet == b'\n').count(),
            column: 1 + before.get(line_start..).unwrap_or("").chars().count(),
        }
    }
}

/// Reads a document.
pub fn read(octets: &[u8]) -> Result<Document, Unreadable> {
    if octets.len() > BODY_BYTES_MAX {
        return Err(Unreadable::TooMuch("the document"));
    }
    let text = utf8(octets)?;
    if !text.chars().all(is_character) {
        return Err(Unreadable::NotXml("a character that XML does not have"));
    }
    let root = Tree::default().read(text)?;
    Ok(Document { text: text.to_owned(), root })
}

fn utf8(octets: &[u8]) -> Result<&str, Unreadable> {
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    // UTF-16, with its mark or as XML 1.0 appendix F tells it without.
    if octets.starts_with(b"\xFF\xFE")
        || octets.starts_with(b"\xFE\xFF")
        || octets.iter().take(2).any(|o| *o == 0)
    {
        return Err(Unreadable::Charset);
    }
    std::str::from_utf8(octets).map_err(|_| Unreadable::Charset)
}

/// XML 1.0 2.2, `Char`.
pub(super) fn is_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

/// The elements that are open, the outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn read(mut self, text: &str) -> Result<Element, Unreadable> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_comments = true;
        reader.resolver_mut().set_max_namespace_bindings(NAMESPACES_MAX);
        let mut first = true;
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
            let event = reader.read_event().map_err(refused)?;
            match event {
                Event::Decl(declaration) if first => declared(&declaration)?,
                Event::Decl(_) => return Err(Unreadable::NotXml("a declaration that is not at the start")),
                Event::DocType(_) => return Err(Unreadable::Forbidden("a document type")),
                Event::PI(_) => return Err(Unreadable::Forbidden("a processing instruction")),
                Event::Start(start) => {
                    let element = self.element(&reader, &start, at)?;
                    self.open.push(element);
                }
                Event::Empty(start) => {
                    let element = self.element(&reader, &start, at)?;
                    self.close(element)?;
                }
                Event::End(_) => match self.open.pop() {
                    Some(element) => self.close(element)?,
                    None => return Err(Unreadable::NotXml("an end without a start")),
                },
                Event::Text(text) => {
                    if text.contains("]]>") {
                        return Err(Unreadable::NotXml("the end of a CDATA section in a text"));
                    }
                    self.characters(&text.xml10_content())?;
                }
                Event::CData(data) => self.characters(&data.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) => character,
                        Ok(None) => predefined(&reference).ok_or(Unreadable::Forbidden("an entity"))?,
                        Err(_) => return Err(Unreadable::NotXml("a reference to no character")),
                    };
                    if !is_character(character) {
                        return Err(Unreadable::NotXml("a character that XML does not have"));
                    }
                    self.characters(character.encode_utf8(&mut [0; 4]))?;
                }
                Event::Comment(_) => {}
                Event::Eof => break,
            }
            first = false;
        }
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(Unreadable::NotXml("cut off")),
        }
    }

    fn element(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart,
        at: usize,
    ) -> Result<Element, Unreadable> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Unreadable::TooMuch("elements within each other"));
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(Unreadable::TooMuch("elements"));
        }
        if self.root.is_some() {
            return Err(Unreadable::NotXml("a second outermost element"));
        }
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let (namespace, _) = resolved(&namespace)?;
        if namespace == Namespace::Include {
            return Err(Unreadable::Forbidden("XInclude"));
        }
        if !is_name(local.as_ref()) {
            return Err(Unreadable::NotXml("a name"));
        }
        let attributes = attributes(reader, start)?;
        let name = local.as_ref().to_owned();
        Ok(Element { namespace, name, attributes, text: String::new(), children: Vec::new(), at })
    }

    fn close(&mut self, mut element: Element) -> Result<(), Unreadable> {
        if !element.children.is_empty() {
            if !element.text.bytes().all(|octet| octet.is_ascii_whitespace()) {
                return Err(Unreadable::NotXml("text between elements"));
            }
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> Result<(), Unreadable> {
        match self.open.last_mut() {
            Some(element) => {
                if element.text.len() + text.len() > TEXT_BYTES_MAX {
                    return Err(Unreadable::TooMuch("text"));
                }
                element.text.push_str(text);
                Ok(())
            }
            None if text.bytes().all(|octet| octet.is_ascii_whitespace()) => Ok(()),
            None => Err(Unreadable::NotXml("text outside of all elements")),
        }
    }
}

/// The attributes of an element but for declarations. Counted before anything compares them with each other:
/// a reader that looks for duplicates first takes the square of their number (RUSTSEC-2026-0194, -0195).
fn attributes(
    reader: &NsReader<&[u8]>,
    start: &BytesStart,
) -> Result<Vec<(Namespace, String, String)>, Unreadable> {
    const NOT_ATTRIBUTES: Unreadable = Unreadable::NotXml("attributes");
    if start.attributes().with_checks(false).take(ATTRIBUTES_MAX + 1).count() > ATTRIBUTES_MAX {
        return Err(Unreadable::TooMuch("attributes"));
    }
    let mut kept = Vec::new();
    let mut names: Vec<(String, &str)> = Vec::new();
    let all: Vec<Attribute> =
        start.attributes().with_checks(false).collect::<Result<_, _>>().map_err(|_| NOT_ATTRIBUTES)?;
    for attribute in &all {
        let (of, local) = reader.resolver().resolve_attribute(attribute.key);
        let declares = attribute.key.as_namespace_binding().is_some();
        let local = local.into_inner();
        let (namespace, full) = if declares { (Namespace::None, "xmlns") } else { resolved(&of)? };
        // Namespaces in XML 6.3: no two attributes with one expanded name.
        if names.iter().any(|(of, named)| of == full && *named == local) {
            return Err(Unreadable::NotXml("the same attribute twice"));
        }
        names.push((full.to_owned(), local));
        if attribute.value.contains('<') || (!declares && !is_name(local)) {
            return Err(NOT_ATTRIBUTES);
        }
        if attribute.value.len() > TEXT_BYTES_MAX {
            return Err(Unreadable::TooMuch("the value of an attribute"));
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| match error {
            Error::Escape(EscapeError::UnrecognizedEntity(..)) => {
                Unreadable::Forbidden("an entity in an attribute")
            }
            _ => Unreadable::NotXml("a reference to no character"),
        })?;
        if !value.chars().all(is_character) {
            return Err(Unreadable::NotXml("a character that XML does not have"));
        }
        if namespace == Namespace::SchemaInstance
            && matches!(local, "schemaLocation" | "noNamespaceSchemaLocation")
        {
            return Err(Unreadable::Forbidden("a schema from elsewhere"));
        }
        if !declares {
            kept.push((namespace, local.to_owned(), value.into_owned()));
        }
    }
    Ok(kept)
}

fn resolved<'a>(of: &'a ResolveResult) -> Result<(Namespace, &'a str), Unreadable> {
    match of {
        ResolveResult::Unbound => Ok((Namespace::None, "")),
        ResolveResult::Bound(namespace) => Ok((Namespace::named(namespace.0), namespace.0)),
        ResolveResult::Unknown(_) => Err(Unreadable::NotXml("a prefix without a declaration")),
    }
}

/// XML 1.0 4.6: these five need no declaration.
fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// XML 1.0 2.8: the version is 1.0; a named encoding must be the one that was found.
fn declared(declaration: &BytesDecl) -> Result<(), Unreadable> {
    if declaration.version().map_err(|_| Unreadable::NotXml("the declaration"))? != "1.0" {
        return Err(Unreadable::NotXml("a version other than 1.0"));
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(named)) if named.eq_ignore_ascii_case("utf-8") || named.eq_ignore_ascii_case("us-ascii") => {
            Ok(())
        }
        Some(_) => Err(Unreadable::Charset),
    }
}

/// Namespaces in XML 3, `NCName`, with every character beyond ASCII let pass: all names that mean anything
/// here are of ASCII letters.
fn is_name(name: &str) -> bool {
    let first = |octet: u8| octet.is_ascii_alphabetic() || octet == b'_' || octet >= 0x80;
    let further = |octet: u8| first(octet) || octet.is_ascii_digit() || octet == b'-' || octet == b'.';
    name.bytes().next().is_some_and(first) && name.bytes().all(further)
}

fn refused(error: Error) -> Unreadable {
    use quick_xml::name::NamespaceError;
    match error {
        Error::Namespace(NamespaceError::TooManyBindings(_)) => Unreadable::TooMuch("namespaces"),
        _ => Unreadable::NotXml("not well-formed, or cut off"),
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
