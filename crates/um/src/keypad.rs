//! Keys that came by INFO instead of RTP (MED-4).

use umbel_ivr::Key;

/// Reads the key in an INFO: `application/dtmf-relay` has a `Signal=` line, `application/dtmf` the key alone.
pub(crate) fn key_in_info(content_type: &str, body: &[u8]) -> Option<Key> {
    let text = std::str::from_utf8(body).ok()?;
    let signal = match content_type {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        })?,
        "application/dtmf" => text,
        _ => return None,
    };
    // Some write the event code of RFC 4733 for star and pound.
    match signal.trim() {
        "10" => Some(Key::Star),
        "11" => Some(Key::Pound),
        signal => {
            let mut characters = signal.chars();
            let only = characters.next()?;
            if characters.next().is_some() { None } else { Key::from_char(only) }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// MED-4, SEC-76.
    #[test]
    fn one_key_is_read_from_an_info_and_nothing_else() {
        let relay = "application/dtmf-relay";
        for (content_type, body, expected) in [
            (relay, "Signal=5\r\nDuration=160\r\n", Some(Key::Five)),
            (relay, "Signal= 5\nDuration= 160\n", Some(Key::Five)),
            (relay, "Duration=160\r\nsignal=*\r\n", Some(Key::Star)),
            (relay, "Signal=10\r\n", Some(Key::Star)),
            (relay, "Signal=11\r\n", Some(Key::Pound)),
            (relay, "Signal=#\r\n", Some(Key::Pound)),
            (relay, "Signal=A\r\n", None),
            (relay, "Signal=12\r\n", None),
            (relay, "Signal=55\r\n", None),
            (relay, "Signal=\r\n", None),
            (relay, "5\r\n", None),
            (relay, "", None),
            ("application/dtmf", "5", Some(Key::Five)),
            ("application/dtmf", "#\r\n", Some(Key::Pound)),
            ("application/dtmf", "55", None),
            ("text/plain", "5", None),
        ] {
            assert_eq!(key_in_info(content_type, body.as_bytes()), expected, "{content_type} {body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_ignored(body in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = key_in_info("application/dtmf-relay", &body);
            let _ = key_in_info("application/dtmf", &body);
        }
    }
}
