//! `Ms-Sensitivity`: may this call be diverted? ([MS-SIPRE] 2.2.10, [MS-OCEXUM] 2.2.2)

use std::fmt;

/// The values of `Ms-Sensitivity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sensitivity {
    /// All destinations that the routing rules select; what a missing header means.
    #[default]
    Normal,
    /// Reserved; treated as [`Sensitivity::Normal`].
    Private,
    /// Neither voice mail nor call forwarding.
    NormalNoDiversion,
    /// As [`Sensitivity::NormalNoDiversion`]; what a Play-On-Phone call carries.
    PrivateNoDiversion,
}

/// An `Ms-Sensitivity` that is another value, or more than one. A protocol server answers 400
/// (SENS-2); a unified messaging server ignores it (DEC-19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Ms-Sensitivity is not formatted as expected")]
pub struct Malformed;

impl Sensitivity {
    const ALL: [Sensitivity; 4] = [
        Sensitivity::Normal,
        Sensitivity::Private,
        Sensitivity::NormalNoDiversion,
        Sensitivity::PrivateNoDiversion,
    ];

    /// Reads the values of all `Ms-Sensitivity` headers of one message, unfolded and trimmed.
    ///
    /// No header is [`Sensitivity::Normal`] ([MS-SIPRE] 2.2.10).
    pub fn read<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Result<Sensitivity, Malformed> {
        let mut values = values.into_iter();
        let Some(first) = values.next() else { return Ok(Sensitivity::Normal) };
        if values.next().is_some() {
            return Err(Malformed);
        }
        Self::ALL
            .into_iter()
            .find(|known| first.as_ref().eq_ignore_ascii_case(known.as_str().as_bytes()))
            .ok_or(Malformed)
    }

    /// The value as we write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Sensitivity::Normal => "normal",
            Sensitivity::Private => "private",
            Sensitivity::NormalNoDiversion => "normal-no-diversion",
            Sensitivity::PrivateNoDiversion => "private-no-diversion",
        }
    }

    /// Whether voice mail and call forwarding are allowed.
    pub const fn allows_diversion(self) -> bool {
        match self {
            Sensitivity::Normal => true,
            Sensitivity::Private => true,
            Sensitivity::NormalNoDiversion => false,
            Sensitivity::PrivateNoDiversion => false,
        }
    }
}

impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OCEXUM-2.2.2-3, SENS-1, SENS-4.
    #[test]
    fn the_four_values_are_read_without_case_and_no_header_is_normal() {
        assert_eq!(Sensitivity::read::<&str>([]), Ok(Sensitivity::Normal));
        for value in Sensitivity::ALL {
            assert_eq!(Sensitivity::read([value.as_str()]), Ok(value));
            assert_eq!(Sensitivity::read([value.as_str().to_ascii_uppercase()]), Ok(value));
        }
    }

    /// SENS-2, SENS-4.
    #[test]
    fn another_value_or_a_second_header_is_malformed() {
        for value in ["", "secret", "private;x=y", "\"private\"", "private, normal", "no-diversion"] {
            assert_eq!(Sensitivity::read([value]), Err(Malformed), "{value:?}");
        }
        assert_eq!(Sensitivity::read(["normal", "normal"]), Err(Malformed));
        assert_eq!(Sensitivity::read(["private-no-diversion", "private-no-diversion"]), Err(Malformed));
    }

    #[test]
    fn both_no_diversion_values_forbid_diversion_and_the_others_do_not() {
        let allowing: Vec<_> = Sensitivity::ALL.into_iter().filter(|s| s.allows_diversion()).collect();
        assert_eq!(allowing, [Sensitivity::Normal, Sensitivity::Private]);
    }
}
