//! The table: which calls are made, and which rows of the specification each shows.

use std::fmt;

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The rows that it shows.
    pub(super) ids: Vec<&'static str>,
    /// What is done, for people.
    pub(super) did: String,
    pub(super) call: Call,
    pub(super) expected: Expected,
    /// What others are compared with.
    pub(super) is_baseline: bool,
}

/// A call by the owner of a mailbox.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) through: Through,
    /// To the own voice mail; else to the own address.
    pub(super) voice_mail: bool,
    /// With a telephone of the owner registered, which rings in vain.
    pub(super) registered: bool,
    /// `Name: value`.
    pub(super) headers: Vec<String>,
}

/// By which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Through {
    /// With the password, as `--server` says.
    ProtocolServer,
    /// As a stranger, straight to the unified messaging server of this number.
    Directly(usize),
}

/// What the specification wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// A prompt.
    Prompt,
    /// The prompt that is heard without the header: the PIN is asked.
    SamePrompt,
    /// Another one: the PIN is not asked.
    OtherPrompt,
    /// The PIN is asked, or the call is not taken at all.
    SamePromptOrRefused,
    /// Nobody answers in the owner's stead.
    NotAnswered,
    /// This status.
    Refused(u16),
}

impl Expected {
    /// Whether it is about what is heard without the header.
    pub(super) fn compares(self) -> bool {
        match self {
            Expected::SamePrompt | Expected::OtherPrompt | Expected::SamePromptOrRefused => true,
            Expected::Prompt | Expected::NotAnswered | Expected::Refused(_) => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Prompt => f.write_str("a prompt"),
            Expected::SamePrompt => f.write_str("the prompt that is heard without the header"),
            Expected::OtherPrompt => f.write_str("another prompt than without the header"),
            Expected::SamePromptOrRefused => {
                f.write_str("the prompt that is heard without the header, or a refusal")
            }
            Expected::NotAnswered => f.write_str("no answer, by voice mail least of all"),
            Expected::Refused(status) => write!(f, "{status}"),
        }
    }
}

const SKIP_PIN: &str = "Ms-Exchange-Command: skip-pin";
const NO_DIVERSION: &str = "Ms-Sensitivity: private-no-diversion";

/// The table, with calls to these servers directly; only the rows of these ids, where any are named, and what
/// they are compared with.
pub(super) fn rows(direct: &[String], only: &[String]) -> Vec<Row> {
    let mut rows = all(direct);
    let is_meant = |row: &Row| only.is_empty() || row.ids.iter().any(|id| only.iter().any(|name| name == id));
    let compares =
        |row: &Row| matches!(row.expected, Expected::SamePrompt | Expected::OtherPrompt) && is_meant(row);
    let needs_baseline = rows.iter().any(compares);
    rows.retain(|row| is_meant(row) || (row.is_baseline && needs_baseline));
    rows
}

fn all(direct: &[String]) -> Vec<Row> {
    let mut rows = vec![Row {
        is_baseline: true,
        ..to_voice_mail(&["OCEXUM-3.1.2-2"], "no header", &[], Expected::Prompt)
    }];
    rows.push(to_voice_mail(
        &["OCEXUM-3.1-1", "OCEXUM-3.1.2-1"],
        SKIP_PIN,
        &[SKIP_PIN],
        Expected::OtherPrompt,
    ));
    // The vectors of the digest's section 4.1.
    for legal in ["MS-EXCHANGE-COMMAND:   SKIP-PIN", "ms-exchange-command: Skip-Pin"] {
        rows.push(to_voice_mail(&["OCEXUM-2.2.1-2"], legal, &[legal], Expected::OtherPrompt));
    }
    for other in ["skip-pin=1", "skip-pin;x=y", "skip-pin, other", "\"skip-pin\"", "other", ""] {
        let header = format!("Ms-Exchange-Command: {other}");
        rows.push(to_voice_mail(&["CMD-1"], &header, &[&header], Expected::SamePrompt));
    }
    rows.push(to_voice_mail(&["CMD-1"], "the header twice", &[SKIP_PIN, SKIP_PIN], Expected::SamePrompt));
    for (number, server) in direct.iter().enumerate() {
        let mut row = to_voice_mail(
            &["OCEXUM-3.1-2", "CMD-4"],
            &format!("{SKIP_PIN}, by a stranger directly at {server}"),
            &[SKIP_PIN],
            Expected::SamePromptOrRefused,
        );
        row.call.through = Through::Directly(number);
        rows.push(row);
    }
    // The vectors of section 5.1, and both situations of 5.6.
    for other in ["secret", "private-no-diversion;x=y", ""] {
        let header = format!("Ms-Sensitivity: {other}");
        rows.push(to_owner(&["SENS-2"], &header, &[&header], false, Expected::Refused(400)));
    }
    let twice = [NO_DIVERSION, NO_DIVERSION];
    rows.push(to_owner(&["SENS-2"], "Ms-Sensitivity twice", &twice, false, Expected::Refused(400)));
    for header in
        [NO_DIVERSION, "MS-SENSITIVITY: Private-No-Diversion", "Ms-Sensitivity: normal-no-diversion"]
    {
        rows.push(to_owner(
            &["OCEXUM-2.2.2-2", "OCEXUM-3.2.2-1", "SENS-13"],
            &format!("{header}, no telephone registered"),
            &[header],
            false,
            Expected::NotAnswered,
        ));
    }
    rows.push(to_owner(
        &["OCEXUM-3.2-2", "OCEXUM-3.2-3", "SENS-6"],
        &format!("{NO_DIVERSION}, a registered telephone rings in vain"),
        &[NO_DIVERSION],
        true,
        Expected::NotAnswered,
    ));
    rows
}

fn to_voice_mail(ids: &[&'static str], did: &str, headers: &[&str], expected: Expected) -> Row {
    row(ids, format!("own voice mail, {did}"), true, headers, false, expected)
}

fn to_owner(ids: &[&'static str], did: &str, headers: &[&str], registered: bool, expected: Expected) -> Row {
    row(ids, format!("own address, {did}"), false, headers, registered, expected)
}

fn row(
    ids: &[&'static str],
    did: String,
    voice_mail: bool,
    headers: &[&str],
    registered: bool,
    expected: Expected,
) -> Row {
    let headers = headers.iter().map(|header| (*header).to_owned()).collect();
    let call = Call { through: Through::ProtocolServer, voice_mail, registered, headers };
    Row { ids: ids.to_vec(), did, call, expected, is_baseline: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(only: &[&str]) -> Vec<Row> {
        let only: Vec<String> = only.iter().map(|id| (*id).to_owned()).collect();
        rows(&["tcp:127.0.0.1:5065".to_owned()], &only)
    }

    #[test]
    fn the_rows_that_are_named_come_with_what_they_are_compared_with() {
        assert!(named(&[]).len() > 15);
        let rows = named(&["CMD-1"]);
        assert!(rows[0].is_baseline);
        assert!(rows[1..].iter().all(|row| row.ids.contains(&"CMD-1")), "{rows:?}");
        assert!(named(&["CMD-4"]).iter().all(|row| row.call.through == Through::Directly(0)));
        assert!(named(&["SENS-2"]).iter().all(|row| row.expected == Expected::Refused(400)));
        assert!(named(&["nothing"]).is_empty());
    }
}
