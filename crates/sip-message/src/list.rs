//! Comma lists: the elements of header values that may be written on one line or on several.

use crate::grammar;

/// Splits a value at its commas; those in quoted strings and angle brackets do not count. Empty
/// elements are left out (RFC 3261 25.1 allows an empty `Supported` and `Accept`).
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        loop {
            let text = rest?;
            let end = element_end(text);
            rest = text.get(end + 1..);
            let element = grammar::trim(text.get(..end).unwrap_or_default());
            if !element.is_empty() {
                return Some(element);
            }
        }
    })
}

/// Where the first element ends: at its comma, or at the end.
fn element_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            b',' => return at,
            b'"' => at += grammar::quoted_length(rest).unwrap_or(rest.len()),
            b'<' => at += memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1),
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(value: &str) -> Vec<&str> {
        elements(value.as_bytes()).map(grammar::text).collect()
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_count() {
        assert_eq!(split(r#""a, \"b" <sip:c,d@e>;x="1,2" , f"#), [r#""a, \"b" <sip:c,d@e>;x="1,2""#, "f"]);
    }

    #[test]
    fn empty_elements_are_left_out() {
        assert_eq!(split(" , a,,b\r\n ,"), ["a", "b"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn what_is_not_closed_goes_to_the_end() {
        assert_eq!(split("\"a, b"), ["\"a, b"]);
        assert_eq!(split("<a, b"), ["<a, b"]);
    }
}
