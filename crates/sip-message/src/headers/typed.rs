//! Fields with their meaning: read on demand.

use smallvec::SmallVec;

use super::Headers;
use crate::diversion::Diversion;
use crate::event::{Event, SubscriptionState};
use crate::grammar::{self, Cursor, ParseError};
use crate::header_name::HeaderName;
use crate::history_info::HistoryEntry;
use crate::media_type::MediaType;
use crate::name_addr::NameAddr;
use crate::reason::Reason;
use crate::reliability::RAck;
use crate::replaces::Replaces;
use crate::retry_after::RetryAfter;
use crate::session_timer::{MinSe, SessionExpires};
use crate::via::Via;
use crate::{Method, limits};

/// Contact (RFC 3261 20.10).
#[derive(Clone, Debug)]
pub enum Contacts<'a> {
    /// `*`: all bindings, in a REGISTER.
    Star,
    /// Addresses, possibly none.
    Addresses(SmallVec<[NameAddr<'a>; 2]>),
}

impl<'a> Contacts<'a> {
    /// The addresses; of `*` none.
    pub fn addresses(&self) -> &[NameAddr<'a>] {
        match self {
            Contacts::Star => &[],
            Contacts::Addresses(addresses) => addresses,
        }
    }

    /// The first address.
    pub fn first(&self) -> Option<&NameAddr<'a>> {
        self.addresses().first()
    }
}

/// Allow (RFC 3261 20.5), read liberally (OCEXUM-4-3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Method>);

impl Allowed {
    /// The methods, in the order of writing.
    pub fn methods(&self) -> &[Method] {
        &self.0
    }

    /// Whether the method is allowed.
    pub fn has(&self, method: &Method) -> bool {
        self.0.contains(method)
    }
}

