//! What the line says, and what keys mean.

use umbel_phone::{Answered, Ended, How, Incoming};
use umbel_sip_message::StatusCode;

use super::*;

const CALL: CallKey = CallKey(1);
const START: Instant = Instant::ZERO;

fn uri(text: &str) -> Uri {
    text.parse().expect("a URI")
}

fn tell(face: &mut Face, call: CallKey, change: Progress) {
    face.told(START, &News::Call { call, call_id: "x".to_owned(), change });
}

fn answered() -> Progress {
    let (status, codec) = (StatusCode::OK, umbel_media::Codec::G722);
    Progress::Answered(Answered { status, codec, encrypted: true, automatic: false, takes_keys: true })
}

fn ended() -> Progress {
    let ended = Ended { how: How::ByPeer, lasted: None, missed: false, incoming: None };
    Progress::Ended(Box::new(ended))
}

fn invited(kind: Kind) -> Progress {
    Progress::Invited(Box::new(Incoming {
        caller: uri("sip:bob@example.test"),
        caller_name: None,
        kind,
        automatic: false,
        subject: None,
        priority: None,
    }))
}

fn calling() -> Face {
    Face::new(Some(address(&uri("sip:bob@example.test;transport=tls"))))
}

fn line(face: &Face, seconds: u64) -> String {
    face.line(START + Duration::from_secs(seconds), 80)
}

/// What a key asks for, in a word.
fn typed(face: &mut Face, key: u8) -> String {
    match face.typed(key) {
        None => "nothing".to_owned(),
        Some(Typed::Stop) => "stop".to_owned(),
        Some(Typed::Order(order)) => match order {
            Order::Answer { call } => format!("answer {call}"),
            Order::Refuse { call, how: Refusal::Decline } => format!("decline {call}"),
            Order::HangUp { call } => format!("hang up {call}"),
            Order::Hold { call, held } => format!("hold {call} {held}"),
            Order::Sound { call, command: Command::SendDigits(strokes) } => match strokes.as_slice() {
                [Keystroke::Press(digit), Keystroke::Wait(_)] => format!("press {call} {}", digit.as_char()),
                other => format!("{} strokes", other.len()),
            },
            other => format!("{other:?}"),
        },
    }
}

#[test]
fn a_call_of_ours_is_seen_from_its_beginning_to_its_end() {
    let mut face = calling();
    assert_eq!(line(&face, 0), "calling bob@example.test  [q]uit");
    tell(&mut face, CALL, Progress::Ringing { status: StatusCode::RINGING });
    assert_eq!(line(&face, 0), "ringing at bob@example.test  [q]uit");
    assert_eq!(face.poll_timeout(START), None);
    tell(&mut face, CALL, answered());
    assert_eq!(line(&face, 65), "talking with bob@example.test  01:05  [0-9*#A-D] [h]old [q]uit");
    let at = START + Duration::from_millis(65_300);
    assert_eq!(face.poll_timeout(at), Some(START + Duration::from_secs(66)));
    tell(&mut face, CALL, Progress::Held { held: true });
    assert!(line(&face, 65).starts_with("on hold with bob@example.test"));
    tell(&mut face, CALL, ended());
    assert_eq!(line(&face, 70), "calling bob@example.test  [q]uit");
}

/// POP-12: "Show the call as voice mail playback".
#[test]
fn a_call_that_comes_says_who_calls() {
    let mut face = Face::new(None);
    assert_eq!(line(&face, 0), "not registered  [q]uit");
    let change = Registration::Registered { expires: Duration::from_secs(60), authenticated: true };
    face.told(START, &News::Registration { call_id: "x".to_owned(), change });
    assert_eq!(line(&face, 0), "ready  [q]uit");
    tell(&mut face, CALL, invited(Kind::Call));
    assert_eq!(line(&face, 0), "bob@example.test is calling  [a]nswer [d]ecline");
    tell(&mut face, CALL, ended());
    tell(&mut face, CallKey(3), invited(Kind::PlayOnPhone));
    assert_eq!(line(&face, 0), "voice mail playback is calling  [a]nswer [d]ecline");
}

