//! What commands print: aligned tables for people, JSON for programs.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::exit::Failure;

/// Writes bytes to standard output.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Writes one line of text.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    write(format!("{}\n", text.as_ref()).as_bytes())
}

/// Writes one JSON document on a line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| {
        Failure::new(
            crate::exit::Exit::Failed,
            "internal",
            format!("the answer cannot be written as JSON: {error}"),
        )
    })?;
    line(text)
}

/// Writes each value as a JSON line.
pub(crate) fn json_lines(values: &[impl Serialize]) -> Result<(), Failure> {
    values.iter().try_for_each(json)
}

/// Tells on standard error what a command did in spite of something.
pub(crate) fn warn(json: bool, code: &str, message: &str) {
    let line = if json {
        serde_json::json!({ "code": code, "warning": message }).to_string()
    } else {
        format!("umbel: warning: {}", printable(message))
    };
    // Where even standard error is closed, the command still did what it was asked for.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A table for people: columns as wide as their widest cell, the last one free.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let safe: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = safe.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut text = String::new();
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    if !rows.is_empty() {
        let bold = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        text.push_str(if bold { "\x1b[1m" } else { "" });
        push_row(&mut text, &heads, &widths);
        text.push_str(if bold { "\x1b[0m" } else { "" });
        text.push('\n');
    }
    for row in &safe {
        push_row(&mut text, row, &widths);
        text.push('\n');
    }
    write(text.as_bytes())
}

fn push_row(text: &mut String, row: &[String], widths: &[usize]) {
    for (column, cell) in row.iter().enumerate() {
        if column > 0 {
            text.push_str("  ");
        }
        text.push_str(cell);
        if column + 1 < row.len() {
            let missing = widths.get(column).copied().unwrap_or(0).saturating_sub(cell.chars().count());
            text.extend(std::iter::repeat_n(' ', missing));
        }
    }
}

/// Facts about one thing, a line each.
pub(crate) fn facts(facts: &[(&str, String)]) -> Result<(), Failure> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let text: String =
        facts.iter().map(|(name, value)| format!("{name:width$}  {}\n", printable(value))).collect();
    write(text.as_bytes())
}

/// Takes the power to move the cursor or to turn text around from what came over the network (SEC-123).
pub(crate) fn printable(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEC-123
    #[test]
    fn terminal_escapes_and_right_to_left_marks_are_taken_out() {
        assert_eq!(printable("a\x1b[2Jb\r\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c");
        assert_eq!(printable("Zoë 日本"), "Zoë 日本");
    }
}
