//! Which properties a request wants to see: `m:ItemShape`, `m:FolderShape`.

use crate::xml::{Element, Namespace, Violation};

use super::field::{BaseShape, Field};
use super::path::{Extended, Path};

/// Most properties that a shape may add; a request with more is refused.
pub const PROPERTIES_MAX: usize = 256;

/// What is wanted of items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemShape {
    /// Fields in the order of the schema, each once.
    pub fields: Vec<Field>,
    /// Extended properties in the order of the request.
    pub extended: Vec<Extended>,
}

/// What is wanted of folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderShape {
    /// The base.
    pub base: BaseShape,
    /// `FieldURI`s that are added.
    pub fields: Vec<String>,
    /// Extended properties that are added.
    pub extended: Vec<Extended>,
}

/// What else stands in a shape and makes no difference here: bodies are plain text.
const IRRELEVANT: [&str; 9] = [
    "BodyType",
    "UniqueBodyType",
    "NormalizedBodyType",
    "FilterHtmlContent",
    "ConvertHtmlCodePageToUTF8",
    "InlineImageUrlTemplate",
    "BlockExternalImages",
    "AddBlankTargetToLinks",
    "MaximumBodySize",
];

impl ItemShape {
    /// Reads `m:ItemShape`. In lists, what is large is left out of the base shapes.
    pub fn read(element: &Element, in_list: bool) -> Result<Self, Violation> {
        let (base, paths) = read(element)?;
        let mut shape = ItemShape::default();
        shape.fields.extend(Field::ALL.iter().copied().filter(|field| field.is_in(base, in_list)));
        if let Some(include) = element.child(Namespace::Types, "IncludeMimeContent")
            && include.boolean()?
        {
            shape.fields.push(Field::MimeContent);
        }
        for path in paths {
            match path {
                Path::Field(field) => shape.fields.push(field),
                Path::Extended(extended) => shape.extended.push(extended),
                // A property that no item here has.
                Path::Other(_) => {}
            }
        }
        // The sound is not looked at for lists.
        shape.fields.retain(|field| !(in_list && *field == Field::MimeContent));
        shape.fields.sort_unstable();
        shape.fields.dedup();
        Ok(shape)
    }

    /// Whether the whole mail is wanted, for which the sound is needed.
    pub fn wants_mime(&self) -> bool {
        self.fields.contains(&Field::MimeContent)
    }
}

impl FolderShape {
    /// Reads `m:FolderShape`.
    pub fn read(element: &Element) -> Result<Self, Violation> {
        let (base, paths) = read(element)?;
        let mut shape = FolderShape { base, fields: Vec::new(), extended: Vec::new() };
        for path in paths {
            match path {
                Path::Field(field) => shape.fields.push(field.uri().to_owned()),
                Path::Other(uri) => shape.fields.push(uri),
                Path::Extended(extended) => shape.extended.push(extended),
            }
        }
        Ok(shape)
    }
}

fn read(element: &Element) -> Result<(BaseShape, Vec<Path>), Violation> {
    let mut base = None;
    let mut paths = Vec::new();
    for child in element.elements() {
        if child.namespace() != Namespace::Types {
            return Err(child.violation("The element is not expected here."));
        }
        match child.name() {
            "BaseShape" => {
                let shape = BaseShape::from_word(child.simple()?.trim());
                base = Some(shape.ok_or_else(|| child.violation("The base shape is not known."))?);
            }
            "AdditionalProperties" => {
                // In sum: a shape may have several lists.
                if paths.len() + child.elements().len() > PROPERTIES_MAX {
                    return Err(child.violation("Too many properties are asked for."));
                }
                for path in child.elements() {
                    paths.push(Path::required(path)?);
                }
            }
            "IncludeMimeContent" => {}
            name if IRRELEVANT.contains(&name) => {}
            _ => return Err(child.violation("The element is not expected here.")),
        }
    }
    let base = base.ok_or_else(|| element.violation("A required element is missing."))?;
    Ok((base, paths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml;

    fn shape(within: &str, in_list: bool) -> Result<ItemShape, Violation> {
        let text = format!(
            "<ItemShape xmlns='http://schemas.microsoft.com/exchange/services/2006/types'>{within}</ItemShape>"
        );
        ItemShape::read(xml::read(text.as_bytes()).expect(&text).root(), in_list)
    }

    fn property(tag: usize) -> String {
        format!("<ExtendedFieldURI PropertyTag='{tag}' PropertyType='String'/>")
    }

    #[test]
    fn a_shape_is_its_base_and_what_is_added() {
        let added = "<BaseShape>IdOnly</BaseShape><AdditionalProperties><FieldURI FieldURI='message:IsRead'/>\
                     <FieldURI FieldURI='item:Subject'/><FieldURI FieldURI='item:ItemId'/>\
                     <FieldURI FieldURI='item:Categories'/></AdditionalProperties>";
        let shape = shape(added, false).expect(added);
        assert_eq!(shape.fields, [Field::ItemId, Field::Subject, Field::IsRead]);
    }

    #[test]
    fn the_whole_mail_is_for_single_items() {
        let mime = "<BaseShape>IdOnly</BaseShape><IncludeMimeContent>true</IncludeMimeContent>";
        assert!(shape(mime, false).is_ok_and(|shape| shape.wants_mime()));
        assert!(shape(mime, true).is_ok_and(|shape| !shape.wants_mime()));
        let not = "<BaseShape>AllProperties</BaseShape><IncludeMimeContent>false</IncludeMimeContent>";
        assert!(shape(not, false).is_ok_and(|shape| !shape.wants_mime()));
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        for within in ["", "<BaseShape>Some</BaseShape>", "<BaseShape>IdOnly</BaseShape><Shape/>"] {
            assert!(shape(within, false).is_err(), "{within}");
        }
        let many = |count: usize| {
            let properties: String = (0..count).map(property).collect();
            shape(
                &format!(
                    "<BaseShape>IdOnly</BaseShape><AdditionalProperties>{properties}</AdditionalProperties>"
                ),
                true,
            )
        };
        assert!(many(PROPERTIES_MAX).is_ok());
        assert!(many(PROPERTIES_MAX + 1).is_err());
        // SEC-95: in sum, not each list for itself.
        let lists = |count: usize| {
            let list: String = (0..PROPERTIES_MAX / 2).map(property).collect();
            let lists = format!("<AdditionalProperties>{list}</AdditionalProperties>").repeat(count);
            shape(&format!("<BaseShape>IdOnly</BaseShape>{lists}"), true)
        };
        assert!(lists(2).is_ok());
        assert!(lists(3).is_err());
    }
}
