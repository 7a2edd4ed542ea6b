//! `umbel phone check`: a table of calls that shows which rows of [MS-OCEXUM] a server keeps.
//!
//! It knows nothing of the server but how to call it, and what it hears: a prompt that is the same with the
//! header as without it is the PIN prompt still, and another one is not.

mod heard;
mod lanes;
mod table;

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::errand::{Goal, Outcome};
use super::event_loop::{self, Job};
use super::options;
use crate::cli::PhoneOptions;
use crate::exit::{Exit, Failure};
use crate::output;
use heard::{Heard, Likeness};
use table::{Call, Expected, Row, Through};

/// How long each call listens: at first, and where it is heard again. A machine that is busy is slow to begin. So
/// often a call is made before its sound is taken for another prompt where it should be the same, or for one that
/// cannot be judged.
const LISTENS: [&str; 3] = ["3s", "4s", "6s"];
/// So often is heard what should be another prompt, and is.
const OTHER_HEARD: usize = 2;

/// What one call came to.
#[derive(Debug)]
enum Saw {
    /// It was answered, and this was heard.
    Answered(Heard),
    /// It was refused with this status.
    Refused(u16),
    /// Nobody answered.
    NoAnswer,
}

/// Whether a row is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Kept,
    Broken,
    /// What was seen proves nothing either way.
    NotShown,
}

/// Calls through the whole table, and says what it shows. `direct` are unified messaging servers to be called
/// without the protocol server.
/// `only` names the rows that matter, where not all do.
pub(super) fn run(
    options: &PhoneOptions,
    direct: &[String],
    only: &[String],
    json: bool,
) -> Result<(), Failure> {
    let checked = Checked { options, owner: options::owner(options)?, direct, alone: Mutex::new(()) };
    let rows = table::rows(direct, only);
    let (mut broken, mut not_shown) = (0, 0);
    lanes::run(
        &rows,
        |row, baseline| checked.judged(row, baseline),
        |row, (saw, verdict)| {
            match verdict {
                Verdict::Kept => {}
                Verdict::Broken => broken += 1,
                Verdict::NotShown => not_shown += 1,
            }
            tell(row, saw, *verdict, json)
        },
    )?;
    match (broken, not_shown) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::new(
            Exit::Failed,
            "not-shown",
            format!(
                "{not_shown} rows could not be judged: what was seen proves nothing. Sound gets lost where a machine is busy; try again when it is not"
            ),
        )),
        _ => Err(Failure::new(Exit::Failed, "broken", format!("{broken} rows are not kept"))),
    }
}

/// Who is called, and how.
struct Checked<'a> {
    options: &'a PhoneOptions,
    owner: umbel_sip_message::Uri,
    direct: &'a [String],
    /// Held by the one call that is to be heard alone.
    alone: Mutex<()>,
}

impl Saw {
    /// Whether the same was heard in both.
    fn is_like(&self, other: &Saw) -> bool {
        match (self, other) {
            (Saw::Answered(one), Saw::Answered(other)) => one.likeness(other) == Likeness::Same,
            _ => false,
        }
    }
}

