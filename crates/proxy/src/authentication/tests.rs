//! Telephones that answer challenges, and others that guess.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use rand_core::SeedableRng;
use umbel_sip_message::digest::NonceCount;
use umbel_store::Password;

use super::*;

const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1_000)
}

fn authentication() -> Authentication {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    Authentication::new("example.test", &[Algorithm::Sha256, Algorithm::Md5], &mut rng)
}

fn hashes(password: &str) -> DigestHashes {
    let bob = "bob@example.test".parse().unwrap();
    DigestHashes::new(&bob, &Password::new(password).unwrap())
}

fn request(method: &Method, uri: &str, credentials: &str) -> Request {
    let name = credentials_header(method);
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:bob@example.test>;tag=1\r\n\
         To: <sip:bob@example.test>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n{name}: {credentials}\r\nContent-Length: 0\r\n\r\n"
    );
    umbel_sip_message::parse(Bytes::from(text)).unwrap().into_request().unwrap()
}

struct Answer {
    user: &'static str,
    password: &'static str,
    count: u32,
    method: Method,
}

impl Default for Answer {
    fn default() -> Self {
        Answer { user: "bob", password: "secret word", count: 1, method: Method::Invite }
    }
}

/// Answers a challenge as a telephone does.
fn answer(challenge: &Challenge, answer: &Answer) -> Request {
    let Answer { user, password, count, method } = answer;
    let uri = "sip:alice@example.test";
    let ha1 = Ha1::new(challenge.algorithm, user, &challenge.realm, password);
    let count = NonceCount(*count);
    let credentials = Credentials::answer(challenge, (user, &ha1), (method, uri), ("cnonce", count));
    request(method, uri, &credentials.to_string())
}

fn judge(ours: &mut Authentication, now: Instant, request: &Request) -> Option<Judgement> {
    match ours.examine(now, request, SOURCE) {
        Examined::Candidate(candidate) => {
            let known = candidate.address.user() == "bob";
            let hashes = known.then(|| hashes("secret word"));
            Some(ours.judge(now, *candidate, request.method(), hashes.as_ref()))
        }
        Examined::Challenge { .. } | Examined::Locked => None,
    }
}

fn bob() -> Judgement {
    Judgement::Granted("bob@example.test".parse().unwrap())
}

// REG-3, SEC-47
#[test]
fn sha_256_is_offered_first_and_both_are_taken() {
    let mut ours = authentication();
    let challenges = ours.challenges(at(0), false);
    let algorithms: Vec<_> = challenges.iter().map(|challenge| challenge.algorithm).collect();
    assert_eq!(algorithms, [Algorithm::Sha256, Algorithm::Md5]);
    assert!(challenges.iter().all(|challenge| challenge.qop_auth && !challenge.stale));
    for (count, challenge) in (1..).zip(&challenges) {
        let request = answer(challenge, &Answer { count, ..Answer::default() });
        assert_eq!(judge(&mut ours, at(1), &request), Some(bob()), "{}", challenge.algorithm);
    }
}

#[test]
fn what_is_not_offered_is_not_taken() {
    let mut ours = authentication();
    let challenges = ours.challenges(at(0), false);
    ours.reconfigure("example.test", &[Algorithm::Sha256]);
    assert_eq!(ours.challenges(at(0), false).len(), 1);
    let by_md5 = answer(&challenges[1], &Answer::default());
    assert_eq!(judge(&mut ours, at(1), &by_md5), None);
    assert_eq!(judge(&mut ours, at(1), &answer(&challenges[0], &Answer::default())), Some(bob()));
}

// REG-3: a registrar is asked as a user agent, a proxy as a proxy.
#[test]
fn a_register_carries_its_answer_in_authorization() {
    let mut ours = authentication();
    let challenge = ours.challenges(at(0), false).remove(0);
    let register = answer(&challenge, &Answer { method: Method::Register, ..Answer::default() });
    assert!(register.headers().has(&HeaderName::Authorization));
    assert_eq!(judge(&mut ours, at(1), &register), Some(bob()));
}

