//! The form of a Play-On-Phone call ([MS-OCEXUM] 3.2).

use umbel_sip_message::Uri;

use crate::Sensitivity;

/// The parties of a Play-On-Phone INVITE, all made from one URI.
///
/// [MS-OCEXUM] 3.2: "the URIs in the From header and the To header MUST match." There is one URI in
/// here and two ways to read it, so a mismatch cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayOnPhone {
    owner: Uri,
}

impl PlayOnPhone {
    /// A call to the owner of this address, parameters and headers of it left out.
    pub fn new(owner: &Uri) -> Self {
        PlayOnPhone { owner: owner.without_params_and_headers() }
    }

    /// The URI of From.
    pub fn from(&self) -> &Uri {
        &self.owner
    }

    /// The URI of To.
    pub fn to(&self) -> &Uri {
        &self.owner
    }

    /// The value of `Ms-Sensitivity` ([MS-OCEXUM] 3.2.1): no other is used.
    pub const fn sensitivity(&self) -> Sensitivity {
        Sensitivity::PrivateNoDiversion
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// OCEXUM-3.2-6: RFC 3261 19.1.4 comparison of the two URIs.
    #[test]
    fn from_and_to_are_the_same_uri_whatever_was_given() {
        for given in
            ["sip:alice@contoso.com", "sip:alice@contoso.com;opaque=app:voicemail", "sip:+15550100@gw"]
        {
            let call = PlayOnPhone::new(&given.parse().unwrap());
            assert!(call.from().is_equivalent(call.to()), "{given}");
            assert_eq!(call.from().to_string(), given.split(';').next().unwrap());
        }
    }

    /// OCEXUM-3.2-1, OCEXUM-3.2-5, OCEXUM-3.2.1-1.
    #[test]
    fn the_sensitivity_is_private_no_diversion() {
        let call = PlayOnPhone::new(&"sip:alice@contoso.com".parse().unwrap());
        assert_eq!(call.sensitivity().as_str(), "private-no-diversion");
    }
}
