//! What the tour prints: for people, in colours on a terminal; or a JSON document a line.

use std::io::IsTerminal;

use serde_json::{Value, json};

use super::compare::Check;
use super::ladder::{Ladder, Rung};
use crate::exit::Failure;
use crate::output;

/// What was compared and what was found share a line of 100 characters, where both fit it.
const TOGETHER: usize = 95;
/// Where what was found begins then.
const ALIGNED: usize = 47;

/// Where it is printed.
#[derive(Clone, Copy)]
pub(super) struct Show {
    json: bool,
    colours: bool,
}

/// How something looks.
#[derive(Clone, Copy)]
enum Look {
    Bold,
    Dim,
    Good,
    Bad,
}

impl Look {
    const fn code(self) -> &'static str {
        match self {
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Bad => "31",
        }
    }
}

impl Show {
    pub(super) fn new(json: bool) -> Self {
        let colours = !json && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Show { json, colours }
    }

    fn look(self, look: Look, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", look.code()) } else { text.to_owned() }
    }

    /// What people read, and programs do not.
    pub(super) fn say(self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { output::line(text) }
    }

    /// What programs read, and people do not.
    pub(super) fn document(self, document: &Value) -> Result<(), Failure> {
        if self.json { output::json(document) } else { Ok(()) }
    }

    /// A heading.
    pub(super) fn heading(self, number: usize, title: &str) -> Result<(), Failure> {
        self.say(&format!("\n{}\n", self.look(Look::Bold, &format!("{number}  {title}"))))
    }

    /// The lifelines of a ladder.
    pub(super) fn head(self, ladder: &Ladder) -> Result<(), Failure> {
        ladder.head().iter().try_for_each(|line| self.say(&self.look(Look::Dim, line)))
    }

    /// A rung of it, when it happens.
    pub(super) fn rung(self, ladder: &Ladder, rung: &Rung) -> Result<(), Failure> {
        ladder.draw(rung).iter().try_for_each(|line| self.say(&output::printable(line)))
    }

    /// The end of a step.
    pub(super) fn end(self, step: &Step<'_>) -> Result<(), Failure> {
        if let Some(left_out) = step.ladder.left_out() {
            self.say(&self.look(Look::Dim, &format!("        {left_out}")))?;
        }
        self.say("")?;
        for check in step.checks {
            let mark = if check.held { self.look(Look::Good, "✓") } else { self.look(Look::Bad, "✗") };
            let (what, found) = (output::printable(&check.what), output::printable(&check.found));
            let width = what.chars().count();
            let gap = ALIGNED.saturating_sub(width).max(2);
            let gap = match width + gap + found.chars().count() <= TOGETHER {
                true => " ".repeat(gap),
                false => "\n     ".to_owned(),
            };
            self.say(&format!("   {mark} {what}{gap}{}", self.look(Look::Dim, &found)))?;
        }
        let rungs = step.rungs.iter().map(document);
        self.document(&json!({
            "event": "step",
            "number": step.number,
            "title": step.title,
            "held": step.checks.iter().all(|check| check.held),
            "seconds": step.seconds,
            "checks": step.checks,
            "ladder": rungs.collect::<Vec<_>>(),
        }))
    }

    /// How it went.
    pub(super) fn verdict(self, held: bool, seconds: f64) -> Result<(), Failure> {
        let text = format!("The tour took {seconds:.0} s, and ");
        let verdict = match held {
            true => self.look(Look::Good, "every step held."),
            false => self.look(Look::Bad, "not every step held."),
        };
        self.say(&format!("\n{text}{verdict}"))?;
        self.document(&json!({ "event": "tour", "held": held, "seconds": seconds }))
    }
}

/// A step that is over.
pub(super) struct Step<'a> {
    pub(super) number: usize,
    pub(super) title: &'a str,
    pub(super) seconds: f64,
    pub(super) ladder: &'a Ladder,
    pub(super) rungs: &'a [Rung],
    pub(super) checks: &'a [Check],
}

fn document(rung: &Rung) -> Value {
    json!({
        "seconds": rung.millis as f64 / 1_000.0,
        "from": rung.from,
        "to": rung.to,
        "sound": rung.is_sound,
        "message": rung.label,
        "remarks": rung.remarks,
    })
}
