//! Header field names: RFC 3261 20, the extensions that this system speaks, and all others as tokens.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::Token;
use crate::grammar::ParseError;

macro_rules! header_names {
    ($($variant:ident = $long:literal $(/ $compact:literal)?, $origin:literal;)*) => {
        /// The name of a header field. Compared without case; compact forms are the same name
        /// (RFC 3261 7.3.1, 7.3.3).
        #[derive(Clone)]
        pub enum HeaderName {
            $(#[doc = $origin] $variant,)*
            /// Any other. [`HeaderName::from_str`] never puts a name from above here.
            Extension(Token),
        }

        /// The known names without their payload, for tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Known {
            $($variant,)*
        }

        /// Every spelling that is a known name.
        const SPELLINGS: &[(&str, Known)] = &[
            $(($long, Known::$variant), $(($compact, Known::$variant),)?)*
        ];

        impl HeaderName {
            /// The name without payload; `None` for an extension.
            pub(crate) const fn known(&self) -> Option<Known> {
                match self {
                    $(HeaderName::$variant => Some(Known::$variant),)*
                    HeaderName::Extension(_) => None,
                }
            }

            /// The long form, as we write it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(HeaderName::$variant => $long,)*
                    HeaderName::Extension(token) => token.as_str(),
                }
            }
        }

        impl Known {
            /// The name for everybody else.
            pub(crate) const fn name(self) -> HeaderName {
                match self {
                    $(Known::$variant => HeaderName::$variant,)*
                }
            }
        }
    };
}

