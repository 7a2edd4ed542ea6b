//! What a session has to say, until it is taken.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::{Channel, Event, Transmit};

/// Events and packets that wait to be taken.
#[derive(Default)]
pub(crate) struct Outbox {
    events: VecDeque<Event>,
    sound: Packet,
    control: Packet,
}

/// Room for one packet of each kind: a session makes no more of them at a time, and they are taken after each.
#[derive(Default)]
struct Packet {
    to: Option<SocketAddr>,
    bytes: Vec<u8>,
}

impl Outbox {
    /// Most events that wait. Beyond it keys are dropped and a recording is ended; what it has so far, and
    /// what tells the end of something, is still kept.
    pub(crate) const WAITING_MAX: usize = 64;

    /// Keeps an event that must be told.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Keeps an event if there is room.
    #[must_use]
    pub(crate) fn offer(&mut self, event: Event) -> bool {
        let room = !self.is_full();
        if room {
            self.events.push_back(event);
        }
        room
    }

    /// Whether more waits than should.
    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= Self::WAITING_MAX
    }

    pub(crate) fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The room for a packet on `channel`, to be filled; `to` says where it goes.
    pub(crate) fn packet(&mut self, channel: Channel, to: SocketAddr) -> &mut Vec<u8> {
        let packet = match channel {
            Channel::Rtp => &mut self.sound,
            Channel::Rtcp => &mut self.control,
        };
        packet.to = Some(to);
        packet.bytes.clear();
        &mut packet.bytes
    }

    pub(crate) fn transmit(&mut self) -> Option<Transmit<'_>> {
        for (channel, packet) in [(Channel::Rtp, &mut self.sound), (Channel::Rtcp, &mut self.control)] {
            match packet.to.take() {
                // An empty one could not be protected.
                Some(to) if !packet.bytes.is_empty() => {
                    return Some(Transmit { channel, to, bytes: &packet.bytes });
                }
                _ => {}
            }
        }
        None
    }
}
