//! The unified messaging server's brain: which script, which media, which mailbox.
//!
//! [`Um`] is a [`umbel_node::Node`]. Calls come up to it from the user agent; what each one is, is decided
//! once, from its INVITE and from who is who (`classify`), and from then on a conversation of `ivr` leads
//! it. This room joins that conversation with the media session and the store, and holds what none of them
//! knows: identity, trust, time.
//!
//! | module | question it answers |
//! |---|---|
//! | `particulars`, `names` | what does the INVITE say, and whom does it name? |
//! | `classify` | whose mailbox, which conversation, with or without the PIN? |
//! | `call` | how far is this call, and what happens next in it? |
//! | `call::talk`, `playback`, `recordings`, `mailbox` | what do the script's orders mean for media and store? |
//! | `play_on_phone`, `call::outgoing` | which calls do we place, and how? |
//! | `message_waiting`, `missed_calls` | what is asked and told beside calls? |
//! | `refusal` | which status does a refusal get? |
//! | [`Order`], [`Wish`] | what does the event loop carry? |

mod alarm;
mod call;
mod classify;
mod config;
mod counter;
mod desk;
mod greetings;
mod keypad;
mod message_waiting;
mod missed_calls;
mod names;
mod order;
mod particulars;
mod play_on_phone;
mod refusal;
mod search;
mod turned_away;
mod um;

pub use call::heeds;
pub use classify::DiversionPreference;
pub use config::{
    Clocks, Config, ConfirmPlayback, Identity, Media, Notified, PlayOnPhone, Prompts, Recording,
};
pub use message_waiting::LampFigures;
pub use names::Locality;
pub use order::{Alarm, MediaKey, NoSockets, Order, Wish};
pub use um::Um;
