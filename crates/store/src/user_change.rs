//! Changes to a user, one value each, so that two administrators at once do not undo one another.

use crate::limits::{
    ALIASES_MAX, DIAL_STRING_CHARS_MAX, FOLDER_ID_CHARS_MAX, ROUTING_CHARS_MAX, ROUTING_RULES_MAX,
    TEXT_CHARS_MAX,
};
use crate::{Address, Invalid, NewPin, Password, Role, Settings};

/// Longest extension: E.164 has 15 digits; a prefix for the trunk may come before it.
const EXTENSION_DIGITS_MAX: usize = 20;

/// One thing to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// The digits that callers know, or none.
    Extension(Option<String>),
    /// One more name.
    AddAlias(String),
    /// One name less; a name that was not there is no error.
    RemoveAlias(String),
    /// The name for people.
    Name(String),
    /// Where notices are mailed.
    Email(Option<String>),
    /// Whether the mailbox takes messages and log-ins.
    Enabled(bool),
    /// Whether the PIN may be skipped.
    SkipPin(bool),
    /// Language of the prompts.
    Language(Option<String>),
    /// IANA time zone.
    TimeZone(Option<String>),
    /// What the user may administer.
    Role(Role),
    /// Whether calls without a message are noted.
    MissedCallNotices(bool),
    /// The number or address that Play on Phone offers first.
    PlayOnPhoneDialString(Option<String>),
    /// The folder whose mails are to be read out on the telephone: a base 64 id.
    TelephoneAccessFolder(Option<String>),
    /// A routing rule, or its removal.
    Routing {
        /// Its name in the contract.
        key: String,
        /// Its value; `None` removes the rule.
        value: Option<String>,
    },
}

/// A row of an import: a user to add, or to change where the address is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEntry {
    /// Whom.
    pub address: Address,
    /// What to set.
    pub changes: Vec<UserChange>,
    /// The PIN. A new user without one here gets a generated one: no mailbox is without (SEC-89).
    pub pin: Option<NewPin>,
    /// The password for web and digest.
    pub password: Option<Password>,
}

impl UserEntry {
    /// A row that sets nothing yet.
    pub fn new(address: Address) -> Self {
        UserEntry { address, changes: Vec::new(), pin: None, password: None }
    }
}

impl UserChange {
    /// Sets it, or says what is wrong with it. That names are unique is the store's to check.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), Invalid> {
        match self {
            UserChange::Extension(extension) => {
                if let Some(digits) = extension {
                    check_extension(digits)?;
                }
                settings.extension.clone_from(extension);
            }
            UserChange::AddAlias(alias) => {
                check_text(alias, Invalid::Alias)?;
                let full = settings.aliases.len() >= ALIASES_MAX && !settings.aliases.contains(alias);
                if alias.is_empty() || full {
                    return Err(Invalid::Alias);
                }
                settings.aliases.insert(alias.clone());
            }
            UserChange::RemoveAlias(alias) => {
                settings.aliases.remove(alias);
            }
            UserChange::Name(name) => {
                check_text(name, Invalid::Name)?;
                settings.name.clone_from(name);
            }
            UserChange::Email(email) => {
                if let Some(text) = email {
                    // SEC-113: recipients come from here, so nothing that ends a header line may stand here.
                    check_text(text, Invalid::Email)?;
                    text.parse::<Address>().map_err(|_| Invalid::Email)?;
                }
                settings.email.clone_from(email);
            }
            UserChange::Enabled(enabled) => settings.enabled = *enabled,
            UserChange::SkipPin(skip) => settings.skip_pin = *skip,
            UserChange::Language(language) => {
                check_token(language.as_deref(), Invalid::Language)?;
                settings.language.clone_from(language);
            }
            UserChange::TimeZone(zone) => {
                check_token(zone.as_deref(), Invalid::TimeZone)?;
                settings.time_zone.clone_from(zone);
            }
            UserChange::Role(role) => settings.role = *role,
            UserChange::MissedCallNotices(wanted) => settings.missed_call_notices = *wanted,
            UserChange::PlayOnPhoneDialString(dial_string) => {
                if let Some(text) = dial_string {
                    // Whether it may be dialled is asked when it is.
                    check_bounded(text, DIAL_STRING_CHARS_MAX, Invalid::DialString)?;
                }
                settings.play_on_phone_dial_string.clone_from(dial_string);
            }
            UserChange::TelephoneAccessFolder(folder) => {
                if folder.as_deref().is_some_and(|id| !is_folder_id(id)) {
                    return Err(Invalid::Folder);
                }
                settings.telephone_access_folder.clone_from(folder);
            }
            UserChange::Routing { key, value } => set_routing(settings, key, value.as_deref())?,
        }
        Ok(())
    }
}

