//! Bindings as the text that the store keeps: JSON of this form, and of no other.

use serde::{Deserialize, Serialize};
use umbel_proxy::location::{Device, Kept};
use umbel_sip_message::{AddressOfRecord, Uri};
use umbel_store::KeptRegistration;
use umbel_time::UnixTime;

/// A binding.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    contact: String,
    direct: bool,
    /// Milliseconds since 1970.
    expires: i64,
    q: u16,
    call_id: String,
    cseq: u32,
    device: WrittenDevice,
    path: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenDevice {
    Contact,
    Outbound { instance: String, reg_id: u32 },
    Epid(String),
    Instance(String),
}

/// What is registered for an address, as it is kept.
pub(super) fn write(address: &AddressOfRecord, bindings: &[Kept]) -> KeptRegistration {
    let ends = bindings.iter().map(|kept| kept.expires).max();
    let written: Vec<Written> = bindings.iter().map(written).collect();
    KeptRegistration {
        address: address.to_string(),
        bindings: match ends {
            Some(_) => serde_json::to_string(&written).expect("it has only strings for keys"),
            None => String::new(),
        },
        ends: ends.unwrap_or(UnixTime::from_secs(0)),
    }
}

/// The same back; none where it is of another form.
pub(super) fn read(kept: &KeptRegistration) -> Option<(AddressOfRecord, Vec<Kept>)> {
    let written: Vec<Written> = serde_json::from_str(&kept.bindings).ok()?;
    let bindings = written.into_iter().map(binding).collect::<Option<_>>()?;
    Some((kept.address.parse().ok()?, bindings))
}

fn written(kept: &Kept) -> Written {
    Written {
        contact: kept.contact.to_string(),
        direct: kept.direct,
        expires: kept.expires.as_millis(),
        q: kept.q,
        call_id: kept.call_id.clone(),
        cseq: kept.cseq,
        device: match &kept.device {
            Device::Contact => WrittenDevice::Contact,
            Device::Outbound { instance, reg_id } => {
                WrittenDevice::Outbound { instance: instance.to_string(), reg_id: *reg_id }
            }
            Device::Epid(epid) => WrittenDevice::Epid(epid.to_string()),
            Device::Instance(instance) => WrittenDevice::Instance(instance.to_string()),
        },
        path: kept.path.iter().map(Uri::to_string).collect(),
    }
}

fn binding(written: Written) -> Option<Kept> {
    Some(Kept {
        contact: written.contact.parse().ok()?,
        direct: written.direct,
        expires: UnixTime::from_millis(written.expires),
        q: written.q,
        call_id: written.call_id,
        cseq: written.cseq,
        device: match written.device {
            WrittenDevice::Contact => Device::Contact,
            WrittenDevice::Outbound { instance, reg_id } => {
                Device::Outbound { instance: instance.into(), reg_id }
            }
            WrittenDevice::Epid(epid) => Device::Epid(epid.into()),
            WrittenDevice::Instance(instance) => Device::Instance(instance.into()),
        },
        path: written.path.iter().map(|uri| uri.parse().ok()).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of every form.
    pub(in crate::serve::registrations) fn bindings(ends: UnixTime) -> Vec<Kept> {
        let devices = [
            Device::Contact,
            Device::Outbound { instance: "<urn:uuid:1>".into(), reg_id: 2 },
            Device::Epid("0a\"b".into()),
            Device::Instance("<urn:uuid:2>".into()),
        ];
        let binding = |device| Kept {
            contact: "sip:alice@192.0.2.7:40000;transport=tls".parse().expect("a URI"),
            direct: true,
            expires: ends,
            q: 700,
            call_id: "a84b4c76e66710".to_owned(),
            cseq: 4_294_967_295,
            device,
            path: vec!["sip:edge.test;lr".parse().expect("a URI")],
        };
        devices.into_iter().map(binding).collect()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let address: AddressOfRecord = "alice@example.test".parse().expect("an address");
        let bindings = bindings(UnixTime::from_millis(1_700_000_000_123));
        let kept = write(&address, &bindings);
        assert_eq!(kept.ends, UnixTime::from_millis(1_700_000_000_123));
        assert_eq!(read(&kept), Some((address, bindings)));
    }

    #[test]
    fn an_address_without_bindings_is_to_be_forgotten() {
        let address: AddressOfRecord = "alice@example.test".parse().expect("an address");
        assert_eq!(write(&address, &[]).bindings, "");
    }

    #[test]
    fn text_of_another_form_is_no_registration() {
        let kept = |bindings: &str| KeptRegistration {
            address: "alice@example.test".to_owned(),
            bindings: bindings.to_owned(),
            ends: UnixTime::from_secs(1),
        };
        for text in ["", "{}", "[{}]", "[1]", "nonsense"] {
            assert_eq!(read(&kept(text)), None, "{text}");
        }
        assert!(read(&kept("[]")).is_some_and(|(_, bindings)| bindings.is_empty()));
    }
}
