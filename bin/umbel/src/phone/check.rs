//! `umbel phone check`: a table of calls that shows which rows of [MS-OCEXUM] a server keeps.
//!
//! It knows nothing of the server but how to call it, and what it hears: a prompt that is the same with the
//! header as without it is the PIN prompt still, and another one is not.

mod envelope;
mod table;

use serde_json::json;

use super::errand::{Goal, Outcome};
use super::event_loop::{self, Job};
use super::options;
use crate::cli::PhoneOptions;
use crate::exit::{Exit, Failure};
use crate::output;
use envelope::{Envelope, Likeness};
use table::{Call, Expected, Row, Through};

/// How often a call is made before its sound is taken for another prompt, or for one that cannot be judged.
const TRIES: u32 = 3;

/// What one call came to.
#[derive(Debug)]
enum Saw {
    /// It was answered, and this was heard.
    Answered(Envelope),
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
    let owner = options::owner(options)?;
    let mut baseline = None;
    let (mut broken, mut not_shown) = (0, 0);
    for row in table::rows(direct, only) {
        let (mut saw, mut verdict) = attempt(options, &row, &owner, direct, baseline.as_ref())?;
        // Sound that is lost on the way makes one prompt sound like another, and never two like one. So what
        // sounds the same is the same, and what does not is heard again.
        for _ in 1..TRIES {
            if !wants_another(row.expected, verdict) {
                break;
            }
            (saw, verdict) = attempt(options, &row, &owner, direct, baseline.as_ref())?;
        }
        match verdict {
            Verdict::Kept => {}
            Verdict::Broken => broken += 1,
            Verdict::NotShown => not_shown += 1,
        }
        tell(&row, &saw, verdict, json)?;
        if row.is_baseline {
            baseline = Some(saw);
        }
    }
    match (broken, not_shown) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::new(
            Exit::Failed,
            "not-shown",
            format!("{not_shown} rows could not be judged; see above for what was seen"),
        )),
        _ => Err(Failure::new(Exit::Failed, "broken", format!("{broken} rows are not kept"))),
    }
}

/// Makes the call of a row, and judges it.
fn attempt(
    options: &PhoneOptions,
    row: &Row,
    owner: &umbel_sip_message::Uri,
    direct: &[String],
    baseline: Option<&Saw>,
) -> Result<(Saw, Verdict), Failure> {
    let saw = call(options, &row.call, owner, direct)?;
    // A direct call is compared with what the same server says without the header.
    let plain = match &row.call.through {
        Through::ProtocolServer => None,
        Through::Directly(_) => {
            let plain = Call { headers: Vec::new(), ..row.call.clone() };
            Some(call(options, &plain, owner, direct)?)
        }
    };
    let verdict = judge(&row.expected, &saw, plain.as_ref().or(baseline));
    Ok((saw, verdict))
}

/// Whether one more hearing may change the verdict.
fn wants_another(expected: Expected, verdict: Verdict) -> bool {
    matches!(
        (expected, verdict),
        (_, Verdict::NotShown)
            | (Expected::SamePrompt | Expected::SamePromptOrRefused, Verdict::Broken)
            | (Expected::OtherPrompt, Verdict::Kept)
    )
}

/// Makes one call to its end.
fn call(
    options: &PhoneOptions,
    call: &Call,
    owner: &umbel_sip_message::Uri,
    direct: &[String],
) -> Result<Saw, Failure> {
    let mut options = options.clone();
    if let Through::Directly(number) = call.through {
        // A stranger: nothing but the address that it claims.
        options.server = direct.get(number).cloned().unwrap_or_default();
        options.secrets.password_file = None;
        (options.certificate, options.private_key) = (None, None);
    }
    options.for_time = Some(envelope::HEARD.to_owned());
    let target =
        if call.voice_mail { owner.with_param("opaque", Some("app:voicemail")) } else { owner.clone() };
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
        Outcome::Done => Ok(Saw::Answered(Envelope::of(&heard))),
        Outcome::Refused { status, .. } => Ok(Saw::Refused(status.as_u16())),
        Outcome::NoAnswer => Ok(Saw::NoAnswer),
        other => super::verdict::of(other, None).map(|()| Saw::NoAnswer),
    }
}

/// What a row expects, against what was seen; `plain` is what is heard without the header.
fn judge(expected: &Expected, saw: &Saw, plain: Option<&Saw>) -> Verdict {
    let plain = match plain {
        Some(Saw::Answered(envelope)) => Some(envelope),
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
        let pin = || Saw::Answered(Envelope::spoken(1));
        let menu = || Saw::Answered(Envelope::spoken(2));
        let silence = || Saw::Answered(Envelope::silence());
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
}
