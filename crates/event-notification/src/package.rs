//! Event packages: what a subscription is about.

use umbel_sip_message::{Draft, HeaderName, Headers, Request};

/// An event package (RFC 6665 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name in Event; compared with case (RFC 6665 8.2.1).
    pub name: &'static str,
    /// What its NOTIFYs carry.
    pub content_type: &'static str,
}

/// Message waiting: RFC 3842.
pub const MESSAGE_SUMMARY: Package =
    Package { name: "message-summary", content_type: "application/simple-message-summary" };

impl Package {
    /// Whether this SUBSCRIBE or NOTIFY is about it.
    pub fn is_of(&self, request: &Request) -> bool {
        request.headers().event().is_ok_and(|event| event.is_some_and(|event| event.package == self.name))
    }

    /// Whether a subscriber can read what we would send. Without Accept it can (RFC 6665 4.1.2.1).
    pub(crate) fn is_acceptable(&self, headers: &Headers) -> bool {
        if !headers.has(&HeaderName::Accept) {
            return true;
        }
        let kind = self.content_type.split('/').next().unwrap_or_default();
        headers.elements(&HeaderName::Accept).any(|range| {
            let range = String::from_utf8_lossy(range);
            let range = range.split(';').next().unwrap_or_default().trim();
            range == "*/*"
                || range.eq_ignore_ascii_case(self.content_type)
                || range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(kind))
        })
    }

    /// Event, with the `id` that tells subscriptions of one dialog apart.
    pub(crate) fn write(&self, draft: &mut Draft, id: Option<&str>) {
        match id {
            Some(id) => draft.push(HeaderName::Event, format_args!("{};id={id}", self.name)),
            None => draft.push(HeaderName::Event, self.name),
        };
    }
}
