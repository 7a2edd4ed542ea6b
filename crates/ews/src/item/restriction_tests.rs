//! Restrictions as clients write them, asked of a message and of a notice.

use umbel_store::Item;

use super::super::message;
use super::super::testing::{mailbox, message_item, missed_item};
use super::*;
use crate::xml;

fn read(within: &str) -> Result<Restriction, Unsearchable> {
    let text = format!("<Restriction xmlns='{}'>{within}</Restriction>", Namespace::Types.name());
    Restriction::read(xml::read(text.as_bytes()).expect(&text).root(), message::sort)
}

fn holds(within: &str, item: &Item) -> bool {
    let mailbox = mailbox();
    read(within).expect(within).holds(&|path| message::value(item, path, &mailbox))
}

/// Whether it holds for the message and for the notice.
fn check(within: &str, expected: (bool, bool)) {
    assert_eq!((holds(within, &message_item(1)), holds(within, &missed_item(2))), expected, "{within}");
}

fn field(name: &str) -> String {
    format!("<FieldURI FieldURI='{name}'/>")
}

fn compare(name: &str, path: &str, constant: &str) -> String {
    format!("<{name}>{path}<FieldURIOrConstant><Constant Value='{constant}'/></FieldURIOrConstant></{name}>")
}

fn contains(mode: &str, comparison: &str, path: &str, text: &str) -> String {
    format!(
        "<Contains ContainmentMode='{mode}' ContainmentComparison='{comparison}'>{path}<Constant Value='{text}'/></Contains>"
    )
}

#[test]
fn voice_messages_are_found_by_the_beginning_of_their_class() {
    let class = field("item:ItemClass");
    check(&contains("Prefixed", "IgnoreCase", &class, "IPM.Note.Microsoft.Voicemail"), (true, false));
    check(&contains("Prefixed", "IgnoreCase", &class, "ipm.note.MICROSOFT"), (true, true));
    check(&contains("Prefixed", "Exact", &class, "ipm.note.MICROSOFT"), (false, false));
    check(&compare("IsEqualTo", &class, "IPM.Note.Microsoft.Missed.Voice"), (false, true));
    check(&compare("IsEqualTo", &class, "ipm.note.microsoft.missed.voice"), (false, true));
    check(&compare("IsNotEqualTo", &class, "IPM.Note.Microsoft.Missed.Voice"), (true, false));
    let by_tag = "<ExtendedFieldURI PropertyTag='0x001A' PropertyType='String'/>";
    check(&contains("Substring", "Loose", by_tag, "voicemail"), (true, false));
}

#[test]
fn numbers_times_and_flags_compare_as_such() {
    let uid = "<ExtendedFieldURI PropertyTag='0xe23' PropertyType='Integer'/>";
    check(&compare("IsGreaterThan", uid, "1"), (false, true));
    check(&compare("IsGreaterThanOrEqualTo", uid, "1"), (true, true));
    check(&compare("IsLessThan", uid, "10"), (true, true));
    check(&compare("IsLessThanOrEqualTo", uid, "1"), (true, false));
    let received = field("item:DateTimeReceived");
    // The message came at 13:40:13, the notice a second later.
    check(&compare("IsEqualTo", &received, "2026-11-21T14:40:13+01:00"), (true, false));
    check(&compare("IsGreaterThan", &received, "2026-11-21T13:40:13Z"), (false, true));
    let read = field("message:IsRead");
    check(&compare("IsEqualTo", &read, "false"), (true, true));
    check(&compare("IsEqualTo", &read, "1"), (false, false));
}

#[test]
fn what_is_not_there_equals_nothing() {
    let duration = "<ExtendedFieldURI PropertyTag='0x6801' PropertyType='Integer'/>";
    check(&format!("<Exists>{duration}</Exists>"), (true, false));
    check(&format!("<Not><Exists>{duration}</Exists></Not>"), (false, true));
    check(&compare("IsEqualTo", duration, "12"), (true, false));
    check(&compare("IsNotEqualTo", duration, "12"), (false, false));
    let unknown = "<ExtendedFieldURI PropertyTag='0x3613' PropertyType='String'/>";
    check(&compare("IsEqualTo", unknown, "IPF.Note"), (false, false));
}

#[test]
fn expressions_are_joined() {
    let (read, class) = (field("message:IsRead"), field("item:ItemClass"));
    let (new, voice) =
        (compare("IsEqualTo", &read, "false"), contains("Substring", "Exact", &class, "Voicemail"));
    check(&format!("<And>{new}{voice}</And>"), (true, false));
    check(&format!("<Or>{voice}<Not>{new}</Not></Or>"), (true, false));
    check(&format!("<Not><Or>{voice}<Not>{new}</Not></Or></Not>"), (false, true));
    check(&format!("<And>{new}</And>"), (true, true));
}

