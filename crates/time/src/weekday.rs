//! Days of the week.

/// A day of the week, in the order of ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they say it themselves")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// The seven days, Monday first.
    pub const ALL: [Weekday; 7] = {
        use Weekday::*;
        [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]
    };

    /// The day so many days after a Monday, or before it where `days` is negative.
    pub const fn days_after_monday(days: i64) -> Weekday {
        match days.rem_euclid(7) {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }

    /// The day of the week of a day that is counted from 1970-01-01, a Thursday, on.
    pub const fn of_day_since_1970(days: i64) -> Weekday {
        Weekday::days_after_monday(days.wrapping_add(3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_from_week_to_week() {
        for (days, weekday) in (0..).zip(Weekday::ALL) {
            for week in [-7, 0, 7, 700] {
                assert_eq!(Weekday::days_after_monday(days + week), weekday);
            }
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(Weekday::of_day_since_1970(0), Weekday::Thursday);
        assert_eq!(Weekday::of_day_since_1970(-1), Weekday::Wednesday);
        // 2000-02-29
        assert_eq!(Weekday::of_day_since_1970(11_016), Weekday::Tuesday);
    }
}
