//! The tour: what is done on the stage, step by step, and what each shows.

use std::time::Duration;

use umbel_media::Digit;
use umbel_net::Authority;
use umbel_node::Transport;
use umbel_phone::{Answered, CallKey, MessageSummary};
use umbel_sip_message::HeaderName;
use umbel_store::{Decision, PinOutcome, VoiceMessage};

use super::compare::{self, Check};
use super::ladder::{Ladder, Lifeline, Rung};
use super::play_on_phone;
use super::show::{Show, Step};
use super::stage::{Certificate, Line, Stage, in_vain, listening, speech, telephone};
use crate::admin::{all_messages, stored_sound};
use crate::exit::{Exit, Failure};
use crate::phone::{Duty, Handset, Want};
use crate::refused;
use crate::runtime::now;
use crate::store::author;

/// How often the picture is drawn further while a step goes on.
const DRAWN_EVERY: Duration = Duration::from_millis(50);

/// How often bob says it at most.
const MESSAGES_MAX: usize = 6;
/// How long who called, when, and the message may take to be heard; and how often she listens again.
const ONE_HEARING: Duration = Duration::from_secs(15);
const HEARINGS: usize = 4;

const FOUR: [Lifeline; 4] = [("bob", "bob"), ("server", "server"), ("alice", "alice"), ("um", "voice mail")];
const THREE: [Lifeline; 3] = [("alice", "alice"), ("server", "server"), ("um", "voice mail")];
const STRANGERS: [Lifeline; 3] =
    [("stranger-tcp", "over TCP"), ("um", "voice mail"), ("stranger-tls", "over TLS")];

/// Goes through all steps; gives whether all of them held.
pub(super) async fn tour(stage: &mut Stage<'_>, show: Show) -> Result<bool, Failure> {
    let mut tour = Tour { show, held: true, is_broken: false };
    tour.step(stage, 1, "bob calls alice, nobody answers, and he leaves a message", &FOUR, message).await?;
    tour.step(stage, 2, "alice hears it: she is known, and no PIN is asked", &THREE, skip_pin).await?;
    tour.step(stage, 3, "a stranger says the same, and the PIN is asked", &STRANGERS, strangers).await?;
    let title = "all her calls go to bob, and yet her message is played on her own telephone alone";
    tour.step(stage, 4, title, &FOUR, play_on_phone::unanswered).await?;
    tour.step(stage, 5, "she answers, and hears it to its end", &THREE, play_on_phone::answered).await?;
    Ok(tour.held)
}

struct Tour {
    show: Show,
    held: bool,
    /// A step could not be taken to its end; those that follow build on it.
    is_broken: bool,
}