#[test]
fn texts_contain_each_other_in_five_ways() {
    let subject = field("item:Subject");
    // "Voice Mail from Bob (12 seconds): Lunch" and "Missed call from Bob"
    check(&contains("Substring", "Exact", &subject, "all f"), (false, true));
    check(&contains("FullString", "Exact", &subject, "Missed call from Bob"), (false, true));
    check(&contains("FullString", "Exact", &subject, "Missed call"), (false, false));
    check(&contains("PrefixOnWords", "IgnoreCase", &subject, "bo"), (true, true));
    check(&contains("PrefixOnWords", "IgnoreCase", &subject, "ob"), (false, false));
    check(&contains("ExactPhrase", "IgnoreCase", &subject, "from bob"), (true, true));
    check(&contains("ExactPhrase", "IgnoreCase", &subject, "from b"), (false, false));
    let from = field("message:From");
    check(&contains("Substring", "IgnoreCase", &from, "bob"), (true, true));
    check(&contains("Substring", "IgnoreCase", &from, "5551234567"), (true, true));
}

#[test]
fn bits_are_looked_at() {
    let flags = "<ExtendedFieldURI PropertyTag='0x0E07' PropertyType='Integer'/>";
    let excludes = |bits: &str| format!("<Excludes>{flags}<Bitmask Value='{bits}'/></Excludes>");
    check(&excludes("0x10"), (false, true));
    check(&excludes("16"), (false, true));
    check(&excludes("1"), (true, true));
}

#[test]
fn a_property_may_be_compared_with_another() {
    let (sent, received) = (field("item:DateTimeSent"), field("item:DateTimeReceived"));
    let same = format!("<IsEqualTo>{sent}<FieldURIOrConstant>{received}</FieldURIOrConstant></IsEqualTo>");
    check(&same, (true, true));
    let subject = field("item:Subject");
    let mixed = format!("<IsEqualTo>{sent}<FieldURIOrConstant>{subject}</FieldURIOrConstant></IsEqualTo>");
    assert_eq!(read(&mixed), Err(Unsearchable::Code(ResponseCode::ErrorInvalidRestriction)));
}

#[test]
fn what_cannot_be_searched_is_told_by_code() {
    let code = |within: &str| match read(within) {
        Err(Unsearchable::Code(code)) => Some(code),
        _ => None,
    };
    let unsupported = Some(ResponseCode::ErrorUnsupportedPathForQuery);
    assert_eq!(code(&compare("IsEqualTo", &field("item:Categories"), "x")), unsupported);
    assert_eq!(code(&compare("IsEqualTo", &field("item:MimeContent"), "x")), unsupported);
    assert_eq!(code(&format!("<Exists>{}</Exists>", field("calendar:Start"))), unsupported);
    let invalid = Some(ResponseCode::ErrorInvalidRestriction);
    assert_eq!(code(&compare("IsEqualTo", &field("message:IsRead"), "maybe")), invalid);
    assert_eq!(code(&compare("IsLessThan", &field("item:DateTimeReceived"), "yesterday")), invalid);
    assert_eq!(code(&contains("Substring", "Exact", &field("message:IsRead"), "t")), invalid);
}

#[test]
fn what_is_no_restriction_is_a_violation() {
    let class = field("item:ItemClass");
    for within in [
        "",
        "<And/>",
        "<Not/>",
        "<Xor/>",
        &format!("<Exists>{class}{class}</Exists>"),
        &format!("<IsEqualTo>{class}</IsEqualTo>"),
        &format!("<IsEqualTo>{class}<FieldURIOrConstant/></IsEqualTo>"),
        &format!(
            "<IsEqualTo><Constant Value='x'/><FieldURIOrConstant>{class}</FieldURIOrConstant></IsEqualTo>"
        ),
        &contains("Somewhere", "Exact", &class, "x"),
        &contains("Prefixed", "Perhaps", &class, "x"),
    ] {
        assert!(matches!(read(within), Err(Unsearchable::Violation(_))), "{within}");
    }
}

#[test]
fn a_restriction_has_so_many_expressions_and_no_more() {
    let one = format!("<Exists>{}</Exists>", field("item:ItemClass"));
    let or = |count: usize| read(&format!("<Or>{}</Or>", one.repeat(count)));
    assert!(or(EXPRESSIONS_MAX - 1).is_ok());
    assert!(or(EXPRESSIONS_MAX).is_err());
}
