//! Paths as clients write them.

use super::*;
use crate::xml;

const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

fn read(attributes: &str) -> Result<Path, Violation> {
    let text = format!("<t:ExtendedFieldURI xmlns:t='{TYPES}' {attributes}/>");
    Path::required(xml::read(text.as_bytes()).expect(&text).root())
}

fn property(attributes: &str) -> Option<Property> {
    match read(attributes) {
        Ok(Path::Extended(extended)) => Some(extended.property),
        _ => None,
    }
}

#[test]
fn a_tag_is_hexadecimal_of_either_case_or_decimal() {
    for tag in ["0x6801", "0X6801", "26625", " 0x6801 "] {
        let attributes = format!("PropertyTag='{tag}' PropertyType='Integer'");
        assert_eq!(property(&attributes), Some(Property::Tag(0x6801)), "{tag}");
    }
    for tag in ["0xe23", "0xE23", "0x0E23", "3619"] {
        let attributes = format!("PropertyTag='{tag}' PropertyType='Integer'");
        assert_eq!(property(&attributes), Some(Property::Tag(0x0e23)), "{tag}");
    }
    for tag in ["", "0x", "0x16801", "65536", "-1", "+1", "0x+1", "6801h", "Ω"] {
        assert_eq!(property(&format!("PropertyTag='{tag}' PropertyType='Integer'")), None, "{tag}");
    }
}

#[test]
fn a_set_is_named_by_word_or_by_guid() {
    let named = |set: &str| property(&format!("{set} PropertyName='X-CallID' PropertyType='String'"));
    let expected = Some(Property::Named(PropertySet::InternetHeaders, "X-CallID".to_owned()));
    for set in [
        "DistinguishedPropertySetId='InternetHeaders'",
        "PropertySetId='00020386-0000-0000-C000-000000000046'",
        "PropertySetId='00020386-0000-0000-c000-000000000046'",
        "PropertySetId='{00020386-0000-0000-c000-000000000046}'",
    ] {
        assert_eq!(named(set), expected, "{set}");
    }
    let messaging = Some(Property::Named(PropertySet::UnifiedMessaging, "X-CallID".to_owned()));
    assert_eq!(named("PropertySetId='4442858E-A9E3-4E80-B900-317A210CC15B'"), messaging);
    assert_eq!(named("DistinguishedPropertySetId='UnifiedMessaging'"), messaging);
    assert_eq!(named("PropertySetId='0002038600000000C000000000000046'"), None);
    let numbered = property("DistinguishedPropertySetId='Common' PropertyId='34160' PropertyType='Integer'");
    assert_eq!(numbered, Some(Property::Numbered(PropertySet::Common, 0x8570)));
}

#[test]
fn a_property_is_named_in_one_way_and_has_a_type() {
    for attributes in [
        "",
        "PropertyType='Integer'",
        "PropertyTag='0x6801'",
        "PropertyTag='0x6801' PropertyType='Number'",
        "PropertyTag='0x6801' PropertyName='x' PropertyType='String'",
        "PropertyName='x' PropertyType='String'",
        "PropertyTag='0x6801' DistinguishedPropertySetId='Common' PropertyType='String'",
        "DistinguishedPropertySetId='Common' PropertyType='String'",
        "DistinguishedPropertySetId='Common' PropertyName='x' PropertyId='1' PropertyType='String'",
        "DistinguishedPropertySetId='Common' PropertyId='x' PropertyType='String'",
        "DistinguishedPropertySetId='Common' PropertySetId='00020386-0000-0000-C000-000000000046' \
         PropertyName='x' PropertyType='String'",
    ] {
        assert!(read(attributes).is_err(), "{attributes}");
    }
    assert!(read("PropertyTag='0x6801' PropertyType='StringArray'").is_ok());
}

#[test]
fn an_answer_repeats_the_words_of_the_request() {
    let Ok(Path::Extended(extended)) = read("PropertyType='Integer' PropertyTag='0xe23'") else {
        panic!("it is one")
    };
    let mut writer = Writer::default();
    extended.print(&mut writer);
    assert_eq!(writer.finish(), "<t:ExtendedFieldURI PropertyTag=\"0xe23\" PropertyType=\"Integer\"/>");
}
