//! The first start without a configuration: two users, and what to try next.

use std::path::Path;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use umbel_node::Transport;
use umbel_store::{Address, Author, NewPin, Password, Pin, Store, UserChange, UserEntry};
use umbel_time::UnixTime;

use super::supervisor::Roles;
use crate::config::Config;
use crate::exit::Failure;
use crate::refused;

/// The users of a store that has none: name, user part, extension.
const USERS: [(&str, &str, &str); 2] = [("Alice", "alice", "101"), ("Bob", "bob", "102")];
/// Letters and digits that nobody takes for one another; 32, so that each is worth 5 bits.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of four: 60 bits, typed from a screen.
const GROUPS: usize = 3;

/// A user that was made, with secrets that are shown this once.
pub(crate) struct Made {
    pub(crate) address: Address,
    pub(crate) extension: &'static str,
    pub(crate) pin: Pin,
    pub(crate) password: Password,
}

/// Makes the users where there are none.
pub(super) fn users(
    config: &Config,
    store: &mut dyn Store,
    random: ChaCha20Rng,
    now: UnixTime,
) -> Result<Vec<Made>, Failure> {
    match store.users(None).map_err(|error| refused::store(error, "the first users"))?.is_empty() {
        true => put(config, store, random, now),
        false => Ok(Vec::new()),
    }
}

/// Makes the users, or gives those that are there new secrets.
pub(crate) fn put(
    config: &Config,
    store: &mut dyn Store,
    mut random: ChaCha20Rng,
    now: UnixTime,
) -> Result<Vec<Made>, Failure> {
    let (mut entries, mut passwords) = (Vec::new(), Vec::new());
    for (name, user, extension) in USERS {
        let address = Address::new(user, &config.domain)
            .map_err(|_| Failure::config(format!("domain: {} makes no addresses", config.domain)))?;
        let password = password(&mut random);
        let mut entry = UserEntry::new(address);
        entry.changes =
            vec![UserChange::Name(name.to_owned()), UserChange::Extension(Some(extension.to_owned()))];
        entry.pin = Some(NewPin::Generate);
        entry.password = Some(password.clone());
        entries.push(entry);
        passwords.push((extension, password));
    }
    let set = store
        .put_users(&entries, &Author::Store, now)
        .map_err(|error| refused::store(error, "the first users"))?;
    let made = set.into_iter().zip(passwords).filter_map(|(set, (extension, password))| {
        Some(Made { address: set.address, extension, pin: set.generated?, password })
    });
    Ok(made.collect())
}

/// One that nobody can guess.
fn password(random: &mut ChaCha20Rng) -> Password {
    let mut group = || -> String {
        let bits = random.next_u32();
        (0..4_u32).map(|n| char::from(ALPHABET[((bits >> (5 * n)) & 31) as usize])).collect()
    };
    let groups: Vec<String> = (0..GROUPS).map(|_| group()).collect();
    Password::new(&groups.join("-")).expect("it is neither empty nor long")
}

/// What a newcomer can do next, as commands to copy.
pub(super) fn hints(config: &Config, roles: &Roles, web: &str, made: &[Made]) -> String {
    let mut text = String::new();
    if !made.is_empty() {
        text.push_str(
            "Two users were made. Their secrets are shown this once; PINs are changed at the first log-in by PIN.\n\n",
        );
        for Made { address, extension, pin, password } in made {
            let (pin, password) = (pin.reveal(), password.reveal());
            text.push_str(&format!(
                "  {address}   extension {extension}   PIN {pin}   password {password}\n"
            ));
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "The mailbox is at {web}/, for those who have an address and a password here.\n\n"
    ));
    let listeners = roles.server.as_ref().map(|server| server.listeners.as_slice()).unwrap_or_default();
    let at = |transport| listeners.iter().find(|listener| listener.transport == transport);
    let (Some(tcp), Some(tls)) = (at(Transport::Tcp), at(Transport::Tls)) else { return text };
    let (tcp, tls) = (tcp.address, tls.address);
    let data = config.data.display();
    let domain = &config.domain;
    let here = if config.data == Path::new(crate::config::DEFAULT_DATA) {
        String::new()
    } else {
        format!(" --data {data}")
    };
    let phone = |command: &str, user: &str| {
        format!(
            "umbel phone {command} --as {user}@{domain} --server tls:{tls} --password-file {user}.password --authority {data}/authority.pem"
        )
    };
    let register = phone("register", "alice");
    let call = phone(&format!("call alice@{domain}"), "bob");
    let voicemail = phone("voicemail", "alice");
    text.push_str(&format!(
        "Try, in other terminals, with each password in a file (alice.password, bob.password):\n\n\
         \x20 # alice's telephone; any other registers at {tcp} over TCP or {tls} over TLS, as alice with her password\n\
         \x20 {register}\n\n\
         \x20 # bob calls; her telephone rings, nobody answers, and he leaves a message; any WAV file will do\n\
         \x20 {call} --play message.wav --play-after 11s\n\
         \x20 umbel message list{here}\n\n\
         \x20 # alice hears it, and no PIN is asked: her server knows her, and the voice mail knows the server\n\
         \x20 {voicemail} --keys \"w4,1,w15\" --record heard.wav\n\n\
         \x20 # all her calls go to voice mail at once; but this one rings her telephone and goes nowhere else\n\
         \x20 umbel user set alice forward-immediate=voicemail{here}\n\
         \x20 {call} --header \"Ms-Sensitivity: private-no-diversion\"\n\n\
         \x20 # why, for each\n\
         \x20 umbel calls{here}\n\
         \x20 umbel why CALL-ID{here}\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn passwords_are_long_enough_and_differ() {
        let mut random = ChaCha20Rng::from_seed([7; 32]);
        let (one, other) = (password(&mut random), password(&mut random));
        assert_eq!(one.reveal().len(), 14);
        assert!(one.reveal().split('-').all(|group| group.bytes().all(|letter| ALPHABET.contains(&letter))));
        assert_ne!(one.reveal(), other.reveal());
    }
}
