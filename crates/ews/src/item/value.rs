//! Values of properties: how they are compared, printed, and read from a constant.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use umbel_time::UnixTime;

/// The value of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `String`, and texts that stand for a choice.
    Text(String),
    /// `Integer`, `Short`, `Long`.
    Number(i64),
    /// `Boolean`
    Flag(bool),
    /// `SystemTime`
    Time(UnixTime),
    /// `Binary`
    Octets(Vec<u8>),
}

/// The sort of a value: what a constant has to be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// [`Value::Text`]
    Text,
    /// [`Value::Number`]
    Number,
    /// [`Value::Flag`]
    Flag,
    /// [`Value::Time`]
    Time,
    /// [`Value::Octets`]
    Octets,
}

impl Value {
    /// The text in an element.
    pub fn print(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Flag(true) => "true".to_owned(),
            Value::Flag(false) => "false".to_owned(),
            Value::Time(time) => date_time(*time),
            Value::Octets(octets) => STANDARD.encode(octets),
        }
    }

    /// Its sort.
    pub fn sort(&self) -> Sort {
        match self {
            Value::Text(_) => Sort::Text,
            Value::Number(_) => Sort::Number,
            Value::Flag(_) => Sort::Flag,
            Value::Time(_) => Sort::Time,
            Value::Octets(_) => Sort::Octets,
        }
    }

    /// How it stands to another of its sort; texts without regard to case, as mail programs sort them.
    pub fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Text(one), Value::Text(other)) => Some(text_order(one, other)),
            (Value::Number(one), Value::Number(other)) => Some(one.cmp(other)),
            (Value::Flag(one), Value::Flag(other)) => Some(one.cmp(other)),
            // Outside, times have whole seconds.
            (Value::Time(one), Value::Time(other)) => Some(one.as_secs().cmp(&other.as_secs())),
            (Value::Octets(one), Value::Octets(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

fn text_order(one: &str, other: &str) -> Ordering {
    let fold = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    if one.is_ascii() && other.is_ascii() {
        let bytes = |text: &str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>();
        return bytes(one).cmp(&bytes(other));
    }
    fold(one).cmp(&fold(other))
}

impl Sort {
    /// Reads the constant of a restriction.
    pub fn read(self, text: &str) -> Option<Value> {
        let trimmed = text.trim();
        match self {
            Sort::Text => Some(Value::Text(text.to_owned())),
            Sort::Number => trimmed.parse().ok().map(Value::Number),
            Sort::Flag => match trimmed {
                "1" => Some(Value::Flag(true)),
                "0" => Some(Value::Flag(false)),
                word if word.eq_ignore_ascii_case("true") => Some(Value::Flag(true)),
                word if word.eq_ignore_ascii_case("false") => Some(Value::Flag(false)),
                _ => None,
            },
            Sort::Time => read_date_time(trimmed).map(Value::Time),
            Sort::Octets => STANDARD.decode(trimmed).ok().map(Value::Octets),
        }
    }
}

/// `xs:dateTime` in UTC, in whole seconds: `2026-11-21T13:40:13Z`. Some clients read no other form.
pub(crate) fn date_time(time: UnixTime) -> String {
    // A clock that is years beyond all calendars is shown as the beginning of ours.
    Timestamp::from_second(time.as_secs()).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// `xs:dateTime`; without a zone, UTC is meant. A date alone is its first moment.
pub(crate) fn read_date_time(text: &str) -> Option<UnixTime> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(UnixTime::from_millis(timestamp.as_millisecond()));
    }
    let local = text.strip_suffix('Z').unwrap_or(text);
    let civil = local.parse::<DateTime>().or_else(|_| local.parse::<Date>().map(DateTime::from)).ok()?;
    Some(UnixTime::from_millis(Offset::UTC.to_timestamp(civil).ok()?.as_millisecond()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 2026-11-21 13:40:13 UTC: 20,778 days and 13:40:13.
    const AT: UnixTime = UnixTime::from_secs(20_778 * 86_400 + 13 * 3_600 + 40 * 60 + 13);

    #[test]
    fn times_are_printed_in_utc_and_whole_seconds() {
        assert_eq!(date_time(AT), "2026-11-21T13:40:13Z");
        assert_eq!(date_time(UnixTime::from_millis(AT.as_millis() + 789)), "2026-11-21T13:40:13Z");
    }

    #[test]
    fn times_are_read_with_a_zone_and_without() {
        for text in [
            "2026-11-21T13:40:13Z",
            "2026-11-21T13:40:13",
            "2026-11-21T13:40:13.000Z",
            "2026-11-21T14:40:13+01:00",
            "2026-11-21T08:40:13-05:00",
        ] {
            assert_eq!(read_date_time(text), Some(AT), "{text}");
        }
        assert_eq!(read_date_time("2026-11-21"), Some(UnixTime::from_secs(20_778 * 86_400)));
        for text in ["", "yesterday", "2026-13-01", "2026-11-21T25:00:00Z", "99999999999-01-01T00:00:00Z"] {
            assert_eq!(read_date_time(text), None, "{text}");
        }
    }

    #[test]
    fn constants_are_read_by_the_sort_of_the_property() {
        assert_eq!(Sort::Flag.read("True"), Some(Value::Flag(true)));
        assert_eq!(Sort::Flag.read("0"), Some(Value::Flag(false)));
        assert_eq!(Sort::Flag.read("yes"), None);
        assert_eq!(Sort::Number.read(" 12 "), Some(Value::Number(12)));
        assert_eq!(Sort::Number.read("12.5"), None);
        assert_eq!(Sort::Octets.read("AAE="), Some(Value::Octets(vec![0, 1])));
    }

    #[test]
    fn values_of_one_sort_have_an_order_and_others_have_none() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(text("bob").order(&text("BOB")), Some(Ordering::Equal));
        assert_eq!(text("Ärger").order(&text("ärger")), Some(Ordering::Equal));
        assert_eq!(text("a").order(&text("B")), Some(Ordering::Less));
        assert_eq!(Value::Number(9).order(&Value::Number(10)), Some(Ordering::Less));
        assert_eq!(Value::Number(1).order(&Value::Flag(true)), None);
        let later = UnixTime::from_millis(AT.as_millis() + 999);
        assert_eq!(Value::Time(AT).order(&Value::Time(later)), Some(Ordering::Equal));
    }
}
