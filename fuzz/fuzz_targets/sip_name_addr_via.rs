//! Fuzzes the readers of addresses and of Via.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| umbel_fuzz::sip::name_addr_via(octets));
