//! Event and Subscription-State: RFC 6665 8.2.1 and 8.2.3.

use crate::grammar::{self, Cursor, ParseError};
use crate::params::Params;

/// Event.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The event package, such as `message-summary`. Compared with case (RFC 6665 8.2.1).
    pub package: &'a str,
    /// Its parameters.
    pub params: Params<'a>,
}

impl<'a> Event<'a> {
    /// Reads the value.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (package, params) = word(value)?;
        Ok(Event { package, params })
    }

    /// The `id` parameter, which tells subscriptions in one dialog apart.
    pub fn id(&self) -> Option<&'a str> {
        self.params.plain("id")
    }
}

/// Subscription-State.
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionState<'a> {
    /// `active`, `pending`, `terminated` or another word.
    pub state: &'a str,
    /// Its parameters.
    pub params: Params<'a>,
}

impl<'a> SubscriptionState<'a> {
    /// Reads the value.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (state, params) = word(value)?;
        Ok(SubscriptionState { state, params })
    }

    /// Whether the subscription is over.
    pub fn is_terminated(&self) -> bool {
        self.state.eq_ignore_ascii_case("terminated")
    }

    /// Seconds until it ends.
    pub fn expires(&self) -> Option<u32> {
        grammar::number_u32(self.params.plain("expires")?.as_bytes())
    }

    /// Why it ended.
    pub fn reason(&self) -> Option<&'a str> {
        self.params.plain("reason")
    }

    /// Seconds after which one may subscribe again.
    pub fn retry_after(&self) -> Option<u32> {
        grammar::number_u32(self.params.plain("retry-after")?.as_bytes())
    }
}

/// `token *( SEMI generic-param )`
pub(crate) fn word(value: &[u8]) -> Result<(&str, Params<'_>), ParseError> {
    let mut cursor = Cursor::new(value);
    cursor.skip_lws();
    let word = cursor.token("not a token")?;
    let params = Params::parse(&mut cursor)?;
    cursor.skip_lws();
    if cursor.is_end() { Ok((word, params)) } else { Err(cursor.error("something after the value")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_event_has_a_package_and_perhaps_an_id() {
        let event = Event::parse(b"message-summary ; id=7").unwrap();
        assert_eq!((event.package, event.id()), ("message-summary", Some("7")));
        assert!(Event::parse(b"").is_err());
        assert!(Event::parse(b"a, b").is_err());
    }

    #[test]
    fn a_subscription_says_how_long_or_why_not() {
        let state = SubscriptionState::parse(b"Terminated;reason=timeout;retry-after=30").unwrap();
        assert!(state.is_terminated());
        assert_eq!((state.reason(), state.retry_after(), state.expires()), (Some("timeout"), Some(30), None));
        let state = SubscriptionState::parse(b"active;expires=3600").unwrap();
        assert!(!state.is_terminated());
        assert_eq!(state.expires(), Some(3600));
    }
}
