//! Plays clips, one packet at a time.

use std::time::Duration;

use crate::codec::PACKET_TIME;
use crate::g711::Law;
use crate::half_band::{Doubler, Halver};
use crate::tempo::Tempo;
use crate::voice::Encoder;
use crate::{Clip, Codec, Event, Greeting, Message, PlayId, Prompt};

/// The player of one call.
pub(crate) struct Player {
    playing: Option<Playing>,
    /// Percent.
    speed: u32,
    /// Decibels.
    volume: i8,
    /// For what is not at hand in the call's codec.
    coder: Option<(Codec, Encoder)>,
}

struct Playing {
    id: PlayId,
    clips: Vec<Clip>,
    /// Which clip, where in it, and how long those before it are.
    index: usize,
    within: Duration,
    before: Duration,
    paused: bool,
    started: bool,
    tempo: Tempo,
    conversion: Conversion,
}

/// Between the rate of a message and that of the codec.
pub(crate) enum Conversion {
    None,
    Halve(Box<Halver>),
    Double(Box<Doubler>),
}

/// What the packet just made was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Played {
    pub(crate) first: Option<PlayId>,
    pub(crate) last: bool,
}

impl Player {
    const SPEED: std::ops::RangeInclusive<u32> = 50..=200;
    const VOLUME: std::ops::RangeInclusive<i8> = -24..=24;

    pub(crate) fn new() -> Self {
        Player { playing: None, speed: 100, volume: 0, coder: None }
    }

    /// Begins to play, in place of what is playing; gives the end of that.
    pub(crate) fn play(&mut self, id: PlayId, clips: Vec<Clip>, from: Duration) -> Option<Event> {
        let ended = self.stop();
        let mut playing = Playing {
            id,
            clips,
            index: 0,
            within: Duration::ZERO,
            before: Duration::ZERO,
            paused: false,
            started: false,
            tempo: Tempo::default(),
            conversion: Conversion::None,
        };
        playing.go_to(from);
        self.playing = Some(playing);
        ended
    }

    /// Stops, and gives the end of what was playing.
    pub(crate) fn stop(&mut self) -> Option<Event> {
        self.playing.take().map(Playing::ended)
    }

    pub(crate) fn pause(&mut self, paused: bool) {
        if let Some(playing) = &mut self.playing {
            playing.paused = paused;
        }
    }

    pub(crate) fn seek(&mut self, by_millis: i64) {
        if let Some(playing) = &mut self.playing {
            let by = Duration::from_millis(by_millis.unsigned_abs());
            let position = playing.position();
            playing.go_to(if by_millis < 0 {
                position.saturating_sub(by)
            } else {
                position.saturating_add(by)
            });
        }
    }

    pub(crate) fn set_speed(&mut self, percent: u16) {
        self.speed = u32::from(percent).clamp(*Self::SPEED.start(), *Self::SPEED.end());
    }

    pub(crate) fn set_volume(&mut self, decibels: i8) {
        self.volume = decibels.clamp(*Self::VOLUME.start(), *Self::VOLUME.end());
    }

    /// Whether a packet is due.
    pub(crate) fn is_running(&self) -> bool {
        self.playing.as_ref().is_some_and(|playing| !playing.paused)
    }

