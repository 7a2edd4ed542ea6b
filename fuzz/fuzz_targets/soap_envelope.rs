//! Fuzzes the reader of SOAP envelopes, and of every operation in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::soap::envelope(octets));
