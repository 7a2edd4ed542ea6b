//! The web services through which a mail program plays messages on a telephone and finds them.
//!
//! [MS-OXWUMS] names the operations of the unified messaging service and of the Exchange web services that
//! concern the telephone. Here requests become values and answers become text; who asks, what is so, and what
//! happens meanwhile is the caller's business.
//!
//! [`xml`] reads and prints, [`envelope`] takes SOAP off and puts it on, [`fault`] and [`response`] are the two
//! ways in which a service says no. [`unified_messaging`] and [`exchange`] are the two services, [`autodiscover`]
//! tells where they are, [`description`] what they speak. [`item`] is what lies around the voice message: folders, ids, search.

pub mod autodiscover;
pub mod description;
pub mod entry_id;
pub mod envelope;
pub mod exchange;
pub mod fault;
pub mod item;
pub mod refusal;
pub mod response;
mod response_code;
mod standing;
pub mod unified_messaging;
pub mod xml;

pub use response_code::ResponseCode;