impl Tour {
    /// Takes a step, draws what goes over the wires meanwhile, and tells what was compared.
    async fn step<'a, 'p>(
        &mut self,
        stage: &'a mut Stage<'p>,
        number: usize,
        title: &str,
        lifelines: &[Lifeline],
        step: impl AsyncFnOnce(&mut Stage<'p>, usize) -> Result<Vec<Check>, Failure>,
    ) -> Result<(), Failure> {
        if self.is_broken {
            return Ok(());
        }
        let (show, wires, clock) = (self.show, stage.wires.clone(), stage.clock);
        let (mark, begin) = (wires.mark(), clock.now());
        let mut drawing =
            Drawing { show, ladder: Ladder::new(lifelines, begin), rungs: Vec::new(), looked: mark };
        show.heading(number, title)?;
        show.head(&drawing.ladder)?;
        let result = {
            let taken = step(stage, mark);
            tokio::pin!(taken);
            let mut tick = tokio::time::interval(DRAWN_EVERY);
            loop {
                tokio::select! {
                    result = &mut taken => break result,
                    _ = tick.tick() => drawing.go_on(&wires)?,
                }
            }
        };
        drawing.go_on(&wires)?;
        let checks = match result {
            Ok(checks) => checks,
            Err(failure) => {
                self.is_broken = true;
                vec![Check::new("the step comes to its end", failure.message, false)]
            }
        };
        self.held &= checks.iter().all(|check| check.held);
        let seconds = clock.now().since(begin).as_secs_f64();
        let Drawing { ladder, rungs, .. } = &drawing;
        show.end(&Step { number, title, seconds, ladder, rungs, checks: &checks })
    }
}

struct Drawing {
    show: Show,
    ladder: Ladder,
    rungs: Vec<Rung>,
    /// Up to where the wires were looked at.
    looked: usize,
}

impl Drawing {
    fn go_on(&mut self, wires: &crate::tap::Wires) -> Result<(), Failure> {
        let seen = wires.since(self.looked);
        self.looked += seen.len();
        for seen in &seen {
            if let Some(rung) = self.ladder.rung(seen) {
                self.show.rung(&self.ladder, &rung)?;
                self.rungs.push(rung);
            }
        }
        Ok(())
    }
}

/// Step 1: [MS-EUMR] and RFC 3842 at work.
async fn message(stage: &mut Stage<'_>, mark: usize) -> Result<Vec<Check>, Failure> {
    let mut attempts = 1;
    let (left, stored) = loop {
        let left = leave_message(stage).await?;
        let sound = stored_sound(&mut stage.admin, &left.message)?;
        let stored =
            compare::holds("what is stored is what bob said", &speech(), &super::hearing::recorded(&sound));
        if stored.held || attempts == MESSAGES_MAX {
            break (left, stored.at_attempt(attempts));
        }
        // A machine that is too busy to send a packet every 20 ms tears what is said: he says it again.
        attempts += 1;
        let (alices, address) = (stage.alice.mark(), stage.alice.address.clone());
        let deleted = stage.admin.store.delete_message(&address, left.message.id, &author(), now());
        deleted.map_err(|error| refused::store(error, address.as_str()))?;
        stage.alice.lamp(alices, "the lamp to go off", |summary| !summary.waiting).await?;
    };
    let seen = stage.wires.since(mark);
    let counts = left.lamp.voice.unwrap_or_default();
    let packets = if left.answered.encrypted { "SRTP" } else { "RTP in clear" };
    Ok(vec![
        compare::rang_in_vain(&seen, "alice"),
        Check::new(
            "voice mail answered in her place",
            "an automatic system, by its Contact",
            left.answered.automatic,
        ),
        stored,
        Check::new(
            "her lamp went on",
            format!("NOTIFY at her telephone: {} new, {} old", counts.new, counts.old),
            left.lamp.waiting && counts.new == 1,
        ),
        compare::all_over_tls(&seen),
        Check::new("the sound was encrypted", packets, left.answered.encrypted),
    ])
}

/// A message that bob has left, and what was seen of it.
struct Left {
    answered: Answered,
    lamp: MessageSummary,
    message: VoiceMessage,
}

/// Bob calls, nobody answers, he speaks, and her lamp goes on.
async fn leave_message(stage: &mut Stage<'_>) -> Result<Left, Failure> {
    let (alices, bobs) = (stage.alice.mark(), stage.bob.mark());
    let before = all_messages(stage.admin.store.as_mut(), &stage.alice.address)?.len();
    stage.bob.handset.want(Want::Call(stage.alice.uri())).await;
    stage.alice.rings(alices).await?;
    let (call, _, answered) = stage.bob.is_up(bobs).await?;
    // The greeting may be skipped.
    stage.bob.presses(call, Digit::POUND).await;
    stage.bob.hears_the_tone(bobs, call).await?;
    stage.bob.speaks(bobs, call).await?;
    stage.bob.hangs_up(call).await;
    let lamp = stage.alice.lamp(alices, "the lamp to go on", |summary| summary.waiting).await?;
    let mut messages = all_messages(stage.admin.store.as_mut(), &stage.alice.address)?;
    match messages.pop() {
        Some(message) if messages.len() == before => Ok(Left { answered, lamp, message }),
        _ => Err(Failure::not_found("the message is not in her mailbox")),
    }
}

/// Step 2: [MS-OCEXUM] 3.1.2.
async fn skip_pin(stage: &mut Stage<'_>, mark: usize) -> Result<Vec<Check>, Failure> {
    let alices = stage.alice.mark();
    let said = speech();
    stage.alice.handset.want(Want::CallVoiceMail).await;
    let (call, call_id, _) = stage.alice.is_up(alices).await?;
    // Her new messages; she need not hear the menu out.
    stage.alice.presses(call, key('1')?).await;
    stage.alice.hears(alices, call, "\"Message one\"", has(&prompt("message-number"))).await?;
    // Nor all of who called, and when.
    stage.alice.presses(call, key('3')?).await;
    let (heard, hearings) =
        hears_again_and_again(&mut stage.alice, alices, call, &said, key('1')?, ONE_HEARING).await?;
    stage.alice.hangs_up(call).await;
    stage.alice.is_over(alices).await?;
    let decisions = stage.decisions(&call_id).await?;
    let seen = stage.wires.since(mark);
    Ok(vec![
        compare::command_arrived(&seen, "alice"),
        compare::pin("voice mail skipped the PIN", &decisions, PinOutcome::Skipped),
        compare::lacks("nobody asked her for a PIN", &prompt("enter-pin"), &heard),
        compare::holds("she heard what bob said", &said, &heard).at_attempt(hearings),
    ])
}

/// Waits until the message was heard. Where a busy machine has torn it, she does what people do: `again` is the key
/// for hearing it from the beginning. Gives what was heard, and at which hearing.
pub(super) async fn hears_again_and_again(
    line: &mut Line,
    mark: usize,
    call: CallKey,
    said: &[i16],
    again: Digit,
    one_hearing: Duration,
) -> Result<(Vec<i16>, usize), Failure> {
    for hearing in 1..=HEARINGS {
        if let Some(heard) = line.hears_within(one_hearing, mark, call, has(said)).await? {
            return Ok((heard, hearing));
        }
        line.presses(call, again).await;
    }
    Err(in_vain("bob's message"))
}

/// Step 3: the same header over what is no trusted transport.
async fn strangers(stage: &mut Stage<'_>, _: usize) -> Result<Vec<Check>, Failure> {
    let names = ["stranger-tcp", "stranger-tls"];
    let certificate = stranger(stage)?;
    let um = stage.listeners[1].clone();
    let plain = stranger_at(stage, names[0], Transport::Tcp, listening(&um, Transport::Tcp)?, None)?;
    let shown =
        stranger_at(stage, names[1], Transport::Tls, listening(&um, Transport::Tls)?, Some(certificate))?;
    let (plain, shown) = tokio::join!(asked(plain), asked(shown));
    let mut checks = Vec::new();
    for (who, asked) in [("plain TCP", plain?), ("TLS, not listed", shown?)] {
        let (call_id, heard) = asked;
        let decisions: Vec<Decision> = stage.decisions(&call_id).await?;
        let what = format!("{who}: the PIN is asked");
        checks.push(compare::pin(&what, &decisions, PinOutcome::Prompted));
        let what = format!("{who}: \"Please enter your PIN\" is heard");
        checks.push(compare::holds(&what, &prompt("enter-pin"), &heard));
        let what = format!("{who}: bob's message is not");
        checks.push(compare::lacks(&what, &speech(), &heard));
    }
    Ok(checks)
}

/// A certificate of our own authority, for a name that nobody lists.
fn stranger(stage: &Stage<'_>) -> Result<Certificate, Failure> {
    let authority = Authority::load_or_create(stage.premises.data(), now());
    let folder = stage.premises.folder().join("stranger");
    let issued = authority.and_then(|authority| authority.issue("stranger.example.test", &folder, now()));
    let issued = issued.map_err(|error| refused::authority(&error))?;
    Ok(Certificate { certificate: issued.certificate, private_key: issued.private_key })
}

/// Somebody who claims to be alice, and calls her voice mail directly.
fn stranger_at(
    stage: &Stage<'_>,
    name: &'static str,
    transport: Transport,
    at: std::net::SocketAddr,
    certificate: Option<Certificate>,
) -> Result<Line, Failure> {
    let address = stage.alice.address.clone();
    let mut options = telephone(&address, transport, at);
    if let Some(Certificate { certificate, private_key }) = certificate {
        options.authority = Some(stage.premises.authority());
        (options.certificate, options.private_key) = (Some(certificate), Some(private_key));
    }
    let target = stage.alice.uri().with_param("opaque", Some("app:voicemail"));
    let headers = vec![(HeaderName::MsExchangeCommand, "skip-pin".to_owned())];
    let duty = Duty::Call { target, headers };
    let handset = Handset::pick_up(name, &options, duty, stage.clock, &stage.wires)?;
    Ok(Line { address, handset })
}

/// Waits until the stranger was asked for the PIN: the call's name, and what was heard.
async fn asked(mut line: Line) -> Result<(String, Vec<i16>), Failure> {
    let (call, call_id, _): (CallKey, String, _) = line.is_up(0).await?;
    let pin = prompt("enter-pin");
    // Most of it first: nothing is asked of the telephone while it is being said.
    let most = pin.get(..pin.len() * 3 / 4).unwrap_or_default();
    let what = "\"Please enter your PIN\"";
    line.hears(0, call, what, has(most)).await?;
    let mut heard = line.hears_to_the_end(0, call, what, has(most)).await?;
    if !has(&pin)(&heard) {
        // Torn on a busy machine: who presses nothing is asked again.
        heard = line.hears_within(ONE_HEARING, 0, call, has(&pin)).await?.unwrap_or(heard);
    }
    line.hangs_up(call).await;
    line.is_over(0).await?;
    line.put_down().await?;
    Ok((call_id, heard))
}

/// One of voice mail's own phrases, as a line carries it.
fn prompt(name: &str) -> Vec<i16> {
    umbel_prompts::own(name).map(super::hearing::line).unwrap_or_default()
}

/// Whether a sentence is in what was heard.
fn has(said: &[i16]) -> impl Fn(&[i16]) -> bool {
    move |heard| umbel_likeness::find_despite_stalls(said, heard).is_same()
}

pub(super) fn key(key: char) -> Result<Digit, Failure> {
    Digit::try_from(key).map_err(|_| Failure::new(Exit::Failed, "internal", format!("{key} is no key")))
}
