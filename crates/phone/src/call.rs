//! One call of a telephone: where it stands, and what was agreed on for its sound.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use umbel_media::Parameters;
use umbel_sdp::{Capabilities, Direction, Negotiated, PendingOffer, Session};
use umbel_sip_message::{StatusCode, Uri};
use umbel_time::Instant;
use umbel_ua::{CallKey, Outgoing};

use crate::incoming::Incoming;
use crate::order::How;

/// A call.
pub(crate) struct Call {
    pub(crate) call_id: String,
    pub(crate) stage: Stage,
    /// Who called, where somebody called us.
    pub(crate) incoming: Option<Box<Incoming>>,
    /// The session's description; begun when its sockets are known.
    session: Option<Session>,
    /// Whether both sides have agreed on sound at some time.
    agreed: bool,
    pending: Option<PendingOffer>,
    /// Whether the other side has put us on hold.
    held: bool,
    /// What was told of that.
    told_held: bool,
    /// The call that this one takes the place of.
    pub(crate) replaces: Option<CallKey>,
    /// What was sent, where we call: to call again where we are pointed to.
    pub(crate) dialled: Option<Box<Outgoing>>,
    /// Where a 3xx has pointed us to.
    pub(crate) redirected: Vec<Uri>,
    /// The status of the last provisional response that was told.
    pub(crate) progress: Option<StatusCode>,
    /// How often the other side has sent us on.
    pub(crate) referrals: u32,
    /// Why we ended it, where that says more than what SIP will tell.
    pub(crate) because: Option<How>,
}

/// Where a call stands.
pub(crate) enum Stage {
    /// We are going to call; the sockets are being bound.
    Opening(Box<Outgoing>),
    /// The INVITE is on its way.
    Calling,
    /// Somebody calls; the sockets are being bound.
    Arriving {
        /// The caller's offer.
        offer: Option<Bytes>,
        /// When to answer by ourselves, counted from the ringing.
        answer_after: Option<Duration>,
        over_tls: bool,
    },
    /// It rings here. What we would answer is prepared.
    Ringing {
        body: Bytes,
        /// What the caller's offer and our answer come to; `None` where ours is the offer.
        parameters: Option<Box<Parameters>>,
    },
    /// Our 200 with an offer is out; the answer comes with the ACK.
    Confirming,
    /// It is up, since then.
    Up(Instant),
    /// It is being ended.
    Ending,
}

/// Why a description leads nowhere.
pub(crate) struct NoSession {
    pub(crate) status: StatusCode,
    pub(crate) why: String,
    /// RFC 3261 20.43: the value of Warning that says so.
    pub(crate) warning: String,
}

impl From<umbel_sdp::Refusal> for NoSession {
    fn from(refusal: umbel_sdp::Refusal) -> Self {
        NoSession {
            status: StatusCode::new(refusal.status()).unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE),
            why: refusal.to_string(),
            warning: format!("{} umbel-phone \"{refusal}\"", refusal.warning()),
        }
    }
}

impl Call {
    pub(crate) fn outgoing(outgoing: Outgoing) -> Self {
        Call::new(String::new(), Stage::Opening(Box::new(outgoing)), None)
    }

    pub(crate) fn incoming(call_id: String, stage: Stage, incoming: Incoming) -> Self {
        Call::new(call_id, stage, Some(Box::new(incoming)))
    }

    fn new(call_id: String, stage: Stage, incoming: Option<Box<Incoming>>) -> Self {
        Call {
            call_id,
            stage,
            incoming,
            session: None,
            agreed: false,
            pending: None,
            held: false,
            told_held: false,
            replaces: None,
            dialled: None,
            redirected: Vec::new(),
            progress: None,
            referrals: 0,
            because: None,
        }
    }

    /// The sockets are there: the description of our side begins.
    pub(crate) fn describe(&mut self, media: Capabilities, over_tls: bool, rng: &mut ChaCha20Rng) {
        self.session = Some(Session::new(media, over_tls, rng));
    }

    pub(crate) fn is_described(&self) -> bool {
        self.session.is_some()
    }

    /// How long it has been up.
    pub(crate) fn lasted(&self, now: Instant) -> Option<Duration> {
        match self.stage {
            Stage::Up(since) => Some(now.since(since)),
            _ => None,
        }
    }

    /// An offer of ours.
    pub(crate) fn offer(&mut self, direction: Direction, rng: &mut ChaCha20Rng) -> Result<Bytes, NoSession> {
        let session = self.session.as_mut().ok_or(umbel_sdp::Refusal::AnswerMismatch)?;
        let (body, pending) = session.offer(direction, rng)?;
        self.pending = Some(pending);
        Ok(body)
    }

    /// Our answer to an offer.
    pub(crate) fn answer(
        &mut self,
        offer: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<(Bytes, Parameters), NoSession> {
        let session = self.session.as_mut().ok_or(umbel_sdp::Refusal::AnswerMismatch)?;
        let (body, negotiated) = session.answer(offer, rng)?;
        self.pending = None;
        Ok((body, self.settle(&negotiated)?))
    }

    /// What the answer to our offer settles.
    pub(crate) fn complete(&mut self, answer: &[u8]) -> Result<Parameters, NoSession> {
        let (Some(session), Some(pending)) = (self.session.as_mut(), self.pending.take()) else {
            return Err(umbel_sdp::Refusal::AnswerMismatch.into());
        };
        let negotiated = session.complete(pending, answer)?;
        self.settle(&negotiated)
    }

    /// Our offer was refused, and the session stays as it was (RFC 3261 14.1).
    pub(crate) fn withdraw_offer(&mut self) {
        self.pending = None;
    }

    /// Whether we are held, where that is not told yet.
    pub(crate) fn hold_to_tell(&mut self) -> Option<bool> {
        let held = self.held;
        (std::mem::replace(&mut self.told_held, held) != held).then_some(held)
    }

    /// A telephone sends only where it was told to, and takes packets from there alone.
    fn settle(&mut self, negotiated: &Negotiated) -> Result<Parameters, NoSession> {
        // RFC 3264 6: port 0 takes the sound back, and here there was none yet: nobody would hear anything, and nobody
        // would know why.
        if negotiated.without_media && !self.agreed {
            return Err(umbel_sdp::Refusal::NoAudio.into());
        }
        self.agreed = true;
        self.held = negotiated.held;
        Ok(Parameters::of(negotiated, false).ok_or(umbel_sdp::Refusal::NoCommonCodec)?)
    }
}

/// What a telephone tells the other side about its sound.
pub(crate) fn capabilities(config: &crate::Config, at: SocketAddr) -> Capabilities {
    let has = |codec: &umbel_sdp::Codec| umbel_media::Codec::of(*codec).is_some();
    Capabilities {
        codecs: config.codecs.iter().copied().filter(has).collect(),
        srtp: config.srtp,
        address: config.rtp_address,
        port: at.port(),
    }
}
