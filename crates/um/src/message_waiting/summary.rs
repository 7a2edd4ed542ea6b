//! What a lamp is told: the body of MWI-4, and the NOTIFY of MWI-1 around it (the form of 15.5).

use bytes::Bytes;
use umbel_event_notification::{Counts, MESSAGE_SUMMARY, MessageSummary};
use umbel_sip_message::{HeaderName, Method, Uri, encode_user};
use umbel_store::Address;
use umbel_ua::{OutsideRequest, Way};

use crate::config::Notified;
use crate::names::{Locality, VOICE_MAIL, number};

use super::lamps::Notice;

/// MWI-4, MWI-5: what is in a mailbox, and whom the message key of a telephone calls.
pub(super) fn body(mailbox: &Address, counts: umbel_store::Counts) -> Bytes {
    let voice = Counts {
        new: counts.new,
        old: counts.old,
        urgent_new: counts.urgent_new,
        urgent_old: counts.urgent_old,
    };
    MessageSummary::of(voice, voice_mail(mailbox)).to_body()
}

/// The voice mail GRUU of a user: [MS-SIPRE] 2.2.3.
fn voice_mail(mailbox: &Address) -> Option<Uri> {
    let owner = Uri::sip(mailbox.user(), mailbox.domain())?;
    Some(owner.with_param("opaque", Some(VOICE_MAIL)))
}

/// A NOTIFY that nobody subscribed to. None where the one to be told has no address that can be written down.
pub(super) fn unsolicited(notice: &Notice, locality: &Locality) -> Option<OutsideRequest> {
    let (target, way) = match &notice.notified {
        Notified::Server(server) => {
            let owner = Uri::sip(notice.mailbox.user(), notice.mailbox.domain())?;
            (owner, Way::Proxy(server.clone()))
        }
        Notified::Gateway(gateway) => (at_gateway(gateway, notice.news.extension.as_deref()?)?, Way::Direct),
    };
    Some(OutsideRequest {
        method: Method::Notify,
        from: sender(locality).unwrap_or_else(|| target.clone()),
        to: target.without_params_and_headers(),
        target,
        way,
        headers: vec![
            (HeaderName::Event, MESSAGE_SUMMARY.name.to_owned()),
            // There is no subscription, so what state it has is over.
            (HeaderName::SubscriptionState, "terminated".to_owned()),
        ],
        body: Some((MESSAGE_SUMMARY.content_type.to_owned(), body(&notice.mailbox, notice.news.counts))),
        credentials: None,
    })
}

/// An extension at a gateway.
fn at_gateway(gateway: &Uri, extension: &str) -> Option<Uri> {
    let (scheme, rest) = gateway.as_str().split_once(':')?;
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}:{}@{place}", encode_user(extension)).parse().ok()
}

/// Who tells: the pilot, by its name rather than a number.
fn sender(locality: &Locality) -> Option<Uri> {
    let named = locality.pilots.iter().find(|pilot| number(pilot).is_none());
    let pilot = named.or_else(|| locality.pilots.first());
    match pilot {
        Some(pilot) => Uri::sip(pilot, &locality.domain),
        None => format!("sip:{}", locality.domain).parse().ok(),
    }
}
