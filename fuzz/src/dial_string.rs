//! What somebody typed to be dialled (SEC-45), and what an operator wrote to be allowed.

use umbel_play_on_phone::{Dialled, Number, Rule};

/// Reads the octets as a dial string and as a rule: what is read means nothing in a URI, reads the same again, and a
/// rule allows its own number.
pub fn dial_string(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(dialled) = Dialled::read(text, "example.test") {
        let plain = match &dialled {
            Dialled::Number(number) => number.to_string(),
            Dialled::Address(address) => address.to_string(),
        };
        assert!(plain.chars().all(|c| c.is_ascii_graphic()), "{plain:?}");
        assert!(!plain.contains([';', '?', '&', ',', '*', '%', ':', '<', '>', '"', '/']), "{plain:?}");
        assert_eq!(Dialled::read(&plain, "example.test"), Ok(dialled));
    }
    if let Ok(rule) = text.parse::<Rule>() {
        assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule.clone()));
        if let Some(number) = Number::read(rule.to_string().trim_end_matches('*')) {
            assert!(rule.allows(&number), "{rule}");
        }
    }
}
