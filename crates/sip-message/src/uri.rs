//! URIs: RFC 3261 19.1, RFC 3966, and any other scheme as opaque text.

mod address_of_record;
mod compare;
mod escape;
mod layout;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use address_of_record::AddressOfRecord;
pub(crate) use escape::octets;
pub use escape::{decode, encode_parameter, encode_user};
pub(crate) use layout::{Layout, host as host_length};

use crate::grammar::ParseError;

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`, RFC 3966
    Tel,
    /// Any other; its text is kept.
    Other,
}

/// A URI inside a message: checked, borrowed, cheap to copy.
#[derive(Clone, Copy)]
pub struct UriRef<'a> {
    /// ASCII, as every URI; text is made of the parts that are asked for.
    octets: &'a [u8],
    layout: Layout,
}

/// One parameter of a URI: its name and, after `=`, its value, both as written.
pub type UriParam<'a> = (&'a str, Option<&'a str>);

impl<'a> UriRef<'a> {
    /// Reads a URI that is all of `text`.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        Layout::of(text.as_bytes()).map(|layout| UriRef { octets: text.as_bytes(), layout })
    }

    /// Octets whose layout was taken before.
    pub(crate) fn checked(octets: &'a [u8], layout: Layout) -> Self {
        UriRef { octets, layout }
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The URI as written.
    pub fn as_str(&self) -> &'a str {
        crate::grammar::text(self.octets)
    }

    pub(crate) fn as_octets(&self) -> &'a [u8] {
        self.octets
    }

    /// An owned copy.
    pub fn to_uri(&self) -> Uri {
        Uri { text: self.as_str().into(), layout: self.layout }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.layout.scheme
    }

    /// The scheme as written, such as `isbn`.
    pub fn scheme_name(&self) -> &'a str {
        self.part(0, self.layout.scheme_end)
    }

    /// The user part as written, without the password. Parameters of a telephone subscriber, such as
    /// `;phone-context=`, are part of it. Of a `tel` URI: the number.
    pub fn user(&self) -> Option<&'a str> {
        let (start, end) = self.layout.user?;
        Some(self.part(start, end))
    }

    /// The user part with its escapes decoded once (M8); `None` also where that is not UTF-8, so that
    /// no two different users read alike.
    pub fn user_decoded(&self) -> Option<Cow<'a, str>> {
        escape::decode(self.user()?)
    }

    /// The password as written. RFC 3261 19.1.1 advises against having one.
    pub fn password(&self) -> Option<&'a str> {
        let (_, user_end) = self.layout.user?;
        let end = self.layout.host.0.checked_sub(1)?;
        (self.layout.has_password && user_end < end).then(|| self.part(user_end + 1, end))
    }

    /// The host as written, IPv6 addresses in their brackets; empty for schemes other than SIP's.
    pub fn host(&self) -> &'a str {
        self.part(self.layout.host.0, self.layout.host.1)
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.layout.port
    }

    /// The named parameter; names are compared without case. `Some(None)` for one without a value.
    pub fn param(&self, name: &str) -> Option<Option<&'a str>> {
        self.params().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters, as written.
    pub fn params(&self) -> impl Iterator<Item = UriParam<'a>> + use<'a> {
        let text = self.part(self.layout.params, self.layout.headers);
        text.split(';').skip(1).map(|param| match param.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (param, None),
        })
    }

    /// The named parameter's value with its escapes decoded once.
    pub fn param_decoded(&self, name: &str) -> Option<Cow<'a, str>> {
        escape::decode(self.param(name)??)
    }

    /// The header component, `?name=value&...`: names and values as written. Never acted on (M6).
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let text = self.part(self.layout.headers, self.layout.end);
        let headers = text.strip_prefix('?').unwrap_or_default();
        headers.split('&').filter_map(|header| header.split_once('='))
    }

    /// Whether there is a header component.
    pub fn has_headers(&self) -> bool {
        self.layout.headers < self.layout.end
    }

    /// The `transport` parameter as written.
    pub fn transport(&self) -> Option<&'a str> {
        self.param("transport").flatten()
    }

    /// Whether `opaque` has this value, decoded once, compared without case (URI-2).
    pub fn has_opaque(&self, value: &str) -> bool {
        self.param_decoded("opaque").is_some_and(|opaque| opaque.eq_ignore_ascii_case(value))
    }

    /// The `phone-context`, wherever this URI has it: in the user part of a SIP URI (RFC 3966 5.1.5,
    /// RFC 3261 19.1.6) or among the parameters of a `tel` URI.
    pub fn phone_context(&self) -> Option<&'a str> {
        if self.scheme() == Scheme::Tel {
            return self.param("phone-context").flatten();
        }
        let params = self.user()?.split(';').skip(1);
        let mut named = params.filter_map(|param| param.split_once('='));
        named.find(|(name, _)| name.eq_ignore_ascii_case("phone-context")).map(|(_, value)| value)
    }

    /// RFC 4458 2: the mailbox that a voice mail system is asked for, decoded once.
    pub fn voicemail_target(&self) -> Option<Cow<'a, str>> {
        self.param_decoded("target")
    }

    /// RFC 4458 2: why the call was diverted; only three digits count.
    pub fn voicemail_cause(&self) -> Option<u16> {
        let cause = self.param("cause").flatten().filter(|cause| cause.len() == 3)?;
        crate::grammar::number(cause.as_bytes(), 3).and_then(|cause| u16::try_from(cause).ok())
    }

    /// The identity that this URI names at its host, without parameters (M8); `None` for schemes other
    /// than SIP's, without a user, or where the user is not UTF-8.
    pub fn address_of_record(&self) -> Option<AddressOfRecord> {
        AddressOfRecord::of(*self)
    }

    /// RFC 3261 19.1.4.
    pub fn is_equivalent(&self, other: &UriRef<'_>) -> bool {
        compare::equivalent(*self, *other)
    }

    fn part(&self, start: u16, end: u16) -> &'a str {
        crate::grammar::text(self.octets.get(usize::from(start)..usize::from(end)).unwrap_or_default())
    }
}

impl PartialEq for UriRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.octets == other.octets
    }
}

impl Eq for UriRef<'_> {}

impl fmt::Display for UriRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UriRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A URI that owns its text. Equal when the text is; [`Uri::is_equivalent`] is the other comparison.
#[derive(Clone)]
pub struct Uri {
    text: Arc<str>,
    layout: Layout,
}

impl Uri {
    /// `sip:user@host`, the user escaped as needed. `None` where the host is none.
    pub fn sip(user: &str, host: &str) -> Option<Self> {
        let uri: Option<Uri> = format!("sip:{}@{host}", escape::encode_user(user)).parse().ok();
        uri.filter(|uri| uri.host() == host)
    }

    /// The borrowed form, which all readers are on.
    pub fn as_ref(&self) -> UriRef<'_> {
        UriRef { octets: self.text.as_bytes(), layout: self.layout }
    }

    /// The URI as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// See [`UriRef::scheme`].
    pub fn scheme(&self) -> Scheme {
        self.layout.scheme
    }

    /// See [`UriRef::user`].
    pub fn user(&self) -> Option<&str> {
        self.as_ref().user()
    }

    /// See [`UriRef::user_decoded`].
    pub fn user_decoded(&self) -> Option<Cow<'_, str>> {
        self.as_ref().user_decoded()
    }

    /// See [`UriRef::host`].
    pub fn host(&self) -> &str {
        self.as_ref().host()
    }

    /// See [`UriRef::port`].
    pub fn port(&self) -> Option<u16> {
        self.layout.port
    }

    /// See [`UriRef::param`].
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.as_ref().param(name)
    }

    /// See [`UriRef::params`].
    pub fn params(&self) -> impl Iterator<Item = UriParam<'_>> {
        self.as_ref().params()
    }

    /// See [`UriRef::param_decoded`].
    pub fn param_decoded(&self, name: &str) -> Option<Cow<'_, str>> {
        self.as_ref().param_decoded(name)
    }

    /// See [`UriRef::headers`].
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.as_ref().headers()
    }

    /// See [`UriRef::transport`].
    pub fn transport(&self) -> Option<&str> {
        self.as_ref().transport()
    }

    /// See [`UriRef::has_opaque`].
    pub fn has_opaque(&self, value: &str) -> bool {
        self.as_ref().has_opaque(value)
    }

    /// See [`UriRef::address_of_record`].
    pub fn address_of_record(&self) -> Option<AddressOfRecord> {
        self.as_ref().address_of_record()
    }

    /// See [`UriRef::is_equivalent`].
    pub fn is_equivalent(&self, other: &Uri) -> bool {
        self.as_ref().is_equivalent(&other.as_ref())
    }

    /// The same URI with this port. URIs other than SIP's stay as they are.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        let host_end = usize::from(self.layout.host.1);
        let after = usize::from(self.layout.params);
        match self.scheme() {
            Scheme::Sip | Scheme::Sips => {
                let (host, rest) = (self.text.get(..host_end), self.text.get(after..));
                self.rebuilt(format!("{}:{port}{}", host.unwrap_or_default(), rest.unwrap_or_default()))
            }
            Scheme::Tel | Scheme::Other => self.clone(),
        }
    }

    /// The same URI with this parameter, which replaces one of its name; value and name are escaped as
    /// needed. URIs other than SIP's stay as they are.
    #[must_use]
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Self {
        if !matches!(self.scheme(), Scheme::Sip | Scheme::Sips) {
            return self.clone();
        }
        let mut text = self.text.get(..usize::from(self.layout.params)).unwrap_or_default().to_owned();
        let name = escape::encode_parameter(name);
        let kept = self.params().filter(|(found, _)| !found.eq_ignore_ascii_case(&name));
        for (found, value) in kept {
            push_param(&mut text, found, value);
        }
        push_param(&mut text, &name, value.map(escape::encode_parameter).as_deref());
        text.push_str(self.text.get(usize::from(self.layout.headers)..).unwrap_or_default());
        self.rebuilt(text)
    }

    /// The same URI without the named parameter.
    #[must_use]
    pub fn without_param(&self, name: &str) -> Self {
        if self.param(name).is_none() {
            return self.clone();
        }
        let mut text = self.text.get(..usize::from(self.layout.params)).unwrap_or_default().to_owned();
        for (found, value) in self.params().filter(|(found, _)| !found.eq_ignore_ascii_case(name)) {
            push_param(&mut text, found, value);
        }
        text.push_str(self.text.get(usize::from(self.layout.headers)..).unwrap_or_default());
        self.rebuilt(text)
    }

    /// The same URI without what it asks for in header fields (RFC 3261 19.1.1).
    #[must_use]
    pub fn without_headers(&self) -> Self {
        let end = usize::from(self.layout.headers);
        self.rebuilt(self.text.get(..end).unwrap_or_default().to_owned())
    }

    /// The same URI up to its host and port.
    #[must_use]
    pub fn without_params_and_headers(&self) -> Self {
        let end = usize::from(self.layout.params);
        self.rebuilt(self.text.get(..end).unwrap_or_default().to_owned())
    }

    /// What was put together from parts of a URI is one, unless it became too long; then the old one
    /// stays, as a URI that nobody would accept is of no use.
    fn rebuilt(&self, text: String) -> Self {
        text.parse().unwrap_or_else(|_| self.clone())
    }
}

fn push_param(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

impl FromStr for Uri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        UriRef::parse(text).map(|uri| uri.to_uri())
    }
}

impl From<UriRef<'_>> for Uri {
    fn from(uri: UriRef<'_>) -> Self {
        uri.to_uri()
    }
}

impl PartialEq for Uri {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Uri {}

impl PartialOrd for Uri {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Uri {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for Uri {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}