#[test]
fn keys_mean_what_fits_the_call() {
    let mut face = Face::new(None);
    assert_eq!(
        ["1", "a", "d", "h", "q"].map(|key| typed(&mut face, key.as_bytes()[0])),
        ["nothing", "nothing", "nothing", "nothing", "stop"]
    );
    tell(&mut face, CALL, invited(Kind::Call));
    assert_eq!(
        ["1", "h", "A", "a", "d", "q"].map(|key| typed(&mut face, key.as_bytes()[0])),
        ["nothing", "nothing", "nothing", "answer call-1", "decline call-1", "decline call-1"]
    );
    tell(&mut face, CALL, answered());
    assert_eq!(
        ["1", "*", "#", "A", "D"].map(|key| typed(&mut face, key.as_bytes()[0])),
        ["press call-1 1", "press call-1 *", "press call-1 #", "press call-1 A", "press call-1 D"]
    );
    assert_eq!(
        ["a", "d", "E", "x", "\n", "\u{1b}"].map(|key| typed(&mut face, key.as_bytes()[0])),
        ["nothing"; 6]
    );
    assert_eq!(
        ["h", "h", "q"].map(|key| typed(&mut face, key.as_bytes()[0])),
        ["hold call-1 true", "hold call-1 false", "hang up call-1"]
    );
}

/// A PIN may be among them.
#[test]
fn typed_keys_are_counted_and_never_shown() {
    let mut face = calling();
    tell(&mut face, CALL, answered());
    for key in b"815624#" {
        face.typed(*key);
    }
    let line = line(&face, 0);
    assert!(line.contains("  7 keys  "), "{line}");
    assert!(!line.contains("815624"), "{line}");
}

#[test]
fn levels_are_seen_once_they_are_known() {
    let mut face = calling();
    let level = |rms, peak| Level { rms, peak };
    // Of a call that nobody knows, nothing is.
    face.levels(CALL, level(1, 1), level(1, 1));
    tell(&mut face, CALL, answered());
    assert!(!line(&face, 3).contains("in "));
    for (rms, peak, meter) in [
        (0, 0, "........"),
        (100, 300, "........"),
        // 48 dB below the loudest is 130.5; 6 dB are a factor of 2.
        (131, 300, "#......."),
        (2_000, 9_000, "####...."),
        (20_000, 32_766, "########"),
        (20_000, 32_767, "########!"),
        (20_000, 32_768, "########!"),
    ] {
        face.levels(CALL, level(rms, peak), level(0, 0));
        let line = face.line(START + Duration::from_secs(3), 100);
        let expected = format!("talking with bob@example.test  00:03  in {meter} out ........  [0-9*#A-D]");
        assert!(line.starts_with(&expected), "{rms}: {line}");
    }
    tell(&mut face, CALL, ended());
    assert!(!line(&face, 3).contains("in "));
}

/// RFC 3515: the keys are for the call that we were sent to.
#[test]
fn the_newest_call_is_the_one_that_is_seen() {
    let mut face = calling();
    tell(&mut face, CALL, answered());
    tell(&mut face, CALL, Progress::Transferred { to: uri("sip:carol@example.test"), call: CallKey(3) });
    assert_eq!(line(&face, 0), "calling carol@example.test  [q]uit");
    assert_eq!(typed(&mut face, b'q'), "hang up call-3");
    tell(&mut face, CallKey(3), ended());
    assert!(line(&face, 0).starts_with("talking with bob@example.test"));
}

/// What there is no room for is left out whole, and the time never is.
#[test]
fn a_narrow_line_leaves_out_what_is_known_best() {
    let mut face = calling();
    tell(&mut face, CALL, answered());
    face.levels(CALL, Level { rms: 0, peak: 0 }, Level { rms: 0, peak: 0 });
    for (width, expected) in [
        (89, "talking with bob@example.test  00:00  in ........ out ........  [0-9*#A-D] [h]old [q]uit"),
        (88, "talking with bob@example.test  00:00  in ........ out ........  [h]old [q]uit"),
        (70, "talking with bob@example.test  00:00  in ........ out ........"),
        (60, "talking with bob@example.test  00:00  [h]old [q]uit"),
        (40, "talking with bob@example.test  00:00"),
        (20, "00:00  talking with"),
    ] {
        assert_eq!(face.line(START, width).trim_end(), expected, "{width}");
    }
}

/// CMD-13: who takes no keys is sent none, and none are counted.
#[test]
fn keys_that_are_not_taken_are_not_offered() {
    let mut face = calling();
    let (status, codec) = (StatusCode::OK, umbel_media::Codec::Pcmu);
    let answered = Answered { status, codec, encrypted: false, automatic: false, takes_keys: false };
    tell(&mut face, CALL, Progress::Answered(answered));
    assert!(face.typed(b'5').is_none());
    assert_eq!(line(&face, 0), "talking with bob@example.test  00:00  [h]old [q]uit");
}

#[test]
fn the_line_is_never_wider_than_the_terminal_and_has_no_control_characters() {
    let mut face = calling();
    tell(&mut face, CALL, answered());
    for width in [0, 1, 10, 40, 80, 500] {
        let line = face.line(START, width);
        assert!(line.chars().count() < width.max(WIDTH_MIN), "{width}: {line}");
        assert!(!line.contains(char::is_control));
    }
}
