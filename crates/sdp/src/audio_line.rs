//! One audio line of a description, as the peer wrote it.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Media, Session};

use crate::address::{Place, place};
use crate::codec::Encoding;
use crate::crypto::CryptoLine;
use crate::security::Profile;
use crate::{Codec, Direction, Refusal};

/// The most formats of one line that are looked at; a payload type has seven bits (RFC 3550 5.1).
const FORMATS_MAX: usize = 128;

/// What an audio line says, checked as far as it can be without knowing what we have.
#[derive(Debug)]
pub(crate) struct AudioLine {
    pub(crate) profile: Profile,
    pub(crate) formats: Vec<(u8, Encoding)>,
    /// Which way the peer means media to flow, seen from its side.
    pub(crate) direction: Direction,
    pub(crate) place: Place,
    port: u16,
    rtcp_port: Option<u16>,
    /// Whether there is any `a=crypto`, usable or not.
    pub(crate) has_crypto: bool,
    pub(crate) crypto: Vec<CryptoLine>,
}

impl AudioLine {
    /// Reads an audio line. `ours` is the address that we tell the peer.
    pub(crate) fn read(session: &Session, media: &Media, ours: IpAddr) -> Result<AudioLine, Refusal> {
        let profile = Profile::read(&media.proto).ok_or(Refusal::Profile)?;
        let connection =
            media.connections.first().or(session.connection.as_ref()).ok_or(Refusal::NoConnection)?;
        let crypto_values = || values(media, "crypto");
        Ok(AudioLine {
            profile,
            formats: formats(media)?,
            direction: direction(session, media),
            place: place(connection, ours)?,
            port: media.port,
            rtcp_port: values(media, "rtcp").find_map(|value| value.split(' ').next()?.parse().ok()),
            has_crypto: crypto_values().next().is_some(),
            crypto: crypto_values().filter_map(CryptoLine::read).collect(),
        })
    }

    /// Where the peer wants RTP, if that is a place we send to.
    pub(crate) fn rtp(&self) -> Option<SocketAddr> {
        self.socket(self.port)
    }

    /// Where the peer wants RTCP: the next port (RFC 3550 11) unless it says otherwise (RFC 3605).
    pub(crate) fn rtcp(&self) -> Option<SocketAddr> {
        self.socket(self.rtcp_port.or(self.port.checked_add(1))?)
    }

    fn socket(&self, port: u16) -> Option<SocketAddr> {
        match self.place {
            Place::Unicast(address) if port != 0 => Some(SocketAddr::new(address, port)),
            Place::Unicast(_) => None,
            Place::Unspecified => None,
            Place::Nowhere => None,
        }
    }

    /// The first of the peer's formats that is one of `codecs`.
    pub(crate) fn first_of(&self, codecs: &[Codec]) -> Option<(u8, Codec)> {
        self.formats.iter().find_map(|(payload_type, encoding)| match encoding {
            Encoding::Audio(codec) if codecs.contains(codec) => Some((*payload_type, *codec)),
            _ => None,
        })
    }

    /// The payload type of telephone-events at the clock rate of `codec`, or else at 8000, which
    /// everybody has.
    pub(crate) fn telephone_event(&self, codec: Codec) -> Option<(u8, u32)> {
        let at = |wanted: u32| {
            self.formats.iter().find_map(|(payload_type, encoding)| match encoding {
                Encoding::TelephoneEvent(rate) if *rate == wanted => Some((*payload_type, wanted)),
                _ => None,
            })
        };
        at(codec.clock_rate()).or_else(|| at(8_000))
    }
}

fn values<'a>(media: &'a Media, name: &'static str) -> impl Iterator<Item = &'a str> {
    media
        .attributes
        .iter()
        .filter(move |attribute| attribute.attribute == name)
        .filter_map(|attribute| attribute.value.as_deref())
}

fn formats(media: &Media) -> Result<Vec<(u8, Encoding)>, Refusal> {
    let rtpmap = |payload_type: u8| {
        values(media, "rtpmap").find_map(|value| {
            let (number, encoding) = value.split_once(' ')?;
            (number.parse() == Ok(payload_type)).then_some(encoding)
        })
    };
    let mut formats = Vec::new();
    for format in media.fmt.split(' ').filter(|format| !format.is_empty()) {
        let payload_type: u8 = format.parse().map_err(|_| Refusal::Formats)?;
        if payload_type > 127 || formats.len() == FORMATS_MAX {
            return Err(Refusal::Formats);
        }
        formats.push((payload_type, Encoding::read(payload_type, rtpmap(payload_type))));
    }
    if formats.is_empty() { Err(Refusal::Formats) } else { Ok(formats) }
}

/// RFC 8866 6.7: the media line's own attribute, or else the session's.
fn direction(session: &Session, media: &Media) -> Direction {
    let read = |attributes: &[sdp_types::Attribute]| {
        attributes.iter().find_map(|attribute| Direction::read(&attribute.attribute))
    };
    read(&media.attributes).or_else(|| read(&session.attributes)).unwrap_or_default()
}
