//! What a person at a terminal sees of the telephone, and what the keys mean that are typed there.
//!
//! A value without terminal or clock: it is told what happens, says what the one line says, and makes orders of keys.

use std::time::Duration;

use umbel_media::{Command, Digit, Keystroke, Level};
use umbel_phone::{CallKey, Kind, News, Order, Progress, Refusal, Registration};
use umbel_sip_message::{StatusCode, Uri};
use umbel_time::Instant;

use super::keys::BETWEEN_KEYS;

/// So many calls are shown at once; of one more nothing is known here. A telephone has fewer lines.
const CALLS_MAX: usize = 16;
/// Places of a level meter.
const METER: u32 = 8;
/// Decibels of one of them: speech on a telephone fills about half.
const METER_STEP: f64 = 6.0;
/// The narrowest terminal that anything is shown on.
const WIDTH_MIN: usize = 10;

/// What a person sees.
pub(super) struct Face {
    /// Whom we call, before anything is known of the call.
    callee: Option<String>,
    registered: bool,
    /// The calls that are not over; the newest is the one that keys are for.
    calls: Vec<Shown>,
}

/// A call on the face.
struct Shown {
    call: CallKey,
    party: String,
    stage: Stage,
    /// The other side holds us.
    held: bool,
    /// We hold the other side.
    holding: bool,
    /// How loud the other side and we were last, once that is known.
    levels: Option<(Level, Level)>,
    /// Whether the other side takes keys.
    takes_keys: bool,
    /// How many keys were typed. Which ones is nobody's business: a PIN may be among them.
    typed: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// We call.
    Calling,
    /// It rings there.
    RingingThere,
    /// It rings here.
    RingingHere,
    /// It is up, since then.
    Up(Instant),
}

/// What a typed key asks for.
#[derive(Debug)]
pub(super) enum Typed {
    /// Something of the telephone.
    Order(Order),
    /// The end of the run.
    Stop,
}

impl Face {
    pub(super) fn new(callee: Option<String>) -> Self {
        Face { callee, registered: false, calls: Vec::new() }
    }

    /// Something happened.
    pub(super) fn told(&mut self, now: Instant, news: &News) {
        match news {
            News::Registration { change, .. } => {
                self.registered = matches!(change, Registration::Registered { .. });
            }
            News::Call { call, change, .. } => self.changed(now, *call, change),
            News::MessageWaiting { .. } => {}
        }
    }

    fn changed(&mut self, now: Instant, call: CallKey, change: &Progress) {
        match change {
            Progress::Ended(_) => self.calls.retain(|shown| shown.call != call),
            // What else happens on the way does not ring.
            Progress::Ringing { status } if *status != StatusCode::RINGING => {
                self.at(call);
            }
            Progress::Ringing { .. } => self.at(call).stage = Stage::RingingThere,
            Progress::Invited(incoming) => {
                let party = match incoming.kind {
                    // POP-12: "Show the call as voice mail playback".
                    Kind::PlayOnPhone => "voice mail playback".to_owned(),
                    Kind::Call => address(&incoming.caller),
                };
                let shown = self.at(call);
                (shown.stage, shown.party) = (Stage::RingingHere, party);
            }
            Progress::Answered(answered) => {
                let shown = self.at(call);
                (shown.stage, shown.takes_keys) = (Stage::Up(now), answered.takes_keys);
            }
            Progress::Redirected { to, .. } => {
                let shown = self.at(call);
                (shown.stage, shown.party) = (Stage::Calling, address(to));
            }
            Progress::Held { held } => self.at(call).held = *held,
            Progress::Transferred { to, call } => self.at(*call).party = address(to),
            Progress::Replaced { by, call } => self.at(*call).party = address(&by.caller),
            Progress::Sound(_) => {}
        }
    }

    /// How loud the other side and we were in the last tenth of a second.
    pub(super) fn levels(&mut self, call: CallKey, theirs: Level, ours: Level) {
        if let Some(shown) = self.calls.iter_mut().find(|shown| shown.call == call) {
            shown.levels = Some((theirs, ours));
        }
    }

    /// The call of this name, made where it is new.
    fn at(&mut self, call: CallKey) -> &mut Shown {
        let known = self.calls.iter().position(|shown| shown.call == call);
        let index = known.unwrap_or_else(|| {
            if self.calls.len() == CALLS_MAX {
                self.calls.remove(0);
            }
            self.calls.push(Shown {
                call,
                party: self.callee.clone().unwrap_or_default(),
                stage: Stage::Calling,
                held: false,
                holding: false,
                levels: None,
                takes_keys: true,
                typed: 0,
            });
            self.calls.len() - 1
        });
        &mut self.calls[index]
    }

