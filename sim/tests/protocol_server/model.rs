//! What should become of a call, worked out from the text of [MS-SIPRE] 2.2.9 and 3.9 and of [MS-OCEXUM]
//! 3.2.2 alone: who rings, who answers. Nothing of the server is used here, neither its rules nor its names.
//!
//! It plays a call through on a line of time: telephones do what their manner says, in milliseconds from the
//! moment they ring. What takes no time in the text takes none here, so that two things less than
//! [`TOO_CLOSE`] apart are not told apart, and [`Fate::is_clear`] says so.

use std::collections::{BTreeMap, BTreeSet};

/// Messages under way and names looked up take less than this.
pub(crate) const TOO_CLOSE: u64 = 400;
/// 7.3 of the digest: the waits of users who have set none.
const TOTAL: u64 = 20_000;
const USER: u64 = 10_000;
const TEAM2: u64 = 20_000;
/// SIPRE-23.
const FORWARDING: u64 = 60_000;
/// RFC 3261 17.1.1.2, Timer B: who says nothing at all.
const TIMER_B: u64 = 32_000;
/// SIPRE-29, Timer C: who rings and rings.
const TIMER_C: u64 = 181_000;
/// EUMR-8: the next server is tried when one has been silent for so long.
const NEXT_SERVER: u64 = 3_000;
/// SIPRE-31.
const RETARGETS: usize = 5;

/// A place that rings: a telephone, the gateway, a voice mail server.
pub(crate) type Name = &'static str;
/// A user.
pub(crate) type User = &'static str;

/// Where a rule, or a telephone, points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    User(User),
    /// Through the gateway.
    Number,
    /// No such user.
    Nobody,
    VoiceMail(User),
}

/// What a telephone does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Rings and rings.
    Rings,
    /// Says nothing at all.
    Silent,
    Answers(u64),
    Refuses(u64, u16),
    Deflects(u64, Target),
}

/// What a voice mail server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Answers,
    Unavailable,
    Silent,
    /// 302 to the second server.
    PointsToSecond,
    /// 302 to somebody whom the administrator does not know.
    PointsElsewhere,
}

/// A user's rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) block: bool,
    pub(crate) emergency: bool,
    pub(crate) forward_immediate: bool,
    pub(crate) enablecf: bool,
    pub(crate) forward_to: Option<Target>,
    pub(crate) ring_also: Option<Target>,
    pub(crate) team: Vec<Target>,
    pub(crate) delegates: Vec<Target>,
    pub(crate) breakthrough: Vec<User>,
    pub(crate) skip_primary: bool,
    pub(crate) do_not_disturb: bool,
    /// `work_hours` is set, and it is none.
    pub(crate) is_after_hours: bool,
    pub(crate) no_voice_mail: bool,
    pub(crate) total: Option<u64>,
    pub(crate) user: Option<u64>,
    pub(crate) team2: Option<u64>,
}

/// Everything that counts for a call.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) rules: BTreeMap<User, Rules>,
    /// The registered telephones of each user.
    pub(crate) telephones: BTreeMap<User, Vec<(Name, Manner)>>,
    pub(crate) gateway: Manner,
    pub(crate) voice_mail: [(Name, Service); 2],
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The user in From; none: somebody from elsewhere.
    pub(crate) from: Option<User>,
    pub(crate) to: User,
    pub(crate) no_diversion: bool,
    pub(crate) has_audio: bool,
    /// When the caller gives up.
    pub(crate) patience: u64,
}

/// What becomes of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate {
    /// Who is rung; a voice mail server counts.
    pub(crate) rung: BTreeSet<Name>,
    /// Who answers first, if anybody does.
    pub(crate) answered: Option<Name>,
    /// Whether it was so long before anybody or anything that the caller gave up.
    pub(crate) given_up: bool,
    /// No two things happened too close together.
    pub(crate) is_clear: bool,
    /// When the caller has the answer.
    pub(crate) at: u64,
}

/// Somebody who rings.
#[derive(Clone, Copy, Debug)]
struct Leg {
    name: Name,
    manner: Manner,
    /// A telephone of the callee, which may push the call elsewhere.
    is_callees: bool,
    since: u64,
}

impl Leg {
    /// When it is over.
    fn decides(&self) -> u64 {
        match self.manner {
            Manner::Rings => self.since + TIMER_C,
            Manner::Silent => self.since + TIMER_B,
            Manner::Answers(after) | Manner::Refuses(after, _) | Manner::Deflects(after, _) => {
                self.since + after
            }
        }
    }
}

