//! Sessions: who signed in, until when it counts (SEC-102). A value; the time and chance are handed in.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use umbel_store::{Address, SecretsMark};
use umbel_time::UnixTime;

/// Sessions of all users at once; one more ends that which was used longest ago.
pub(super) const SESSIONS_MAX: usize = 10_000;
/// Sessions of one user: a few browsers. One more ends that which was used longest ago.
pub(super) const SESSIONS_PER_USER_MAX: usize = 8;
/// SEC-102: how long a session lives without being used.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// SEC-102: how long it lives at all.
pub(super) const LIFE_MAX: Duration = Duration::from_secs(12 * 3_600);

/// 256 bits that a browser shows to be who signed in. Known to the browser alone: we keep what they hash to.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SessionId([u8; 32]);

/// What a session is found by, and of no use for showing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionKey([u8; 32]);

/// 256 bits that only our own page knows, so that a request which bears them comes from it (SEC-98).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct CsrfToken(String);

/// A session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: Address,
    pub(super) csrf: CsrfToken,
    /// The secrets that were in force when it began; others end it.
    pub(super) secrets: SecretsMark,
    began: UnixTime,
    used: UnixTime,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    sessions: HashMap<SessionKey, Session>,
}

impl SessionId {
    /// The id with these bits, which must come from a cryptographic generator.
    pub(super) const fn from_octets(octets: [u8; 32]) -> Self {
        SessionId(octets)
    }

    /// Reads what [`SessionId::text`] writes, and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut octets = [0; 32];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(SessionId(octets))
    }

    /// For the cookie.
    pub(super) fn text(&self) -> String {
        hexadecimal(&self.0)
    }

    pub(super) fn key(&self) -> SessionKey {
        SessionKey(Sha256::digest(self.0).into())
    }
}

impl CsrfToken {
    /// A token of these bits, which must come from a cryptographic generator.
    pub(super) fn from_octets(octets: [u8; 32]) -> Self {
        CsrfToken(hexadecimal(&octets))
    }

    /// For our own page.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether `shown` is this token, in the same time whichever character differs.
    pub(super) fn is(&self, shown: &str) -> bool {
        let differing = |all: u8, (a, b): (u8, u8)| all | (a ^ b);
        shown.len() == self.0.len() && shown.bytes().zip(self.0.bytes()).fold(0, differing) == 0
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId(***)")
    }
}

impl std::fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CsrfToken(***)")
    }
}

impl Session {
    /// A session that begins now.
    pub(super) fn new(user: Address, secrets: SecretsMark, csrf: CsrfToken, now: UnixTime) -> Self {
        Session { user, csrf, secrets, began: now, used: now }
    }

    fn is_alive(&self, now: UnixTime) -> bool {
        now.since(self.used) < IDLE_MAX && now.since(self.began) < LIFE_MAX
    }
}

impl SessionTable {
    /// Puts a session in; where there are too many, those that were used longest ago make room.
    pub(super) fn begin(&mut self, id: &SessionId, session: Session, now: UnixTime) {
        self.sessions.retain(|_, each| each.is_alive(now));
        let of_user = self.sessions.values().filter(|each| each.user == session.user).count();
        if of_user >= SESSIONS_PER_USER_MAX {
            self.end_oldest(|each| each.user == session.user);
        }
        if self.sessions.len() >= SESSIONS_MAX {
            self.end_oldest(|_| true);
        }
        self.sessions.insert(id.key(), session);
    }

    /// The session of this key, if it still counts. Looking at it is no use of it.
    pub(super) fn find(&self, key: SessionKey, now: UnixTime) -> Option<&Session> {
        self.sessions.get(&key).filter(|session| session.is_alive(now))
    }

