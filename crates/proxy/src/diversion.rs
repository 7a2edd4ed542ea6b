//! Saying that a call was diverted: Diversion (RFC 5806), History-Info (RFC 7044), and how a mailbox is
//! asked for ([MS-EUMR] 3.1.5, RFC 4458).

use umbel_sip_message::{AddressOfRecord, DiversionReason, Headers, Uri};

use crate::config::VoiceMailForm;
use crate::locality::VOICE_MAIL;

/// One change of target: away from whom, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retarget {
    pub(crate) from: AddressOfRecord,
    pub(crate) reason: DiversionReason,
}

impl Retarget {
    /// EUMR-2, EUMR-4: the value of a Diversion.
    pub(crate) fn diversion(&self) -> String {
        format!("<{}>;reason={}", self.from.to_uri(), self.reason.as_str())
    }
}

/// 8.6 of the digest: the `cause` of RFC 4458 and of a Reason in History-Info.
pub(crate) fn cause(reason: &DiversionReason) -> u16 {
    match reason {
        DiversionReason::UserBusy => 486,
        DiversionReason::NoAnswer => 408,
        DiversionReason::Unavailable | DiversionReason::OutOfService => 503,
        // A telephone deflects while it rings.
        DiversionReason::Deflection => 487,
        DiversionReason::Unconditional
        | DiversionReason::TimeOfDay
        | DiversionReason::DoNotDisturb
        | DiversionReason::FollowMe
        | DiversionReason::Away => 302,
        DiversionReason::Unknown | DiversionReason::Other(_) => 404,
    }
}

/// EUMR-12: the History-Info values of a call that was retargeted; those it came with stay before them.
pub(crate) fn history(headers: &Headers, chain: &[Retarget], target: &Uri) -> Vec<String> {
    let Some(first) = chain.first() else { return Vec::new() };
    let entry = |uri: &Uri, reason: &DiversionReason| {
        let uri = uri.without_params_and_headers();
        format!("<{uri}?Reason=SIP%3Bcause%3D{}>", cause(reason))
    };
    let believed = headers.history_info().unwrap_or_default();
    let (mut index, mapped) = match believed.last() {
        Some(last) => (format!("{}.1", last.index), format!(";mp={}", last.index)),
        None => ("1".to_owned(), String::new()),
    };
    let mut values = vec![format!("{};index={index}{mapped}", entry(&first.from.to_uri(), &first.reason))];
    for retarget in chain.iter().skip(1) {
        let before = index.clone();
        index.push_str(".1");
        let uri = retarget.from.to_uri();
        values.push(format!("{};index={index};mp={before}", entry(&uri, &retarget.reason)));
    }
    values.push(format!("<{target}>;index={index}.1;mp={index}"));
    values
}

/// EUMR-11, STD-2: the Request-URI by which this server is asked for a mailbox; without one, for the
/// caller's own by the pilot.
pub(crate) fn mailbox_uri(
    form: VoiceMailForm,
    (server, pilot): (&Uri, &str),
    (mailbox, domain): (Option<&AddressOfRecord>, &str),
    reason: Option<&DiversionReason>,
) -> Option<Uri> {
    match (form, mailbox) {
        (VoiceMailForm::Gruu, Some(mailbox)) => Some(mailbox.to_uri().with_param("opaque", Some(VOICE_MAIL))),
        (VoiceMailForm::Gruu, None) => Uri::sip(pilot, domain),
        (VoiceMailForm::Rfc4458, mailbox) => {
            let uri = Uri::sip(pilot, server.host())?;
            let uri = server.port().map_or(uri.clone(), |port| uri.with_port(port));
            // RFC 4458: without a target, the caller's own.
            let (Some(mailbox), Some(reason)) = (mailbox, reason) else { return Some(uri) };
            let uri = uri.with_param("target", Some(mailbox.to_uri().as_str()));
            Some(uri.with_param("cause", Some(&cause(reason).to_string())))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(line: &str) -> Headers {
        let text = format!(
            "INVITE sip:b@x.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n{line}\
             From: <sip:a@x.test>;tag=1\r\nTo: <sip:b@x.test>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        umbel_sip_message::parse(bytes::Bytes::from(text)).unwrap().headers().clone()
    }

    fn retarget(from: &str, reason: DiversionReason) -> Retarget {
        Retarget { from: from.parse().unwrap(), reason }
    }

    // EUMR-12
    #[test]
    fn history_has_one_entry_more_than_there_were_retargets() {
        let chain = [
            retarget("bob@x.test", DiversionReason::NoAnswer),
            retarget("carol@x.test", DiversionReason::UserBusy),
        ];
        let target: Uri = "sip:carol@x.test;opaque=app:voicemail".parse().unwrap();
        assert_eq!(
            history(&headers(""), &chain, &target),
            [
                "<sip:bob@x.test?Reason=SIP%3Bcause%3D408>;index=1",
                "<sip:carol@x.test?Reason=SIP%3Bcause%3D486>;index=1.1;mp=1",
                "<sip:carol@x.test;opaque=app:voicemail>;index=1.1.1;mp=1.1",
            ]
        );
        let before = headers("History-Info: <sip:z@y.test>;index=1, <sip:bob@x.test>;index=1.2;mp=1\r\n");
        let after = history(&before, &chain[..1], &target);
        assert!(after[0].ends_with(";index=1.2.1;mp=1.2") && after[1].ends_with(";index=1.2.1.1;mp=1.2.1"));
        assert_eq!(history(&headers(""), &[], &target), [""; 0]);
        for value in after {
            umbel_sip_message::HistoryEntry::parse(value.as_bytes()).unwrap();
        }
    }

    // EUMR-4
    #[test]
    fn a_diversion_names_the_callee_without_parameters() {
        let value = retarget("bob@x.test", DiversionReason::NoAnswer).diversion();
        assert_eq!(value, "<sip:bob@x.test>;reason=no-answer");
    }

    // EUMR-11, STD-2
    #[test]
    fn mailboxes_are_asked_for_in_both_forms() {
        let server: Uri = "sip:vm.test:5066;transport=tls".parse().unwrap();
        let bob: AddressOfRecord = "bob@x.test".parse().unwrap();
        let uri = |form, mailbox, reason: Option<DiversionReason>| {
            let uri = mailbox_uri(form, (&server, "voicemail"), (mailbox, "x.test"), reason.as_ref());
            uri.unwrap().to_string()
        };
        let busy = || Some(DiversionReason::UserBusy);
        assert_eq!(uri(VoiceMailForm::Gruu, Some(&bob), busy()), "sip:bob@x.test;opaque=app:voicemail");
        assert_eq!(uri(VoiceMailForm::Gruu, None, None), "sip:voicemail@x.test");
        let foreign = uri(VoiceMailForm::Rfc4458, Some(&bob), busy());
        assert_eq!(foreign, "sip:voicemail@vm.test:5066;target=sip:bob%40x.test;cause=486");
        assert_eq!(uri(VoiceMailForm::Rfc4458, Some(&bob), None), "sip:voicemail@vm.test:5066");
    }
}
