//! Days and times of day in English.

use super::{BETWEEN_PARTS, Sentence};
use umbel_time::Weekday;

use crate::phrase::{Day, When};

const MONTHS: [&str; 12] = [
    "month/january",
    "month/february",
    "month/march",
    "month/april",
    "month/may",
    "month/june",
    "month/july",
    "month/august",
    "month/september",
    "month/october",
    "month/november",
    "month/december",
];

/// Those that end in a name of their own; twenty-first to twenty-ninth and thirty-first are put together.
const ORDINALS: [&str; 20] = [
    "ordinal/1",
    "ordinal/2",
    "ordinal/3",
    "ordinal/4",
    "ordinal/5",
    "ordinal/6",
    "ordinal/7",
    "ordinal/8",
    "ordinal/9",
    "ordinal/10",
    "ordinal/11",
    "ordinal/12",
    "ordinal/13",
    "ordinal/14",
    "ordinal/15",
    "ordinal/16",
    "ordinal/17",
    "ordinal/18",
    "ordinal/19",
    "ordinal/20",
];

impl Sentence {
    /// "Yesterday at three oh five p m."
    pub(super) fn when(&mut self, when: &When) -> &mut Self {
        match when.day {
            Day::Today => self.prompt("today"),
            Day::Yesterday => self.prompt("yesterday"),
            Day::ThisWeek(weekday) => self.prompt("on").prompt(weekday_name(weekday)),
            Day::ThisYear { month, day } => self.prompt("on").month_and_day(month, day),
            Day::Date { year, month, day } => {
                self.prompt("on").month_and_day(month, day).gap(BETWEEN_PARTS).year(year)
            }
        };
        self.prompt("at").time_of_day(when.hour, when.minute)
    }

    fn month_and_day(&mut self, month: u8, day: u8) -> &mut Self {
        let month = usize::from(month).saturating_sub(1);
        if let Some(name) = MONTHS.get(month) {
            self.prompt(name);
        }
        self.ordinal(day)
    }

    fn ordinal(&mut self, day: u8) -> &mut Self {
        if let Some(name) = usize::from(day).checked_sub(1).and_then(|at| ORDINALS.get(at)) {
            return self.prompt(name);
        }
        match day {
            21..=29 => self.prompt("digits/20").ordinal(day - 20),
            30 => self.prompt("ordinal/30"),
            31 => self.prompt("digits/30").ordinal(1),
            // No day of a month.
            _ => self,
        }
    }

    /// "Two thousand", "two thousand nine", "twenty twenty six", "nineteen oh five".
    fn year(&mut self, year: i16) -> &mut Self {
        let year = u32::from(year.unsigned_abs());
        let (century, rest) = (year / 100, year % 100);
        match (century, rest) {
            (20, 0..=9) => self.number(year),
            (10..=99, 0) => self.below_hundred(century).prompt("digits/hundred"),
            (10..=99, 1..=9) => self.below_hundred(century).prompt("digits/oh").below_hundred(rest),
            (10..=99, _) => self.below_hundred(century).below_hundred(rest),
            _ => self.number(year),
        }
    }

    /// "Twelve o'clock a m", "three oh five p m".
    fn time_of_day(&mut self, hour: u8, minute: u8) -> &mut Self {
        let (hour, minute) = (u32::from(hour) % 24, u32::from(minute) % 60);
        let on_the_dial = if hour % 12 == 0 { 12 } else { hour % 12 };
        self.below_hundred(on_the_dial);
        match minute {
            0 => self.prompt("oclock"),
            1..=9 => self.prompt("digits/oh").below_hundred(minute),
            _ => self.below_hundred(minute),
        };
        self.prompt(if hour < 12 { "a-m" } else { "p-m" })
    }
}

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "day/monday",
        Weekday::Tuesday => "day/tuesday",
        Weekday::Wednesday => "day/wednesday",
        Weekday::Thursday => "day/thursday",
        Weekday::Friday => "day/friday",
        Weekday::Saturday => "day/saturday",
        Weekday::Sunday => "day/sunday",
    }
}
