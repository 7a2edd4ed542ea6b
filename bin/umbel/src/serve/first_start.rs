//! The first start without a configuration: two users, and what to try next.

use std::path::Path;

use umbel_node::Transport;
use umbel_store::{Address, Author, NewPin, Pin, Store, UserChange, UserEntry};
use umbel_time::UnixTime;

use super::supervisor::Roles;
use crate::admin::failed;
use crate::config::{Config, EMBEDDED_PEER};
use crate::exit::Failure;

/// The users of a store that has none: name, user part, extension.
const USERS: [(&str, &str, &str); 2] = [("Alice", "alice", "101"), ("Bob", "bob", "102")];

/// Makes the users where there are none; gives their PINs.
pub(super) fn users(
    config: &Config,
    store: &mut dyn Store,
    now: UnixTime,
) -> Result<Vec<(Address, Pin)>, Failure> {
    let wrong = |error| failed(error, "the first users");
    if !store.users(None).map_err(wrong)?.is_empty() {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    for (name, user, extension) in USERS {
        let address = Address::new(user, &config.domain)
            .map_err(|_| Failure::config(format!("domain: {} makes no addresses", config.domain)))?;
        let mut entry = UserEntry::new(address);
        entry.changes =
            vec![UserChange::Name(name.to_owned()), UserChange::Extension(Some(extension.to_owned()))];
        entry.pin = Some(NewPin::Generate);
        entries.push(entry);
    }
    let set = store.put_users(&entries, &Author::Store, now).map_err(wrong)?;
    Ok(set.into_iter().filter_map(|set| Some((set.address, set.generated?))).collect())
}

/// What a newcomer can do next, as commands to copy.
pub(super) fn hints(config: &Config, roles: &Roles, pins: &[(Address, Pin)]) -> String {
    let listeners = roles.um.as_ref().map(|um| um.listeners.as_slice()).unwrap_or_default();
    let at = |transport| {
        listeners.iter().find(|listener| listener.transport == transport).map(|listener| listener.address)
    };
    let mut text = String::new();
    if !pins.is_empty() {
        text.push_str(
            "Two users were made. Their PINs are shown this once, and changed at the first log-in:\n\n",
        );
        for ((address, pin), (_, _, extension)) in pins.iter().zip(USERS) {
            text.push_str(&format!("  {address}   extension {extension}   PIN {}\n", pin.reveal()));
        }
        text.push('\n');
    }
    let (Some(tcp), Some(tls)) = (at(Transport::Tcp), at(Transport::Tls)) else { return text };
    let data = config.data.display();
    let domain = &config.domain;
    let here = if config.data == Path::new(crate::config::DEFAULT_DATA) {
        String::new()
    } else {
        format!(" --data {data}")
    };
    text.push_str(&format!(
        "Try, in another terminal:\n\n\
         \x20 # bob leaves a message for alice, after the greeting; any WAV file will do\n\
         \x20 umbel phone call alice@{domain} --as bob@{domain} --server tcp:{tcp} --play message.wav --play-after 11s\n\
         \x20 baresip -e '/dial sip:alice@{tcp};transport=tcp'\n\
         \x20 umbel message list{here}\n\n\
         \x20 # alice hears it: her PIN is asked over TCP (echo PIN > pin; it is changed at the first log-in)\n\
         \x20 umbel phone voicemail --as alice@{domain} --server tcp:{tcp} --pin-file pin --keys \"w3,P#\" --record heard.wav --for 20s\n\n\
         \x20 # and not asked over mutual TLS from a listed peer; key 1 plays the new messages\n\
         \x20 umbel certificate issue {EMBEDDED_PEER} peer{here}\n\
         \x20 umbel phone voicemail --as alice@{domain} --server tls:{tls} --authority peer/authority.pem \\\n\
         \x20   --certificate peer/{EMBEDDED_PEER}.pem --private-key peer/{EMBEDDED_PEER}-key.pem --keys \"w4,1,w15\" --record heard.wav\n\n\
         \x20 # why, for each\n\
         \x20 umbel calls{here}\n\
         \x20 umbel why CALL-ID{here}\n\n\
         \x20 # load\n\
         \x20 sipp -sn uac -t t1 -s alice {tcp} -m 10 -d 2000\n"
    ));
    text
}
