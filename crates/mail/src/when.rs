//! Dates of mails, in the owner's time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use umbel_time::UnixTime;

/// Furthest from Greenwich that any clock is.
const OFFSET_SECONDS_MAX: i32 = 15 * 3_600;

/// A moment, and how far the owner's clock is from UTC then, in seconds to the east.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    local: DateTime,
    minutes: i32,
}

impl When {
    pub(crate) fn new(at: UnixTime, utc_offset_seconds: i32) -> Self {
        let minutes = utc_offset_seconds.clamp(-OFFSET_SECONDS_MAX, OFFSET_SECONDS_MAX) / 60;
        let offset = Offset::from_seconds(minutes * 60).unwrap_or(Offset::UTC);
        // A clock that is years beyond all calendars is shown as the beginning of ours.
        let timestamp = Timestamp::from_second(at.as_secs()).unwrap_or(Timestamp::UNIX_EPOCH);
        When { local: offset.to_datetime(timestamp), minutes }
    }

    /// RFC 5322 3.3: `Sat, 21 Nov 2026 14:50:13 +0100`.
    pub(crate) fn header(&self) -> String {
        format!("{} {}", self.local.strftime("%a, %-d %b %Y %H:%M:%S"), self.offset(""))
    }

    /// For people: `Saturday, 21 November 2026, 14:50 (UTC+01:00)`.
    pub(crate) fn sentence(&self) -> String {
        format!("{} (UTC{})", self.local.strftime("%A, %-d %B %Y, %H:%M"), self.offset(":"))
    }

    fn offset(&self, between: &str) -> String {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.unsigned_abs();
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REL-29
    #[test]
    fn a_date_is_told_by_the_owners_clock() {
        // 1,795,268,413 s is 2026-11-21 13:40:13 UTC: 20,778 days (2026-11-21) and 13:40:13.
        let at = UnixTime::from_secs(20_778 * 86_400 + 13 * 3_600 + 40 * 60 + 13);
        let berlin = When::new(at, 3_600);
        assert_eq!(berlin.header(), "Sat, 21 Nov 2026 14:40:13 +0100");
        assert_eq!(berlin.sentence(), "Saturday, 21 November 2026, 14:40 (UTC+01:00)");
        assert_eq!(When::new(at, -12_600).header(), "Sat, 21 Nov 2026 10:10:13 -0330");
    }

    #[test]
    fn a_clock_beyond_all_calendars_does_no_harm() {
        for seconds in [i64::MIN / 1_000, i64::MAX / 1_000] {
            assert_eq!(When::new(UnixTime::from_secs(seconds), i32::MIN).header().len(), 31);
        }
    }
}
