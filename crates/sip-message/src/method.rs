//! Methods: RFC 3261 7.1 and the extensions that register more of them.

use std::fmt;
use std::str::FromStr;

use crate::Token;
use crate::grammar::ParseError;

/// The method of a request. Case-sensitive (RFC 3261 7.1); unknown ones are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// RFC 3261 13.
    Invite,
    /// RFC 3261 17.1.1.3.
    Ack,
    /// RFC 3261 15.
    Bye,
    /// RFC 3261 9.
    Cancel,
    /// RFC 3261 11.
    Options,
    /// RFC 3261 10.
    Register,
    /// RFC 3311.
    Update,
    /// RFC 6086.
    Info,
    /// RFC 3262.
    Prack,
    /// RFC 3515.
    Refer,
    /// RFC 6665.
    Notify,
    /// RFC 6665.
    Subscribe,
    /// RFC 3428.
    Message,
    /// RFC 3903.
    Publish,
    /// Any other. [`Method::from_str`] never puts a name from above here.
    Extension(Token),
}

impl Method {
    /// The method as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Options => "OPTIONS",
            Method::Register => "REGISTER",
            Method::Update => "UPDATE",
            Method::Info => "INFO",
            Method::Prack => "PRACK",
            Method::Refer => "REFER",
            Method::Notify => "NOTIFY",
            Method::Subscribe => "SUBSCRIBE",
            Method::Message => "MESSAGE",
            Method::Publish => "PUBLISH",
            Method::Extension(token) => token.as_str(),
        }
    }

    /// Reads a method, case-sensitively; `None` where it is no token.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        Some(match octets {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"OPTIONS" => Method::Options,
            b"REGISTER" => Method::Register,
            b"UPDATE" => Method::Update,
            b"INFO" => Method::Info,
            b"PRACK" => Method::Prack,
            b"REFER" => Method::Refer,
            b"NOTIFY" => Method::Notify,
            b"SUBSCRIBE" => Method::Subscribe,
            b"MESSAGE" => Method::Message,
            b"PUBLISH" => Method::Publish,
            other => Method::Extension(Token::new(std::str::from_utf8(other).ok()?)?),
        })
    }

    /// Reads an element of Allow: [MS-OCEXUM] 4.2 writes `Ack`, `Cancel`, `Invite` there, so case is
    /// forgiven for the methods we know, and only in that place.
    pub(crate) fn from_allow(element: &str) -> Option<Self> {
        match Method::from_octets(element.to_ascii_uppercase().as_bytes())? {
            Method::Extension(_) => Token::new(element).map(Method::Extension),
            known => Some(known),
        }
    }
}

impl FromStr for Method {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Method::from_octets(text.as_bytes()).ok_or(ParseError::new("method is not a token", 0))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_known_method_reads_as_it_is_written() {
        let known =
            "INVITE ACK BYE CANCEL OPTIONS REGISTER UPDATE INFO PRACK REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH";
        for name in known.split(' ') {
            let method = name.parse::<Method>().unwrap();
            assert!(!matches!(method, Method::Extension(_)), "{name}");
            assert_eq!(method.as_str(), name);
        }
    }

    #[test]
    fn methods_are_case_sensitive_except_in_allow() {
        // OCEXUM-4-3
        assert_ne!("invite".parse::<Method>().unwrap(), Method::Invite);
        assert_eq!(Method::from_allow("Invite"), Some(Method::Invite));
        assert_eq!(Method::from_allow("BeNotify").unwrap().as_str(), "BeNotify");
        assert!("IN VITE".parse::<Method>().is_err());
        assert!("".parse::<Method>().is_err());
    }
}
