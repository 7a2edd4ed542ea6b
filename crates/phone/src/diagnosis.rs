//! What an ErrorId of [MS-OCER] means to a person.

/// The meaning of an ErrorId, in our words.
///
/// Nothing depends on the text that a server wrote beside it: the same id reads the same, and an id that is
/// not known reads as any other of its range (DIAG-4).
pub const fn meaning(error_id: u32) -> &'static str {
    match error_id {
        13_000 => "the call came back to where it came from",
        13_001 => "calls are sent on at once, and this one may not be",
        13_002 => "no telephone answered, and the call may not be sent on",
        13_003 => "a header field is not written as expected",
        13_009 => "no telephone is registered",
        13_010 => "there is no bandwidth for the call",
        13_011 => "the server has too much to do",
        _ => meaning_of_range(error_id),
    }
}

/// What the ids of one range have in common.
const fn meaning_of_range(error_id: u32) -> &'static str {
    match error_id {
        1_000..=1_999 => "the server's SIP layer reports a failure",
        12_000..=12_999 => "the way out of the enterprise reports a failure",
        13_000..=13_999 => "the callee's rules led nowhere",
        15_000..=15_999 => "the unified messaging server reports a failure",
        _ => "a server reports a failure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DIAG-4
    #[test]
    fn known_ids_have_meanings_of_their_own_and_unknown_ones_a_general_one() {
        assert_ne!(meaning(13_000), meaning(13_002));
        assert_eq!(meaning(13_099), meaning(13_500));
        assert_eq!(meaning(0), meaning(u32::MAX));
        for id in [0, 1_500, 4_000, 12_345, 13_011, 15_007, u32::MAX] {
            assert!(!meaning(id).is_empty());
        }
    }
}