header_names! {
    Accept = "Accept", "RFC 3261 20.1.";
    AcceptContact = "Accept-Contact" / "a", "RFC 3841 9.2.";
    AcceptEncoding = "Accept-Encoding", "RFC 3261 20.2.";
    AcceptLanguage = "Accept-Language", "RFC 3261 20.3.";
    AlertInfo = "Alert-Info", "RFC 3261 20.4.";
    Allow = "Allow", "RFC 3261 20.5.";
    AllowEvents = "Allow-Events" / "u", "RFC 6665 8.2.2.";
    AnswerMode = "Answer-Mode", "RFC 5373.";
    AuthenticationInfo = "Authentication-Info", "RFC 3261 20.6.";
    Authorization = "Authorization", "RFC 3261 20.7.";
    CallId = "Call-ID" / "i", "RFC 3261 20.8.";
    CallInfo = "Call-Info", "RFC 3261 20.9.";
    Contact = "Contact" / "m", "RFC 3261 20.10.";
    ContentDisposition = "Content-Disposition", "RFC 3261 20.11.";
    ContentEncoding = "Content-Encoding" / "e", "RFC 3261 20.12.";
    ContentLanguage = "Content-Language", "RFC 3261 20.13.";
    ContentLength = "Content-Length" / "l", "RFC 3261 20.14.";
    ContentType = "Content-Type" / "c", "RFC 3261 20.15.";
    CSeq = "CSeq", "RFC 3261 20.16.";
    Date = "Date", "RFC 3261 20.17.";
    Diversion = "Diversion", "RFC 5806.";
    ErrorInfo = "Error-Info", "RFC 3261 20.18.";
    Event = "Event" / "o", "RFC 6665 8.2.1.";
    Expires = "Expires", "RFC 3261 20.19.";
    FlowTimer = "Flow-Timer", "RFC 5626 11.";
    From = "From" / "f", "RFC 3261 20.20.";
    HistoryInfo = "History-Info", "RFC 7044 5.";
    Identity = "Identity" / "y", "RFC 8224 4.";
    InReplyTo = "In-Reply-To", "RFC 3261 20.21.";
    InfoPackage = "Info-Package", "RFC 6086 7.";
    Join = "Join", "RFC 3911.";
    MaxBreadth = "Max-Breadth", "RFC 5393 5.";
    MaxForwards = "Max-Forwards", "RFC 3261 20.22.";
    MimeVersion = "MIME-Version", "RFC 3261 20.24.";
    MinExpires = "Min-Expires", "RFC 3261 20.23.";
    MinSe = "Min-SE", "RFC 4028 5.";
    MsDiagnostics = "ms-diagnostics", "[MS-OCER] 2.2.1.1.";
    MsDiagnosticsPublic = "ms-diagnostics-public", "[MS-OCER] 2.2.1.2.";
    MsExchangeCommand = "Ms-Exchange-Command", "[MS-OCEXUM] 2.2.1.";
    MsSensitivity = "Ms-Sensitivity", "[MS-OCEXUM] 2.2.2, [MS-SIPRE] 2.2.10.";
    Organization = "Organization", "RFC 3261 20.25.";
    PAccessNetworkInfo = "P-Access-Network-Info", "RFC 7315 4.4.";
    PAssertedIdentity = "P-Asserted-Identity", "RFC 3325 9.1.";
    PCalledPartyId = "P-Called-Party-ID", "RFC 7315 4.2.";
    PPreferredIdentity = "P-Preferred-Identity", "RFC 3325 9.2.";
    Path = "Path", "RFC 3327.";
    Priority = "Priority", "RFC 3261 20.26.";
    Privacy = "Privacy", "RFC 3323 4.2.";
    ProxyAuthenticate = "Proxy-Authenticate", "RFC 3261 20.27.";
    ProxyAuthenticationInfo = "Proxy-Authentication-Info", "RFC 7615.";
    ProxyAuthorization = "Proxy-Authorization", "RFC 3261 20.28.";
    ProxyRequire = "Proxy-Require", "RFC 3261 20.29.";
    RAck = "RAck", "RFC 3262 7.2.";
    RSeq = "RSeq", "RFC 3262 7.1.";
    Reason = "Reason", "RFC 3326 2.";
    RecordRoute = "Record-Route", "RFC 3261 20.30.";
    RecvInfo = "Recv-Info", "RFC 6086 7.";
    ReferSub = "Refer-Sub", "RFC 4488.";
    ReferTo = "Refer-To" / "r", "RFC 3515 2.1.";
    ReferredBy = "Referred-By" / "b", "RFC 3892 3.";
    RejectContact = "Reject-Contact" / "j", "RFC 3841 9.2.";
    Replaces = "Replaces", "RFC 3891 6.1.";
    ReplyTo = "Reply-To", "RFC 3261 20.31.";
    RequestDisposition = "Request-Disposition" / "d", "RFC 3841 9.1.";
    Require = "Require", "RFC 3261 20.32.";
    RetryAfter = "Retry-After", "RFC 3261 20.33.";
    Route = "Route", "RFC 3261 20.34.";
    Server = "Server", "RFC 3261 20.35.";
    ServiceRoute = "Service-Route", "RFC 3608.";
    SessionExpires = "Session-Expires" / "x", "RFC 4028 4.";
    SipEtag = "SIP-ETag", "RFC 3903 11.3.1.";
    SipIfMatch = "SIP-If-Match", "RFC 3903 11.3.2.";
    Subject = "Subject" / "s", "RFC 3261 20.36.";
    SubscriptionState = "Subscription-State", "RFC 6665 8.2.3.";
    Supported = "Supported" / "k", "RFC 3261 20.37.";
    TargetDialog = "Target-Dialog", "RFC 4538 7.";
    Timestamp = "Timestamp", "RFC 3261 20.38.";
    To = "To" / "t", "RFC 3261 20.39.";
    Unsupported = "Unsupported", "RFC 3261 20.40.";
    UserAgent = "User-Agent", "RFC 3261 20.41.";
    Via = "Via" / "v", "RFC 3261 20.42.";
    Warning = "Warning", "RFC 3261 20.43.";
    WwwAuthenticate = "WWW-Authenticate", "RFC 3261 20.44.";
}

impl Known {
    /// Looks up a name as it stands on the wire.
    pub(crate) fn from_octets(name: &[u8]) -> Option<Self> {
        let mut slot = slot(name)?;
        loop {
            let index = SLOTS.get(slot).copied().unwrap_or(EMPTY);
            let (spelling, known) = SPELLINGS.get(usize::from(index))?;
            // Most are written as we write them, and that is compared faster.
            if spelling.as_bytes() == name || spelling.as_bytes().eq_ignore_ascii_case(name) {
                return Some(*known);
            }
            slot = (slot + 1) % SLOTS.len();
        }
    }
}

