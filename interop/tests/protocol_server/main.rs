//! Our protocol server with other people's telephones, callers and voice mail; and Kamailio with the
//! configuration of docs/operating/kamailio.cfg in its place, to the same result.

#[cfg(feature = "baresip")]
mod baresip;
#[cfg(feature = "sipp")]
mod diversion;
#[cfg(all(feature = "sipp", feature = "kamailio"))]
mod kamailio;
#[cfg(feature = "sipp")]
mod loops;
#[cfg(feature = "baresip")]
mod our_telephone;
#[cfg(feature = "sipp")]
mod registrations;
#[cfg(feature = "sipp")]
mod trust;
#[cfg(feature = "sipp")]
mod voice_mail;
#[cfg(feature = "sipp")]
mod world;
