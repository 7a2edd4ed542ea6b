//! A figure, measured a few times, beside its goal.

use std::fmt;

/// One line of the table.
pub(crate) struct Figure {
    name: String,
    /// At most this; not a number where there is no goal.
    goal: f64,
    values: Vec<f64>,
}

impl Figure {
    pub(crate) fn new(name: &str, goal: f64) -> Self {
        Figure { name: name.to_owned(), goal, values: Vec::new() }
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.values.push(value);
        self.values.sort_by(f64::total_cmp);
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(min), Some(max)) = (self.values.first(), self.values.last()) else { return Ok(()) };
        let median = self.values[self.values.len() / 2];
        write!(f, "| {} | {} / {} / {} |", self.name, Short(*min), Short(median), Short(*max))?;
        match self.goal.is_nan() {
            true => write!(f, " |"),
            false => {
                write!(f, " {} {}|", Short(self.goal), if median <= self.goal { "" } else { "(missed) " })
            }
        }
    }
}

/// Three digits that count.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            size if size >= 100.0 => write!(f, "{:.0}", self.0),
            size if size >= 1.0 => write!(f, "{:.2}", self.0),
            _ => write!(f, "{:.4}", self.0),
        }
    }
}
