//! Texts that callers chose, made fit for a header and a line of a mail (SEC-113).

/// Longest text of a caller's that stands in a mail; the rest is cut.
pub(crate) const TEXT_CHARS_MAX: usize = 255;

/// The text in one line: what controls a line or the direction of writing becomes a space, runs of spaces become
/// one, and what is too long is cut. So a name can neither begin a header nor turn around what stands beside it.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let words = text.split(|c: char| c.is_whitespace() || c.is_control() || is_format(c));
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > TEXT_CHARS_MAX * 4 {
            break;
        }
    }
    let cut: String = line.chars().take(TEXT_CHARS_MAX).collect();
    cut.trim_end().to_owned()
}

/// The text in one line that leaves room for others beside it, as a name in a subject does.
pub(crate) fn short_line(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let line = one_line(text);
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

/// Characters that are not seen and change how others are: directions, joiners without need, byte order marks.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a text may stand in a header as it is: printable ASCII that no reader takes for an encoded word, in
/// words short enough to be folded.
pub(crate) fn is_plain(text: &str) -> bool {
    const WORD_MAX: usize = 60;
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        && !text.contains("=?")
        && text.split(' ').all(|word| word.len() <= WORD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEC-113
    #[test]
    fn what_ends_a_line_or_turns_it_around_becomes_a_space() {
        assert_eq!(one_line("Bob\r\nBcc: eve@example.test"), "Bob Bcc: eve@example.test");
        assert_eq!(one_line("  Bob \u{b}\u{c}\u{85}\u{2028} Smith\0"), "Bob Smith");
        assert_eq!(one_line("a\u{202e}fdp.exe"), "a fdp.exe");
        assert_eq!(one_line("Zoë Ünal \u{1f4de}"), "Zoë Ünal \u{1f4de}");
        assert_eq!(one_line("\r\n"), "");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(one_line(&"ü".repeat(1_000)).chars().count(), TEXT_CHARS_MAX);
        assert_eq!(one_line(&"a ".repeat(1_000)).len(), TEXT_CHARS_MAX);
        assert_eq!(one_line(&"x".repeat(TEXT_CHARS_MAX)).len(), TEXT_CHARS_MAX);
    }

    #[test]
    fn a_name_leaves_room_for_what_stands_beside_it() {
        assert_eq!(short_line(&"ü".repeat(80)), "ü".repeat(80));
        assert_eq!(short_line(&"ü".repeat(81)), format!("{}…", "ü".repeat(80)));
    }

    #[test]
    fn only_short_words_of_ascii_stand_as_they_are() {
        assert!(is_plain("Voice message from Bob, (12 seconds)"));
        assert!(!is_plain("Zoë"));
        assert!(!is_plain("=?utf-8?q?Bob=0D=0ABcc:_eve?="));
        assert!(is_plain(&"x".repeat(60)) && !is_plain(&"x".repeat(61)));
    }
}