fn set_routing(settings: &mut Settings, key: &str, value: Option<&str>) -> Result<(), Invalid> {
    check_token(Some(key), Invalid::Routing)?;
    let Some(value) = value else {
        settings.routing.remove(key);
        return Ok(());
    };
    check_bounded(value, ROUTING_CHARS_MAX, Invalid::Routing)?;
    if settings.routing.len() >= ROUTING_RULES_MAX && !settings.routing.contains_key(key) {
        return Err(Invalid::Routing);
    }
    settings.routing.insert(key.to_owned(), value.to_owned());
    Ok(())
}

fn check_extension(digits: &str) -> Result<(), Invalid> {
    let plausible = (1..=EXTENSION_DIGITS_MAX).contains(&digits.len());
    if plausible && digits.bytes().all(|b| b.is_ascii_digit()) { Ok(()) } else { Err(Invalid::Extension) }
}

/// Base 64 of anything: folders are the mail program's business.
fn is_folder_id(id: &str) -> bool {
    let digits = id.trim_end_matches('=');
    let whole = (1..=FOLDER_ID_CHARS_MAX).contains(&id.len())
        && id.len().is_multiple_of(4)
        && id.len() - digits.len() <= 2;
    whole && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn check_text(text: &str, wrong: Invalid) -> Result<(), Invalid> {
    check_bounded(text, TEXT_CHARS_MAX, wrong)
}

fn check_bounded(text: &str, chars_max: usize, wrong: Invalid) -> Result<(), Invalid> {
    let fits = text.chars().count() <= chars_max && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(wrong) }
}

