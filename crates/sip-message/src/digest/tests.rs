//! The examples of RFC 7616 3.9 and RFC 2617 3.5, and what must not pass.
#![allow(clippy::unwrap_used)]

use super::{Algorithm, Challenge, Credentials, Ha1, NonceCount};
use crate::Method;

/// RFC 7616 3.9.1: `GET /dir/index.html`, both hash functions.
#[test]
fn the_examples_of_rfc_7616_3_9_1_verify() {
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let value = format!(
            "Digest username=\"Mufasa\",\r\n realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        let credentials = Credentials::parse(value.as_bytes()).unwrap().unwrap();
        let get = "GET".parse::<Method>().unwrap();
        let ha1 = Ha1::new(credentials.algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        assert!(credentials.verify(&ha1, &get), "{algorithm}");
        assert!(!credentials.verify(&ha1, &Method::Invite), "{algorithm}: another method");
        let wrong = Ha1::new(credentials.algorithm, "Mufasa", "http-auth@example.org", "circle of life");
        assert!(!credentials.verify(&wrong, &get), "{algorithm}: another password");
        assert_eq!(Credentials::parse(credentials.to_string().as_bytes()).unwrap().unwrap(), credentials);
    }
}

/// RFC 7616 3.9.2 as corrected by errata 4897: SHA-512/256 of FIPS 180-4, not a cut-off SHA-512.
#[test]
fn the_example_of_rfc_7616_3_9_2_is_computed_with_fips_180_4() {
    let ha1 = Ha1::new(Algorithm::Sha512_256, "J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?");
    let value = "Digest username=\"488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec\", \
        realm=\"api@example.org\", uri=\"/doe.json\", algorithm=SHA-512-256, \
        nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", nc=00000001, \
        cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", qop=auth, \
        response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"";
    let credentials = Credentials::parse(value.as_bytes()).unwrap().unwrap();
    assert!(credentials.verify(&ha1, &"GET".parse().unwrap()));
    // What the RFC printed, before the correction.
    let cut_off = value.replace(
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
        "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd",
    );
    let credentials = Credentials::parse(cut_off.as_bytes()).unwrap().unwrap();
    assert!(!credentials.verify(&ha1, &"GET".parse().unwrap()));
}

/// RFC 2617 3.5, as SIP clients of that time answer: no algorithm, an unquoted qop.
#[test]
fn the_example_of_rfc_2617_verifies() {
    let value =
        br#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
 uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1",
 opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    let value = String::from_utf8_lossy(value).replace('\n', "\r\n");
    let credentials = Credentials::parse(value.as_bytes()).unwrap().unwrap();
    let ha1 = Ha1::new(Algorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
    assert_eq!(ha1.expose_hex(), "939e7578ed9e3c518a452acee763bce9");
    assert!(credentials.verify(&ha1, &"GET".parse().unwrap()));
}

fn challenge(algorithm: Algorithm) -> Challenge {
    Challenge {
        realm: "example.com".into(),
        nonce: "n\"1".into(),
        opaque: Some("o".into()),
        stale: true,
        algorithm,
        qop_auth: true,
    }
}

#[test]
fn every_answer_satisfies_its_challenge() {
    for algorithm in Algorithm::ALL {
        for qop_auth in [true, false] {
            let challenge = Challenge { qop_auth, ..challenge(algorithm) };
            let printed = challenge.to_string();
            let challenge = Challenge::parse(printed.as_bytes()).unwrap().unwrap();
            assert_eq!(challenge.to_string(), printed);
            let ha1 = Ha1::new(algorithm, "dana", "example.com", "pw");
            let request = (&Method::Register, "sip:example.com");
            let answer = Credentials::answer(&challenge, ("dana", &ha1), request, ("c", NonceCount(0x1f)));
            let read = Credentials::parse(answer.to_string().as_bytes()).unwrap().unwrap();
            assert_eq!(read, answer);
            assert!(read.verify(&ha1, &Method::Register));
            assert_eq!(read.qop_auth, qop_auth.then(|| ("c".to_owned(), NonceCount(31))));
            let mut changed = read;
            changed.uri = "sip:elsewhere.example.com".into();
            assert!(!changed.verify(&ha1, &Method::Register));
        }
    }
}

#[test]
fn a_hash_of_one_kind_does_not_open_the_door_of_another() {
    let ha1 = Ha1::new(Algorithm::Md5, "dana", "example.com", "pw");
    let request = (&Method::Register, "sip:example.com");
    let answer =
        Credentials::answer(&challenge(Algorithm::Sha256), ("dana", &ha1), request, ("c", NonceCount(1)));
    assert!(!answer.verify(&ha1, &Method::Register));
}

#[test]
fn what_we_could_not_answer_is_passed_over() {
    for value in [
        "Basic realm=\"x\"",
        "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256-sess",
        "Digest realm=\"x\", nonce=\"y\", algorithm=UNHEARD-OF",
        "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
        "NoOneKnowsThisScheme opaque-data=here",
    ] {
        assert_eq!(Challenge::parse(value.as_bytes()).unwrap(), None, "{value}");
    }
    let both = Challenge::parse(b"Digest realm=\"x\", nonce=\"y\", qop=\"auth-int, auth\"").unwrap().unwrap();
    assert!(both.qop_auth && !both.stale);
    assert_eq!(both.algorithm, Algorithm::Md5);
}

#[test]
fn what_is_broken_is_an_error() {
    for value in [
        "",
        "Digest",
        "Digest ",
        "Digest realm",
        "Digest realm=",
        "Digest realm=\"x",
        "Digest realm=\"x\"",
        "Digest realm=\"x\", nonce=\"y\",",
        "Digest realm=\"x\", nonce=\"y\", realm=\"z\"",
        "Digest nonce=\"y\"",
        "Digest realm=\"x\" nonce=\"y\"",
        "Digest =\"x\"",
    ] {
        assert!(Challenge::parse(value.as_bytes()).is_err(), "{value:?}");
    }
    let good = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"00\", qop=auth, cnonce=\"c\", nc=00000001";
    assert!(Credentials::parse(good.as_bytes()).unwrap().is_some());
    for missing in [
        "username=\"u\", ",
        "realm=\"r\", ",
        "nonce=\"n\", ",
        "uri=\"sip:a\", ",
        "response=\"00\", ",
        "cnonce=\"c\", ",
    ] {
        assert!(Credentials::parse(good.replacen(missing, "", 1).as_bytes()).is_err(), "{missing}");
    }
    for count in ["1", "0000000g", "000000001", "+0000001"] {
        assert!(Credentials::parse(good.replace("00000001", count).as_bytes()).is_err(), "{count}");
    }
}

#[test]
fn secrets_do_not_print() {
    let ha1 = Ha1::new(Algorithm::Sha256, "dana", "example.com", "pw");
    assert_eq!(format!("{ha1:?}"), "Ha1(SHA-256, ****)");
    let answer = Credentials::answer(
        &challenge(Algorithm::Sha256),
        ("dana", &ha1),
        (&Method::Register, "sip:a"),
        ("c", NonceCount(1)),
    );
    assert!(!format!("{answer:?}").contains(&*answer.expected(&ha1, "REGISTER")));
}