    /// Gives the end of what was playing if nothing of it is left.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        let playing = self.playing.take_if(|playing| playing.is_over())?;
        Some(playing.ended())
    }

    /// Appends the payload of the next packet. None: nothing to play now.
    pub(crate) fn packet(&mut self, codec: Codec, payload: &mut Vec<u8>) -> Option<Played> {
        let playing = self.playing.as_mut().filter(|playing| !playing.paused)?;
        let clip = playing.clips.get(playing.index)?;
        let within = playing.within;
        let mut step = PACKET_TIME;
        let message = match clip {
            Clip::Message(message) => Some(message),
            Clip::Greeting(greeting) if self.speed == 100 && self.volume == 0 => {
                let is_said = say_shared(greeting, codec, within, payload);
                (!is_said).then(|| greeting.message())
            }
            Clip::Greeting(greeting) => Some(greeting.message()),
            Clip::Prompt(prompt) => {
                say(prompt, &mut self.coder, codec, within, payload);
                None
            }
            Clip::Silence(_) => {
                silence(&mut self.coder, codec, payload);
                None
            }
            Clip::Tone(tone) => {
                match tone.prepared() {
                    Some(prompt) => say(prompt, &mut self.coder, codec, within, payload),
                    None => {
                        let mut samples = [0; 320];
                        let samples = &mut samples[..codec.samples_per_packet()];
                        tone.fill(within, codec.sample_rate(), samples);
                        coder(&mut self.coder, codec).encode(samples, payload);
                    }
                }
                None
            }
        };
        match message.map(|message| (message, message.law(), law_of(codec))) {
            None => {}
            Some((message, ..)) if !message.is_playable() => silence(&mut self.coder, codec, payload),
            Some((message, Some(stored), Some(line))) if self.speed == 100 && self.volume == 0 => {
                copy(message, stored, line, within, payload);
            }
            Some((message, _, _)) => {
                step = PACKET_TIME * self.speed / 100;
                let mut samples = [0; 320];
                let length = usize::try_from(message.rate() / 50).unwrap_or(0).min(samples.len());
                let at = i64::try_from(samples_in(within, message.rate())).unwrap_or(i64::MAX);
                if self.speed == 100 {
                    playing.tempo.reset();
                    message.read(at, &mut samples[..length]);
                } else {
                    playing.tempo.fill(message, at, &mut samples[..length]);
                }
                amplify(&mut samples[..length], self.volume);
                let mut converted = [0; 320];
                let ready = playing.conversion.run(&samples[..length], codec, &mut converted);
                coder(&mut self.coder, codec).encode(ready, payload);
            }
        }
        let first = (!playing.started).then_some(playing.id);
        playing.started = true;
        playing.within += step;
        playing.skip_finished();
        Some(Played { first, last: playing.is_over() })
    }
}

impl Playing {
    fn position(&self) -> Duration {
        let clip = self.clips.get(self.index).map_or(Duration::ZERO, Clip::duration);
        self.before + self.within.min(clip)
    }

    fn is_over(&self) -> bool {
        self.index >= self.clips.len()
    }

    fn ended(self) -> Event {
        Event::PlayEnded { id: self.id, position: self.position(), finished: self.is_over() }
    }

    /// Goes to a place in the whole of it.
    fn go_to(&mut self, position: Duration) {
        self.index = 0;
        self.before = Duration::ZERO;
        self.within = position;
        self.tempo.reset();
        self.conversion = Conversion::None;
        self.skip_finished();
    }

    /// Goes on to the clip in which `within` lies, where it is beyond the end of this one. A clip is
    /// never joined with the next one in a packet: its last packet is filled up with silence.
    fn skip_finished(&mut self) {
        while let Some(clip) = self.clips.get(self.index) {
            let duration = clip.duration();
            if self.within < duration {
                return;
            }
            // What a packet goes beyond the end is that silence; what an order does is meant.
            let beyond = self.within - duration;
            self.within = if beyond < PACKET_TIME { Duration::ZERO } else { beyond };
            self.before += duration;
            self.index += 1;
            self.tempo.reset();
            self.conversion = Conversion::None;
        }
        self.within = Duration::ZERO;
    }
}

impl Conversion {
    /// `samples`, which are a packet of a message, at the rate of the codec.
    pub(crate) fn run<'a>(
        &mut self,
        samples: &'a [i16],
        codec: Codec,
        converted: &'a mut [i16; 320],
    ) -> &'a [i16] {
        let wanted = codec.samples_per_packet();
        match samples.len().cmp(&wanted) {
            std::cmp::Ordering::Equal => {
                *self = Conversion::None;
                samples
            }
            std::cmp::Ordering::Greater => {
                if !matches!(self, Conversion::Halve(_)) {
                    *self = Conversion::Halve(Box::new(Halver::new()));
                }
                if let Conversion::Halve(halver) = self {
                    halver.run(samples, converted);
                }
                &converted[..wanted]
            }
            std::cmp::Ordering::Less => {
                if !matches!(self, Conversion::Double(_)) {
                    *self = Conversion::Double(Box::new(Doubler::new()));
                }
                if let Conversion::Double(doubler) = self {
                    doubler.run(samples, converted);
                }
                &converted[..wanted]
            }
        }
    }
}

