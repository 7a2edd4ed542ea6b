//! Tells speech from silence by loudness.

use std::time::Duration;

/// Listens to the sound of one recording.
pub(crate) struct Ear {
    /// The loudness of the line when nobody speaks: mean square of samples.
    floor: f32,
    quiet: Duration,
    speech: Duration,
}

impl Ear {
    /// -55 dB against the loudest: below it is silence on any line.
    const QUIET: f32 = 3_400.0;
    /// -40 dB against the loudest: above it is sound on any line, however noisy. Telephone speech is some
    /// 15 dB louder than this.
    const LOUD: f32 = 107_000.0;
    /// In between: 9 dB above what the line sounds like when nobody speaks.
    const ABOVE_FLOOR: f32 = 8.0;
    /// How much the floor may rise in a second: 3 dB.
    const RISE: f32 = 1.0;

    pub(crate) fn new() -> Self {
        Ear { floor: Self::QUIET, quiet: Duration::ZERO, speech: Duration::ZERO }
    }

    /// Hears sound of this mean square.
    #[allow(clippy::cast_precision_loss, reason = "loudness needs no more precision")]
    pub(crate) fn hear(&mut self, mean_square: u32, duration: Duration) {
        let loudness = mean_square as f32;
        let threshold = (self.floor * Self::ABOVE_FLOOR).clamp(Self::QUIET, Self::LOUD);
        if loudness > threshold {
            self.quiet = Duration::ZERO;
            self.speech += duration;
        } else {
            self.quiet += duration;
        }
        if loudness < self.floor {
            self.floor += (loudness - self.floor) / 4.0;
        } else {
            self.floor += self.floor * Self::RISE * duration.as_secs_f32();
        }
        self.floor = self.floor.clamp(1.0, Self::LOUD);
    }

    /// Hears nothing, and was told so: comfort noise.
    pub(crate) fn hear_silence(&mut self, duration: Duration) {
        self.quiet += duration;
    }

    /// Hears that the caller is there: a key.
    pub(crate) fn hear_key(&mut self) {
        self.quiet = Duration::ZERO;
    }

    /// How long there has been silence.
    pub(crate) fn quiet(&self) -> Duration {
        self.quiet
    }

    /// How much there was besides silence.
    pub(crate) fn speech(&self) -> Duration {
        self.speech
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
mod tests {
    use super::*;

    const PACKET: Duration = Duration::from_millis(20);

    /// The mean square of a sound so many decibels below the loudest.
    fn below_loudest(decibels: f64) -> u32 {
        (32_768.0_f64.powi(2) * 10_f64.powf(-decibels / 10.0)) as u32
    }

    fn listen(ear: &mut Ear, decibels: f64, seconds: u64) {
        for _ in 0..seconds * 50 {
            ear.hear(below_loudest(decibels), PACKET);
        }
    }

    #[test]
    fn speech_is_no_silence_however_long_and_steady() {
        for decibels in [10.0, 20.0, 30.0, 38.0] {
            let mut ear = Ear::new();
            listen(&mut ear, decibels, 120);
            assert_eq!((ear.quiet(), ear.speech()), (Duration::ZERO, Duration::from_secs(120)), "{decibels}");
        }
    }

    #[test]
    fn a_quiet_line_is_silent_at_once() {
        let mut ear = Ear::new();
        listen(&mut ear, 25.0, 5);
        listen(&mut ear, 60.0, 10);
        assert_eq!(ear.quiet(), Duration::from_secs(10));
    }

    #[test]
    fn a_noisy_line_is_silent_once_it_is_known() {
        let mut ear = Ear::new();
        listen(&mut ear, 45.0, 20);
        assert!(ear.quiet() > Duration::from_secs(10), "{:?}", ear.quiet());
        listen(&mut ear, 30.0, 1);
        assert_eq!(ear.quiet(), Duration::ZERO);
    }

    #[test]
    fn soft_speech_on_a_quiet_line_is_heard() {
        let mut ear = Ear::new();
        listen(&mut ear, 70.0, 5);
        listen(&mut ear, 48.0, 1);
        assert_eq!(ear.quiet(), Duration::ZERO);
    }
}
