//! Globally routable user agent URIs: addresses of one telephone of a user (RFC 5627), and the older form
//! of [MS-SIPRE] 2.2.2.
//!
//! ```text
//!   public       sip:bob@example.test;gr=urn:uuid:...
//!   temporary    sip:t~<sealed>@example.test;gr           says to nobody but us whose it is
//!   older form   sip:bob@example.test;opaque=user:epid:<epid>;gruu
//! ```
//!
//! None is kept: a public one is made of what it says, a temporary one says it to whoever has the key. It
//! is good as long as its telephone is registered by the same Call-ID (RFC 5627 3.1), and as long as we run.

use std::hash::{DefaultHasher, Hash, Hasher};

use umbel_sip_message::{AddressOfRecord, Uri, UriRef};

use crate::location::Binding;
use crate::seal::Seal;

/// How the user part of a temporary one begins.
const TEMPORARY: &str = "t~";
/// How the `opaque` of an older one begins.
const OLDER: &str = "user:epid:";

/// Which telephone of a user is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    /// The one with this `+sip.instance`.
    Instance(Box<str>),
    /// The one with this `epid`.
    Epid(Box<str>),
    /// The one whose instance and Call-ID have these hashes.
    Hashes { instance: u64, call_id: u64 },
}

impl Only {
    pub(crate) fn is(&self, binding: &Binding) -> bool {
        match self {
            Only::Instance(instance) => binding.instance().is_some_and(|of| gr(of) == &**instance),
            Only::Epid(epid) => binding.epid() == Some(epid),
            Only::Hashes { instance, call_id } => {
                binding.instance().is_some_and(|of| hash(of) == *instance)
                    && hash(&binding.call_id) == *call_id
            }
        }
    }
}

/// What a URI of our domain that names one telephone means; `None`: it names none.
pub(crate) fn read(
    seal: &Seal,
    uri: UriRef<'_>,
    domain: &str,
) -> Option<Result<(AddressOfRecord, Only), NoGruu>> {
    let address = AddressOfRecord::new(&uri.user_decoded()?, domain)?;
    if let Some(gr) = uri.param("gr") {
        if gr.is_some() {
            let instance = uri.param_decoded("gr")?.into_owned().into();
            return Some(Ok((address, Only::Instance(instance))));
        }
        return Some(temporary(seal, &address).ok_or(NoGruu));
    }
    let opaque = uri.param_decoded("opaque")?;
    let epid = opaque.get(OLDER.len()..).filter(|_| opaque.to_ascii_lowercase().starts_with(OLDER))?;
    Some(Ok((address, Only::Epid(epid.into()))))
}

/// Not made by us, or before we started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoGruu;

fn temporary(seal: &Seal, address: &AddressOfRecord) -> Option<(AddressOfRecord, Only)> {
    let said = seal.reveal(address.user().strip_prefix(TEMPORARY)?)?;
    let (_, said) = said.split_first_chunk::<8>()?;
    let (instance, said) = said.split_first_chunk::<8>()?;
    let (call_id, user) = said.split_first_chunk::<8>()?;
    let owner = AddressOfRecord::new(std::str::from_utf8(user).ok()?, address.host())?;
    let (instance, call_id) = (u64::from_be_bytes(*instance), u64::from_be_bytes(*call_id));
    Some((owner, Only::Hashes { instance, call_id }))
}

/// The public one of a telephone.
pub(crate) fn public(address: &AddressOfRecord, instance: &str) -> Uri {
    address.to_uri().with_param("gr", Some(gr(instance)))
}

/// A temporary one; `serial` is not to be used twice.
pub(crate) fn new_temporary(
    seal: &Seal,
    address: &AddressOfRecord,
    binding: &Binding,
    serial: u64,
) -> Option<Uri> {
    let (instance, call_id) = (hash(binding.instance()?), hash(&binding.call_id));
    let mut said = Vec::with_capacity(24 + address.user().len());
    for number in [serial, instance, call_id] {
        said.extend_from_slice(&number.to_be_bytes());
    }
    said.extend_from_slice(address.user().as_bytes());
    let uri = Uri::sip(&format!("{TEMPORARY}{}", seal.hide(&said)), address.host())?;
    Some(uri.with_param("gr", None))
}

/// The older form.
pub(crate) fn older(address: &AddressOfRecord, epid: &str) -> Uri {
    address.to_uri().with_param("opaque", Some(&format!("{OLDER}{epid}"))).with_param("gruu", None)
}

/// RFC 5627 5.1: the value of `gr` is the URN, without the brackets of `+sip.instance`.
fn gr(instance: &str) -> &str {
    instance.strip_prefix('<').and_then(|urn| urn.strip_suffix('>')).unwrap_or(instance)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
