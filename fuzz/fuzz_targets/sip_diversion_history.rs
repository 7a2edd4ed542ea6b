//! Fuzzes the readers of Diversion and History-Info.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::sip::diversion_history(octets));
