//! Fields by name, without a meaning: what a relay needs.

use std::borrow::Cow;

use super::{Entry, Headers};
use crate::grammar;
use crate::header_name::HeaderName;
use crate::list;

/// One header field as it came.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    message: &'a [u8],
    entry: &'a Entry,
}

impl<'a> Field<'a> {
    /// Its name.
    pub fn name(&self) -> HeaderName {
        match self.entry.known {
            Some(known) => known.name(),
            None => match self.name_as_written().parse() {
                Ok(name) => name,
                Err(_) => unreachable!("names were checked when parsed"),
            },
        }
    }

    /// Its name as it is written.
    pub fn name_as_written(&self) -> &'a str {
        grammar::text(self.name_octets())
    }

    fn name_octets(&self) -> &'a [u8] {
        self.line().get(..usize::from(self.entry.name_length)).unwrap_or_default()
    }

    /// Whether this is its name; costs less than [`Field::name`] where the name is unknown.
    pub fn is(&self, name: &HeaderName) -> bool {
        name.is(self.entry.known, self.name_octets())
    }

    /// The whole field with its folds and its line end, as relayed.
    pub fn line(&self) -> &'a [u8] {
        self.entry.line.of(self.message)
    }

    /// The value, unfolded, without white space around it.
    pub fn value(&self) -> Cow<'a, [u8]> {
        grammar::unfold(self.raw_value())
    }

    /// The value with its folds, without white space around it.
    pub fn raw_value(&self) -> &'a [u8] {
        self.entry.value.of(self.message)
    }
}

impl std::fmt::Debug for Field<'_> {
    /// The name only: values may be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name_as_written())
    }
}

/// The fields of a table over `message`, in wire order.
pub(crate) fn fields<'a>(message: &'a [u8], table: &'a [Entry]) -> impl Iterator<Item = Field<'a>> {
    table.iter().map(move |entry| Field { message, entry })
}

impl Headers {
    /// All fields, in wire order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        fields(&self.message, &self.table)
    }

    /// The fields with this name, in wire order.
    pub fn fields<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = Field<'a>> {
        self.iter().filter(move |field| field.is(name))
    }

    /// The value of the first field with this name: unfolded, without white space around it.
    pub fn get(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>> {
        self.iter().find(|field| field.is(name)).map(|field| field.value())
    }

    /// The same as text, bad UTF-8 shown by replacement marks.
    pub fn get_text(&self, name: &HeaderName) -> Option<Cow<'_, str>> {
        self.get(name).map(|value| match value {
            Cow::Borrowed(octets) => String::from_utf8_lossy(octets),
            Cow::Owned(octets) => Cow::Owned(String::from_utf8_lossy(&octets).into_owned()),
        })
    }

    /// The values of all fields with this name.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.fields(name).map(|field| field.value())
    }

    /// How many fields have this name.
    pub fn count(&self, name: &HeaderName) -> usize {
        self.fields(name).count()
    }

    /// Whether any field has this name.
    pub fn has(&self, name: &HeaderName) -> bool {
        self.fields(name).next().is_some()
    }

    /// The elements of a comma list across all fields with this name: as written, folds inside are kept,
    /// empty elements are left out.
    pub fn elements<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.fields(name).flat_map(|field| list::elements(field.raw_value()))
    }

    /// The same for lists of tokens, such as Supported; elements that are none are left out.
    pub fn tokens<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.elements(name).filter(|element| grammar::all(element, grammar::TOKEN)).map(grammar::text)
    }

    /// Whether a list of tokens has this one. Option tags are compared without case (RFC 3261 7.3.1).
    pub fn has_token(&self, name: &HeaderName, token: &str) -> bool {
        self.tokens(name).any(|found| found.eq_ignore_ascii_case(token))
    }
}
