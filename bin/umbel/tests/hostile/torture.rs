//! RFC 4475 over a living connection: every message gets its declared outcome, and the server answers the next
//! request after each. REL-48, STD-7
//!
//! The parser's verdicts are tested in its own room; here it is what a peer of the server sees. Request-URIs
//! name nobody here, and our server is neither registrar nor proxy: what is well formed ends in the status that
//! says so.

use std::path::Path;

use crate::invite::{Invite, OWN};
use crate::line::{Came, Line, options, serves, still_serves};
use crate::server::{Server, server};

/// What a peer sees.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// One of these statuses, and the connection stays open.
    Status(&'static [u16]),
    /// These, one after the other, and the connection stays open.
    Both(&'static [u16], &'static [u16]),
    /// This status at most, then the end of the connection: framing is lost.
    Closed(u16),
    /// Nothing; the connection stays open.
    Nothing,
    /// Nothing: the server waits for the rest (SEC-60 bounds that).
    Waiting,
}

/// The first name is our own message's, the second the one in the RFC's archive.
const CASES: [(&str, &str, &str, Outcome); 49] = {
    use Outcome::*;
    // "Unknown method, method in lower case: 405 or 501"; REGISTER is not served here.
    const NOT_ALLOWED: Outcome = Status(&[405, 501]);
    const MALFORMED: Outcome = Status(&[400]);
    const NOBODY: Outcome = Status(&[404]);
    const SERVED: Outcome = Status(&[200]);
    [
        // With a tag of To: "in-dialog request for nothing: 481".
        ("3.1.1.1", "folded_everywhere", "wsinv", Status(&[481])),
        ("3.1.1.2", "wide_range_of_characters", "intmeth", NOT_ALLOWED),
        ("3.1.1.3", "valid_escapes", "esc01", NOBODY),
        ("3.1.1.4", "escaped_nulls", "escnull", NOT_ALLOWED),
        ("3.1.1.5", "percent_that_is_no_escape", "esc02", NOT_ALLOWED),
        ("3.1.1.6", "no_blank_before_angle_bracket", "lwsdisp", SERVED),
        ("3.1.1.7", "long_values", "longreq", NOBODY),
        // The RFC's are a REGISTER and an INVITE without Contact, ours two OPTIONS.
        ("3.1.1.8", "two_messages", "dblreq", Both(&[200, 405], &[200, 400])),
        ("3.1.1.9", "semicolon_in_user_part", "semiuri", SERVED),
        ("3.1.1.10", "unknown_transports", "transports", SERVED),
        // A MESSAGE, which only listed peers may send.
        ("3.1.1.11", "multipart_with_nuls", "mpart01", Status(&[403])),
        ("3.1.1.12", "unusual_reason_phrase", "unreason", Nothing),
        ("3.1.1.13", "empty_reason_phrase", "noreason", Nothing),
        ("3.1.2.1", "empty_list_elements", "badinv01", MALFORMED),
        ("3.1.2.2", "length_beyond_the_message", "clerr", Waiting),
        ("3.1.2.3", "negative_length", "ncl", Closed(400)),
        ("3.1.2.4", "overlarge_request_numbers", "scalar02", MALFORMED),
        ("3.1.2.5", "overlarge_response_numbers", "scalarlg", Nothing),
        ("3.1.2.6", "unterminated_quote", "quotbal", MALFORMED),
        ("3.1.2.7", "angle_brackets_around_request_uri", "ltgtruri", MALFORMED),
        ("3.1.2.8", "blank_inside_request_uri", "lwsruri", MALFORMED),
        ("3.1.2.9", "two_blanks_in_request_line", "lwsstart", MALFORMED),
        ("3.1.2.10", "blanks_after_request_line", "trws", MALFORMED),
        ("3.1.2.11", "headers_in_request_uri", "escruri", MALFORMED),
        ("3.1.2.12", "foreign_time_zone", "baddate", NOBODY),
        ("3.1.2.13", "question_mark_without_brackets", "regbadct", MALFORMED),
        ("3.1.2.14", "blanks_within_address", "badaspec", MALFORMED),
        ("3.1.2.15", "comma_in_display_name", "baddn", MALFORMED),
        ("3.1.2.16", "unknown_version", "badvers", Status(&[505])),
        ("3.1.2.17", "cseq_of_another_method", "mismatch01", MALFORMED),
        ("3.1.2.18", "cseq_of_another_method_than_an_unknown", "mismatch02", Status(&[400, 501])),
        ("3.1.2.19", "overlarge_status_code", "bigcode", Nothing),
        ("3.2.1", "bare_magic_cookie", "badbranch", SERVED),
        ("3.3.1", "missing_required_fields", "insuf", MALFORMED),
        ("3.3.2", "unknown_scheme", "unkscm", Status(&[416])),
        ("3.3.3", "atypical_scheme", "novelsc", Status(&[416])),
        ("3.3.4", "unknown_schemes_in_fields", "unksm2", NOT_ALLOWED),
        ("3.3.5", "unknown_extensions_required", "bext01", Status(&[420])),
        ("3.3.6", "unknown_content_type", "invut", Status(&[415])),
        ("3.3.7", "unknown_authorization_scheme", "regaut01", NOT_ALLOWED),
        ("3.3.8", "single_fields_twice", "multi01", MALFORMED),
        ("3.3.9", "content_length_twice", "mcl01", Closed(400)),
        ("3.3.10", "response_for_a_broadcast_address", "bcast", Nothing),
        ("3.3.11", "max_forwards_zero", "zeromf", SERVED),
        ("3.3.12", "contact_parameter", "cparam01", NOT_ALLOWED),
        ("3.3.13", "uri_parameter", "cparam02", NOT_ALLOWED),
        ("3.3.14", "escaped_header_in_contact", "regescrt", NOT_ALLOWED),
        // Nobody is called, whatever is acceptable; for somebody see below.
        ("3.3.15", "unacceptable_accept", "sdp01", Status(&[404, 406])),
        // Without Content-Length: not a message that a stream can carry (M5, STD-6).
        ("3.4.1", "rfc_2543_syntax", "inv2543", Closed(400)),
    ]
};

