//! The session description of one call, and what it means for its media session.

use std::net::SocketAddr;

use bytes::Bytes;
use umbel_media::{Codec, Command, Parameters};
use umbel_sdp::{Capabilities, Negotiated, PendingOffer, Refusal, Session};

use crate::desk::Desk;
use crate::order::Wish;

/// One call's media: the sockets, and what was negotiated for them.
#[derive(Debug)]
pub(crate) struct CallMedia {
    session: Session,
    /// An offer of ours that waits for its answer.
    pending: Option<PendingOffer>,
}

/// What a negotiation settled, as far as the call must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    /// The peer has put us on hold.
    pub(crate) held: bool,
    /// The peer has refused to hear anything at all.
    pub(crate) without_media: bool,
    /// How what is heard from now on is kept.
    pub(crate) format: umbel_wav::Format,
}

impl CallMedia {
    /// Media on sockets that are bound at `at`.
    pub(crate) fn new(at: SocketAddr, over_tls: bool, desk: &mut Desk<'_>) -> CallMedia {
        let media = &desk.config.media;
        let capabilities = Capabilities {
            codecs: media.codecs.iter().copied().filter(|codec| Codec::of(*codec).is_some()).collect(),
            srtp: media.srtp,
            address: media.advertise.unwrap_or(at.ip()),
            port: at.port(),
        };
        CallMedia { session: Session::new(capabilities, over_tls, desk.rng), pending: None }
    }

    /// Answers an offer. The media session is told.
    pub(crate) fn answer(&mut self, offer: &[u8], desk: &mut Desk<'_>) -> Result<(Bytes, Settled), Refusal> {
        let (answer, negotiated) = self.session.answer(offer, desk.rng)?;
        let settled = settle(&negotiated, desk)?;
        self.pending = None;
        Ok((answer, settled))
    }

    /// Makes an offer.
    pub(crate) fn offer(&mut self, desk: &mut Desk<'_>) -> Result<Bytes, Refusal> {
        let (offer, pending) = self.session.offer(umbel_sdp::Direction::SendRecv, desk.rng)?;
        self.pending = Some(pending);
        Ok(offer)
    }

    /// Takes the answer to our offer. The media session is told.
    pub(crate) fn complete(&mut self, answer: &[u8], desk: &mut Desk<'_>) -> Result<Settled, Refusal> {
        let pending = self.pending.take().ok_or(Refusal::AnswerMismatch)?;
        let negotiated = self.session.complete(pending, answer)?;
        settle(&negotiated, desk)
    }
}

/// Tells the media session what was negotiated.
fn settle(negotiated: &Negotiated, desk: &mut Desk<'_>) -> Result<Settled, Refusal> {
    let mut parameters =
        Parameters::of(negotiated, desk.config.media.learn_source).ok_or(Refusal::NoCommonCodec)?;
    // SEC-80: what is sent to ourselves would come back for ever.
    let elsewhere = |address: &SocketAddr| !desk.is_our_own(*address);
    parameters.remote = parameters.remote.filter(elsewhere);
    parameters.remote_control = parameters.remote_control.filter(elsewhere);
    let codec = parameters.codec;
    desk.media(Command::Update(parameters));
    let Negotiated { held, without_media, .. } = *negotiated;
    Ok(Settled { held, without_media, format: codec.recording_format() })
}

/// The sockets of a call, from the wish for them to their end.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    wished: bool,
    at: Option<SocketAddr>,
    /// SEC-80: what was entered as ours, whatever the settings say by the time it is taken out again.
    entered: Vec<SocketAddr>,
}

impl Sockets {
    /// Wishes for a pair.
    pub(crate) fn open(&mut self, desk: &mut Desk<'_>) {
        self.wished = true;
        let key = desk.media_key();
        desk.wish(Wish::OpenMedia { key });
    }

    /// They are bound.
    pub(crate) fn opened(&mut self, at: SocketAddr, desk: &mut Desk<'_>) {
        self.at = Some(at);
        self.entered = addresses(at, desk);
        desk.tray.sockets.extend(&self.entered);
    }

    /// There are none to be had.
    pub(crate) fn unavailable(&mut self) {
        self.wished = false;
    }

    pub(crate) fn at(&self) -> Option<SocketAddr> {
        self.at
    }

    /// They are not needed any more.
    pub(crate) fn close(&mut self, desk: &mut Desk<'_>) {
        self.at = None;
        for address in self.entered.drain(..) {
            desk.tray.sockets.remove(&address);
        }
        if std::mem::take(&mut self.wished) {
            let key = desk.media_key();
            desk.wish(Wish::CloseMedia { key });
        }
    }
}

/// The sockets as we and as others see them.
fn addresses(at: SocketAddr, desk: &Desk<'_>) -> Vec<SocketAddr> {
    let seen = desk.config.media.advertise.unwrap_or(at.ip());
    [at.ip(), seen]
        .into_iter()
        .flat_map(|ip| {
            [at.port(), at.port().saturating_add(1)].map(|port| SocketAddr::new(ip.to_canonical(), port))
        })
        .collect()
}
