//! Elements as they were read, and how a reader of one operation asks them for what its schema allows.

use super::Namespace;

/// An element. Where it has children it has no text: none of our schemas mixes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub(super) namespace: Namespace,
    pub(super) name: String,
    pub(super) attributes: Vec<(Namespace, String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
    /// Offset of the start tag in the document.
    pub(super) at: usize,
}

/// The request is XML and yet not what the schema of the operation says; at which octet, and what is wrong there.
///
/// The words are ours alone: nothing that was sent is repeated (SEC-100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Violation {
    /// Octets before the element.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl Element {
    /// Its namespace.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Its local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is this one.
    pub fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// Its text with character references resolved, empty where it has children.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of its attribute without a namespace.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_in(Namespace::None, name)
    }

    /// The value of its attribute in a namespace.
    pub fn attribute_in(&self, namespace: Namespace, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(of, named, _)| *of == namespace && named == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// The value of an attribute that must be there.
    pub fn required_attribute(&self, name: &str) -> Result<&str, Violation> {
        self.attribute(name).ok_or(self.violation("A required attribute is missing."))
    }

    /// The first child of this name, wherever it stands; for headers and for what has no strict order.
    pub fn child(&self, namespace: Namespace, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// All children, in order.
    pub fn elements(&self) -> &[Element] {
        &self.children
    }

    /// Its children, to be taken in the order of the schema.
    pub fn children(&self) -> Children<'_> {
        Children { parent: self, rest: &self.children }
    }

    /// Something is wrong with this element.
    pub fn violation(&self, what: &'static str) -> Violation {
        Violation { at: self.at, what }
    }

    /// It has no child, so that its text is all.
    pub fn simple(&self) -> Result<&str, Violation> {
        match self.children.first() {
            Some(child) => Err(child.violation("No element is expected here.")),
            None => Ok(&self.text),
        }
    }

    /// Its text as `xs:boolean`.
    pub fn boolean(&self) -> Result<bool, Violation> {
        match self.simple()?.trim_matches(SPACE) {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.violation("The value is not a boolean.")),
        }
    }

    /// An attribute as a number that is not negative.
    pub fn number_attribute(&self, name: &str) -> Result<Option<u32>, Violation> {
        let Some(value) = self.attribute(name) else { return Ok(None) };
        let digits = value.trim_matches(SPACE);
        // `parse` alone would take a sign.
        let number =
            digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        number.map(Some).ok_or(self.violation("The value is not a number that is possible here."))
    }
}

/// What XML Schema strips around booleans and numbers.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The children of an element that have not been taken yet.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    parent: &'a Element,
    rest: &'a [Element],
}

impl<'a> Children<'a> {
    /// The next child, which must be this one.
    pub fn required(&mut self, namespace: Namespace, name: &str) -> Result<&'a Element, Violation> {
        match self.optional(namespace, name) {
            Some(child) => Ok(child),
            None => Err(match self.rest.first() {
                Some(other) => other.violation("Another element is expected here."),
                None => self.parent.violation("A required element is missing."),
            }),
        }
    }

    /// The next child, if it is this one.
    pub fn optional(&mut self, namespace: Namespace, name: &str) -> Option<&'a Element> {
        let (first, rest) = self.rest.split_first()?;
        if !first.is(namespace, name) {
            return None;
        }
        self.rest = rest;
        Some(first)
    }

    /// The next child, whatever it is.
    pub fn take(&mut self) -> Option<&'a Element> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// There must be no more.
    pub fn end(&self) -> Result<(), Violation> {
        match self.rest.first() {
            Some(extra) => Err(extra.violation("The element is not expected here.")),
            None => Ok(()),
        }
    }
}
