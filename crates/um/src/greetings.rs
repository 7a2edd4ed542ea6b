//! Greetings that callers heard lately: one copy for all calls that hear the same, coded once (DEC-42).
//!
//! The store is asked for each call, since an owner may have recorded a new one meanwhile. What it gives is compared
//! with what is kept: the same content is the same greeting, whosever it is.

use std::collections::VecDeque;
use std::sync::Arc;

use umbel_media::{Greeting, Message};

/// The greetings at hand; the one that was not heard for longest comes first.
#[derive(Debug, Default)]
pub(crate) struct Greetings {
    kept: VecDeque<Arc<Greeting>>,
}

impl Greetings {
    /// Most greetings that are kept; the one not heard for longest makes room, and calls that hear it keep it.
    const KEPT_MAX: usize = 32;
    /// Most octets of sound that are kept, what is coded not counted, which is at most as much in each codec. A longer
    /// greeting belongs to its call alone.
    const OCTETS_MAX: usize = 4 << 20;

    /// The greeting of this sound.
    pub(crate) fn share(&mut self, message: Message) -> Arc<Greeting> {
        let known = self.kept.iter().position(|greeting| *greeting.message() == message);
        let known = known.and_then(|place| self.kept.remove(place));
        let greeting = known.unwrap_or_else(|| Arc::new(Greeting::new(message)));
        self.kept.push_back(Arc::clone(&greeting));
        while self.kept.len() > Self::KEPT_MAX || self.octets() > Self::OCTETS_MAX {
            self.kept.pop_front();
        }
        greeting
    }

    fn octets(&self) -> usize {
        self.kept.iter().map(|greeting| greeting.message().data.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use umbel_wav::Format;

    use super::*;

    fn sound(octet: u8, length: usize) -> Message {
        Message { format: Format::PCMU, data: vec![octet; length].into() }
    }

    /// DEC-42
    #[test]
    fn calls_that_hear_the_same_share_it_and_others_do_not() {
        let mut greetings = Greetings::default();
        let first = greetings.share(sound(1, 800));
        assert!(Arc::ptr_eq(&first, &greetings.share(sound(1, 800))));
        assert!(!Arc::ptr_eq(&first, &greetings.share(sound(1, 801))));
        assert!(!Arc::ptr_eq(&first, &greetings.share(sound(2, 800))));
        let other_law = Message { format: Format::PCMA, ..sound(1, 800) };
        assert!(!Arc::ptr_eq(&first, &greetings.share(other_law)));
        assert_eq!(greetings.kept.len(), 4);
    }

    #[test]
    fn the_one_not_heard_for_longest_makes_room() {
        let mut greetings = Greetings::default();
        let octet = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
        let kept: Vec<_> =
            (0..Greetings::KEPT_MAX).map(|number| greetings.share(sound(octet(number), 9))).collect();
        greetings.share(sound(0, 9));
        greetings.share(sound(octet(Greetings::KEPT_MAX), 9));
        assert_eq!(greetings.kept.len(), Greetings::KEPT_MAX);
        assert!(Arc::ptr_eq(&kept[0], &greetings.share(sound(0, 9))));
        assert!(!Arc::ptr_eq(&kept[1], &greetings.share(sound(1, 9))));
    }

    #[test]
    fn long_ones_do_not_add_up() {
        let mut greetings = Greetings::default();
        greetings.share(sound(1, Greetings::OCTETS_MAX));
        assert_eq!(greetings.kept.len(), 1);
        greetings.share(sound(2, 1));
        assert_eq!(greetings.octets(), 1);
        greetings.share(sound(3, Greetings::OCTETS_MAX + 1));
        assert!(greetings.kept.is_empty());
    }
}
