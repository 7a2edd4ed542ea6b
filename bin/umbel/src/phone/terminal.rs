//! The terminal of a person: keys as they are typed, without an echo, and one line that is written again and again.
//!
//! Thin: what the line says and what keys mean is [`super::face`]'s.

use std::io::{IsTerminal, Read, Stdin, Stdout, Write};
use std::num::NonZeroUsize;

use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
};
use tokio::sync::mpsc;

/// Typed keys that wait for the loop; more are lost, as on any telephone that does not keep up.
const KEYS_MAX: usize = 256;
/// The width of a terminal that does not say.
const WIDTH: usize = 80;
/// Nothing from here on.
const EMPTY: &str = "\r\u{1b}[J";

/// The terminal while it is ours. Given back as it was when dropped: at the end, after a signal, in a panic.
pub(super) struct Terminal {
    before: Termios,
    shown: String,
    keys: mpsc::Receiver<u8>,
}

impl Terminal {
    /// Takes the terminal, where there is one and it is ours to take: a job in the background would be stopped by
    /// the first look at it.
    pub(super) fn take() -> Option<Self> {
        let (input, output) = (std::io::stdin(), std::io::stdout());
        let person = input.is_terminal() && output.is_terminal();
        // One that has no way back to the line's beginning would be filled with lines.
        let dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
        if !person || dumb || tcgetpgrp(&input).ok()? != getpgrp() {
            return None;
        }
        let before = tcgetattr(&input).ok()?;
        let mut quiet = before.clone();
        // ISIG stays: Ctrl-C is a signal here as everywhere. What would stop or kill us without giving the terminal
        // back is switched off.
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        quiet.special_codes[SpecialCodeIndex::VSUSP] = 0;
        quiet.special_codes[SpecialCodeIndex::VQUIT] = 0;
        tcsetattr(&input, OptionalActions::Now, &quiet).ok()?;
        let keys = listen(input);
        Some(Terminal { before, shown: String::new(), keys })
    }

    /// The next key. Without a keyboard, never.
    pub(super) async fn key(&mut self) -> u8 {
        match self.keys.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }

    /// How wide it is now.
    pub(super) fn width(&self) -> usize {
        let columns = tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
        columns.and_then(NonZeroUsize::new).map_or(WIDTH, NonZeroUsize::get)
    }

    /// Takes the line away, so that something else can be written.
    pub(super) fn clear(&mut self) {
        let shown = std::mem::take(&mut self.shown);
        if !shown.is_empty() {
            write(&mut std::io::stdout(), &erased(&shown, self.width()));
        }
    }

    /// Shows this line, where another one is shown.
    pub(super) fn show(&mut self, line: String) {
        if self.shown != line {
            let erased = erased(&self.shown, self.width());
            write(&mut std::io::stdout(), &format!("{erased}{line}"));
            self.shown = line;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
        // Whoever has taken the terminal away needs nothing back. What was typed and not read is no command of the
        // shell's, and may be a PIN: it goes.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}

/// Takes this line away, also from a terminal that has become narrower since and has broken it.
fn erased(shown: &str, width: usize) -> String {
    let broken = shown.chars().count().saturating_sub(1) / width.max(1);
    let up = if broken == 0 { String::new() } else { format!("\u{1b}[{broken}A") };
    format!("{up}{EMPTY}")
}

fn write(out: &mut Stdout, text: &str) {
    // Where nobody sees it any more the reporter finds out.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Reads keys until there are no more. The thread waits in a read that nothing ends but the process.
fn listen(mut input: Stdin) -> mpsc::Receiver<u8> {
    let (typed, keys) = mpsc::channel(KEYS_MAX);
    let read = move || {
        let mut key = [0];
        while matches!(input.read(&mut key), Ok(1)) {
            if let Err(mpsc::error::TrySendError::Closed(_)) = typed.try_send(key[0]) {
                return;
            }
        }
    };
    // Without a thread there is a face without keys; Ctrl-C still works.
    let _ = std::thread::Builder::new().name("keys".to_owned()).spawn(read);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_away_whole_also_where_it_was_broken() {
        assert_eq!(erased("", 80), "\r\u{1b}[J");
        assert_eq!(erased(&"x".repeat(79), 80), "\r\u{1b}[J");
        assert_eq!(erased(&"x".repeat(79), 79), "\r\u{1b}[J");
        assert_eq!(erased(&"x".repeat(79), 40), "\u{1b}[1A\r\u{1b}[J");
        assert_eq!(erased(&"x".repeat(79), 20), "\u{1b}[3A\r\u{1b}[J");
        assert_eq!(erased("x", 0), "\r\u{1b}[J");
    }
}
