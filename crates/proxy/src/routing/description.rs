//! Rules in sentences, for people who ask what happens to somebody's calls.

use std::time::Duration;

use umbel_sip_message::Uri;

use super::words::say_target;
use super::{Flag, Rules, TEAM2_DEFAULT, USER_DEFAULT};

/// Says what rules do, a sentence each, in the order in which they count. `ring_time` is that of users
/// who have set none.
pub fn describe(rules: &Rules, domain: &str, ring_time: Duration) -> Vec<String> {
    let say = |uri: &Uri| say_target(uri, domain);
    let all = |uris: &[Uri]| uris.iter().map(say).collect::<Vec<_>>().join(", ");
    let mut sentences = Vec::new();
    if rules.has(Flag::Block) {
        sentences.push("every call: refused".to_owned());
    }
    if rules.has(Flag::E911Active) {
        sentences.push("every call: own telephones only, after an emergency call".to_owned());
    }
    if rules.has(Flag::WorkHours) && !rules.work_hours.is_empty() {
        sentences
            .push(format!("within {}: as follows, else own telephones, then voice mail", rules.work_hours));
    }
    if rules.do_not_disturb {
        sentences.push("do not disturb: own telephones stay silent".to_owned());
    }
    if rules.has(Flag::SkipPrimary) {
        sentences.push("own telephones: silent, but for delegates and those who break through".to_owned());
    }
    let forward_to = rules.forward_to.as_ref().filter(|_| rules.has(Flag::EnableCallForwarding));
    let to = match forward_to {
        Some(uri) => format!("forward to {}", say(uri)),
        None if rules.voice_mail => "voice mail".to_owned(),
        None => "the call ends".to_owned(),
    };
    let team = Some(("team", &rules.team)).filter(|(_, list)| rules.has(Flag::TeamRing) && !list.is_empty());
    let delegates = Some(("delegates", &rules.delegates))
        .filter(|(_, list)| rules.has(Flag::DelegateRing) && !list.is_empty());
    let others = team.or(delegates);
    if let Some((who, list)) = others {
        let (after, time) = (rules.user.unwrap_or(USER_DEFAULT), rules.team2.unwrap_or(TEAM2_DEFAULT));
        let (after, time) = (after.as_secs(), time.as_secs());
        let then = if rules.voice_mail { "voice mail" } else { "the call ends" };
        sentences.push(format!("{who}: {} after {after} s, for {time} s, then {then}", all(list)));
    }
    // Members of the team do not ring the team (3.9.5.2.2.3).
    let whose = others.map_or(String::new(), |(who, _)| format!("calls from the {who}, "));
    let is_immediate = rules.has(Flag::ForwardImmediate);
    if is_immediate {
        sentences.push(format!("{whose}at once: {to}"));
    }
    if let Some(uri) = rules.ring_also.as_ref().filter(|_| rules.has(Flag::SimultaneousRing) && !is_immediate)
    {
        sentences.push(format!("ring also: {}", say(uri)));
    }
    if !is_immediate && (others.is_none() || forward_to.is_some()) {
        let after = rules.total.unwrap_or(ring_time).as_secs();
        sentences.push(format!("{whose}when unanswered: {to} after {after} s"));
    }
    if !rules.breakthrough.is_empty() {
        sentences.push(format!("breaks through: {}", all(&rules.breakthrough)));
    }
    if rules.has(Flag::ForwardAudioAppInvites) {
        sentences.push("conference invitations: by these rules too".to_owned());
    }
    sentences
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::words;
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], expected: &[&str]) {
        let map = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let rules = words::read(&map, "example.test").unwrap();
        assert_eq!(describe(&rules, "example.test", Duration::from_secs(25)), expected, "{pairs:?}");
    }

    #[test]
    fn what_happens_to_calls_is_said_in_the_order_in_which_it_counts() {
        check(&[], &["when unanswered: voice mail after 25 s"]);
        check(
            &[("forward-unanswered", "bob@example.test"), ("ring-time", "20s")],
            &["when unanswered: forward to bob@example.test after 20 s"],
        );
        check(&[("forward-immediate", "+15555550100")], &["at once: forward to +15555550100"]);
        check(&[("forward-immediate", "voicemail")], &["at once: voice mail"]);
        check(&[("no-voicemail", "yes")], &["when unanswered: the call ends after 25 s"]);
        check(
            &[("do-not-disturb", "yes"), ("ring-also", "300"), ("block", "yes")],
            &[
                "every call: refused",
                "do not disturb: own telephones stay silent",
                "ring also: 300",
                "when unanswered: voice mail after 25 s",
            ],
        );
    }

    #[test]
    fn the_team_comes_before_delegates_and_with_its_times() {
        check(
            &[("team", "bob@example.test,203"), ("delegates", "dave@example.test"), ("team-after", "5")],
            &["team: bob@example.test, 203 after 5 s, for 20 s, then voice mail"],
        );
        check(
            &[("delegates", "dave@example.test"), ("team-time", "30s"), ("no-voicemail", "yes")],
            &["delegates: dave@example.test after 10 s, for 30 s, then the call ends"],
        );
        check(
            &[("team", "203"), ("forward-immediate", "bob@example.test"), ("ring-also", "300")],
            &[
                "team: 203 after 10 s, for 20 s, then voice mail",
                "calls from the team, at once: forward to bob@example.test",
            ],
        );
        check(
            &[("delegates", "203"), ("forward-unanswered", "300")],
            &[
                "delegates: 203 after 10 s, for 20 s, then voice mail",
                "calls from the delegates, when unanswered: forward to 300 after 25 s",
            ],
        );
    }

    // What is kept and not used does nothing, and so is not said.
    #[test]
    fn what_is_kept_and_not_used_is_not_said() {
        let kept = [
            ("forward-unanswered", "off:bob@example.test"),
            ("ring-also", "off:300"),
            ("team", "off:carol@example.test"),
            ("work-hours", "off:mon-fri 09:00-17:00"),
        ];
        check(&kept, &["when unanswered: voice mail after 25 s"]);
    }

    #[test]
    fn the_rest_is_said_too() {
        check(
            &[
                ("skip-own-telephones", "yes"),
                ("breakthrough", "boss@example.test"),
                ("work-hours", "mon-fri 09:00-17:00"),
                ("conference-invitations", "yes"),
                ("emergency-call-back", "yes"),
            ],
            &[
                "every call: own telephones only, after an emergency call",
                "within mon-fri 09:00-17:00: as follows, else own telephones, then voice mail",
                "own telephones: silent, but for delegates and those who break through",
                "when unanswered: voice mail after 25 s",
                "breaks through: boss@example.test",
                "conference invitations: by these rules too",
            ],
        );
    }
}
