//! What a recorder filled in where nothing came in time.

/// The samples without silence that lasts for ten milliseconds and is none to the sample: no line is as quiet as that,
/// but a recorder is that fills the time of packets that came late. Where nothing was lost, the sound is whole again.
///
/// The pauses of a sound that never went over a line may be as quiet: two sounds of which only one was carried are
/// to be compared as they are, too.
pub fn without_gaps(samples: &[i16], rate: u32) -> Vec<i16> {
    let shortest = usize::try_from(rate / 100).unwrap_or(usize::MAX);
    let is_gap = |run: &&[i16]| run.len() >= shortest && run.first() == Some(&0);
    let runs = samples.chunk_by(|one, next| (*one == 0) == (*next == 0));
    runs.filter(|run| !is_gap(run)).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_left_out_from_ten_milliseconds_on() {
        let sound = [vec![5, 0, 0, -5], vec![0; 79], vec![1], vec![0; 80], vec![2, -2]].concat();
        let mended = without_gaps(&sound, 8_000);
        assert_eq!(mended, [vec![5, 0, 0, -5], vec![0; 79], vec![1], vec![2, -2]].concat());
        assert_eq!(without_gaps(&sound, 16_000), sound);
        assert_eq!(without_gaps(&[0; 8_000], 8_000), []);
    }
}
