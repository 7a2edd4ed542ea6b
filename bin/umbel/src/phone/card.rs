//! The sound card of a person: microphone and loudspeaker of one call at a time.
//!
//! The microphone is open while a call is up and not before. Between the card's threads and the loop there are two
//! bounded stores: what is captured and not taken within [`CAPTURED_MAX`] pieces is left out, the newest first; what is
//! heard and not played within [`PLAYED_MAX`] (or two of what the card takes at a time, and some) is left out, the oldest
//! first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedBufferSize,
    SupportedStreamConfig,
};
use tokio::sync::mpsc;
use umbel_media::{LIVE_RATE, Resampler, Samples};
use umbel_phone::CallKey;

use crate::exit::{Exit, Failure};

/// Pieces of sound that wait for the loop; a card gives one each 5 to 50 ms.
const CAPTURED_MAX: usize = 32;
/// Sound that waits for the loudspeaker.
const PLAYED_MAX: Duration = Duration::from_millis(240);
/// So much the card is asked to give and to take at a time. Some do as they like.
const PIECE: Duration = Duration::from_millis(20);
/// So much is there before the loudspeaker begins, and begins again after a gap: the network's jitter.
const PLAYED_LEAST: Duration = Duration::from_millis(60);

/// The card that the system calls its default.
pub(super) struct Card {
    microphone: (Device, SupportedStreamConfig),
    loudspeaker: (Device, SupportedStreamConfig),
    open: Option<Open>,
}

/// The card while a call is up.
struct Open {
    call: CallKey,
    captured: mpsc::Receiver<Vec<i16>>,
    from_microphone: Resampler,
    to_loudspeaker: Resampler,
    waiting: Arc<Mutex<Waiting>>,
    /// They stop when they are dropped.
    _streams: [Stream; 2],
}

impl Card {
    /// Looks for the card. Nothing is opened yet.
    pub(super) fn find() -> Result<Self, Failure> {
        let host = cpal::default_host();
        let missing = |what: &str| {
            let message = format!(
                "there is no {what}: connect one and make it the system's default, or use --play and --record without --audio"
            );
            Failure::new(Exit::Unavailable, "no-sound-card", message)
        };
        let microphone = host.default_input_device().ok_or_else(|| missing("microphone"))?;
        let loudspeaker = host.default_output_device().ok_or_else(|| missing("loudspeaker"))?;
        let input =
            microphone.default_input_config().map_err(|_| missing("microphone that can be opened"))?;
        let output =
            loudspeaker.default_output_config().map_err(|_| missing("loudspeaker that can be opened"))?;
        Ok(Card { microphone: (microphone, input), loudspeaker: (loudspeaker, output), open: None })
    }

    /// A call is up: from now on the card is its.
    pub(super) fn begin(&mut self, call: CallKey) -> Result<(), Failure> {
        self.open = None;
        let (input, output) = (self.microphone.1, self.loudspeaker.1);
        let (captures, captured) = mpsc::channel(CAPTURED_MAX);
        let waiting = Arc::new(Mutex::new(Waiting::new(output.sample_rate())));
        let unusable = |what: String| Failure::new(Exit::Unavailable, "no-sound-card", what);
        let rate = |rate| move || unusable(format!("the sound card wants {rate} samples a second"));
        let from_microphone =
            Resampler::new(input.sample_rate(), LIVE_RATE).ok_or_else(rate(input.sample_rate()))?;
        let to_loudspeaker =
            Resampler::new(LIVE_RATE, output.sample_rate()).ok_or_else(rate(output.sample_rate()))?;
        let microphone = match input.sample_format() {
            SampleFormat::I16 => capture::<i16>(&self.microphone, captures),
            SampleFormat::I32 => capture::<i32>(&self.microphone, captures),
            SampleFormat::U8 => capture::<u8>(&self.microphone, captures),
            SampleFormat::U16 => capture::<u16>(&self.microphone, captures),
            SampleFormat::F32 => capture::<f32>(&self.microphone, captures),
            other => {
                return Err(unusable(format!("the microphone gives samples of an unknown kind: {other}")));
            }
        };
        let loudspeaker = match output.sample_format() {
            SampleFormat::I16 => play::<i16>(&self.loudspeaker, &waiting),
            SampleFormat::I32 => play::<i32>(&self.loudspeaker, &waiting),
            SampleFormat::U8 => play::<u8>(&self.loudspeaker, &waiting),
            SampleFormat::U16 => play::<u16>(&self.loudspeaker, &waiting),
            SampleFormat::F32 => play::<f32>(&self.loudspeaker, &waiting),
            other => {
                return Err(unusable(format!("the loudspeaker wants samples of an unknown kind: {other}")));
            }
        };
        let refused = |what: &'static str| {
            move |error: cpal::Error| unusable(format!("the {what} cannot be opened: {error}"))
        };
        let streams =
            [microphone.map_err(refused("microphone"))?, loudspeaker.map_err(refused("loudspeaker"))?];
        self.open =
            Some(Open { call, captured, from_microphone, to_loudspeaker, waiting, _streams: streams });
        Ok(())
    }

    /// A call is over.
    pub(super) fn end(&mut self, call: CallKey) {
        self.open.take_if(|open| open.call == call);
    }

    /// The other side of a call was heard.
    pub(super) fn heard(&mut self, call: CallKey, samples: &Samples) {
        if let Some(open) = self.open.as_mut().filter(|open| open.call == call) {
            let samples = open.to_loudspeaker.run(&samples.0);
            lock(&open.waiting).push(&samples);
        }
    }

    /// What the microphone has captured, and in which call. Without a call, never.
    pub(super) async fn captured(&mut self) -> (CallKey, Samples) {
        while let Some(open) = &mut self.open {
            let Some(captured) = open.captured.recv().await else { break };
            let samples = open.from_microphone.run(&captured);
            if !samples.is_empty() {
                return (open.call, Samples(samples.into()));
            }
        }
        std::future::pending().await
    }
}

