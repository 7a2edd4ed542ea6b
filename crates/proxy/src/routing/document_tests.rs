//! Tests of the document: the specification's example, every violation, and what tries to be more than a document.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::super::{Merged, Violation, merge};
use super::*;
use crate::forwarding::{Action, Circumstances, Media, Then, WhenForwarding, plan};

/// [MS-SIPRE] 2.2.9, as 7.1 of its digest shows it.
const EXAMPLE: &str = r#"<routing xmlns="http://schemas.microsoft.com/02/2006/sip/routing"
         name="rtcdefault" version="2" minSupportedClientVersion="2.0.0.0">
  <preamble>
    <list name="forwardto"><target uri="sip:+15555550100@example.com;user=phone"/></list>
    <list name="simultaneous_ring"><target uri="sip:+15555550101@example.com;user=phone"/></list>
    <flags name="clientflags" value="simultaneous_ring enablecf"/>
    <wait name="total" seconds="20"/>
  </preamble>
</routing>
"#;

/// A document with this in its preamble.
fn document(preamble: &str) -> String {
    format!(
        "<routing xmlns=\"{NAMESPACE}\" name=\"rtcdefault\" version=\"2\"><preamble>{preamble}</preamble></routing>"
    )
}

fn fault(document: &str) -> Fault {
    read(document.as_bytes()).expect_err(document).fault
}

/// SIPRE-5: what applies to these instances of alice's, and whether the call may leave her telephones.
fn is_diverted(documents: &[String]) -> bool {
    let instances: Result<Vec<_>, _> = documents.iter().map(|document| read(document.as_bytes())).collect();
    let rules = instances.ok().and_then(|instances| merge(&instances).ok()).map(|merged| merged.rules);
    let callee = "alice@example.test".parse().unwrap();
    let plan = plan(&Circumstances {
        rules: rules.as_ref(),
        callee: &callee,
        caller: None,
        referrer: None,
        other_names: &[],
        sensitivity: umbel_ocexum::Sensitivity::default(),
        media: Media::Audio,
        rung_for_another: false,
        is_for_one_telephone: false,
        takes_a_place: false,
        has_mailbox: true,
        is_work_time: true,
        when_forwarding: WhenForwarding::Ring,
        ring_time: Duration::from_secs(20),
    });
    match plan.action {
        Action::Ring(ring) => {
            assert!(ring.endpoints, "{documents:?}");
            ring.then != Then::GiveUp || ring.ring_also.is_some() || ring.later.is_some()
        }
        other => panic!("{other:?}: {documents:?}"),
    }
}

// SIPRE-1
#[test]
fn the_example_of_the_specification_is_read() {
    let Merged { rules, version, left_out } = merge(&[read(EXAMPLE.as_bytes()).unwrap()]).unwrap();
    assert_eq!(version, 2);
    assert_eq!(rules.flags, [Flag::SimultaneousRing, Flag::EnableCallForwarding].into());
    assert_eq!(rules.forward_to.unwrap().as_str(), "sip:+15555550100@example.com;user=phone");
    assert_eq!(rules.ring_also.unwrap().as_str(), "sip:+15555550101@example.com;user=phone");
    assert_eq!(rules.total, Some(Duration::from_secs(20)));
    assert!(left_out.is_empty() && rules.team.is_empty());
    assert!(is_diverted(&[EXAMPLE.to_owned()]));
}

