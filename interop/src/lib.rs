//! What the suites share: starting our program and other people's, and listening to what they recorded.
//!
//! Each suite (`tests/baresip.rs`, `tests/sipp.rs`, `tests/kamailio.rs`) runs the program as users
//! build it, on ports and in a folder of its own, against one other program as its distribution
//! packages it. Helpers here panic with what they waited for: they are part of tests.

pub mod baresip;
pub mod certificates;
pub mod kamailio;
pub mod linphone;
pub mod our_telephone;
pub mod ports;
pub mod process;
pub mod sipp;
pub mod sound;
pub mod sound_server;
pub mod speech;
pub mod stand_in;
pub mod trace;
pub mod umbel;
pub mod wait;