/// Who rings for a user, and what then: section 7.4.
struct Plan {
    /// The user's own telephones.
    own: bool,
    also: Option<Target>,
    /// When these ring too: the team, the delegates.
    later: Option<(Vec<Target>, u64)>,
    /// How long this lasts; without end where there is none.
    time: Option<u64>,
    then: Option<Target>,
}

enum Outcome {
    Ring(Plan),
    Go(Target),
    Fail,
}

/// One call being played.
pub(crate) struct Play<'a> {
    setting: &'a Setting,
    call: Call,
    now: u64,
    /// [MS-SIPRE]'s call forwarding timer.
    forwarding_until: Option<u64>,
    tried: BTreeSet<Name>,
    visited: Vec<User>,
    retargets: usize,
    fate: Fate,
}

impl<'a> Play<'a> {
    /// Plays a call through.
    pub(crate) fn call(setting: &'a Setting, call: Call) -> Fate {
        let fate = Fate { is_clear: true, ..Fate::default() };
        let mut play = Play {
            setting,
            call,
            now: 0,
            forwarding_until: None,
            tried: BTreeSet::new(),
            visited: Vec::new(),
            retargets: 0,
            fate,
        };
        play.visit(call.to);
        play.fate.at = play.now;
        play.fate
    }

    /// The call is for this user now.
    fn visit(&mut self, user: User) {
        // LOOP-3.
        if self.visited.contains(&user) {
            return;
        }
        self.visited.push(user);
        match self.plan(user) {
            Outcome::Fail => {}
            Outcome::Go(target) => self.divert(user, target),
            Outcome::Ring(plan) => self.ring(user, plan),
        }
    }

    fn has_voice_mail(&self, user: User) -> bool {
        !self.setting.rules[user].no_voice_mail
    }

    /// Where a call goes that nobody answers: SIPRE-20, SIPRE-21; nowhere under SIPRE-22.
    fn unanswered(&self, user: User) -> Option<Target> {
        let rules = &self.setting.rules[user];
        if self.call.no_diversion {
            None
        } else if rules.enablecf && rules.forward_to.is_some() {
            rules.forward_to
        } else {
            self.has_voice_mail(user).then_some(Target::VoiceMail(user))
        }
    }

    /// Section 7.4, in its order.
    fn plan(&self, user: User) -> Outcome {
        let rules = &self.setting.rules[user];
        let own = |time, then| Outcome::Ring(Plan { own: true, also: None, later: None, time, then });
        let total = rules.total.unwrap_or(TOTAL);
        let no_diversion = self.call.no_diversion;
        // SIPRE-3: the rules are for calls with audio.
        if !self.call.has_audio {
            return own(None, None);
        }
        // 1, 2.
        if rules.block {
            return Outcome::Fail;
        }
        if rules.emergency {
            return own(None, None);
        }
        let listed = |list: &[Target]| self.call.from.is_some_and(|from| list.contains(&Target::User(from)));
        let breaks_through = self.call.from.is_some_and(|from| rules.breakthrough.contains(&from));
        let is_delegate = listed(&rules.delegates);
        // SENS-9: the user's own call rings the user's own telephones.
        let is_own = self.call.from == Some(user);
        let rings_in_spite = breaks_through || is_delegate || (no_diversion && is_own);
        let skips = rules.skip_primary && !rings_in_spite;
        // 10, which says "for this caller": one is not disturbed by oneself.
        let disturbs = rules.do_not_disturb && !is_own;
        // 6.
        if breaks_through {
            return self.primary(user, skips);
        }
        // 7: outside working hours none of the flags that have them counts; neither does the second device.
        if rules.is_after_hours {
            let then = (!no_diversion && self.has_voice_mail(user)).then_some(Target::VoiceMail(user));
            if disturbs {
                return self.unanswered(user).map_or(Outcome::Fail, Outcome::Go);
            }
            return own(Some(total), then);
        }
        // 8, 9. SENS-6, SENS-8: not when diversion is forbidden.
        let rings_team = !rules.team.is_empty() && !no_diversion;
        let rings_delegates = !rules.delegates.is_empty() && !rings_team && !no_diversion;
        let others = if rings_team { &rules.team } else { &rules.delegates };
        if (rings_team && !listed(&rules.team)) || (rings_delegates && !is_delegate) {
            let own = !skips && !disturbs;
            let team2 = rules.team2.unwrap_or(TEAM2);
            return Outcome::Ring(Plan {
                own,
                also: rules.ring_also.filter(|_| own),
                later: Some((others.clone(), team2)),
                time: Some(if own { rules.user.unwrap_or(USER) } else { 0 }),
                // "The call goes to voice mail if the user has it": `forwardto` is not for these.
                then: self.has_voice_mail(user).then_some(Target::VoiceMail(user)),
            });
        }
        // 3.9.5.2.2.2 and 3.9.5.2.2.3: a member, or a delegate, who calls has the primary targets.
        if rings_team || rings_delegates {
            return self.primary(user, skips);
        }
        // 10.
        if disturbs {
            return self.unanswered(user).map_or(Outcome::Fail, Outcome::Go);
        }
        // 11.
        self.primary(user, skips)
    }