    /// The session was used.
    pub(super) fn touch(&mut self, key: SessionKey, now: UnixTime) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.used = session.used.max(now);
        }
    }

    /// It counts no more.
    pub(super) fn end(&mut self, key: SessionKey) {
        self.sessions.remove(&key);
    }

    fn end_oldest(&mut self, counts: impl Fn(&Session) -> bool) {
        let candidates = self.sessions.iter().filter(|(_, session)| counts(session));
        // The key decides between equals, so that the order of the map does not.
        let oldest = candidates.min_by_key(|(key, session)| (session.used, **key)).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.sessions.remove(&key);
        }
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOON: UnixTime = UnixTime::from_secs(1_790_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    const SECRETS: SecretsMark = SecretsMark { pin: 1, password: 1 };

    fn id(number: usize) -> SessionId {
        let mut octets = [0; 32];
        octets[..8].copy_from_slice(&number.to_be_bytes());
        SessionId::from_octets(octets)
    }

    fn begin(table: &mut SessionTable, number: usize, user: &str, now: UnixTime) {
        let user = Address::new(user, "example.test").unwrap();
        table.begin(&id(number), Session::new(user, SECRETS, CsrfToken::from_octets([7; 32]), now), now);
    }

    fn is_there(table: &SessionTable, number: usize, now: UnixTime) -> bool {
        table.find(id(number).key(), now).is_some()
    }

    #[test]
    fn an_id_is_read_as_it_is_written_and_nothing_else_is() {
        let id = SessionId::from_octets(std::array::from_fn(|n| u8::try_from(n * 8).unwrap()));
        assert!(SessionId::parse(&id.text()) == Some(id.clone()));
        let text = id.text();
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace('8', "G"), &text.to_uppercase()] {
            assert!(SessionId::parse(wrong).is_none(), "{wrong}");
        }
    }

    // SEC-102
    #[test]
    fn what_is_kept_does_not_show_the_id_or_the_token() {
        let mut table = SessionTable::default();
        begin(&mut table, 5, "alice", NOON);
        let printed = format!("{table:?} {:?}", id(5));
        assert!(!printed.contains(&id(5).text()) && !printed.contains(&"07".repeat(32)), "{printed}");
        assert!(id(5).key() != SessionKey([0; 32]) && id(5).key().0 != id(5).0);
    }

    #[test]
    fn a_token_is_known_by_all_of_its_characters() {
        let token = CsrfToken::from_octets([7; 32]);
        let text = token.text().to_owned();
        assert!(token.is(&text));
        for wrong in ["", &text[1..], &format!("{text}0"), &format!("1{}", &text[1..])] {
            assert!(!token.is(wrong), "{wrong}");
        }
    }

    // SEC-102
    #[test]
    fn half_an_hour_without_use_ends_a_session() {
        let mut table = SessionTable::default();
        begin(&mut table, 1, "alice", NOON);
        assert!(is_there(&table, 1, NOON + IDLE_MAX - SECOND));
        assert!(!is_there(&table, 1, NOON + IDLE_MAX));
        table.touch(id(1).key(), NOON + IDLE_MAX - SECOND);
        assert!(is_there(&table, 1, NOON + IDLE_MAX));
        assert!(!is_there(&table, 1, NOON + IDLE_MAX + IDLE_MAX));
    }

    // SEC-102
    #[test]
    fn twelve_hours_end_a_session_however_much_it_is_used() {
        let mut table = SessionTable::default();
        begin(&mut table, 1, "alice", NOON);
        let mut now = NOON;
        while now + IDLE_MAX < NOON + LIFE_MAX {
            now = now + IDLE_MAX - SECOND;
            assert!(is_there(&table, 1, now));
            table.touch(id(1).key(), now);
        }
        assert!(is_there(&table, 1, NOON + LIFE_MAX - SECOND));
        table.touch(id(1).key(), NOON + LIFE_MAX - SECOND);
        assert!(!is_there(&table, 1, NOON + LIFE_MAX));
    }

    #[test]
    fn a_ninth_session_of_a_user_ends_the_one_used_longest_ago() {
        let mut table = SessionTable::default();
        for number in 0..SESSIONS_PER_USER_MAX {
            begin(&mut table, number, "alice", NOON + u32::try_from(number).unwrap() * SECOND);
        }
        begin(&mut table, 100, "bob", NOON);
        let later = NOON + 60 * SECOND;
        table.touch(id(0).key(), later);
        begin(&mut table, 50, "alice", later);
        assert!(!is_there(&table, 1, later), "the second was used longest ago");
        assert!(is_there(&table, 0, later) && is_there(&table, 2, later) && is_there(&table, 100, later));
        assert!(is_there(&table, 50, later));
    }

    #[test]
    fn a_full_table_makes_room_by_ending_the_session_used_longest_ago() {
        let mut table = SessionTable::default();
        for number in 0..SESSIONS_MAX {
            let user = Address::new(&format!("user{number}"), "example.test").unwrap();
            let at = NOON + Duration::from_millis(number.try_into().unwrap());
            let session = Session::new(user, SECRETS, CsrfToken::from_octets([7; 32]), at);
            table.sessions.insert(id(number).key(), session);
        }
        let later = NOON + 20 * SECOND;
        begin(&mut table, SESSIONS_MAX, "alice", later);
        assert!(!is_there(&table, 0, later) && is_there(&table, 1, later));
        assert!(is_there(&table, SESSIONS_MAX, later));
        assert_eq!(table.sessions.len(), SESSIONS_MAX);
        // Dead ones go first.
        begin(&mut table, SESSIONS_MAX + 1, "alice", NOON + IDLE_MAX + 15 * SECOND);
        assert!(table.sessions.len() < 2 + SESSIONS_MAX);
        assert!(is_there(&table, SESSIONS_MAX, NOON + IDLE_MAX + 15 * SECOND));
    }

    #[test]
    fn an_ended_session_is_gone() {
        let mut table = SessionTable::default();
        begin(&mut table, 1, "alice", NOON);
        begin(&mut table, 2, "alice", NOON);
        table.end(id(1).key());
        assert!(!is_there(&table, 1, NOON) && is_there(&table, 2, NOON));
    }
}
