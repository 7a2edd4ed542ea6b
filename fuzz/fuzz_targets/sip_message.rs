//! Fuzzes the reader of messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::sip::message(octets));