    /// What an octet from the keyboard asks for; what means nothing now asks for nothing.
    pub(super) fn typed(&mut self, octet: u8) -> Option<Typed> {
        let Some(shown) = self.calls.last_mut() else {
            return (octet == b'q').then_some(Typed::Stop);
        };
        let call = shown.call;
        let order = match (octet, shown.stage) {
            (b'q', Stage::RingingHere) | (b'd', Stage::RingingHere) => {
                Order::Refuse { call, how: Refusal::Decline }
            }
            (b'q', _) => Order::HangUp { call },
            (b'a', Stage::RingingHere) => Order::Answer { call },
            (b'h', Stage::Up(_)) => {
                shown.holding = !shown.holding;
                Order::Hold { call, held: shown.holding }
            }
            // `a` and `d` are letters of their own; the digits A to D are typed large.
            (b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D', Stage::Up(_)) if shown.takes_keys => {
                let digit = Digit::try_from(char::from(octet)).ok()?;
                shown.typed += 1;
                let strokes = vec![Keystroke::Press(digit), Keystroke::Wait(BETWEEN_KEYS)];
                Order::Sound { call, command: Command::SendDigits(strokes) }
            }
            _ => return None,
        };
        Some(Typed::Order(order))
    }

    /// The line, at most this wide: state, other party, time, and what can be typed.
    pub(super) fn line(&self, now: Instant, width: usize) -> String {
        // A line that is full would begin another one.
        let room = width.max(WIDTH_MIN) - 1;
        let text = match self.calls.last() {
            Some(shown) => shown.line(now, room),
            None => match (self.registered, &self.callee) {
                (_, Some(callee)) => format!("calling {callee}  [q]uit"),
                (true, None) => "ready  [q]uit".to_owned(),
                (false, None) => "not registered  [q]uit".to_owned(),
            },
        };
        text.chars().filter(|c| !c.is_control()).take(room).collect()
    }

    /// When the line changes by itself: with the next second of a call.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let Some(Shown { stage: Stage::Up(since), .. }) = self.calls.last() else { return None };
        Some(*since + Duration::from_secs(now.since(*since).as_secs() + 1))
    }
}

impl Shown {
    fn line(&self, now: Instant, room: usize) -> String {
        let Shown { party, stage, .. } = self;
        match stage {
            Stage::Calling => format!("calling {party}  [q]uit"),
            Stage::RingingThere => format!("ringing at {party}  [q]uit"),
            Stage::RingingHere => format!("{party} is calling  [a]nswer [d]ecline"),
            Stage::Up(since) => {
                let state = match (self.holding, self.held) {
                    (true, _) => "on hold by us",
                    (false, true) => "on hold",
                    (false, false) => "talking",
                };
                let seconds = now.since(*since).as_secs();
                let time = format!("{:02}:{:02}", seconds / 60, seconds % 60);
                let keys = if self.typed > 0 { format!("  {} keys", self.typed) } else { String::new() };
                let levels =
                    self.levels.map(|(theirs, ours)| format!("  in {} out {}", meter(theirs), meter(ours)));
                let levels = levels.unwrap_or_default();
                let digits = if self.takes_keys { "[0-9*#A-D] " } else { "" };
                let hints = "[h]old [q]uit";
                // What there is no room for is left out, the best known first.
                let lines = [
                    format!("{state} with {party}  {time}{levels}{keys}  {digits}{hints}"),
                    format!("{state} with {party}  {time}{levels}{keys}  {hints}"),
                    format!("{state} with {party}  {time}{levels}{keys}"),
                    format!("{state} with {party}  {time}{keys}  {hints}"),
                    format!("{state} with {party}  {time}{keys}"),
                    format!("{time}  {state} with {party}"),
                ];
                let fits = lines.iter().find(|line| line.chars().count() <= room);
                fits.or(lines.last()).cloned().unwrap_or_default()
            }
        }
    }
}

/// A meter of [`METER`] places, [`METER_STEP`] decibels each, up to the loudest that there is. An exclamation mark where
/// something was cut off.
fn meter(level: Level) -> String {
    // The root of the mean square is what ears go by; its decibels are below those of the loudest sample.
    let decibels = 20.0 * (f64::from(level.rms.max(1)) / f64::from(i16::MAX)).log10();
    let full = (1..=METER).filter(|place| decibels > -METER_STEP * f64::from(METER + 1 - place)).count();
    let end = if level.peak >= i16::MAX.unsigned_abs() { "!" } else { "" };
    let places: String = (0..METER as usize).map(|place| if place < full { '#' } else { '.' }).collect();
    format!("{places}{end}")
}

/// Whom a URI names, as people write it.
pub(super) fn address(uri: &Uri) -> String {
    uri.address_of_record().map_or_else(|| uri.to_string(), |address| address.to_string())
}

#[cfg(test)]
#[path = "face_tests.rs"]
mod tests;
