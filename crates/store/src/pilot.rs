//! Names that lead to voice mail, whoever bears them: nobody could be called by them.

use crate::{UserChange, UserEntry};

/// A user part or an extension that is a pilot's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is a pilot ([um] pilots), so that its calls lead to voice mail")]
pub struct IsPilot(String);

impl IsPilot {
    /// The word for programs, the same in commands and in the API.
    pub const CODE: &str = "name-is-pilot";
}

/// Refuses names of which one is a pilot's.
pub fn no_pilot<'a>(names: impl IntoIterator<Item = &'a str>, pilots: &[String]) -> Result<(), IsPilot> {
    match names.into_iter().find(|name| pilots.iter().any(|pilot| pilot == name)) {
        Some(name) => Err(IsPilot(name.to_owned())),
        None => Ok(()),
    }
}

impl UserEntry {
    /// The names by which calls reach the user from this row on: an extension that it sets, and of a new user the
    /// user part. Who bears a pilot's name already can still be changed.
    pub fn new_names(&self, is_new: bool) -> impl Iterator<Item = &str> {
        let extensions = self.changes.iter().filter_map(|change| match change {
            UserChange::Extension(extension) => extension.as_deref(),
            _ => None,
        });
        extensions.chain(is_new.then(|| self.address.user()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn a_new_user_and_a_new_extension_are_named_like_no_pilot() {
        let pilots = ["voicemail", "5000"].map(str::to_owned);
        let entry = |user: &str, extension: Option<&str>| UserEntry {
            changes: vec![UserChange::Extension(extension.map(str::to_owned))],
            ..UserEntry::new(Address::new(user, "example.test").expect("an address"))
        };
        let refused = |entry: UserEntry, is_new| no_pilot(entry.new_names(is_new), &pilots).err();
        assert_eq!(refused(entry("alice", Some("101")), true), None);
        assert_eq!(refused(entry("alice", Some("50001")), true), None, "only its beginning");
        assert_eq!(refused(entry("alice", Some("5000")), true), Some(IsPilot("5000".to_owned())));
        assert_eq!(refused(entry("alice", Some("5000")), false), Some(IsPilot("5000".to_owned())));
        assert_eq!(refused(entry("voicemail", None), true), Some(IsPilot("voicemail".to_owned())));
        assert_eq!(refused(entry("voicemail", None), false), None, "who is there already");
        assert_eq!(no_pilot(entry("voicemail", None).new_names(true), &[]), Ok(()));
    }
}