/// What waits for the loudspeaker, at its rate.
struct Waiting {
    samples: VecDeque<i16>,
    /// Of one packet.
    piece: usize,
    least: usize,
    max: usize,
    /// Whether it is being played; else it gathers.
    plays: bool,
}

impl Waiting {
    fn new(rate: u32) -> Self {
        let samples = |time: Duration| {
            usize::try_from(time.as_millis() * u128::from(rate) / 1_000).unwrap_or(usize::MAX)
        };
        Waiting {
            samples: VecDeque::new(),
            piece: samples(PIECE),
            least: samples(PLAYED_LEAST),
            max: samples(PLAYED_MAX),
            plays: false,
        }
    }

    fn push(&mut self, samples: &[i16]) {
        self.samples.extend(samples);
        let beyond = self.samples.len().saturating_sub(self.max);
        self.samples.drain(..beyond);
        self.plays = self.plays || self.samples.len() >= self.least;
    }

    /// The card takes so many at a time: where that is much, more has to be there, and may be.
    fn serve(&mut self, count: usize) {
        self.least = self.least.max(count + self.piece);
        self.max = self.max.max(self.least + 2 * count);
    }

    /// The next sample; silence while there is none.
    fn next(&mut self) -> i16 {
        let next = if self.plays { self.samples.pop_front() } else { None };
        self.plays = next.is_some();
        next.unwrap_or(0)
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the microphone: all its channels become one.
fn capture<T>(
    (device, config): &(Device, SupportedStreamConfig),
    captures: mpsc::Sender<Vec<i16>>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels().max(1));
    let share = 1.0 / f32::from(config.channels().max(1));
    let taken = move |data: &[T], _: &cpal::InputCallbackInfo| {
        let frames = data.chunks_exact(channels);
        let mixed = frames.map(|frame| {
            let sum: f32 = frame.iter().map(|sample| f32::from_sample_(*sample)).sum();
            i16::from_sample_(sum * share)
        });
        // A loop that does not keep up misses something, as the card would.
        let _ = captures.try_send(mixed.collect());
    };
    let stream = device.build_input_stream(in_pieces(config), taken, complain("microphone"), None)?;
    stream.play().map(|()| stream)
}

/// Opens the loudspeaker: all its channels say the same.
fn play<T>(
    (device, config): &(Device, SupportedStreamConfig),
    waiting: &Arc<Mutex<Waiting>>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<i16>,
{
    let channels = usize::from(config.channels().max(1));
    let waiting = waiting.clone();
    let wanted = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        let mut waiting = lock(&waiting);
        waiting.serve(data.len() / channels);
        for frame in data.chunks_mut(channels) {
            frame.fill(T::from_sample_(waiting.next()));
        }
    };
    let stream = device.build_output_stream(in_pieces(config), wanted, complain("loudspeaker"), None)?;
    stream.play().map(|()| stream)
}

/// The default of a card may be half a second.
fn in_pieces(config: &SupportedStreamConfig) -> StreamConfig {
    let mut wanted = StreamConfig::from(*config);
    let piece = config.sample_rate() / 50;
    if let SupportedBufferSize::Range { min, max } = config.buffer_size() {
        wanted.buffer_size = BufferSize::Fixed(piece.clamp(*min, (*max).max(*min)));
    }
    wanted
}

/// The call goes on without the card; that it is gone is said once.
fn complain(what: &'static str) -> impl FnMut(cpal::Error) + Send + 'static {
    let mut said = false;
    move |error| {
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(%error, what, "the sound card has trouble");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudspeaker_gathers_begins_and_gathers_again_after_a_gap() {
        let mut waiting = Waiting::new(8_000);
        waiting.push(&[1; 479]);
        assert_eq!(waiting.next(), 0, "not yet 60 ms");
        waiting.push(&[1]);
        assert!((0..480).all(|_| waiting.next() == 1));
        assert_eq!(waiting.next(), 0);
        waiting.push(&[1; 100]);
        assert_eq!(waiting.next(), 0, "it gathers again");
    }

    /// A card that takes a quarter of a second at a time wants that much to be there, and does not lose the rest.
    #[test]
    fn a_slow_card_has_more_waiting_for_it() {
        let mut waiting = Waiting::new(8_000);
        waiting.serve(2_000);
        waiting.push(&[1; 2_000]);
        assert_eq!(waiting.next(), 0);
        waiting.push(&[1; 160]);
        assert!((0..2_160).all(|_| waiting.next() == 1));
        waiting.push(&[1; 6_160]);
        assert_eq!(waiting.samples.len(), 6_160);
        waiting.push(&[1; 160]);
        assert_eq!(waiting.samples.len(), 6_160);
    }

    #[test]
    fn of_too_much_sound_the_newest_is_kept() {
        let mut waiting = Waiting::new(8_000);
        waiting.push(&[1; 4_000]);
        waiting.push(&[2; 1_920]);
        assert_eq!(waiting.samples.len(), 1_920);
        assert_eq!(waiting.next(), 2);
    }
}
