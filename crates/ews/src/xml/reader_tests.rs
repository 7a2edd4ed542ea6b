//! What is read, what is refused, and by which limit.

use proptest::prelude::*;

use super::*;

fn refusal(text: &str) -> Unreadable {
    read(text.as_bytes()).map(|document| document.root).expect_err(text)
}

fn root(text: &str) -> Element {
    read(text.as_bytes()).expect(text).root
}

#[test]
fn names_are_resolved_and_prefixes_forgotten() {
    let messages = Namespace::Messages.name();
    for text in [
        format!("<PlayOnPhone xmlns='{messages}'><DialString>1</DialString></PlayOnPhone>"),
        format!("<m:PlayOnPhone xmlns:m='{messages}'><m:DialString>1</m:DialString></m:PlayOnPhone>"),
        format!(
            "<ns0:PlayOnPhone xmlns:ns0='{messages}'><DialString xmlns='{messages}'>1</DialString></ns0:PlayOnPhone>"
        ),
        format!(
            "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<!-- hello -->\n<PlayOnPhone xmlns='{messages}'>\n <DialString>1</DialString>\n</PlayOnPhone>\n"
        ),
    ] {
        let root = root(&text);
        assert!(root.is(Namespace::Messages, "PlayOnPhone"), "{text}");
        let mut children = root.children();
        assert_eq!(
            children.required(Namespace::Messages, "DialString").map(Element::text),
            Ok("1"),
            "{text}"
        );
        assert_eq!(children.end(), Ok(()), "{text}");
    }
    assert!(root("<PlayOnPhone/>").is(Namespace::None, "PlayOnPhone"));
    assert!(root("<PlayOnPhone xmlns='urn:x'/>").is(Namespace::Other, "PlayOnPhone"));
}

#[test]
fn an_inner_declaration_ends_with_its_element() {
    let root = root(
        "<a xmlns='urn:a'><b xmlns='http://schemas.microsoft.com/exchange/services/2006/types'/><c/></a>",
    );
    let namespaces: Vec<Namespace> = root.elements().iter().map(Element::namespace).collect();
    assert_eq!(namespaces, [Namespace::Types, Namespace::Other]);
}

#[test]
fn text_is_what_was_meant() {
    assert_eq!(root("<a>&lt;&#x41;&#66;&amp;<![CDATA[<&]]>&quot;&apos;&gt;</a>").text(), "<AB&<&\"'>");
    assert_eq!(root("<a> 1\r\n2\r3 </a>").text(), " 1\n2\n3 ");
    assert_eq!(root("<a></a>"), root("<a/>"));
    assert_eq!(root("<a x=' &lt;&#65;\t'/>").attribute("x"), Some(" <A "));
    assert_eq!(root("<a>\n <b/>\n</a>").text(), "");
}

/// SEC-93
#[test]
fn what_could_fetch_or_expand_is_refused_at_once() {
    let forbidden = [
        ("<!DOCTYPE a><a/>", "a document type"),
        ("<!DOCTYPE a SYSTEM 'http://example.test/x.dtd'><a/>", "a document type"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "a document type"),
        (
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>",
            "a document type",
        ),
        ("<a>&b;</a>", "an entity"),
        ("<a>&nbsp;</a>", "an entity"),
        ("<a x='&b;'/>", "an entity in an attribute"),
        ("<?xml-stylesheet href='x'?><a/>", "a processing instruction"),
        ("<a><?php x?></a>", "a processing instruction"),
        ("<a/><?x?>", "a processing instruction"),
        ("<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd'/></a>", "XInclude"),
        (
            "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='urn:x x.xsd'/>",
            "a schema from elsewhere",
        ),
        (
            "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:noNamespaceSchemaLocation='x.xsd'/>",
            "a schema from elsewhere",
        ),
    ];
    for (text, what) in forbidden {
        assert_eq!(refusal(text), Unreadable::Forbidden(what), "{text}");
    }
    // At the first such token: what follows is not even XML.
    assert_eq!(refusal("<!DOCTYPE a><<<<"), Unreadable::Forbidden("a document type"));
}

/// IN-H1
#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "hello",
        "<a",
        "<a>",
        "<a><b></a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a>&</a>",
        "<a>&#0;</a>",
        "<a>&#xB;</a>",
        "<a>&#xD800;</a>",
        "<a>\u{0}</a>",
        "<a>\u{1b}</a>",
        "<a>\u{ffff}</a>",
        "<a x='&#0;'/>",
        "<a x='<'/>",
        "<a x=1/>",
        "<a x/>",
        "<a x='1' x='2'/>",
        "<p:a/>",
        "<a p:x='1'/>",
        "<1a/>",
        "<a:b:c xmlns:a='urn:a'/>",
        "<a>]]></a>",
        "<a>text<b/></a>",
        "<a><b/>text</a>",
        "<!-- -- --><a/>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.1'?><a/>",
        "<a/><?xml version='1.0'?>",
        "<a><![CDATA[</a>",
        "<a xmlns:p='urn:p' xmlns:q='urn:p' p:x='1' q:x='2'/>",
        "<a xmlns='urn:a' xmlns='urn:b'/>",
        "<a xmlns:xml='urn:a'/>",
        "<a xmlns:xmlns='urn:a'/>",
    ] {
        assert!(matches!(refusal(text), Unreadable::NotXml(_)), "{text:?}: {}", refusal(text));
    }
}