// SEC-47
#[test]
fn forged_expired_and_replayed_answers_are_challenged_again() {
    let mut ours = authentication();
    let challenge = ours.challenges(at(0), false).remove(0);
    let good = answer(&challenge, &Answer::default());
    let stale_of =
        |ours: &mut Authentication, now, request: &Request| match ours.examine(now, request, SOURCE) {
            Examined::Challenge { stale } => Some(stale),
            _ => None,
        };
    assert_eq!(judge(&mut ours, at(1), &good), Some(bob()));
    assert_eq!(judge(&mut ours, at(1), &good), Some(Judgement::Challenge { stale: true }), "replayed");
    let next = answer(&challenge, &Answer { count: 2, ..Answer::default() });
    assert_eq!(stale_of(&mut ours, at(300), &next), Some(true), "expired");
    let forged = Challenge { nonce: "f".repeat(56), ..challenge.clone() };
    assert_eq!(stale_of(&mut ours, at(1), &answer(&forged, &Answer::default())), Some(false), "forged");
    let without_qop = Challenge { qop_auth: false, ..challenge.clone() };
    assert_eq!(stale_of(&mut ours, at(1), &answer(&without_qop, &Answer::default())), Some(false), "no qop");
    let elsewhere = Challenge { realm: "other.test".into(), ..challenge };
    assert_eq!(stale_of(&mut ours, at(1), &answer(&elsewhere, &Answer::default())), Some(false), "realm");
    for value in
        ["", "Digest", "Digest username=\"bob", "Basic Ym9iOnB3", &format!("Digest {}", "x=y,".repeat(900))]
    {
        let unreadable = request(&Method::Invite, "sip:alice@example.test", value);
        assert_eq!(stale_of(&mut ours, at(1), &unreadable), Some(false), "{value}");
    }
}

// RFC 3261 22.4: an answer is for one request; parameters of its URI may differ.
#[test]
fn an_answer_is_about_the_request_uri() {
    let mut ours = authentication();
    let challenge = ours.challenges(at(0), false).remove(0);
    let ha1 = Ha1::new(challenge.algorithm, "bob", "example.test", "secret word");
    let mut attempt = |uri: &str, count| {
        let signed = (&Method::Invite, "sip:alice@example.test;transport=tcp");
        let credentials = Credentials::answer(&challenge, ("bob", &ha1), signed, ("c", NonceCount(count)));
        judge(&mut ours, at(1), &request(&Method::Invite, uri, &credentials.to_string()))
    };
    assert_eq!(attempt("sip:alice@EXAMPLE.test", 1), Some(bob()));
    assert_eq!(attempt("sip:carol@example.test", 2), None);
    assert_eq!(attempt("sips:alice@example.test", 3), None);
}

// SEC-48
#[test]
fn an_unknown_user_and_a_wrong_password_are_the_same() {
    let mut ours = authentication();
    let challenge = ours.challenges(at(0), false).remove(0);
    let wrong = answer(&challenge, &Answer { password: "other word", ..Answer::default() });
    let unknown = answer(&challenge, &Answer { user: "nobody", ..Answer::default() });
    let impossible = answer(&challenge, &Answer { user: "no body@x", ..Answer::default() });
    for request in [wrong, unknown, impossible] {
        assert_eq!(judge(&mut ours, at(1), &request), Some(Judgement::Wrong { locks: None }));
    }
    // The nonce was not used up by them.
    assert_eq!(judge(&mut ours, at(1), &answer(&challenge, &Answer::default())), Some(bob()));
}

// SEC-49
#[test]
fn who_guesses_is_not_listened_to_for_fifteen_minutes() {
    let mut ours = authentication();
    let attempt = |ours: &mut Authentication, now, password| {
        let challenge = ours.challenges(now, false).remove(0);
        let request = answer(&challenge, &Answer { password, ..Answer::default() });
        judge(ours, now, &request)
    };
    for n in 1..=10 {
        let judged = attempt(&mut ours, at(n), "guess word");
        assert_eq!(judged, Some(Judgement::Wrong { locks: (n == 10).then(|| "bob".to_owned()) }));
    }
    assert_eq!(attempt(&mut ours, at(11), "secret word"), None, "not even the right one");
    assert_eq!(attempt(&mut ours, at(909), "secret word"), None);
    assert_eq!(attempt(&mut ours, at(910), "secret word"), Some(bob()));
}

#[test]
fn a_hash_of_zeros_is_nobodys_password() {
    let mut ours = authentication();
    let challenge = ours.challenges(at(0), false).remove(0);
    let zeros = Ha1::from_hex(Algorithm::Sha256, &"0".repeat(64));
    let signed = (&Method::Invite, "sip:alice@example.test");
    let credentials = Credentials::answer(&challenge, ("nobody", &zeros), signed, ("c", NonceCount(1)));
    let request = request(&Method::Invite, "sip:alice@example.test", &credentials.to_string());
    assert_eq!(judge(&mut ours, at(1), &request), Some(Judgement::Wrong { locks: None }));
}