    /// 3.9.5.2.2.1.
    fn primary(&self, user: User, skips: bool) -> Outcome {
        let rules = &self.setting.rules[user];
        let time = Some(rules.total.unwrap_or(TOTAL));
        if rules.forward_immediate && !self.call.no_diversion {
            let to = if rules.enablecf {
                rules.forward_to
            } else {
                self.has_voice_mail(user).then_some(Target::VoiceMail(user))
            };
            return to.map_or(Outcome::Fail, Outcome::Go);
        }
        // DEC-20: no second device while all calls are forwarded, which this one is not.
        let also = rules.ring_also.filter(|_| !skips && !rules.forward_immediate);
        Outcome::Ring(Plan { own: !skips, also, later: None, time, then: self.unanswered(user) })
    }

    fn leg(&mut self, name: Name, manner: Manner, is_callees: bool, legs: &mut Vec<Leg>) {
        // LOOP-3: not where it has been.
        if self.tried.insert(name) {
            self.fate.rung.insert(name);
            legs.push(Leg { name, manner, is_callees, since: self.now });
        }
    }

    /// The telephones of somebody, or the gateway: for those who ring beside the callee (rule 5).
    fn beside(&mut self, target: Target, legs: &mut Vec<Leg>) {
        match target {
            Target::User(user) => {
                for (name, manner) in self.setting.telephones[user].clone() {
                    self.leg(name, manner, false, legs);
                }
            }
            Target::Number => self.leg("gateway", self.setting.gateway, false, legs),
            Target::Nobody | Target::VoiceMail(_) => {}
        }
    }

    fn ring(&mut self, user: User, plan: Plan) {
        let mut legs = Vec::new();
        if plan.own {
            for (name, manner) in self.setting.telephones[user].clone() {
                self.leg(name, manner, true, &mut legs);
            }
        }
        if let Some(also) = plan.also {
            self.beside(also, &mut legs);
        }
        let mut ends = plan.time.map(|time| self.now + time);
        let mut later = plan.later;
        loop {
            let has_ended = ends.is_some_and(|ends| ends <= self.now);
            // SIPRE-26: nobody is left who could answer.
            if has_ended || legs.is_empty() {
                let Some((targets, time)) = later.take() else {
                    return self.expire(user, plan.then);
                };
                for target in targets {
                    self.beside(target, &mut legs);
                }
                ends = Some(self.now + time);
                continue;
            }
            let first = legs.iter().enumerate().map(|(at, leg)| (leg.decides(), at)).min();
            let next = [first.map(|(at, _)| at), ends, self.forwarding_until, Some(self.call.patience)];
            let next = next.into_iter().flatten().min().unwrap_or_default();
            self.look_around(&legs, ends, next);
            self.now = next;
            if next == self.call.patience {
                self.fate.given_up = true;
                return;
            }
            // SIPRE-24.
            if Some(next) == self.forwarding_until {
                return;
            }
            let Some((_, index)) = first.filter(|(at, _)| *at == next) else { continue };
            let leg = legs.remove(index);
            match leg.manner {
                Manner::Answers(_) => {
                    self.fate.answered = Some(leg.name);
                    return;
                }
                // SIPRE-27.
                Manner::Refuses(_, 600) if plan.then.is_some() => return self.expire(user, plan.then),
                Manner::Refuses(_, 600..) => return,
                // SIPRE-30, SENS-15. The telephone wants it, no rule: so without audio, too (DEC-20).
                Manner::Deflects(_, to) if leg.is_callees && !self.call.no_diversion => {
                    return self.divert(user, to);
                }
                Manner::Deflects(..) | Manner::Refuses(..) | Manner::Silent | Manner::Rings => {}
            }
        }
    }