/// IN-H1
#[test]
fn utf_8_it_is_and_nothing_else() {
    let utf16 = |mark: &[u8], octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.iter().copied().chain("<a/>".encode_utf16().flat_map(octets)).collect()
    };
    for octets in [
        utf16(b"\xFF\xFE", u16::to_le_bytes),
        utf16(b"\xFE\xFF", u16::to_be_bytes),
        utf16(b"", u16::to_le_bytes),
        utf16(b"", u16::to_be_bytes),
        b"<a>\xE4</a>".to_vec(),
        b"<a>\xC0\x80</a>".to_vec(),
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>".to_vec(),
        b"<?xml version='1.0' encoding='UTF-16'?><a/>".to_vec(),
    ] {
        assert_eq!(read(&octets).map(|document| document.root), Err(Unreadable::Charset), "{octets:?}");
    }
    assert_eq!(root("<?xml version='1.0' encoding='utf-8'?><a>ä𝄞</a>").text(), "ä𝄞");
}

/// SEC-95
#[test]
fn limits_hold_at_the_limit_and_one_beyond() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert!(read(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(&nested(DEPTH_MAX + 1)), Unreadable::TooMuch("elements within each other"));

    let attributes = |count: usize| {
        let all: String = (0..count).map(|number| format!(" a{number}='1'")).collect();
        format!("<a{all}/>")
    };
    assert!(read(attributes(ATTRIBUTES_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(&attributes(ATTRIBUTES_MAX + 1)), Unreadable::TooMuch("attributes"));

    let text = |length: usize| format!("<a>{}</a>", "x".repeat(length));
    assert!(read(text(TEXT_BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(&text(TEXT_BYTES_MAX + 1)), Unreadable::TooMuch("text"));
    let value = |length: usize| format!("<a x='{}'/>", "x".repeat(length));
    assert!(read(value(TEXT_BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(&value(TEXT_BYTES_MAX + 1)), Unreadable::TooMuch("the value of an attribute"));

    let elements = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    assert!(read(elements(ELEMENTS_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(&elements(ELEMENTS_MAX + 1)), Unreadable::TooMuch("elements"));

    let namespaces = |count: usize| {
        let declarations =
            |from, to| -> String { (from..to).map(|n| format!(" xmlns:n{n}='urn:{n}'")).collect() };
        let half = count / 2;
        format!("<a{}><b{}/></a>", declarations(0, half), declarations(half, count))
    };
    assert!(read(namespaces(NAMESPACES_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(&namespaces(NAMESPACES_MAX + 1)), Unreadable::TooMuch("namespaces"));

    let whole = format!("<a/>{}", " ".repeat(BODY_BYTES_MAX - 4));
    assert!(read(whole.as_bytes()).is_ok());
    assert_eq!(refusal(&format!("{whole} ")), Unreadable::TooMuch("the document"));
}

/// SEC-94: however many there are, no more than the limit and one are looked at one by one.
#[test]
fn a_flood_of_attributes_or_declarations_is_refused() {
    let flood = |one: &str| format!("<a{}/>", one.repeat((BODY_BYTES_MAX - 8) / one.len()));
    assert_eq!(refusal(&flood(" a=''")), Unreadable::TooMuch("attributes"));
    assert_eq!(refusal(&flood(" xmlns=''")), Unreadable::TooMuch("namespaces"));
    let hundred_thousand: String = (0..100_000).map(|number| format!(" a{number}='1'")).collect();
    assert_eq!(refusal(&format!("<a{hundred_thousand}/>")), Unreadable::TooMuch("the document"));
}

#[test]
fn a_place_is_told_by_line_and_column() {
    let document = read("<a>\n  <ä/>\n <b/></a>".as_bytes()).expect("well-formed");
    let b = document.root().child(Namespace::None, "b").expect("there is one");
    assert_eq!(document.place(b.violation("x")), Place { line: 3, column: 2 });
    assert_eq!(document.place(document.root().violation("x")), Place { line: 1, column: 1 });
}

#[test]
fn values_are_read_as_the_schema_types_say() {
    for (text, value) in [("true", true), ("1", true), ("false", false), ("0", false), (" true\n", true)] {
        assert_eq!(root(&format!("<a>{text}</a>")).boolean(), Ok(value), "{text}");
    }
    for text in ["", "TRUE", "yes", "10", "<b/>"] {
        assert!(root(&format!("<a>{text}</a>")).boolean().is_err(), "{text}");
    }
    assert_eq!(root("<a n='007'/>").number_attribute("n"), Ok(Some(7)));
    assert_eq!(root("<a/>").number_attribute("n"), Ok(None));
    for text in ["", "-1", "+1", "1.0", "4294967296", "x"] {
        assert!(root(&format!("<a n='{text}'/>")).number_attribute("n").is_err(), "{text}");
    }
}

#[test]
fn children_are_taken_in_the_order_of_the_schema() {
    let parent = root("<a><b/><c/></a>");
    let mut children = parent.children();
    assert!(children.optional(Namespace::None, "x").is_none());
    assert!(children.required(Namespace::None, "c").is_err(), "b is still to be taken");
    assert!(children.required(Namespace::None, "b").is_ok());
    assert!(children.end().is_err());
    assert!(children.required(Namespace::None, "c").is_ok());
    assert!(children.required(Namespace::None, "d").is_err());
    assert_eq!(children.end(), Ok(()));
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(octets: Vec<u8>) {
        let _ = read(&octets);
    }

    #[test]
    fn no_markup_makes_it_panic(text in "[<>/?!&;#x0-9a-c:='\" \\[\\]-]{0,64}") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn what_was_printed_is_read_again(text: String, value: String) {
        let mut writer = super::super::Writer::new();
        writer.element("a", &[("b", &value)], |within| within.characters(&text));
        let shown = |text: &str| -> String {
            text.chars().map(|c| if is_character(c) { c } else { '\u{FFFD}' }).collect()
        };
        let read = root(&writer.finish());
        prop_assert_eq!(read.text(), shown(&text));
        prop_assert_eq!(read.attribute("b").map(str::to_owned), Some(shown(&value)));
    }
}
