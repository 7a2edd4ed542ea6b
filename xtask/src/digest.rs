//! What a step wrote, for readers in a hurry: without the compilers' progress, and of a failure what failed and why.

/// Lines of a failure that are shown at the end of the run.
pub(crate) const LINES_MAX: usize = 80;
/// Of each failed test, compiler's error or other complaint.
const LINES_OF_ONE: usize = 12;
/// Where nothing is known to be a complaint: the end.
const LAST_LINES: usize = 30;
/// Of each line.
const LETTERS_MAX: usize = 400;

/// What Cargo says while all is well: each word ends in the twelfth column.
const PROGRESS: [&str; 14] = [
    "Adding",
    "Blocking",
    "Checking",
    "Compiling",
    "Documenting",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Generated",
    "Locking",
    "Scraping",
    "Unpacking",
    "Updating",
];

/// The text without progress of compilers.
pub(crate) fn without_progress(text: &str) -> String {
    text.lines().filter(|line| !is_progress(line)).flat_map(|line| [line, "\n"]).collect()
}

fn is_progress(line: &str) -> bool {
    line.get(..12).is_some_and(|word| PROGRESS.contains(&word.trim_start()))
}

/// What failed and why, in so many lines at most.
pub(crate) fn of_failure(text: &str, lines_max: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !is_progress(line)).collect();
    let names = |wanted: &str| -> Vec<&str> {
        let tests = lines.iter().filter_map(|line| line.strip_prefix("test "));
        tests.filter_map(|test| test.strip_suffix(wanted)).collect()
    };
    let failed = names(" ... FAILED");
    let ended = [failed.clone(), names(" ... ok"), names(" ... ignored")].concat();
    let mut hung = names(" has been running for over 60 seconds");
    hung.retain(|name| !ended.contains(name));
    let mut told = Vec::new();
    for (what, names) in [("failed", &failed), ("did not come to an end", &hung)] {
        if !names.is_empty() {
            told.push(format!("{what}: {}", names.join(", ")));
        }
    }
    let known = told.len();
    complaints(&lines, &mut told);
    if told.len() == known {
        told.extend(lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(|line| (*line).to_owned()));
    }
    for line in &mut told {
        if let Some((end, _)) = line.char_indices().nth(LETTERS_MAX) {
            line.replace_range(end.., " …");
        }
    }
    if told.len() > lines_max {
        let more = told.len() - lines_max + 1;
        told.truncate(lines_max.saturating_sub(1));
        told.push(format!("… and {more} lines more"));
    }
    told
}

/// The beginning of each complaint, without the way to it.
fn complaints(lines: &[&str], told: &mut Vec<String>) {
    let mut room = 0;
    let mut is_way = false;
    for line in lines {
        if is_complaint(line) {
            (room, is_way) = (LINES_OF_ONE, false);
        } else if line.starts_with("stack backtrace:") {
            is_way = true;
        } else if line.starts_with("note: Some details") || line.is_empty() {
            is_way = false;
            continue;
        } else if is_end(line) {
            room = 0;
        }
        if room > 0 && !is_way {
            told.push((*line).to_owned());
            room -= 1;
        }
    }
}

/// What comes after all complaints of one executable.
fn is_end(line: &str) -> bool {
    line == "failures:" || line.starts_with("test result:") || line.trim_start().starts_with("Running ")
}

/// A test's own words, a compiler's, node's.
fn is_complaint(line: &str) -> bool {
    let is_test = line.starts_with("---- ") && line.ends_with(" ----");
    is_test
        || line.starts_with("error:")
        || line.starts_with("error[")
        || line.starts_with("left behind:")
        || line.starts_with("took longer than ")
        || line.trim_start().starts_with("not ok ")
        || line.trim_start().starts_with("✖ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "\
   Compiling umbel v0.1.0
     Running program of bin/umbel

running 3 tests
test calls::one ... ok
test calls::two has been running for over 60 seconds
test calls::three has been running for over 60 seconds
test calls::two ... FAILED

failures:

---- calls::two stdout ----

thread 'calls::two' panicked at tests/program/calls.rs:91:5:
said 3 s, kept 3.3
stack backtrace:
   0: core::panicking::panic
             at /rustc/library/core/src/panicking.rs:80:14
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
── the server's log ──
stopping


failures:
    calls::two

test result: FAILED. 2 passed; 1 failed
took longer than 40 minutes and was ended
     Running hostile of bin/umbel
";

    #[test]
    fn of_failed_tests_the_names_and_their_words_are_told_and_who_did_not_end() {
        let expected = [
            "failed: calls::two",
            "did not come to an end: calls::three",
            "---- calls::two stdout ----",
            "thread 'calls::two' panicked at tests/program/calls.rs:91:5:",
            "said 3 s, kept 3.3",
            "── the server's log ──",
            "stopping",
            "took longer than 40 minutes and was ended",
        ];
        assert_eq!(of_failure(RUN, LINES_MAX), expected);
        assert_eq!(of_failure(RUN, 3).last().map(String::as_str), Some("… and 6 lines more"));
    }

    #[test]
    fn of_compilers_the_errors_are_told_and_of_what_nobody_knows_the_end() {
        let compiler = "    Checking a v1\nwarning: odd\n\nerror[E0308]: mismatched types\n --> a.rs:1:1\n\n   Compiling b v1\n";
        assert_eq!(of_failure(compiler, LINES_MAX), ["error[E0308]: mismatched types", " --> a.rs:1:1"]);
        let unknown: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let told = of_failure(&unknown, LINES_MAX);
        assert_eq!((told.len(), told.last().map(String::as_str)), (LAST_LINES, Some("line 99")));
        let long = of_failure(&"x".repeat(10_000), LINES_MAX);
        assert!(long[0].chars().count() <= LETTERS_MAX + 2);
    }

    #[test]
    fn progress_is_left_out_and_nothing_else() {
        let text = "   Compiling a v1\n  Downloaded b v2\n     Running c of d\nChecking is a word\n";
        assert_eq!(without_progress(text), "     Running c of d\nChecking is a word\n");
    }
}
