//! Working hours: when a user's rules apply.

use std::fmt;
use std::str::FromStr;

use umbel_time::Weekday;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The time where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub weekday: Weekday,
    /// Minutes since midnight.
    pub minute: u16,
}

/// The same hours on some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First and last day; may go over the end of the week.
    pub days: (Weekday, Weekday),
    /// From this minute of the day up to before that one. Not over midnight.
    pub minutes: (u16, u16),
}

/// Spans of working hours; none at all means always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkHours(Vec<Span>);

/// Spans that are read.
const SPANS_MAX: usize = 14;

impl WorkHours {
    /// No spans: always.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is working time.
    pub fn contains(&self, LocalTime { weekday, minute }: LocalTime) -> bool {
        let within = |span: &Span| {
            let (first, last) = span.days;
            let on_day = if first <= last {
                (first..=last).contains(&weekday)
            } else {
                weekday >= first || weekday <= last
            };
            on_day && (span.minutes.0..span.minutes.1).contains(&minute)
        };
        self.0.is_empty() || self.0.iter().any(within)
    }
}

/// Not of the form `mon-fri 09:00-17:00, sat 10:00-12:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("working hours have the form mon-fri 09:00-17:00, with commas between several")]
pub struct NotWorkHours;

impl FromStr for WorkHours {
    type Err = NotWorkHours;

    fn from_str(text: &str) -> Result<Self, NotWorkHours> {
        let spans: Vec<Span> = text.split(',').map(|span| span_of(span.trim())).collect::<Result<_, _>>()?;
        if spans.len() > SPANS_MAX { Err(NotWorkHours) } else { Ok(WorkHours(spans)) }
    }
}

fn span_of(text: &str) -> Result<Span, NotWorkHours> {
    let (days, hours) = text.split_once(' ').ok_or(NotWorkHours)?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let day = |text: &str| {
        let found = DAYS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        found.map(|(_, day)| *day).ok_or(NotWorkHours)
    };
    let (from, to) = hours.split_once('-').ok_or(NotWorkHours)?;
    let minutes = (minute(from)?, minute(to)?);
    if minutes.0 >= minutes.1 {
        return Err(NotWorkHours);
    }
    Ok(Span { days: (day(first)?, day(last)?), minutes })
}

fn minute(text: &str) -> Result<u16, NotWorkHours> {
    let (hours, minutes) = text.trim().split_once(':').ok_or(NotWorkHours)?;
    let digits = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_number).ok_or(NotWorkHours)
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    // 24:00 is the end of a day.
    let minute = hours * 60 + minutes;
    if minutes < 60 && minute <= 24 * 60 { Ok(minute) } else { Err(NotWorkHours) }
}

impl fmt::Display for WorkHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |day: Weekday| DAYS.iter().find(|(_, d)| *d == day).map_or("", |(word, _)| word);
        for (index, Span { days: (first, last), minutes: (from, to) }) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            f.write_str(word(*first))?;
            if first != last {
                write!(f, "-{}", word(*last))?;
            }
            write!(f, " {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(hours: &str, weekday: Weekday, time: &str, expected: bool) {
        let hours: WorkHours = hours.parse().unwrap();
        let at = LocalTime { weekday, minute: minute(time).unwrap() };
        assert_eq!(hours.contains(at), expected, "{hours} {weekday:?} {time}");
        assert_eq!(hours.to_string().parse::<WorkHours>().unwrap(), hours);
    }

    #[test]
    fn hours_include_their_first_minute_and_not_their_last() {
        check("Mon-Fri 09:00-17:30", Weekday::Monday, "08:59", false);
        check("Mon-Fri 09:00-17:30", Weekday::Monday, "09:00", true);
        check("mon-fri 09:00-17:30", Weekday::Friday, "17:29", true);
        check("mon-fri 09:00-17:30", Weekday::Friday, "17:30", false);
        check("mon-fri 09:00-17:30", Weekday::Saturday, "10:00", false);
        check("sat 00:00-24:00", Weekday::Saturday, "23:59", true);
    }

    #[test]
    fn several_spans_and_weeks_that_go_over_their_end() {
        check("mon-fri 09:00-12:00, mon-fri 13:00-17:00", Weekday::Tuesday, "12:30", false);
        check("mon-fri 09:00-12:00,mon-fri 13:00-17:00", Weekday::Tuesday, "13:30", true);
        check("sat-mon 09:00-12:00", Weekday::Sunday, "10:00", true);
        check("sat-mon 09:00-12:00", Weekday::Monday, "10:00", true);
        check("sat-mon 09:00-12:00", Weekday::Wednesday, "10:00", false);
    }

    #[test]
    fn without_hours_it_is_always_working_time() {
        assert!(WorkHours::default().contains(LocalTime { weekday: Weekday::Sunday, minute: 0 }));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "mon",
            "mon-fri",
            "mon-fri 9-17",
            "mon-fri 09:00",
            "mon-fri 17:00-09:00",
            "mon 09:00-09:00",
            "mon 24:01-24:02",
            "mon 09:60-10:00",
            "foo 09:00-10:00",
            "mon 09:00-10:00,",
            "mon +9:00-10:00",
        ] {
            assert_eq!(text.parse::<WorkHours>(), Err(NotWorkHours), "{text:?}");
        }
        assert!(["mon 09:00-10:00"; SPANS_MAX].join(",").parse::<WorkHours>().is_ok());
        assert!(["mon 09:00-10:00"; SPANS_MAX + 1].join(",").parse::<WorkHours>().is_err());
    }
}
