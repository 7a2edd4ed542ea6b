//! Who is calling, by further names: teams, delegates and those who break through may be written as
//! extensions, and callers have addresses. Who has an extension is known when a call comes.

use umbel_sip_message::{AddressOfRecord, Scheme};
use umbel_store::{Address, Op, Reply, User};
use umbel_time::Instant;

use super::call::{Call, CallKey, call_mut};
use super::{Proxy, Waiting};
use crate::locality;
use crate::routing::Rules;

/// A call whose plan waits for the names of those who make it.
pub(super) struct Names {
    call: CallKey,
    callee: User,
    /// Who is still to be asked about; caller and referrer at most.
    unknown: Vec<AddressOfRecord>,
    /// The one that is asked about; not found by address, it may be an extension.
    asked: AddressOfRecord,
    is_by_extension: bool,
    known: Vec<AddressOfRecord>,
}

impl Proxy {
    /// Whose names have to be asked for before these rules can be applied; `None`: nobody's.
    pub(super) fn unknown_names(&self, call: &Call, rules: &Rules) -> Option<Vec<AddressOfRecord>> {
        if call.other_names.is_some() {
            return None;
        }
        let lists = [&rules.team, &rules.delegates, &rules.breakthrough];
        let mut listed =
            lists.into_iter().flatten().filter_map(|uri| locality::user(uri.as_ref(), &self.config));
        let referrer = call.referrer().and_then(|referrer| locality::user(referrer.as_ref(), &self.config));
        let callers: Vec<_> = call.caller.clone().into_iter().chain(referrer).collect();
        let is_number = |address: &AddressOfRecord| locality::number(address.user()).is_some();
        let is_needed = listed.any(|member| is_number(&member) || callers.iter().any(is_number));
        (is_needed && !callers.is_empty()).then_some(callers)
    }

    /// Whether From is this user, by whichever name: address, extension, number.
    pub(super) fn calls_as(&self, call: &Call, user: &User) -> bool {
        if let Some(caller) = &call.caller {
            return is_name_of(user, caller.user(), caller.host());
        }
        let from = call.request.headers().from().uri;
        let number = from.user().filter(|_| from.scheme() == Scheme::Tel).and_then(locality::number);
        number.is_some_and(|number| is_name_of(user, &number, &self.config.domain))
    }

    /// Asks for them; the call goes on when the store has answered.
    pub(super) fn ask_for_names(&mut self, call: CallKey, callee: &User, mut unknown: Vec<AddressOfRecord>) {
        let Some(asked) = unknown.pop() else { return };
        call_mut(&mut self.calls, call, |call| call.context.expect());
        let callee = callee.clone();
        self.ask_for(Names { call, callee, unknown, asked, is_by_extension: false, known: Vec::new() });
    }

    fn ask_for(&mut self, names: Names) {
        let (user, host) = (names.asked.user(), names.asked.host());
        let by = match Address::new(user, host) {
            Ok(address) if !names.is_by_extension => umbel_store::Lookup::Address(address),
            _ => umbel_store::Lookup::Extension(user.to_owned()),
        };
        self.ask(Op::FindUser(by), Waiting::Names(Box::new(names)));
    }

    pub(super) fn names_told(&mut self, now: Instant, mut names: Names, reply: Reply) {
        match reply {
            Reply::User(Some(user)) => names.known.extend(names_of(&user)),
            Reply::User(None) if !names.is_by_extension => {
                return self.ask_for(Names { is_by_extension: true, ..names });
            }
            // A store that does not know keeps nobody from calling: the plan is made without.
            _ => {}
        }
        if let Some(asked) = names.unknown.pop() {
            return self.ask_for(Names { asked, is_by_extension: false, ..names });
        }
        let Names { call: key, callee, known, .. } = names;
        call_mut(&mut self.calls, key, |call| {
            call.context.settle();
            call.other_names = Some(known);
        });
        // The caller may have gone meanwhile.
        match self.calls.get(&key) {
            Some(call) if !call.context.is_ending() => self.ring_user(now, key, &callee),
            Some(_) | None => self.check(now, key),
        }
    }
}

/// Whether somebody called so is this user. As [`names_of`], but for every call: nothing is copied.
fn is_name_of(user: &User, name: &str, host: &str) -> bool {
    let address = &user.settings.address;
    let is_at_home = host == address.domain();
    let others = user.settings.extension.iter().chain(&user.settings.aliases);
    let is_it = |other: &String| match other.split_once('@') {
        Some(other) => other == (name, host),
        None => other == name && is_at_home,
    };
    (is_at_home && name == address.user()) || others.into_iter().any(is_it)
}

/// All names by which a list may know a user.
fn names_of(user: &User) -> Vec<AddressOfRecord> {
    let settings = &user.settings;
    let domain = settings.address.domain();
    let others = settings.extension.iter().chain(&settings.aliases);
    let others = others.filter_map(|name| name.parse().ok().or_else(|| AddressOfRecord::new(name, domain)));
    AddressOfRecord::new(settings.address.user(), domain).into_iter().chain(others).collect()
}
