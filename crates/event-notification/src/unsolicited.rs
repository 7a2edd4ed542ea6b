//! NOTIFYs that nobody subscribed to: MWI-1, 9.5 of the digest.

use bytes::Bytes;
use umbel_sip_message::{Draft, HeaderName, Method, Uri};

use crate::MESSAGE_SUMMARY;

/// A NOTIFY outside any subscription, which most telephones take as if they had asked, and which voice
/// mail sends to the server of telephones that cannot ask.
#[derive(Clone, Debug)]
pub struct Unsolicited<'a> {
    /// The Request-URI: where the lamp is.
    pub target: &'a Uri,
    /// Who tells.
    pub from: &'a Uri,
    /// Whose lamp is meant.
    pub to: &'a Uri,
    /// The value of Contact.
    pub contact: &'a str,
    /// A Call-ID of its own.
    pub call_id: &'a str,
    /// A tag of its own.
    pub tag: &'a str,
    /// What it tells: there is always something, for what is not known need not be told unasked.
    pub content: Bytes,
}

impl Unsolicited<'_> {
    /// The request, whole but for Via and Max-Forwards.
    pub fn draft(self) -> Draft {
        let mut draft = Draft::request(Method::Notify, self.target);
        draft.push(HeaderName::From, format_args!("<{}>;tag={}", self.from, self.tag));
        draft.push(HeaderName::To, format_args!("<{}>", self.to));
        draft.push(HeaderName::CallId, self.call_id);
        draft.push(HeaderName::CSeq, format_args!("1 {}", Method::Notify));
        draft.push(HeaderName::Contact, self.contact);
        MESSAGE_SUMMARY.write(&mut draft, None);
        // There is no subscription, so what state it has is over.
        draft.push(HeaderName::SubscriptionState, "terminated");
        draft.body(MESSAGE_SUMMARY.content_type, self.content);
        draft
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{Counts, MessageSummary};

    /// MWI-1: the form of 15.5.
    #[test]
    fn an_unsolicited_notify_reads_back_as_one() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let (dana, voicemail) = (uri("sip:dana@example.com"), uri("sip:voicemail@example.com"));
        let voice = Counts { new: 2, old: 8, urgent_new: 1, urgent_old: 0 };
        let notify = Unsolicited {
            target: &dana,
            from: &voicemail,
            to: &dana,
            contact: "<sip:um1.example.com:5061;transport=tls>;automata",
            call_id: "mwi-1",
            tag: "n1",
            content: MessageSummary::of(voice, None).to_body(),
        };
        let mut draft = notify.draft();
        draft.push_via("TLS", "um1.example.com", None, "z9hG4bK1", false);
        let request = draft.into_request().unwrap();
        let headers = request.headers();
        assert_eq!(request.request_uri().as_str(), "sip:dana@example.com");
        assert_eq!((headers.from().tag(), headers.to().tag()), (Some("n1"), None));
        assert!(MESSAGE_SUMMARY.is_of(&request));
        let state = headers.subscription_state().unwrap().unwrap();
        assert!(state.is_terminated() && state.reason().is_none());
        assert!(headers.content_type().unwrap().unwrap().is("application", "simple-message-summary"));
        assert_eq!(MessageSummary::parse(request.body()).unwrap().voice, Some(voice));
    }
}
