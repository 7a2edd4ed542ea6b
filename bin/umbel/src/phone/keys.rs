//! `--keys "1,w2,3#"`: what is pressed, and when.

use std::time::Duration;

use umbel_media::{Digit, Keystroke};
use umbel_store::Pin;

use crate::exit::Failure;

/// Time between two keys, so that other people's systems tell them apart.
pub(super) const BETWEEN_KEYS: Duration = Duration::from_millis(150);
/// The longest single wait.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// The most keys and waits of one script.
const STROKES_MAX: usize = 1_000;

/// Reads a script of keys. Digits, `*`, `#` and `A` to `D` are pressed, `wN` waits N seconds (a fraction
/// is fine), `P` presses the PIN, commas and spaces are for the eye.
pub(crate) fn parse(script: &str, pin: Option<&Pin>) -> Result<Vec<Keystroke>, Failure> {
    let mut strokes = Vec::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            ',' | ' ' => continue,
            'w' | 'W' => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                strokes.push(Keystroke::Wait(wait(&rest[..end])?));
                rest = &rest[end..];
            }
            'P' | 'p' => {
                let pin = pin.ok_or_else(|| {
                    Failure::usage("`P` in --keys presses the PIN of --pin-file, which is missing")
                })?;
                for digit in pin.reveal().chars() {
                    press(&mut strokes, digit)?;
                }
            }
            key => press(&mut strokes, key)?,
        }
        if strokes.len() > STROKES_MAX {
            return Err(Failure::usage(format!("--keys has more than {STROKES_MAX} keys and waits")));
        }
    }
    Ok(strokes)
}

fn press(strokes: &mut Vec<Keystroke>, key: char) -> Result<(), Failure> {
    let digit = Digit::try_from(key).map_err(|_| {
        Failure::usage(format!(
            "`{key}` in --keys is no key; there are 0-9 * # A-D, wN waits N seconds, P is the PIN"
        ))
    })?;
    if matches!(strokes.last(), Some(Keystroke::Press(_))) {
        strokes.push(Keystroke::Wait(BETWEEN_KEYS));
    }
    strokes.push(Keystroke::Press(digit));
    Ok(())
}

fn wait(text: &str) -> Result<Duration, Failure> {
    let seconds: Option<f64> =
        text.parse().ok().filter(|seconds| (0.0..=WAIT_MAX.as_secs_f64()).contains(seconds));
    let seconds = seconds.ok_or_else(|| {
        Failure::usage(format!(
            "`w{text}` in --keys: write wN with N seconds, at most {}",
            WAIT_MAX.as_secs()
        ))
    })?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str, pin: Option<&str>) -> String {
        let pin = pin.map(|digits| Pin::new(digits).expect("a PIN"));
        let strokes = parse(script, pin.as_ref()).expect("a script");
        let words: Vec<String> = strokes
            .iter()
            .map(|stroke| match stroke {
                Keystroke::Press(digit) => digit.as_char().to_string(),
                Keystroke::Wait(time) => format!("({})", time.as_millis()),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn keys_waits_and_the_pin_become_strokes() {
        assert_eq!(shown("1,w2,3#", None), "1 (2000) 3 (150) #");
        assert_eq!(shown("w0.5P#", Some("4711")), "(500) 4 (150) 7 (150) 1 (150) 1 (150) #");
        assert_eq!(shown("*aD", None), "* (150) A (150) D");
        assert_eq!(shown("", None), "");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for script in ["x", "w", "w1e9", "w601", "1;2", "P"] {
            assert_eq!(parse(script, None).expect_err(script).exit, crate::exit::Exit::Usage, "{script}");
        }
    }
}
