//! The notifier and the messages that it writes, read again.