/// A word of letters, digits and `_ / + - .`, as languages, time zones and rule names are.
fn check_token(word: Option<&str>, wrong: Invalid) -> Result<(), Invalid> {
    let Some(word) = word else { return Ok(()) };
    let fits = (1..=64).contains(&word.len());
    let legal = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_/+-.".contains(&b));
    if fits && legal { Ok(()) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: UserChange, expected: Result<(), Invalid>) {
        let mut settings = Settings::new(Address::new("alice", "example.test").expect("an address"));
        assert_eq!(change.apply(&mut settings), expected, "{change:?}");
    }

    #[test]
    fn an_extension_is_digits() {
        check(UserChange::Extension(Some("4711".into())), Ok(()));
        check(UserChange::Extension(Some("1".repeat(20))), Ok(()));
        check(UserChange::Extension(Some("1".repeat(21))), Err(Invalid::Extension));
        check(UserChange::Extension(Some("47x1".into())), Err(Invalid::Extension));
        check(UserChange::Extension(Some(String::new())), Err(Invalid::Extension));
        check(UserChange::Extension(None), Ok(()));
    }

    #[test]
    fn a_mail_address_with_a_line_end_is_refused() {
        // SEC-113
        check(UserChange::Email(Some("alice@example.test".into())), Ok(()));
        check(UserChange::Email(Some("alice@example.test\r\nBcc: x@y".into())), Err(Invalid::Email));
        check(UserChange::Email(Some("no address".into())), Err(Invalid::Email));
    }

    #[test]
    fn texts_have_a_bound() {
        check(UserChange::Name("ä".repeat(TEXT_CHARS_MAX)), Ok(()));
        check(UserChange::Name("ä".repeat(TEXT_CHARS_MAX + 1)), Err(Invalid::Name));
        check(UserChange::Name("Alice\u{1b}[2J".into()), Err(Invalid::Name));
        check(UserChange::TimeZone(Some("Europe/Berlin".into())), Ok(()));
        check(UserChange::TimeZone(Some("../../etc\0".into())), Err(Invalid::TimeZone));
    }

    /// SEC-45
    #[test]
    fn dial_strings_have_a_bound_and_no_line_ends() {
        let dial_string = |text: &str| UserChange::PlayOnPhoneDialString(Some(text.into()));
        check(dial_string("+1 (555) 555-0199"), Ok(()));
        check(dial_string("alice@example.test"), Ok(()));
        check(dial_string(&"1".repeat(DIAL_STRING_CHARS_MAX)), Ok(()));
        check(dial_string(&"1".repeat(DIAL_STRING_CHARS_MAX + 1)), Err(Invalid::DialString));
        check(dial_string("1\r\nX: y"), Err(Invalid::DialString));
        check(UserChange::PlayOnPhoneDialString(None), Ok(()));
    }

    #[test]
    fn a_folder_is_named_in_base_64() {
        let folder = |text: &str| UserChange::TelephoneAccessFolder(Some(text.into()));
        for id in ["AAAA", "AAAAAG1hcGktZW50cnktaWQtMDAwMQ==", "ab+/", &"A".repeat(FOLDER_ID_CHARS_MAX)] {
            check(folder(id), Ok(()));
        }
        let long = "A".repeat(FOLDER_ID_CHARS_MAX + 4);
        for id in ["", "AAA", "====", "A===", "AA=A", "Inbox!!!", "AA A", &long] {
            check(folder(id), Err(Invalid::Folder));
        }
        check(UserChange::TelephoneAccessFolder(None), Ok(()));
    }

    #[test]
    fn routing_rules_are_kept_by_name_up_to_a_bound() {
        let mut settings = Settings::new(Address::new("alice", "example.test").expect("an address"));
        let set = |n: usize| UserChange::Routing { key: format!("rule-{n}"), value: Some("x".into()) };
        for n in 0..ROUTING_RULES_MAX {
            assert_eq!(set(n).apply(&mut settings), Ok(()));
        }
        assert_eq!(set(ROUTING_RULES_MAX).apply(&mut settings), Err(Invalid::Routing));
        assert_eq!(set(0).apply(&mut settings), Ok(()), "an existing rule can still be changed");
        let remove = UserChange::Routing { key: "rule-0".into(), value: None };
        assert_eq!(remove.apply(&mut settings), Ok(()));
        assert_eq!(set(ROUTING_RULES_MAX).apply(&mut settings), Ok(()));
    }

    #[test]
    fn a_routing_rule_holds_ten_targets_and_has_a_bound() {
        let team = |value: String| UserChange::Routing { key: "team".into(), value: Some(value) };
        check(team("a".repeat(ROUTING_CHARS_MAX)), Ok(()));
        check(team("a".repeat(ROUTING_CHARS_MAX + 1)), Err(Invalid::Routing));
        check(team("bob@example.test\r\n".into()), Err(Invalid::Routing));
    }

    #[test]
    fn aliases_have_a_bound() {
        let mut settings = Settings::new(Address::new("alice", "example.test").expect("an address"));
        for n in 0..ALIASES_MAX {
            assert_eq!(UserChange::AddAlias(format!("a{n}")).apply(&mut settings), Ok(()));
        }
        assert_eq!(UserChange::AddAlias("one-more".into()).apply(&mut settings), Err(Invalid::Alias));
        assert_eq!(UserChange::RemoveAlias("a0".into()).apply(&mut settings), Ok(()));
        assert_eq!(UserChange::AddAlias("one-more".into()).apply(&mut settings), Ok(()));
    }
}
