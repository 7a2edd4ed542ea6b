//! Fuzzes the readers of challenges and credentials.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::sip::digest(octets));
