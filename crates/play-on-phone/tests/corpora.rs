//! The corpus of the fuzz target, replayed: what once was found stays found. REL-50
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]
#![allow(clippy::disallowed_methods, reason = "reads the corpus from files")]

#[path = "../../../fuzz/src/dial_string.rs"]
mod target;

#[test]
fn dial_strings() {
    let folder = format!("{}/../../fuzz/corpus/dial_string", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        target::dial_string(&std::fs::read(file.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{folder} is empty");
}
