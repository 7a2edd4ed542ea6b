//! The corpora of the fuzz targets, replayed: what once was found stays found. REL-50
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]
#![allow(clippy::disallowed_methods, reason = "reads the corpora from files")]

#[path = "../../../fuzz/src/sip.rs"]
mod targets;

/// Runs one target over its corpus.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        target(&std::fs::read(file.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{folder} is empty");
}

#[test]
fn framer() {
    replay("sip_framer", targets::framer);
}

#[test]
fn message() {
    replay("sip_message", targets::message);
}

#[test]
fn uri() {
    replay("sip_uri", targets::uri);
}

#[test]
fn name_addr_and_via() {
    replay("sip_name_addr_via", targets::name_addr_via);
}

#[test]
fn digest() {
    replay("sip_digest", targets::digest);
}

#[test]
fn diversion_and_history() {
    replay("sip_diversion_history", targets::diversion_history);
}
