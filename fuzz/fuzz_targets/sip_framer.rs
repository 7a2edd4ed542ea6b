//! Fuzzes the framing of a stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::sip::framer(octets));
