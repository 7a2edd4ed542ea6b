//! Status codes and their default reason phrases.

use std::fmt;

/// A status code, 100 to 699 (RFC 3261 7.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

macro_rules! status_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal $reason:literal;)*) => {
        impl StatusCode {
            $($(#[doc = $doc])+ pub const $name: StatusCode = StatusCode($code);)*

            /// The default reason phrase of the document that registered the code; for others, that of
            /// the class (RFC 3261 8.1.3.2).
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    100..=199 => "Progress",
                    200..=299 => "Success",
                    300..=399 => "Redirection",
                    400..=499 => "Request Failure",
                    500..=599 => "Server Failure",
                    _ => "Global Failure",
                }
            }
        }

        #[cfg(test)]
        const NAMED: &[(StatusCode, u16)] = &[$((StatusCode::$name, $code),)*];
    };
}

status_codes! {
    /// RFC 3261 21.1.1.
    TRYING = 100 "Trying";
    /// RFC 3261 21.1.2.
    RINGING = 180 "Ringing";
    /// RFC 3261 21.1.3.
    CALL_IS_BEING_FORWARDED = 181 "Call Is Being Forwarded";
    /// RFC 3261 21.1.4.
    QUEUED = 182 "Queued";
    /// RFC 3261 21.1.5.
    SESSION_PROGRESS = 183 "Session Progress";
    /// RFC 6228.
    EARLY_DIALOG_TERMINATED = 199 "Early Dialog Terminated";
    /// RFC 3261 21.2.1.
    OK = 200 "OK";
    /// RFC 3265, deprecated by RFC 6665 8.3.1; still received.
    ACCEPTED = 202 "Accepted";
    /// RFC 5839.
    NO_NOTIFICATION = 204 "No Notification";
    /// RFC 3261 21.3.1.
    MULTIPLE_CHOICES = 300 "Multiple Choices";
    /// RFC 3261 21.3.2.
    MOVED_PERMANENTLY = 301 "Moved Permanently";
    /// RFC 3261 21.3.3.
    MOVED_TEMPORARILY = 302 "Moved Temporarily";
    /// Not registered; deployed protocol servers redirect with it all the same.
    SEE_OTHER = 303 "See Other";
    /// RFC 3261 21.3.4.
    USE_PROXY = 305 "Use Proxy";
    /// RFC 3261 21.3.5.
    ALTERNATIVE_SERVICE = 380 "Alternative Service";
    /// RFC 3261 21.4.1.
    BAD_REQUEST = 400 "Bad Request";
    /// RFC 3261 21.4.2.
    UNAUTHORIZED = 401 "Unauthorized";
    /// RFC 3261 21.4.3.
    PAYMENT_REQUIRED = 402 "Payment Required";
    /// RFC 3261 21.4.4.
    FORBIDDEN = 403 "Forbidden";
    /// RFC 3261 21.4.5.
    NOT_FOUND = 404 "Not Found";
    /// RFC 3261 21.4.6.
    METHOD_NOT_ALLOWED = 405 "Method Not Allowed";
    /// RFC 3261 21.4.7.
    NOT_ACCEPTABLE = 406 "Not Acceptable";
    /// RFC 3261 21.4.8.
    PROXY_AUTHENTICATION_REQUIRED = 407 "Proxy Authentication Required";
    /// RFC 3261 21.4.9.
    REQUEST_TIMEOUT = 408 "Request Timeout";
    /// RFC 3261 21.4.10.
    GONE = 410 "Gone";
    /// RFC 3903 11.2.1.
    CONDITIONAL_REQUEST_FAILED = 412 "Conditional Request Failed";
    /// RFC 3261 21.4.11.
    REQUEST_ENTITY_TOO_LARGE = 413 "Request Entity Too Large";
    /// RFC 3261 21.4.12.
    REQUEST_URI_TOO_LONG = 414 "Request-URI Too Long";
    /// RFC 3261 21.4.13.
    UNSUPPORTED_MEDIA_TYPE = 415 "Unsupported Media Type";
    /// RFC 3261 21.4.14.
    UNSUPPORTED_URI_SCHEME = 416 "Unsupported URI Scheme";
    /// RFC 3261 21.4.15.
    BAD_EXTENSION = 420 "Bad Extension";
    /// RFC 3261 21.4.16.
    EXTENSION_REQUIRED = 421 "Extension Required";
    /// RFC 4028 6.
    SESSION_INTERVAL_TOO_SMALL = 422 "Session Interval Too Small";
    /// RFC 3261 21.4.17.
    INTERVAL_TOO_BRIEF = 423 "Interval Too Brief";
    /// RFC 5626 11.5.
    FLOW_FAILED = 430 "Flow Failed";
    /// RFC 5079.
    ANONYMITY_DISALLOWED = 433 "Anonymity Disallowed";
    /// RFC 5626 11.6.
    FIRST_HOP_LACKS_OUTBOUND_SUPPORT = 439 "First Hop Lacks Outbound Support";
    /// RFC 5393 5.3.3.
    MAX_BREADTH_EXCEEDED = 440 "Max-Breadth Exceeded";
    /// RFC 6086 4.2.2.
    BAD_INFO_PACKAGE = 469 "Bad Info Package";
    /// RFC 3261 21.4.18.
    TEMPORARILY_UNAVAILABLE = 480 "Temporarily Unavailable";
    /// RFC 3261 21.4.19.
    CALL_OR_TRANSACTION_DOES_NOT_EXIST = 481 "Call/Transaction Does Not Exist";
    /// RFC 3261 21.4.20.
    LOOP_DETECTED = 482 "Loop Detected";
    /// RFC 3261 21.4.21.
    TOO_MANY_HOPS = 483 "Too Many Hops";
    /// RFC 3261 21.4.22.
    ADDRESS_INCOMPLETE = 484 "Address Incomplete";
    /// RFC 3261 21.4.23.
    AMBIGUOUS = 485 "Ambiguous";
    /// RFC 3261 21.4.24.
    BUSY_HERE = 486 "Busy Here";
    /// RFC 3261 21.4.25.
    REQUEST_TERMINATED = 487 "Request Terminated";
    /// RFC 3261 21.4.26.
    NOT_ACCEPTABLE_HERE = 488 "Not Acceptable Here";
    /// RFC 6665 8.3.2.
    BAD_EVENT = 489 "Bad Event";
    /// RFC 3261 21.4.27.
    REQUEST_PENDING = 491 "Request Pending";
    /// RFC 3261 21.4.28.
    UNDECIPHERABLE = 493 "Undecipherable";
    /// RFC 3329.
    SECURITY_AGREEMENT_REQUIRED = 494 "Security Agreement Required";
    /// RFC 3261 21.5.1.
    SERVER_INTERNAL_ERROR = 500 "Server Internal Error";
    /// RFC 3261 21.5.2.
    NOT_IMPLEMENTED = 501 "Not Implemented";
    /// RFC 3261 21.5.3.
    BAD_GATEWAY = 502 "Bad Gateway";
    /// RFC 3261 21.5.4.
    SERVICE_UNAVAILABLE = 503 "Service Unavailable";
    /// RFC 3261 21.5.5.
    SERVER_TIME_OUT = 504 "Server Time-out";
    /// RFC 3261 21.5.6.
    VERSION_NOT_SUPPORTED = 505 "Version Not Supported";
    /// RFC 3261 21.5.7.
    MESSAGE_TOO_LARGE = 513 "Message Too Large";
    /// RFC 3312.
    PRECONDITION_FAILURE = 580 "Precondition Failure";
    /// RFC 3261 21.6.1.
    BUSY_EVERYWHERE = 600 "Busy Everywhere";
    /// RFC 3261 21.6.2.
    DECLINE = 603 "Decline";
    /// RFC 3261 21.6.3.
    DOES_NOT_EXIST_ANYWHERE = 604 "Does Not Exist Anywhere";
    /// RFC 3261 21.6.4.
    NOT_ACCEPTABLE_ANYWHERE = 606 "Not Acceptable";
    /// RFC 8197.
    UNWANTED = 607 "Unwanted";
}

