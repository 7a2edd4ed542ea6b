//! The subscriber and the messages that it writes, read again.
