//! Fuzzes the reader of URIs.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::sip::uri(octets));