// SIPRE-1, SIPRE-5: each of these, and the endpoints ring and nothing else.
#[test]
fn a_document_without_its_parts_is_none() {
    let element =
        |attributes: &str| format!("<routing xmlns=\"{NAMESPACE}\" {attributes}><preamble/></routing>");
    for (text, expected) in [
        (element("version=\"1\""), Fault::AttributeMissing("routing", "name")),
        (element("name=\"rtcdefault\""), Fault::AttributeMissing("routing", "version")),
        (element("name=\"n\" version=\"one\""), Fault::NotANumber("routing", "version")),
        (document("").replace("<preamble></preamble>", ""), Fault::NoPreamble),
        (document("").replace("<preamble>", "<preamble/><preamble>"), Fault::SecondPreamble),
        (document("<list/>"), Fault::AttributeMissing("list", "name")),
        (document("<flags name=\"clientflags\"/>"), Fault::AttributeMissing("flags", "value")),
        (document("<flags value=\"block\"/>"), Fault::AttributeMissing("flags", "name")),
        (document("<wait seconds=\"1\"/>"), Fault::AttributeMissing("wait", "name")),
        (document("<wait name=\"total\"/>"), Fault::AttributeMissing("wait", "seconds")),
        (document("<wait name=\"total\" seconds=\"soon\"/>"), Fault::NotANumber("wait", "seconds")),
        (document("").replace(NAMESPACE, "urn:other"), Fault::NotRouting("routing".into())),
        (
            document("").replace("routing", "forking").replace("forking\" name", "routing\" name"),
            Fault::NotRouting("forking".into()),
        ),
        (
            "<routing name=\"n\" version=\"1\"><preamble/></routing>".into(),
            Fault::NotRouting("routing".into()),
        ),
        (format!("{EXAMPLE}<more/>"), Fault::NotWellFormed("a second element at the top".into())),
        (String::new(), Fault::NotWellFormed("it ends early".into())),
        (document("").replace("</routing>", ""), Fault::NotWellFormed("it ends early".into())),
    ] {
        assert_eq!(fault(&text), expected, "{text}");
        assert!(!is_diverted(&[text]));
    }
    for text in [
        document("<list name=\"team\"></preamble>"),
        document("<list name=\"a\" name=\"b\"/>"),
        document("<list name=team/>"),
        document("<list"),
    ] {
        assert!(matches!(fault(&text), Fault::NotWellFormed(_)), "{text}");
        assert!(!is_diverted(&[text]));
    }
    assert_eq!(read(b"<routing \xff").unwrap_err().fault, Fault::NotUtf8);
}

#[test]
fn an_error_says_in_which_line_it_is() {
    let text = EXAMPLE.replace("seconds=\"20\"", "seconds=\"-\"");
    assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), "line 7: seconds of `wait` is not a number");
}

// SIPRE-4, SIPRE-5
#[test]
fn names_that_stand_twice_bring_the_default_rule() {
    let forwards = "<list name=\"forwardto\"><target uri=\"sip:bob@example.test\"/></list>\
                    <flags name=\"clientflags\" value=\"enablecf\"/>";
    let once = document(forwards);
    assert!(is_diverted(std::slice::from_ref(&once)));
    let list = document(&forwards.replace("<flags", "<list name=\"forwardto\"/><flags"));
    let flags = document("<flags name=\"clientflags\" value=\"block\"/>");
    let wait = document("<wait name=\"total\" seconds=\"5\"/>");
    for (documents, violation) in [
        (vec![list], Violation::ListTwice),
        (vec![once, flags], Violation::FlagsTwice),
        (vec![wait.clone(), wait], Violation::WaitTwice),
    ] {
        let instances: Vec<_> = documents.iter().map(|text| read(text.as_bytes()).unwrap()).collect();
        assert_eq!(merge(&instances), Err(violation));
        assert!(!is_diverted(&documents));
    }
}

// SIPRE-6
#[test]
fn the_teams_of_two_instances_are_one_team() {
    let team = |member: &str| {
        document(&format!("<list name=\"team\"><target uri=\"sip:{member}@example.test\"/></list>"))
    };
    let flags = document("<flags name=\"clientflags\" value=\"team_ring\"/>").replace("\"2\"", "\"7\"");
    let instances = [team("bob"), flags, team("carol")].map(|text| read(text.as_bytes()).unwrap());
    let merged = merge(&instances).unwrap();
    assert_eq!((merged.rules.team.len(), merged.version), (2, 7));
}

// SIPRE-2, SIPRE-7, SIPRE-8
#[test]
fn what_is_not_known_is_passed_over() {
    let text = EXAMPLE
        .replace("<preamble>", "<greeting><list name=\"team\"/></greeting><preamble colour=\"red\">some text<list xmlns=\"urn:other\"/>")
        .replace("<target", "<note><target uri=\"sip:wrong@example.test\"/></note><!-- a comment --><target kind=\"x\"")
        .replace("</preamble>", "<flags name=\"others\" value=\"block\"/><pause/></preamble>")
        .replace("version=\"2\"", "version=\"2\" colour=\"red\"");
    let known = merge(&[read(EXAMPLE.as_bytes()).unwrap()]).unwrap();
    let merged = merge(&[read(text.as_bytes()).unwrap()]).unwrap();
    assert_eq!(merged.rules, known.rules);
    assert_eq!(merged.left_out.len(), 1, "{:?}", merged.left_out);
}

