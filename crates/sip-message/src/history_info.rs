//! History-Info: RFC 7044 5, with the Reason and Privacy that its URIs carry escaped.

use crate::grammar::{self, ParseError};
use crate::name_addr::NameAddr;
use crate::reason::Reason;
use crate::uri::octets as decoded_octets;

/// One `hi-entry`: a target that the request was sent to.
#[derive(Clone, Debug)]
pub struct HistoryEntry<'a> {
    /// The target.
    pub address: NameAddr<'a>,
    /// Its place in the tree of retargetings: `1.2` was the second one made from `1`.
    pub index: &'a str,
    /// How the target was chosen, and from which entry.
    pub source: Option<Source<'a>>,
}

/// `rc`, `mp` and `np` of RFC 7044 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// `rc`: registered contact of the user of the entry with this index.
    RegisteredContact(&'a str),
    /// `mp`: mapped to another user.
    Mapped(&'a str),
    /// `np`: not changed.
    Unchanged(&'a str),
}

impl<'a> HistoryEntry<'a> {
    /// Reads one entry.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let address = NameAddr::parse(value)?;
        let index = address.params().plain("index").filter(|index| is_index(index));
        let index = index.ok_or(ParseError::new("History-Info entry without an index", 0))?;
        let source = |name: &str, made: fn(&'a str) -> Source<'a>| {
            address.params().plain(name).filter(|index| is_index(index)).map(made)
        };
        let source = source("rc", Source::RegisteredContact)
            .or_else(|| source("mp", Source::Mapped))
            .or_else(|| source("np", Source::Unchanged));
        Ok(HistoryEntry { address, index, source })
    }

    /// The Reasons why the request did not stay with this target, from the URI's header component.
    pub fn reasons(&self) -> Vec<Reason> {
        self.escaped("Reason").filter_map(|value| Reason::parse(&value).ok()).collect()
    }

    /// The priv-values of the URI's Privacy component, such as `history` or `none`.
    pub fn privacy(&self) -> Vec<String> {
        let values = self.escaped("Privacy").map(|value| String::from_utf8_lossy(&value).into_owned());
        values
            .flat_map(|value| value.split(';').map(|word| word.trim().to_owned()).collect::<Vec<_>>())
            .collect()
    }

    /// The decoded values of a header in the URI. They never become headers of the message (M6).
    fn escaped(&self, name: &'static str) -> impl Iterator<Item = Vec<u8>> + use<'a> {
        let headers = self.address.uri.headers();
        headers
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| decoded_octets(value))
    }
}

/// `index-val = number *("." number)`
fn is_index(text: &str) -> bool {
    text.split('.').all(|number| grammar::number(number.as_bytes(), 9).is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_entry_says_where_why_and_from_which() {
        let value = b"<sip:bob@example.com?Reason=SIP%3Bcause%3D408%3Btext%3D%22No%20answer%22&Privacy=history>;index=1.1;mp=1";
        let entry = HistoryEntry::parse(value).unwrap();
        assert_eq!(entry.address.uri.user(), Some("bob"));
        assert_eq!(entry.index, "1.1");
        assert_eq!(entry.source, Some(Source::Mapped("1")));
        assert_eq!(entry.reasons(), [Reason::sip(408, "No answer")]);
        assert_eq!(entry.privacy(), ["history"]);
    }

    #[test]
    fn an_escaped_reason_may_leave_its_equals_sign_unescaped() {
        let entry = HistoryEntry::parse(b"<sip:bob@example.com?Reason=SIP%3Bcause=302>;index=1").unwrap();
        assert_eq!(entry.reasons().first().unwrap().cause, Some(302));
        assert_eq!(entry.source, None);
    }

    #[test]
    fn an_entry_without_a_proper_index_is_refused() {
        for bad in
            ["<sip:a@b>", "<sip:a@b>;index", "<sip:a@b>;index=", "<sip:a@b>;index=1.", "<sip:a@b>;index=x"]
        {
            assert!(HistoryEntry::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