impl Checked<'_> {
    /// Makes the call of a row, and judges it.
    fn judged(&self, row: &Row, baseline: Option<&Saw>) -> Result<(Saw, Verdict), Failure> {
        let [first, again @ ..] = LISTENS;
        let mut plains: Vec<Saw> = Vec::new();
        let (saw, mut verdict, plain) = self.attempt(row, baseline, first)?;
        let mut seen = saw;
        plains.extend(plain);
        // Sound that is lost on the way makes one prompt sound like another, and never two like one. So what
        // sounds the same is the same, and what does not is heard again, longer, and together with what it is
        // compared with: that may be what was not heard well. The last time nothing else is heard meanwhile.
        for (heard, listens) in (1..).zip(again) {
            if !wants_another(row.expected, verdict, heard) {
                break;
            }
            let is_last = heard == again.len();
            let _alone = is_last.then(|| self.alone.lock().unwrap_or_else(PoisonError::into_inner));
            let (saw, judged, plain) = self.attempt(row, None, listens)?;
            let is_steady = plain.as_ref().is_none_or(|plain| {
                baseline.into_iter().chain(&plains).any(|earlier| earlier.is_like(plain))
            });
            seen = saw;
            verdict = if is_steady { judged } else { unproven(row.expected, judged) };
            plains.extend(plain);
        }
        Ok((seen, verdict))
    }

    /// Makes the call, and another one without the header where there is nothing to compare it with; that one is given,
    /// too.
    fn attempt(
        &self,
        row: &Row,
        baseline: Option<&Saw>,
        listens: &str,
    ) -> Result<(Saw, Verdict, Option<Saw>), Failure> {
        let saw = self.call(&row.call, listens)?;
        // A direct call is compared with what the same server says without the header.
        let known = baseline.filter(|_| row.call.through == Through::ProtocolServer);
        let plain = if row.expected.compares() && known.is_none() && !row.is_baseline {
            let plain = Call { headers: Vec::new(), ..row.call.clone() };
            Some(self.call(&plain, listens)?)
        } else {
            None
        };
        let verdict = judge(&row.expected, &saw, plain.as_ref().or(known));
        Ok((saw, verdict, plain))
    }

    /// Makes one call to its end.
    fn call(&self, call: &Call, listens: &str) -> Result<Saw, Failure> {
        let mut options = self.options.clone();
        if let Through::Directly(number) = call.through {
            // A stranger: nothing but the address that it claims.
            options.server = self.direct.get(number).cloned().unwrap_or_default();
            options.secrets.password_file = None;
            (options.certificate, options.private_key) = (None, None);
        }
        (options.for_time, options.audio) = (Some(listens.to_owned()), None);
        let target = if call.voice_mail {
            self.owner.with_param("opaque", Some("app:voicemail"))
        } else {
            self.owner.clone()
        };
        let headers = options::headers(None, None, &call.headers)?;
        let goal = Goal::Call { target, headers, registers: call.registered };
        let mut job: Job = options::job(&options, false, goal)?;
        // One codec, so that what is heard can be compared.
        job.telephone.codecs = vec![umbel_sdp::Codec::Pcmu];
        job.telephone.lines = 2;
        job.telephone.transfers = false;
        job.script.record = true;
        let (outcome, heard) = event_loop::run_quietly(job)?;
        match outcome {
            Outcome::Done => Ok(Saw::Answered(Heard::of(&heard))),
            Outcome::Refused { status, .. } => Ok(Saw::Refused(status.as_u16())),
            Outcome::NoAnswer | Outcome::NoResponse => Ok(Saw::NoAnswer),
            other => super::verdict::of(other, super::verdict::Trouble::default()).map(|()| Saw::NoAnswer),
        }
    }
}

/// Whether one more hearing may change the verdict; `heard` is how many there were.
fn wants_another(expected: Expected, verdict: Verdict, heard: usize) -> bool {
    match (expected, verdict) {
        (_, Verdict::NotShown) => true,
        (Expected::SamePrompt | Expected::SamePromptOrRefused, Verdict::Broken) => true,
        (Expected::OtherPrompt, Verdict::Kept) => heard < OTHER_HEARD,
        (_, Verdict::Kept | Verdict::Broken) => false,
    }
}

/// What is left of a verdict where two calls without the header do not sound alike: a difference proves nothing then.
fn unproven(expected: Expected, verdict: Verdict) -> Verdict {
    match (expected, verdict) {
        (Expected::SamePrompt | Expected::SamePromptOrRefused, Verdict::Broken)
        | (Expected::OtherPrompt, Verdict::Kept) => Verdict::NotShown,
        (_, verdict) => verdict,
    }
}

/// What a row expects, against what was seen; `plain` is what is heard without the header.
fn judge(expected: &Expected, saw: &Saw, plain: Option<&Saw>) -> Verdict {
    let plain = match plain {
        Some(Saw::Answered(heard)) => Some(heard),
        _ => None,
    };
    match (expected, saw) {
        (Expected::Prompt, Saw::Answered(heard)) if heard.is_silent() => Verdict::NotShown,
        (Expected::Prompt, Saw::Answered(_)) => Verdict::Kept,
        (Expected::Prompt, Saw::Refused(_) | Saw::NoAnswer) => Verdict::NotShown,
        (Expected::SamePrompt, Saw::Answered(heard)) => match plain.map(|plain| heard.likeness(plain)) {
            Some(Likeness::Same) => Verdict::Kept,
            Some(Likeness::Different) => Verdict::Broken,
            Some(Likeness::Unclear) | None => Verdict::NotShown,
        },
        (Expected::OtherPrompt, Saw::Answered(heard)) => match plain.map(|plain| heard.likeness(plain)) {
            Some(Likeness::Different) => Verdict::Kept,
            Some(Likeness::Same) => Verdict::Broken,
            Some(Likeness::Unclear) | None => Verdict::NotShown,
        },
        // CMD-1: "It is never a reason to refuse the call."
        (Expected::SamePrompt | Expected::OtherPrompt, Saw::Refused(_) | Saw::NoAnswer) => Verdict::Broken,
        (Expected::SamePromptOrRefused, Saw::Refused(_)) => Verdict::Kept,
        (Expected::SamePromptOrRefused, saw) => {
            judge(&Expected::SamePrompt, saw, plain.cloned().map(Saw::Answered).as_ref())
        }
        (Expected::NotAnswered, Saw::Answered(_)) => Verdict::Broken,
        (Expected::NotAnswered, Saw::Refused(_) | Saw::NoAnswer) => Verdict::Kept,
        (Expected::Refused(status), Saw::Refused(code)) if code == status => Verdict::Kept,
        (Expected::Refused(_), _) => Verdict::Broken,
    }
}