// SIPRE-9
#[test]
fn seconds_out_of_range_are_clamped() {
    for (seconds, expected) in
        [("-3", 0), ("0", 0), (" 1200 ", 1_200), ("1201", 1_200), ("99999999999999999999", 1_200)]
    {
        let text = document(&format!("<wait name=\"total\" seconds=\"{seconds}\"/>"));
        let rules = merge(&[read(text.as_bytes()).unwrap()]).unwrap().rules;
        assert_eq!(rules.total, Some(Duration::from_secs(expected)), "{seconds}");
    }
}

#[test]
fn a_prefix_for_the_namespace_is_as_good_as_none() {
    let text = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><r:routing xmlns:r=\"{NAMESPACE}\" name=\"n\" version=\"1\">\
         <r:preamble><r:flags name=\"clientflags\" value=\"&#98;lock\"/></r:preamble></r:routing>"
    );
    assert_eq!(read(text.as_bytes()).unwrap().flags, [("clientflags".to_owned(), "block".to_owned())]);
}

// SIPRE-10
#[test]
fn there_is_nothing_in_a_document_that_could_be_more_than_it_is() {
    let bomb = "<!DOCTYPE routing [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let outside = "<!DOCTYPE routing SYSTEM \"file:///etc/passwd\">";
    for head in [bomb, outside, "<!DOCTYPE routing>"] {
        assert_eq!(fault(&format!("{head}{EXAMPLE}")), Fault::DocumentType);
    }
    assert_eq!(fault(&format!("<?xml-stylesheet href=\"x\"?>{EXAMPLE}")), Fault::ProcessingInstruction);
    assert_eq!(fault(&document("&b;")), Fault::Entity("b".into()));
    assert!(read(document("&amp;&#32;").as_bytes()).is_ok());
    let attribute = document("<list name=\"&b;\"/>");
    assert!(matches!(fault(&attribute), Fault::NotWellFormed(_)));
    let utf_16 = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{EXAMPLE}");
    assert_eq!(fault(&utf_16), Fault::NotUtf8);
}

// SIPRE-10: each bound, and one beyond.
#[test]
fn a_document_is_bounded_in_every_direction() {
    let padded = |bytes: usize| {
        let mut text = document("");
        text.push_str(&" ".repeat(bytes - text.len()));
        text
    };
    assert!(read(padded(BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(fault(&padded(BYTES_MAX + 1)), Fault::TooLong);

    // Within routing and preamble.
    let deep = |depth: usize| document(&("<a>".repeat(depth - 2) + &"</a>".repeat(depth - 2)));
    assert!(read(deep(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(fault(&deep(DEPTH_MAX + 1)), Fault::TooDeep);

    let many = |elements: usize| document(&"<a/>".repeat(elements - 2));
    assert!(read(many(ELEMENTS_MAX).as_bytes()).is_ok());
    assert_eq!(fault(&many(ELEMENTS_MAX + 1)), Fault::TooManyElements);

    let attributes = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" a{n}=\"\"")).collect();
        document(&format!("<a{attributes}/>"))
    };
    assert!(read(attributes(ATTRIBUTES_MAX).as_bytes()).is_ok());
    assert_eq!(fault(&attributes(ATTRIBUTES_MAX + 1)), Fault::TooManyAttributes);
}

#[test]
fn what_is_written_is_read_as_it_was() {
    let rules = merge(&[read(EXAMPLE.as_bytes()).unwrap()]).unwrap().rules;
    let text = write(&rules);
    assert!(text.contains("version=\"1\""), "all of it is in the first version: {text}");
    assert_eq!(merge(&[read(text.as_bytes()).unwrap()]).unwrap().rules, rules);
    let team = Rules { team: vec!["sip:a&b'c@example.test".parse().unwrap()], ..Rules::default() };
    let text = write(&team);
    assert!(text.contains("version=\"2\"") && text.contains("a&amp;b&apos;c"), "{text}");
    assert_eq!(merge(&[read(text.as_bytes()).unwrap()]).unwrap().rules, team);
    assert_eq!(merge(&[read(write(&Rules::default()).as_bytes()).unwrap()]).unwrap().rules, Rules::default());
}

proptest! {
    // SIPRE-10
    #[test]
    fn nothing_that_is_handed_in_breaks_the_reader(start in 0..EXAMPLE.len(), junk in "\\PC{0,12}|[<>&;/!?\"=\\[\\]-]{0,12}", end in 0..EXAMPLE.len()) {
        let text = [EXAMPLE.get(..start).unwrap_or_default(), &junk, EXAMPLE.get(end..).unwrap_or_default()].concat();
        if let Ok(preamble) = read(text.as_bytes()) {
            let _ = merge(&[preamble]);
        }
    }
}
