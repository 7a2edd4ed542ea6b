//! `Ms-Exchange-Command`: what the header asks for ([MS-OCEXUM] 2.2.1).

/// What the `Ms-Exchange-Command` headers of one message come to.
///
/// A message without the header has none of these; see [`ExchangeCommand::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeCommand {
    /// Exactly one header, and its value is `skip-pin`: do not prompt for a PIN.
    SkipPin,
    /// The header is there and means nothing to us. The PIN is asked; the call goes on.
    Ignored,
}

impl ExchangeCommand {
    /// The only action there is, as we write it.
    pub const SKIP_PIN: &'static str = "skip-pin";

    /// Reads the values of all `Ms-Exchange-Command` headers of one message, unfolded and trimmed.
    ///
    /// Fails closed for the PIN and open for the call: whatever is not the one legal form is
    /// [`ExchangeCommand::Ignored`], never a reason to refuse.
    pub fn read<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Option<ExchangeCommand> {
        let mut values = values.into_iter();
        let first = values.next()?;
        // A second copy is what header smuggling leaves behind, even where both are equal.
        if values.next().is_some() {
            return Some(ExchangeCommand::Ignored);
        }
        // RFC 5234 2.3: quoted strings of the grammar compare without case.
        if first.as_ref().eq_ignore_ascii_case(Self::SKIP_PIN.as_bytes()) {
            Some(ExchangeCommand::SkipPin)
        } else {
            Some(ExchangeCommand::Ignored)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ExchangeCommand::{self, Ignored, SkipPin};

    /// OCEXUM-2.2.1-2, CMD-1, SEC-15, SEC-16, SEC-17: the values as they are after unfolding.
    #[test]
    fn only_one_header_with_exactly_skip_pin_is_the_command() {
        let cases: &[(&[&str], Option<ExchangeCommand>)] = &[
            (&[], None),
            (&["skip-pin"], Some(SkipPin)),
            (&["SKIP-PIN"], Some(SkipPin)),
            (&["Skip-Pin"], Some(SkipPin)),
            (&["skip-pin", "skip-pin"], Some(Ignored)),
            (&["skip-pin", "other"], Some(Ignored)),
            (&["other", "skip-pin"], Some(Ignored)),
            (&["", "skip-pin"], Some(Ignored)),
            (&[""], Some(Ignored)),
            (&["skip-pin=1"], Some(Ignored)),
            (&["skip-pin="], Some(Ignored)),
            (&["skip-pin;x=y"], Some(Ignored)),
            (&["skip-pin;"], Some(Ignored)),
            (&["skip-pin, other"], Some(Ignored)),
            (&["skip-pin,"], Some(Ignored)),
            (&["skip-pin, skip-pin"], Some(Ignored)),
            (&["\"skip-pin\""], Some(Ignored)),
            (&["<skip-pin>"], Some(Ignored)),
            (&["skip-pin (please)"], Some(Ignored)),
            (&["skip%2Dpin"], Some(Ignored)),
            (&["skip -pin"], Some(Ignored)),
            (&["skip- pin"], Some(Ignored)),
            (&["skip-pin skip-pin"], Some(Ignored)),
            (&["skip-pin x"], Some(Ignored)),
            (&["skip\u{2010}pin"], Some(Ignored)),
            (&["skip\u{2011}pin"], Some(Ignored)),
            (&["\u{fb}skip-pin"], Some(Ignored)),
            (&["skip-pin\0"], Some(Ignored)),
            (&["skippin"], Some(Ignored)),
            (&["skip-pi"], Some(Ignored)),
            (&["other"], Some(Ignored)),
        ];
        for (values, expected) in cases {
            assert_eq!(ExchangeCommand::read(values.iter()), *expected, "{values:?}");
        }
    }

    proptest! {
        /// SEC-16: there is no second spelling.
        #[test]
        fn no_other_octets_are_the_command(value in proptest::collection::vec(any::<u8>(), 0..24)) {
            let is_the_word = value.eq_ignore_ascii_case(b"skip-pin");
            prop_assert_eq!(ExchangeCommand::read([&value]) == Some(SkipPin), is_the_word);
        }
    }
}
