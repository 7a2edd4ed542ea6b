//! How phrases are said: which recordings, in which order. One module for each language.
//!
//! `docs/recipes/adding-a-language.md` lists what another one needs.

mod en;

use std::time::Duration;

use crate::menu::KeyProfile;
use crate::phrase::Phrase;

/// The name of a recording: `digits/7`, `goodbye`. The file is `prompts/<language>/<name>.wav`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prompt(pub &'static str);

/// A piece of a spoken phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A recording.
    Prompt(Prompt),
    /// A breath.
    Gap(Duration),
}

/// A language in which we can speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English as spoken in America.
    #[default]
    English,
}

impl Language {
    /// All languages.
    pub const ALL: [Language; 1] = [Language::English];

    /// The tag of RFC 5646, which is also the name of the folder below `prompts`.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
        }
    }

    /// The language of this tag, region and script left aside.
    pub fn from_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// What to play so that a phrase is heard. The menus in it have the keys of `profile`.
    pub fn say(self, phrase: &Phrase, profile: KeyProfile) -> Vec<Word> {
        match self {
            Language::English => en::say(phrase, profile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_tag_with_or_without_a_region() {
        for tag in ["en", "EN", "en-US", "en_GB"] {
            assert_eq!(Language::from_tag(tag), Some(Language::English));
        }
        assert_eq!(Language::from_tag("eng"), None);
        assert_eq!(Language::from_tag(""), None);
    }
}