    /// Says so if something else happens almost at the same time.
    fn look_around(&mut self, legs: &[Leg], ends: Option<u64>, next: u64) {
        let times = legs.iter().map(Leg::decides).chain(ends).chain(self.forwarding_until);
        let close = times.chain([self.call.patience]).filter(|time| time.abs_diff(next) < TOO_CLOSE).count();
        self.fate.is_clear &= close <= 1;
    }

    fn expire(&mut self, user: User, then: Option<Target>) {
        if let Some(target) = then {
            self.divert(user, target);
        }
    }

    /// Away from a user.
    fn divert(&mut self, _: User, target: Target) {
        self.retargets += 1;
        if self.retargets > RETARGETS {
            return;
        }
        match target {
            Target::VoiceMail(of) => self.voice_mail(of),
            Target::User(to) => {
                self.forwarding_until.get_or_insert(self.now + FORWARDING);
                self.visit(to);
            }
            Target::Number => {
                self.forwarding_until.get_or_insert(self.now + FORWARDING);
                let mut legs = Vec::new();
                self.leg("gateway", self.setting.gateway, false, &mut legs);
                if let [leg] = legs[..] {
                    self.wait_for(leg);
                }
            }
            Target::Nobody => {}
        }
    }

    /// One place, and nothing after it.
    fn wait_for(&mut self, leg: Leg) {
        let next = [Some(leg.decides()), self.forwarding_until, Some(self.call.patience)];
        let next = next.into_iter().flatten().min().unwrap_or_default();
        self.look_around(&[leg], None, next);
        self.now = next;
        if next == self.call.patience {
            self.fate.given_up = true;
        } else if leg.decides() == next && matches!(leg.manner, Manner::Answers(_)) {
            self.fate.answered = Some(leg.name);
        }
    }

    /// EUMR-7 to EUMR-9: the servers, best first.
    fn voice_mail(&mut self, _: User) {
        let [(first, one), (second, two)] = self.setting.voice_mail;
        self.fate.rung.insert(first);
        let goes_on = match one {
            Service::Answers => {
                self.fate.answered = Some(first);
                false
            }
            Service::Unavailable | Service::PointsToSecond => true,
            Service::Silent => {
                self.now += NEXT_SERVER;
                true
            }
            // Nobody follows it; whether the second is asked all the same, nothing says.
            Service::PointsElsewhere => {
                self.fate.is_clear = false;
                false
            }
        };
        if goes_on {
            self.fate.rung.insert(second);
            match two {
                Service::Answers => self.fate.answered = Some(second),
                Service::Silent => self.now += TIMER_B,
                Service::Unavailable | Service::PointsToSecond | Service::PointsElsewhere => {}
            }
        }
        let is_late = |limit: u64| self.now + TOO_CLOSE >= limit;
        if self.forwarding_until.is_some_and(is_late) || is_late(self.call.patience) {
            self.fate.is_clear = false;
        }
    }
}

/// Who could possibly be rung by a call to this user, whatever happens on the way.
pub(crate) fn may_ring(setting: &Setting, call: Call) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    let mut users = vec![call.to];
    let mut seen = BTreeSet::new();
    let telephones = |user: User| setting.telephones[user].iter().map(|(name, _)| *name);
    while let Some(user) = users.pop() {
        if !seen.insert(user) {
            continue;
        }
        names.extend(telephones(user));
        let rules = &setting.rules[user];
        let beside =
            if call.no_diversion { Vec::new() } else { [&rules.team[..], &rules.delegates].concat() };
        for target in beside.into_iter().chain(rules.ring_also) {
            match target {
                Target::User(user) => names.extend(telephones(user)),
                Target::Number => drop(names.insert("gateway")),
                Target::Nobody | Target::VoiceMail(_) => {}
            }
        }
        if call.no_diversion {
            continue;
        }
        names.extend(setting.voice_mail.iter().map(|(name, _)| *name));
        let deflections = setting.telephones[user].iter().filter_map(|(_, manner)| match manner {
            Manner::Deflects(_, to) => Some(*to),
            _ => None,
        });
        for target in rules.forward_to.into_iter().chain(deflections) {
            match target {
                Target::User(user) => users.push(user),
                Target::Number => drop(names.insert("gateway")),
                Target::Nobody | Target::VoiceMail(_) => {}
            }
        }
    }
    names
}