impl Headers {
    /// All Vias, the topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        // Every Via was read when the message was; none fails here.
        self.elements(&HeaderName::Via).filter_map(|element| Via::parse(element).ok())
    }

    /// Contact.
    pub fn contacts(&self) -> Result<Contacts<'_>, ParseError> {
        let mut addresses = SmallVec::new();
        if let Some(contact) = &self.essentials.sole_contact {
            addresses.push(contact.view(&self.message));
            return Ok(Contacts::Addresses(addresses));
        }
        let mut star = false;
        for field in self.fields(&HeaderName::Contact) {
            match field.raw_value() {
                b"*" => star = true,
                value => read_addresses(value, |address| addresses.push(address))?,
            }
        }
        match (star, addresses.is_empty()) {
            (true, true) => Ok(Contacts::Star),
            (true, false) => Err(ParseError::new("Contact: * and addresses", 0)),
            (false, _) => Ok(Contacts::Addresses(addresses)),
        }
    }

    /// Route, in order.
    pub fn route(&self) -> Result<Vec<NameAddr<'_>>, ParseError> {
        self.addresses(&HeaderName::Route)
    }

    /// Record-Route, in order.
    pub fn record_route(&self) -> Result<Vec<NameAddr<'_>>, ParseError> {
        self.addresses(&HeaderName::RecordRoute)
    }

    /// The addresses of any list of them: Path, Service-Route, P-Asserted-Identity, ...
    pub fn addresses(&self, name: &HeaderName) -> Result<Vec<NameAddr<'_>>, ParseError> {
        let mut addresses = Vec::new();
        for field in self.iter().filter(|field| field.is(name)) {
            read_addresses(field.raw_value(), |address| addresses.push(address))?;
            if addresses.len() > limits::ELEMENTS_MAX {
                return Err(ParseError::new("too many addresses", 0));
            }
        }
        Ok(addresses)
    }

    /// The one address of a field that may stand once: Refer-To, Referred-By, P-Called-Party-ID, ...
    pub fn address(&self, name: &HeaderName) -> Result<Option<NameAddr<'_>>, ParseError> {
        self.single(name, NameAddr::parse)
    }

    /// P-Asserted-Identity (RFC 3325 9.1), in order.
    pub fn asserted_identities(&self) -> Result<Vec<NameAddr<'_>>, ParseError> {
        self.addresses(&HeaderName::PAssertedIdentity)
    }

    /// P-Preferred-Identity (RFC 3325 9.2), in order.
    pub fn preferred_identities(&self) -> Result<Vec<NameAddr<'_>>, ParseError> {
        self.addresses(&HeaderName::PPreferredIdentity)
    }

    /// Diversion (RFC 5806), the last diverting party first.
    pub fn diversions(&self) -> Result<Vec<Diversion<'_>>, ParseError> {
        self.list(&HeaderName::Diversion, Diversion::parse)
    }

    /// History-Info (RFC 7044), in the order of writing.
    pub fn history_info(&self) -> Result<Vec<HistoryEntry<'_>>, ParseError> {
        self.list(&HeaderName::HistoryInfo, HistoryEntry::parse)
    }

    /// Reason (RFC 3326): at most one per protocol.
    pub fn reasons(&self) -> Result<Vec<Reason>, ParseError> {
        self.list(&HeaderName::Reason, Reason::parse)
    }

    /// The Reason whose protocol is `SIP`, else the first one.
    pub fn reason(&self) -> Result<Option<Reason>, ParseError> {
        let mut reasons = self.reasons()?;
        let sip = reasons.iter().position(|reason| reason.protocol.eq_ignore_ascii_case("SIP"));
        Ok(if reasons.is_empty() { None } else { Some(reasons.swap_remove(sip.unwrap_or(0))) })
    }

    /// Content-Type; the same as `c`.
    pub fn content_type(&self) -> Result<Option<MediaType<'_>>, ParseError> {
        self.single(&HeaderName::ContentType, MediaType::parse)
    }

    /// Content-Length as written; framing has compared it with the body, which alone counts.
    pub fn content_length(&self) -> Result<Option<u32>, ParseError> {
        self.number(&HeaderName::ContentLength)
    }

    /// Expires, in seconds.
    pub fn expires(&self) -> Result<Option<u32>, ParseError> {
        self.number(&HeaderName::Expires)
    }

    /// Min-Expires, in seconds.
    pub fn min_expires(&self) -> Result<Option<u32>, ParseError> {
        self.number(&HeaderName::MinExpires)
    }

    /// Max-Breadth (RFC 5393 5).
    pub fn max_breadth(&self) -> Result<Option<u32>, ParseError> {
        self.number(&HeaderName::MaxBreadth)
    }

    /// RSeq (RFC 3262 7.1).
    pub fn rseq(&self) -> Result<Option<u32>, ParseError> {
        self.number(&HeaderName::RSeq)
    }

    /// RAck (RFC 3262 7.2).
    pub fn rack(&self) -> Result<Option<RAck>, ParseError> {
        self.single(&HeaderName::RAck, RAck::parse)
    }

    /// Replaces (RFC 3891 6.1); more than one is an error.
    pub fn replaces(&self) -> Result<Option<Replaces<'_>>, ParseError> {
        self.single(&HeaderName::Replaces, Replaces::parse)
    }

    /// Session-Expires (RFC 4028 4).
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, ParseError> {
        self.single(&HeaderName::SessionExpires, SessionExpires::parse)
    }

    /// Min-SE (RFC 4028 5), in seconds.
    pub fn min_se(&self) -> Result<Option<u32>, ParseError> {
        let min_se = self.single(&HeaderName::MinSe, MinSe::parse)?;
        Ok(min_se.map(|min_se| min_se.seconds))
    }

    /// Event (RFC 6665 8.2.1).
    pub fn event(&self) -> Result<Option<Event<'_>>, ParseError> {
        self.single(&HeaderName::Event, Event::parse)
    }

    /// Subscription-State (RFC 6665 8.2.3).
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState<'_>>, ParseError> {
        self.single(&HeaderName::SubscriptionState, SubscriptionState::parse)
    }

    /// Retry-After (RFC 3261 20.33).
    pub fn retry_after(&self) -> Result<Option<RetryAfter>, ParseError> {
        self.single(&HeaderName::RetryAfter, RetryAfter::parse)
    }

    /// Allow; `None` where there is no such field.
    pub fn allow(&self) -> Option<Allowed> {
        let mut methods = Vec::new();
        for method in self.tokens(&HeaderName::Allow).filter_map(Method::from_allow) {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        self.has(&HeaderName::Allow).then_some(Allowed(methods))
    }

    /// The option tags of Supported.
    pub fn supported(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::Supported)
    }

    /// The option tags of Require.
    pub fn require(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::Require)
    }

    /// The option tags of Proxy-Require.
    pub fn proxy_require(&self) -> impl Iterator<Item = &str> {
        self.tokens(&HeaderName::ProxyRequire)
    }

    /// Subject as text; `None` where it is absent or empty.
    pub fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.get_text(&HeaderName::Subject).filter(|subject| !subject.is_empty())
    }

    /// A field that may stand once. Twice is an error: two readers could take different ones.
    fn single<'a, T>(
        &'a self,
        name: &HeaderName,
        read: impl FnOnce(&'a [u8]) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        let mut fields = self.iter().filter(|field| field.is(name));
        match (fields.next(), fields.next()) {
            (None, _) => Ok(None),
            (Some(field), None) => read(field.raw_value()).map(Some),
            (Some(_), Some(_)) => Err(ParseError::new("header field twice", 0)),
        }
    }

    fn number(&self, name: &HeaderName) -> Result<Option<u32>, ParseError> {
        self.single(name, |value| grammar::number_u32(value).ok_or(ParseError::new("not a number", 0)))
    }

    fn list<'a, T>(
        &'a self,
        name: &'static HeaderName,
        read: impl Fn(&'a [u8]) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let elements = self.elements(name).take(limits::ELEMENTS_MAX + 1);
        let read = elements.map(read).collect::<Result<Vec<T>, ParseError>>()?;
        if read.len() > limits::ELEMENTS_MAX {
            return Err(ParseError::new("too many elements", 0));
        }
        Ok(read)
    }
}

/// Reads `address *( COMMA address )`, all of it.
pub(crate) fn read_addresses<'a>(
    value: &'a [u8],
    mut found: impl FnMut(NameAddr<'a>),
) -> Result<(), ParseError> {
    let mut cursor = Cursor::new(value);
    loop {
        found(NameAddr::read(&mut cursor)?);
        cursor.skip_lws();
        if cursor.is_end() {
            return Ok(());
        }
        if !cursor.eat(b',') {
            return Err(cursor.error("something after the address"));
        }
    }
}
