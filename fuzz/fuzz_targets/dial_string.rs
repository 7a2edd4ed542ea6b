//! Fuzzes the readers of dial strings and dialling rules.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::dial_string::dial_string(octets));