impl StatusCode {
    /// The code, if it is one: 100 to 699.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            100..=699 => Some(StatusCode(code)),
            _ => None,
        }
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The first digit: 1 to 6.
    pub const fn class(self) -> u16 {
        self.0 / 100
    }

    /// 1xx.
    pub const fn is_provisional(self) -> bool {
        self.class() == 1
    }

    /// 2xx.
    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    /// 3xx.
    pub const fn is_redirection(self) -> bool {
        self.class() == 3
    }

    /// Not 1xx.
    pub const fn is_final(self) -> bool {
        !self.is_provisional()
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_digits_of_the_six_classes_are_codes() {
        assert_eq!(StatusCode::new(99), None);
        assert_eq!(StatusCode::new(100), Some(StatusCode::TRYING));
        assert!(StatusCode::new(699).is_some());
        assert_eq!(StatusCode::new(700), None);
    }

    #[test]
    fn every_named_code_is_a_code() {
        for &(status, code) in NAMED {
            assert_eq!(StatusCode::new(code), Some(status));
            assert_ne!(status.reason(), "");
        }
    }

    #[test]
    fn an_unknown_code_reads_as_its_class() {
        assert_eq!(StatusCode(499).reason(), "Request Failure");
        assert!(StatusCode(199).is_provisional() && !StatusCode(199).is_final());
        assert!(StatusCode(299).is_success() && StatusCode(299).is_final());
    }
}
