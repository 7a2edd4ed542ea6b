//! The corpora of the fuzz targets, replayed: what once was found stays found. REL-50
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]
#![allow(clippy::disallowed_methods, reason = "reads the corpora from files")]

#[path = "../../../fuzz/src/soap.rs"]
mod targets;

#[test]
fn envelope() {
    let folder = format!("{}/../../fuzz/corpus/soap_envelope", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        targets::envelope(&std::fs::read(file.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{folder} is empty");
}