#[test]
fn every_message_of_our_own_gets_its_outcome_and_the_next_request_is_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/sip-message/tests/torture");
    for (section, name, _, outcome) in CASES {
        check(section, &folder.join(format!("{name}.sip")), outcome);
    }
    server().never_panicked();
}

#[test]
fn every_message_of_the_rfc_gets_its_outcome_and_the_next_request_is_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata/rfc4475");
    // The folder is no part of the project; our own messages test the same without it.
    if folder.is_dir() {
        for (section, _, name, outcome) in CASES {
            check(section, &folder.join(format!("{name}.dat")), outcome);
        }
        server().never_panicked();
    }
}

// RFC 4475 3.3.15: nothing that we could say would be acceptable.
#[test]
fn a_caller_who_takes_no_session_description_gets_406() {
    let mut line = Line::tcp(server());
    let accept = |value: &str| Invite::own().calling(OWN).with(format!("Accept: {value}"));
    assert_eq!(accept("text/nobody-knows-this").send(&mut line).status(), 406);
    for acceptable in ["application/sdp", "text/plain, application/sdp;level=1", "application/*", "*/*"] {
        accept(acceptable).call(&mut line).hang_up(&mut line);
    }
}

#[track_caller]
fn check(section: &str, file: &Path, outcome: Outcome) {
    let server = server();
    let what = format!("RFC 4475 {section}, {}", file.display());
    let octets = std::fs::read(file).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut line = Line::tcp(server);
    line.send(&octets);
    match outcome {
        Outcome::Status(expected) => {
            let status = final_status(&mut line, &what);
            assert!(expected.contains(&status), "{what}: {status} instead of {expected:?}");
            serves(&mut line);
        }
        Outcome::Both(first, second) => {
            for expected in [first, second] {
                let status = final_status(&mut line, &what);
                assert!(expected.contains(&status), "{what}: {status} instead of {expected:?}");
            }
            // The RFC's second message is five octets longer than it announces; on a stream they are garbage.
            let rest = octets.ends_with(b"LPC\r\n\r\n");
            if rest { still_serves(server) } else { serves(&mut line) }
        }
        Outcome::Closed(expected) => {
            let rest: Vec<u16> = line.rest().iter().map(crate::line::Answer::status).collect();
            assert!(
                rest.is_empty() || rest == [expected],
                "{what}: {rest:?} instead of {expected} and the end"
            );
            still_serves(server);
        }
        // The answer to the next request is the first that comes.
        Outcome::Nothing => serves_next(&mut line, &what),
        Outcome::Waiting => still_serves_beside(server, line),
    }
}

#[track_caller]
fn final_status(line: &mut Line, what: &str) -> u16 {
    loop {
        match line.next() {
            Came::Message(answer) if answer.status() < 200 => {}
            Came::Message(answer) => return answer.status(),
            Came::End => panic!("{what}: closed instead of an answer"),
        }
    }
}

#[track_caller]
fn serves_next(line: &mut Line, what: &str) {
    let call_id = crate::invite::fresh("after-torture");
    line.send(options(&call_id));
    let answer = line.answer();
    assert_eq!((answer.header("Call-ID"), answer.status()), (call_id.as_str(), 200), "{what}: {answer:?}");
}

/// The waiting connection stays open meanwhile.
#[track_caller]
fn still_serves_beside(server: &Server, waiting: Line) {
    still_serves(server);
    drop(waiting);
}
