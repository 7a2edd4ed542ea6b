//! Dates as people speak of them. The owner converts to local time; no time zone is known here.

use umbel_time::Weekday;

/// What a clock and a calendar on the wall show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// A day, as seen from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// The same day.
    Today,
    /// The day before.
    Yesterday,
    /// One of the five days before that.
    ThisWeek(Weekday),
    /// Another day of the same year.
    ThisYear {
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// A day of another year, or one that is still to come (a clock was set back).
    Date {
        /// The year.
        year: i16,
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
}

/// A point in time, as seen from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The day.
    pub day: Day,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl LocalTime {
    /// How one speaks of this time at `now`.
    pub fn seen_from(self, now: LocalTime) -> When {
        let days_ago = now.days() - self.days();
        let day = match days_ago {
            0 => Day::Today,
            1 => Day::Yesterday,
            // From the seventh day on, the day's name would mean another day as well.
            2..=6 => Day::ThisWeek(self.weekday()),
            7.. if self.year == now.year => Day::ThisYear { month: self.month, day: self.day },
            _ => Day::Date { year: self.year, month: self.month, day: self.day },
        };
        When { day, hour: self.hour, minute: self.minute }
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        Weekday::of_day_since_1970(self.days())
    }

    /// Days since 1970-01-01 in the Gregorian calendar. Counting years from March puts the leap day last.
    fn days(self) -> i64 {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days_before_month = (153 * month_from_march + 2).div_euclid(5);
        const FROM_YEAR_ZERO_TO_1970: i64 = 719_469;
        365 * year + leap_days + days_before_month + day - FROM_YEAR_ZERO_TO_1970
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i16, month: u8, day: u8) -> LocalTime {
        LocalTime { year, month, day, hour: 15, minute: 5 }
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(at(1970, 1, 1).days(), 0);
        assert_eq!(at(1969, 12, 31).days(), -1);
        assert_eq!(at(2000, 2, 29).days(), 11_016);
        assert_eq!(at(2000, 3, 1).days(), 11_017);
        assert_eq!(at(2026, 11, 21).days(), 20_778);
    }

    #[test]
    fn weekdays_are_right() {
        assert_eq!(at(1970, 1, 1).weekday(), Weekday::Thursday);
        assert_eq!(at(2000, 2, 29).weekday(), Weekday::Tuesday);
        assert_eq!(at(2026, 11, 21).weekday(), Weekday::Saturday);
        assert_eq!(at(1900, 3, 1).weekday(), Weekday::Thursday);
    }

    #[test]
    fn a_day_is_named_by_its_distance() {
        let now = at(2026, 1, 3);
        assert_eq!(now.seen_from(now).day, Day::Today);
        assert_eq!(at(2026, 1, 2).seen_from(now).day, Day::Yesterday);
        assert_eq!(at(2026, 1, 1).seen_from(now).day, Day::ThisWeek(Weekday::Thursday));
        assert_eq!(at(2025, 12, 28).seen_from(now).day, Day::ThisWeek(Weekday::Sunday));
        assert_eq!(at(2025, 12, 27).seen_from(now).day, Day::Date { year: 2025, month: 12, day: 27 });
        let later = at(2026, 6, 30);
        assert_eq!(at(2026, 6, 23).seen_from(later).day, Day::ThisYear { month: 6, day: 23 });
    }

    #[test]
    fn a_message_from_the_future_is_said_by_its_full_date() {
        assert_eq!(at(2026, 1, 4).seen_from(at(2026, 1, 3)).day, Day::Date { year: 2026, month: 1, day: 4 });
    }

    #[test]
    fn nonsense_in_the_calendar_does_no_harm() {
        for (year, month, day) in [(i16::MIN, 0, 0), (i16::MAX, u8::MAX, u8::MAX)] {
            let nonsense = LocalTime { year, month, day, hour: 255, minute: 255 };
            let _ = nonsense.seen_from(at(2026, 1, 1));
            let _ = nonsense.weekday();
        }
    }
}
