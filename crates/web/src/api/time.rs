//! Times as programs read them: UTC, ISO 8601, whole seconds.

use umbel_time::UnixTime;

/// `2026-11-21T14:50:20Z`
pub(crate) fn iso_8601(time: UnixTime) -> String {
    let seconds = time.as_secs();
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a number of days since 1970, by the Gregorian calendar. Years are counted from March
/// on, so that the day that some have comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    /// From the first of March of the year 0 to the begin of 1970.
    const TO_1970: i64 = 719_468;
    /// Days of 400 years, after which all repeats.
    const CYCLE: i64 = 146_097;
    let days = days.saturating_add(TO_1970);
    let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    let year = (day - day / 1_460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March on have 153 days, and so have the next five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_by_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            // Leap days: of a year that 400 divides, of one that 4 does; and 2100 has none.
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_790_000_000, "2026-09-21T14:13:20Z"),
        ] {
            assert_eq!(iso_8601(UnixTime::from_secs(seconds)), text);
        }
    }
}
