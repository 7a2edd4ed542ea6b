//! `umbel user routing`, and what is said of routing rules: in sentences, with what is odd about them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use umbel_proxy::routing::{self, Preamble, Rules, document, words};
use umbel_sip_message::{AddressOfRecord, Uri};
use umbel_store::{Address, Lookup, User, UserChange, UserEntry};

use super::Admin;
use crate::exit::{Exit, Failure, at_path};
use crate::{output, refused};

/// Whether a change is about routing.
pub(super) fn is_rule(change: &UserChange) -> bool {
    matches!(change, UserChange::Routing { .. })
}

/// What happens to calls for the user.
pub(super) fn sentences(admin: &Admin, user: &User) -> Vec<String> {
    let domain = &admin.config.domain;
    match words::read(&user.settings.routing, domain) {
        Ok(rules) => {
            let server = admin.config.server.as_ref();
            let ring_time = server.map_or(routing::TOTAL_DEFAULT, |server| server.ring_time);
            routing::describe(&rules, domain, ring_time)
        }
        // SIPRE-5.
        Err(wrong) => vec![format!("own telephones only, since a rule cannot be read: {wrong}")],
    }
}

/// Warns of rules that do something else than one may think, and of targets that nobody has.
pub(super) fn remark(admin: &mut Admin, user: &User) -> Result<(), Failure> {
    let settings = &user.settings;
    let Ok(rules) = words::read(&settings.routing, &admin.config.domain) else { return Ok(()) };
    let json = admin.json;
    let warn = |code, text: &str| output::warn(json, code, &format!("{}: {text}", user.address()));
    let names: Vec<_> = names(user).collect();
    for remark in routing::remarks(&rules, &names, settings.routing.contains_key("forward-unanswered")) {
        warn("contradiction", &remark.to_string());
    }
    for (rule, uri) in targets(&rules) {
        if let Some(target) = local_user(admin, uri)
            && !is_known(admin, &target)?
        {
            warn("unknown-target", &unknown_target(rule, &target));
        }
    }
    Ok(())
}

/// All names by which a rule could lead to the user.
fn names(user: &User) -> impl Iterator<Item = AddressOfRecord> {
    let settings = &user.settings;
    let users = [settings.address.user()].into_iter().chain(settings.extension.as_deref());
    users.filter_map(|name| AddressOfRecord::new(name, settings.address.domain()))
}

/// All targets, with the rule that names them.
fn targets(rules: &Rules) -> impl Iterator<Item = (&'static str, &Uri)> {
    let lists =
        [("team", &rules.team), ("delegates", &rules.delegates), ("breakthrough", &rules.breakthrough)];
    let lists = lists.into_iter().flat_map(|(rule, list)| list.iter().map(move |uri| (rule, uri)));
    let forward_to = rules.forward_to.iter().map(|uri| ("forwarding", uri));
    forward_to.chain(rules.ring_also.iter().map(|uri| ("ring-also", uri))).chain(lists)
}

/// The user part of a target within our domain that must be somebody's: no number with a way out.
fn local_user(admin: &Admin, uri: &Uri) -> Option<String> {
    let is_ours = uri.host().eq_ignore_ascii_case(&admin.config.domain);
    let routes = admin.config.server.iter().flat_map(|server| &server.routes);
    let has_route = |user: &str| routes.clone().any(|route| user.starts_with(&route.prefix));
    let user = uri.user_decoded().filter(|user| is_ours && !has_route(user))?;
    (!admin.config.is_pilot(&user)).then(|| user.into_owned())
}

fn is_known(admin: &mut Admin, user: &str) -> Result<bool, Failure> {
    let address = Address::new(user, &admin.config.domain).ok().map(Lookup::Address);
    for lookup in address.into_iter().chain([Lookup::Extension(user.to_owned())]) {
        if admin.store.find_user(&lookup).map_err(|error| refused::store(error, user))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unknown_target(rule: &str, user: &str) -> String {
    if user.trim_start_matches('+').bytes().all(|octet| octet.is_ascii_digit()) {
        format!("{rule}: nobody has the number {user}, and no route in [server] leads there")
    } else {
        format!("{rule}: there is no user {user}; `umbel user list` shows all")
    }
}

/// The entry that gives a user the rules of these documents. What a document cannot say stays as it is.
pub(super) fn import(admin: &Admin, user: &User, files: &[PathBuf]) -> Result<UserEntry, Failure> {
    let wrong = |text: String| Failure::new(Exit::Failed, "refused", format!("{text}; nothing was changed"));
    if files.len() > document::INSTANCES_MAX {
        return Err(wrong(format!("more than {} documents for one user", document::INSTANCES_MAX)));
    }
    let mut instances: Vec<Preamble> = Vec::new();
    for file in files {
        let read = document::read(&contents(file)?);
        instances.push(read.map_err(|malformed| {
            wrong(format!("{}:{}: {}", file.display(), malformed.line, malformed.fault))
        })?);
    }
    // SIPRE-4. A server that is handed such documents rings the telephones only; who imports them is told.
    let mut merged = routing::merge(&instances)
        .map_err(|violation| wrong(format!("the documents contradict themselves: {violation}")))?;
    let domain = &admin.config.domain;
    // The document says whether there are working hours, and not which.
    let hours = user.settings.routing.get_key_value("work-hours");
    let hours =
        hours.map(|(name, hours)| BTreeMap::from([(name.clone(), hours.clone())])).unwrap_or_default();
    merged.rules.work_hours = words::read(&hours, domain).unwrap_or_default().work_hours;
    let written = words::write(&merged.rules, domain);
    let mut entry = UserEntry::new(user.address().clone());
    for name in words::NAMES.into_iter().filter(|name| !words::BEYOND_THE_DOCUMENT.contains(name)) {
        let value = written.get(name).cloned();
        words::check(name, value.as_deref().unwrap_or_default(), domain)
            .map_err(|unreadable| wrong(unreadable.to_string()))?;
        entry.changes.push(UserChange::Routing { key: name.to_owned(), value });
    }
    for left_out in &merged.left_out {
        output::warn(admin.json, "left-out", &format!("{}: left out: {left_out}", user.address()));
    }
    Ok(entry)
}

/// A document's bytes, as many as one may have and one more.
fn contents(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let bytes_max = document::BYTES_MAX as u64 + 1;
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(bytes_max).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|source| source.take(bytes_max).read_to_end(&mut bytes))
    };
    read.map_err(|error| at_path("read", file, &error))?;
    Ok(bytes)
}

/// Writes a user's rules as a document, and tells what it cannot say.
pub(super) fn export(admin: &Admin, user: &User) -> Result<(), Failure> {
    let routing = &user.settings.routing;
    let rules = words::read(routing, &admin.config.domain)
        .map_err(|wrong| Failure::new(Exit::Failed, "refused", format!("{}: {wrong}", user.address())))?;
    let hours = (!rules.work_hours.is_empty()).then_some("work-hours: the hours themselves");
    let beyond = words::BEYOND_THE_DOCUMENT.into_iter().filter(|name| routing.contains_key(*name));
    for what in beyond.chain(hours) {
        let text = format!("{}: a routing document has no place for {what}", user.address());
        output::warn(admin.json, "left-out", &text);
    }
    output::write(document::write(&rules).as_bytes())
}