/// A packet of a G.711 message on a G.711 line.
fn copy(message: &Message, stored: Law, line: Law, within: Duration, payload: &mut Vec<u8>) {
    let start = samples_in(within, 8_000).min(message.data.len());
    let end = (start + 160).min(message.data.len());
    let bytes = &message.data[start..end];
    if stored == line {
        payload.extend_from_slice(bytes);
    } else {
        payload.extend(bytes.iter().map(|byte| stored.to(line, *byte)));
    }
    payload.resize(payload.len() + 160 - bytes.len(), line.silence());
}

/// What a greeting has at this place, coded for all who hear it. False: it is to be said as a message of its own,
/// which is as cheap where nothing need be coded.
fn say_shared(greeting: &Greeting, codec: Codec, within: Duration, payload: &mut Vec<u8>) -> bool {
    let is_copied = greeting.message().law().is_some() && law_of(codec).is_some();
    let is_whole = within.as_micros().is_multiple_of(PACKET_TIME.as_micros());
    !is_copied && is_whole && greeting.packet(codec, packets_in(within), payload)
}

/// What a prompt has at this place; silence beyond its end.
fn say(
    prompt: &Prompt,
    held: &mut Option<(Codec, Encoder)>,
    codec: Codec,
    within: Duration,
    payload: &mut Vec<u8>,
) {
    match prompt.packet(codec, packets_in(within)) {
        Some(coded) => payload.extend_from_slice(coded),
        None => silence(held, codec, payload),
    }
}

/// A packet of silence.
pub(crate) fn silence(held: &mut Option<(Codec, Encoder)>, codec: Codec, payload: &mut Vec<u8>) {
    match law_of(codec) {
        Some(law) => payload.resize(payload.len() + 160, law.silence()),
        None => coder(held, codec).encode(&[0; 320][..codec.samples_per_packet()], payload),
    }
}

/// The encoder of the call, made anew when the codec has changed.
fn coder(held: &mut Option<(Codec, Encoder)>, codec: Codec) -> &mut Encoder {
    if held.as_ref().is_none_or(|(of, _)| *of != codec) {
        *held = None;
    }
    &mut held.get_or_insert_with(|| (codec, Encoder::new(codec))).1
}

impl Player {
    /// Appends a packet of silence, for when nothing plays but something has to be sent.
    pub(crate) fn silence(&mut self, codec: Codec, payload: &mut Vec<u8>) {
        silence(&mut self.coder, codec, payload);
    }
}

fn law_of(codec: Codec) -> Option<Law> {
    match codec {
        Codec::Pcmu => Some(Law::Mu),
        Codec::Pcma => Some(Law::A),
        Codec::G722 => None,
        #[cfg(feature = "opus")]
        Codec::Opus => None,
    }
}

fn amplify(samples: &mut [i16], decibels: i8) {
    if decibels == 0 {
        return;
    }
    let factor = 10_f32.powf(f32::from(decibels) / 20.0);
    for sample in samples {
        *sample = saturated(f32::from(*sample) * factor);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a cast from f32 saturates")]
fn saturated(sample: f32) -> i16 {
    sample as i16
}

fn samples_in(time: Duration, rate: u32) -> usize {
    usize::try_from(time.as_micros() * u128::from(rate) / 1_000_000).unwrap_or(usize::MAX)
}

fn packets_in(time: Duration) -> usize {
    usize::try_from(time.as_micros() / PACKET_TIME.as_micros()).unwrap_or(usize::MAX)
}