/// A closed hash table over [`SPELLINGS`], laid out when compiled: no name is compared with many.
static SLOTS: [u8; 256] = slots();
/// No spelling has this index.
const EMPTY: u8 = u8::MAX;
const _: () = assert!(SPELLINGS.len() < 128, "more than half full would make the search long");

const fn slots() -> [u8; 256] {
    let mut slots = [EMPTY; 256];
    let mut index = 0u8;
    while (index as usize) < SPELLINGS.len() {
        let name = SPELLINGS[index as usize].0.as_bytes();
        let mut slot = hash(name.len(), name[0], name[name.len() / 2], name[name.len() - 1]);
        while slots[slot] != EMPTY {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = index;
        index += 1;
    }
    slots
}

fn slot(name: &[u8]) -> Option<usize> {
    let middle = name.get(name.len() / 2)?;
    Some(hash(name.len(), *name.first()?, *middle, *name.last()?))
}

/// Bit 5 is what tells the cases of a letter apart, so it does not take part.
const fn hash(length: usize, first: u8, middle: u8, last: u8) -> usize {
    let (first, middle, last) = (first as usize & 0x1F, middle as usize & 0x1F, last as usize & 0x1F);
    (length * 29 + first * 7 + middle * 43 + last * 3) & 0xFF
}

impl HeaderName {
    /// Whether a name as it stands on the wire is this one.
    pub(crate) fn is(&self, known: Option<Known>, written: &[u8]) -> bool {
        match self.known() {
            Some(wanted) => known == Some(wanted),
            None => known.is_none() && self.as_str().as_bytes().eq_ignore_ascii_case(written),
        }
    }
}

impl FromStr for HeaderName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match Known::from_octets(text.as_bytes()) {
            Some(known) => Ok(known.name()),
            None => Token::new(text)
                .map(HeaderName::Extension)
                .ok_or(ParseError::new("header name is no token", 0)),
        }
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for HeaderName {}

impl PartialOrd for HeaderName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HeaderName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let lower = |name: &'_ Self| name.as_str().to_ascii_lowercase();
        lower(self).cmp(&lower(other))
    }
}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in self.as_str().bytes() {
            state.write_u8(octet.to_ascii_lowercase());
        }
        state.write_u8(0xFF);
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_spelling_is_found_in_any_case() {
        for (spelling, known) in SPELLINGS {
            for text in [spelling.to_string(), spelling.to_uppercase(), spelling.to_lowercase()] {
                assert_eq!(Known::from_octets(text.as_bytes()), Some(*known), "{text}");
            }
        }
    }

    #[test]
    fn compact_forms_are_the_same_name() {
        assert_eq!("i".parse::<HeaderName>().unwrap(), HeaderName::CallId);
        assert_eq!("V".parse::<HeaderName>().unwrap(), HeaderName::Via);
        assert_eq!(HeaderName::CallId.as_str(), "Call-ID");
    }

    #[test]
    fn an_unknown_name_is_kept_and_compared_without_case() {
        let name: HeaderName = "X-Thing".parse().unwrap();
        assert_eq!(name.as_str(), "X-Thing");
        assert_eq!(name, "x-tHING".parse::<HeaderName>().unwrap());
        assert_ne!(name, "X-Things".parse::<HeaderName>().unwrap());
    }

    #[test]
    fn what_resembles_a_name_is_not_that_name() {
        // M2: never treated as the header it resembles.
        for text in ["", " Via", "Via ", "Vi\u{7f}a", "Ms-Exchange Command", "Vía", "Via:"] {
            assert!(text.parse::<HeaderName>().is_err(), "{text:?}");
        }
        assert_ne!("Ms_Exchange_Command".parse::<HeaderName>().unwrap(), HeaderName::MsExchangeCommand);
        // Not a letter, but only bit 5 away from one.
        assert_ne!("MIME\rVersion".as_bytes(), b"MIME-Version");
        assert_eq!(Known::from_octets(b"MIME\rVersion"), None);
    }
}
