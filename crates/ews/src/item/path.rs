//! How a request names a property: `t:FieldURI`, `t:IndexedFieldURI`, `t:ExtendedFieldURI` ([MS-OXWSXPROP]).

use crate::xml::{Element, Namespace, Violation, Writer};

use super::field::Field;

/// PS_INTERNET_HEADERS
const INTERNET_HEADERS: u128 = 0x0002_0386_0000_0000_c000_0000_0000_0046;
/// PSETID_UnifiedMessaging
const UNIFIED_MESSAGING: u128 = 0x4442_858e_a9e3_4e80_b900_317a_210c_c15b;
/// PSETID_Common
const COMMON: u128 = 0x0006_2008_0000_0000_c000_0000_0000_0046;

/// What a request calls a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// A field of items.
    Field(Field),
    /// A field that items here do not have, or one of folders.
    Other(String),
    /// A property by tag or name.
    Extended(Extended),
}

/// An extended property, as it was asked for: answers repeat these words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    /// Which one.
    pub property: Property,
    /// Its type.
    pub kind: Kind,
    attributes: Vec<(&'static str, String)>,
}

/// Which extended property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// By its tag.
    Tag(u16),
    /// By a name in a set.
    Named(PropertySet, String),
    /// By a number in a set.
    Numbered(PropertySet, i64),
}

/// The sets that have something in them here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertySet {
    /// Headers of internet mail.
    InternetHeaders,
    /// Those of voice mail.
    UnifiedMessaging,
    /// Those of all items.
    Common,
    /// Any other.
    Other,
}

/// `t:MapiPropertyTypeType`, as far as properties here have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `String`
    String,
    /// `Integer`, `Short` and `Long`
    Integer,
    /// `Boolean`
    Boolean,
    /// `SystemTime`
    SystemTime,
    /// `Binary`
    Binary,
    /// Any other that the schema has.
    Other,
}

impl Kind {
    fn from_word(word: &str) -> Option<Kind> {
        const OTHERS: [&str; 19] = [
            "ApplicationTime",
            "ApplicationTimeArray",
            "BinaryArray",
            "CLSID",
            "CLSIDArray",
            "Currency",
            "CurrencyArray",
            "Double",
            "DoubleArray",
            "Error",
            "Float",
            "FloatArray",
            "IntegerArray",
            "LongArray",
            "Null",
            "Object",
            "ObjectArray",
            "ShortArray",
            "SystemTimeArray",
        ];
        match word {
            "String" => Some(Kind::String),
            "Integer" | "Short" | "Long" => Some(Kind::Integer),
            "Boolean" => Some(Kind::Boolean),
            "SystemTime" => Some(Kind::SystemTime),
            "Binary" => Some(Kind::Binary),
            "StringArray" => Some(Kind::Other),
            word => OTHERS.contains(&word).then_some(Kind::Other),
        }
    }
}

impl PropertySet {
    fn from_word(word: &str) -> PropertySet {
        match word {
            "InternetHeaders" => PropertySet::InternetHeaders,
            "UnifiedMessaging" => PropertySet::UnifiedMessaging,
            "Common" => PropertySet::Common,
            _ => PropertySet::Other,
        }
    }

    /// A set by its GUID; braces may stand around it.
    fn from_guid(text: &str) -> Option<PropertySet> {
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let is_guid = text.len() == 36 && digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let guid = u128::from_str_radix(&digits, 16).ok().filter(|_| is_guid)?;
        Some(match guid {
            INTERNET_HEADERS => PropertySet::InternetHeaders,
            UNIFIED_MESSAGING => PropertySet::UnifiedMessaging,
            COMMON => PropertySet::Common,
            _ => PropertySet::Other,
        })
    }
}

/// A property tag: hexadecimal digits of either case after `0x`, or decimal ones.
fn read_tag(text: &str) -> Option<u16> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => u16::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

impl Path {
    /// Reads one of the three elements; `None` where it is another one.
    pub fn read(element: &Element) -> Result<Option<Path>, Violation> {
        if element.namespace() != Namespace::Types {
            return Ok(None);
        }
        match element.name() {
            "FieldURI" => {
                let uri = element.required_attribute("FieldURI")?;
                let known = Field::from_uri(uri).map(Path::Field);
                Ok(Some(known.unwrap_or_else(|| Path::Other(uri.to_owned()))))
            }
            "IndexedFieldURI" => {
                let uri = element.required_attribute("FieldURI")?;
                element.required_attribute("FieldIndex")?;
                Ok(Some(Path::Other(uri.to_owned())))
            }
            "ExtendedFieldURI" => Extended::read(element).map(|extended| Some(Path::Extended(extended))),
            _ => Ok(None),
        }
    }

    /// The same, where it must be one of them.
    pub fn required(element: &Element) -> Result<Path, Violation> {
        Path::read(element)?.ok_or_else(|| element.violation("The path of a property is expected here."))
    }
}

impl Extended {
    fn read(element: &Element) -> Result<Extended, Violation> {
        let wrong = |what| element.violation(what);
        let mut attributes = Vec::new();
        for name in [
            "DistinguishedPropertySetId",
            "PropertySetId",
            "PropertyTag",
            "PropertyName",
            "PropertyId",
            "PropertyType",
        ] {
            attributes.extend(element.attribute(name).map(|value| (name, value.to_owned())));
        }
        let kind = element.required_attribute("PropertyType")?;
        let kind = Kind::from_word(kind).ok_or_else(|| wrong("The type of the property is not known."))?;
        let set = match (element.attribute("DistinguishedPropertySetId"), element.attribute("PropertySetId"))
        {
            (None, None) => None,
            (Some(word), None) => Some(PropertySet::from_word(word)),
            (None, Some(guid)) => {
                let set = PropertySet::from_guid(guid);
                Some(set.ok_or_else(|| wrong("The id of the property set is not a GUID."))?)
            }
            (Some(_), Some(_)) => return Err(wrong("The property set is named twice.")),
        };
        let names = (
            element.attribute("PropertyTag"),
            element.attribute("PropertyName"),
            element.attribute("PropertyId"),
        );
        let property = match (set, names) {
            (None, (Some(tag), None, None)) => {
                Property::Tag(read_tag(tag).ok_or_else(|| wrong("The property tag is not a number."))?)
            }
            (Some(set), (None, Some(name), None)) => Property::Named(set, name.to_owned()),
            (Some(set), (None, None, Some(id))) => {
                let id = id.trim().parse().map_err(|_| wrong("The id of the property is not a number."))?;
                Property::Numbered(set, id)
            }
            _ => return Err(wrong("The property is named by a tag, or by a set with a name or a number.")),
        };
        Ok(Extended { property, kind, attributes })
    }

    /// Prints the path as it was asked for.
    pub(crate) fn print(&self, writer: &mut Writer) {
        let attributes: Vec<_> =
            self.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        writer.empty("t:ExtendedFieldURI", &attributes);
    }
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