fn tell(row: &Row, saw: &Saw, verdict: Verdict, json: bool) -> Result<(), Failure> {
    let saw = match saw {
        Saw::Answered(heard) if heard.is_silent() => "answered, and silence".to_owned(),
        Saw::Answered(_) => "answered, and a prompt".to_owned(),
        Saw::Refused(code) => format!("refused: {code}"),
        Saw::NoAnswer => "not answered".to_owned(),
    };
    let word = match verdict {
        Verdict::Kept => "kept",
        Verdict::Broken => "broken",
        Verdict::NotShown => "not-shown",
    };
    let line = if json {
        json!({ "rows": row.ids, "verdict": word, "did": row.did, "expected": row.expected.to_string(), "saw": saw })
            .to_string()
    } else {
        format!("{word:9}  {}: {} — {saw}; expected: {}", row.ids.join(", "), row.did, row.expected)
    };
    output::write(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OCEXUM-3.1-1, OCEXUM-3.1-2, CMD-1: each expectation, kept and broken.
    #[test]
    fn a_row_is_kept_broken_or_not_shown() {
        let pin = || Saw::Answered(Heard::prompt("enter-pin.wav"));
        let menu = || Saw::Answered(Heard::prompt("leave-message.wav"));
        let silence = || Saw::Answered(Heard::silence());
        for (expected, saw, verdict) in [
            (Expected::Prompt, pin(), Verdict::Kept),
            (Expected::Prompt, silence(), Verdict::NotShown),
            (Expected::Prompt, Saw::Refused(404), Verdict::NotShown),
            (Expected::OtherPrompt, menu(), Verdict::Kept),
            (Expected::OtherPrompt, pin(), Verdict::Broken),
            (Expected::OtherPrompt, Saw::Refused(403), Verdict::Broken),
            (Expected::SamePrompt, pin(), Verdict::Kept),
            (Expected::SamePrompt, menu(), Verdict::Broken),
            (Expected::SamePrompt, Saw::Refused(400), Verdict::Broken),
            (Expected::SamePrompt, silence(), Verdict::NotShown),
            (Expected::SamePromptOrRefused, Saw::Refused(403), Verdict::Kept),
            (Expected::SamePromptOrRefused, pin(), Verdict::Kept),
            (Expected::SamePromptOrRefused, menu(), Verdict::Broken),
            (Expected::NotAnswered, Saw::Refused(480), Verdict::Kept),
            (Expected::NotAnswered, menu(), Verdict::Broken),
            (Expected::Refused(400), Saw::Refused(400), Verdict::Kept),
            (Expected::Refused(400), Saw::Refused(480), Verdict::Broken),
            (Expected::Refused(400), pin(), Verdict::Broken),
        ] {
            assert_eq!(judge(&expected, &saw, Some(&pin())), verdict, "{expected}: {saw:?}");
        }
        assert_eq!(judge(&Expected::OtherPrompt, &menu(), None), Verdict::NotShown);
    }

    /// A machine that hears the same prompt differently each time has shown nothing by hearing another one.
    #[test]
    fn where_the_same_call_sounds_different_each_time_a_difference_proves_nothing() {
        let pin = || Saw::Answered(Heard::prompt("enter-pin.wav"));
        assert!(pin().is_like(&pin()));
        for other in [Saw::Answered(Heard::prompt("leave-message.wav")), Saw::Refused(480), Saw::NoAnswer] {
            assert!(!pin().is_like(&other) && !other.is_like(&pin()), "{other:?}");
        }
        for (expected, verdict, left) in [
            (Expected::SamePrompt, Verdict::Broken, Verdict::NotShown),
            (Expected::SamePrompt, Verdict::Kept, Verdict::Kept),
            (Expected::OtherPrompt, Verdict::Kept, Verdict::NotShown),
            (Expected::OtherPrompt, Verdict::Broken, Verdict::Broken),
            (Expected::SamePromptOrRefused, Verdict::Broken, Verdict::NotShown),
            (Expected::Refused(400), Verdict::Broken, Verdict::Broken),
        ] {
            assert_eq!(unproven(expected, verdict), left, "{expected}: {verdict:?}");
        }
    }
}
