//! Our side of one call's description, over all its offers and answers (RFC 3264).

use bytes::Bytes;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::address::Place;
use crate::audio_line::AudioLine;
use crate::crypto::CryptoLine;
use crate::security::{self, Circumstances, Profile, Security};
use crate::{
    AudioFormat, Capabilities, Codec, Description, Direction, Keys, MasterKey, Negotiated, Refusal, Suite,
};

/// The payload type under which we offer telephone-events at 8000.
const TELEPHONE_EVENT: u8 = 101;
/// The payload type under which we offer telephone-events at 48000.
const TELEPHONE_EVENT_48000: u8 = 97;
/// Milliseconds in each of our packets, which is what everybody takes (RFC 3551 4.2). What the peer
/// would like is a wish (RFC 8866 6.4) and is not followed.
const PTIME_MS: u8 = 20;

/// Our side of one call's session.
///
/// A refused offer leaves it as it was. Its `o=` line stays for the life of the call, and the version in
/// it grows with every change (RFC 3264 8).
#[derive(Debug)]
pub struct Session {
    capabilities: Capabilities,
    over_tls: bool,
    id: u64,
    version: u64,
    /// What was last sent, but for its version. Holds keys.
    sent: Option<Sent>,
    established: Option<Keys>,
}

/// A description without its version, wiped when dropped.
struct Sent(Zeroizing<String>);

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("****")
    }
}

/// An offer of ours that waits for its answer. Spent by [`Session::complete`].
#[must_use = "an offer without its answer has settled nothing"]
#[derive(Debug)]
pub struct PendingOffer {
    profile: Profile,
    direction: Direction,
    crypto: Vec<CryptoLine>,
}

/// How the audio line of an offer is answered.
struct Choice {
    line: usize,
    audio: AudioLine,
    format: AudioFormat,
    telephone_event: Option<(u8, u32)>,
    crypto: Option<CryptoLine>,
}

impl Session {
    /// A session in which nothing is settled yet. `over_tls` is about the connection that carries the
    /// signalling: keys are told over TLS only.
    pub fn new(capabilities: Capabilities, over_tls: bool, rng: &mut impl CryptoRng) -> Session {
        // Below 2^62, so that those who keep it in a signed number can.
        let id = rng.next_u64() >> 2;
        Session { capabilities, over_tls, id, version: 0, sent: None, established: None }
    }

    /// Answers an offer.
    pub fn answer(&mut self, offer: &[u8], rng: &mut impl CryptoRng) -> Result<(Bytes, Negotiated), Refusal> {
        let offer = Description::parse(offer)?;
        let Some(choice) = self.choose(&offer)? else {
            let medias = offer.media().iter().map(rejected).collect();
            return Ok((self.print(medias), self.without_media()));
        };
        let keys = choice.crypto.as_ref().map(|line| self.keys(line, rng));
        let direction = answered_direction(&choice.audio);
        let answered = self.audio_media(&choice, direction, keys.as_ref());
        let mut medias: Vec<_> = offer.media().iter().map(rejected).collect();
        if let Some(slot) = medias.get_mut(choice.line) {
            *slot = answered;
        }
        let negotiated = negotiated(&choice.audio, choice.format, choice.telephone_event, direction, keys);
        self.established = negotiated.srtp.clone().or(self.established.take());
        Ok((self.print(medias), negotiated))
    }

    /// Makes an offer: for an INVITE of ours, or one that came without.
    pub fn offer(
        &mut self,
        direction: Direction,
        rng: &mut impl CryptoRng,
    ) -> Result<(Bytes, PendingOffer), Refusal> {
        let (profile, security) = security::of_our_offer(self.circumstances())?;
        let crypto = match (security, &self.established) {
            (Security::Plain, _) => Vec::new(),
            // The same key again, so that what is on its way can still be read.
            (Security::Keyed, Some(keys)) => {
                vec![CryptoLine { tag: 1, suite: keys.suite, key: keys.ours.clone() }]
            }
            (Security::Keyed, None) => (1..)
                .zip(Suite::ALL)
                .map(|(tag, suite)| CryptoLine { tag, suite, key: MasterKey::random(rng) })
                .collect(),
        };
        let media = self.offered_media(profile, direction, &crypto);
        let offer = self.print(vec![media]);
        Ok((offer, PendingOffer { profile, direction, crypto }))
    }

    /// Takes the answer to an offer of ours.
    pub fn complete(&mut self, pending: PendingOffer, answer: &[u8]) -> Result<Negotiated, Refusal> {
        let answer = Description::parse(answer)?;
        // RFC 3264 6: as many lines as were offered, in the same order.
        let media = answer.media().first().ok_or(Refusal::AnswerMismatch)?;
        if media.media != "audio" {
            return Err(Refusal::AnswerMismatch);
        }
        if media.port == 0 {
            return Ok(self.without_media());
        }
        let audio = AudioLine::read(answer.session(), media, self.capabilities.address)?;
        if audio.profile != pending.profile {
            return Err(Refusal::AnswerMismatch);
        }
        let (payload_type, codec) =
            audio.first_of(&self.capabilities.codecs).ok_or(Refusal::NoCommonCodec)?;
        let format = AudioFormat { codec, payload_type };
        let keys = self.answered_keys(&pending, &audio)?;
        let direction = pending.direction.and(answered_direction(&audio));
        let telephone_event = audio.telephone_event(codec);
        let negotiated = negotiated(&audio, format, telephone_event, direction, keys);
        self.established = negotiated.srtp.clone().or(self.established.take());
        Ok(negotiated)
    }

    fn circumstances(&self) -> Circumstances {
        Circumstances {
            over_tls: self.over_tls,
            srtp: self.capabilities.srtp,
            encrypted_before: self.established.is_some(),
        }
    }

    /// The first audio line that can be served; `None` where the peer wants no audio now (port 0).
    fn choose(&self, offer: &Description) -> Result<Option<Choice>, Refusal> {
        let is_audio = |media: &sdp_types::Media| media.media == "audio";
        if !offer.media().iter().any(is_audio) {
            return Err(Refusal::NoAudio);
        }
        let wanted = offer.media().iter().enumerate().filter(|(_, media)| is_audio(media) && media.port != 0);
        let mut first_refusal = None;
        for (line, media) in wanted {
            match self.serve(offer, line, media) {
                Ok(choice) => return Ok(Some(choice)),
                // SEC-74: an unusable key is not mended by the plain line that may follow.
                Err(refusal @ (Refusal::NoUsableKey | Refusal::Downgrade)) => return Err(refusal),
                Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
            }
        }
        first_refusal.map_or(Ok(None), Err)
    }

    fn serve(&self, offer: &Description, line: usize, media: &sdp_types::Media) -> Result<Choice, Refusal> {
        let audio = AudioLine::read(offer.session(), media, self.capabilities.address)?;
        let crypto = match security::of_offered(audio.profile, audio.has_crypto, self.circumstances())? {
            Security::Plain => None,
            // RFC 4568 5.1.2: the first that is acceptable.
            Security::Keyed => Some(audio.crypto.first().cloned().ok_or(Refusal::NoUsableKey)?),
        };
        // RFC 3264 6.1: in the order of the offer, which is the peer's preference.
        let (payload_type, codec) =
            audio.first_of(&self.capabilities.codecs).ok_or(Refusal::NoCommonCodec)?;
        let format = AudioFormat { codec, payload_type };
        let telephone_event = audio.telephone_event(codec);
        Ok(Choice { line, audio, format, telephone_event, crypto })
    }

    /// The keys for an offered line: our own stays while the suite does.
    fn keys(&self, line: &CryptoLine, rng: &mut impl CryptoRng) -> Keys {
        let ours = match &self.established {
            Some(keys) if keys.suite == line.suite => keys.ours.clone(),
            _ => MasterKey::random(rng),
        };
        Keys { suite: line.suite, ours, theirs: line.key.clone() }
    }

    fn answered_keys(&self, pending: &PendingOffer, audio: &AudioLine) -> Result<Option<Keys>, Refusal> {
        if pending.crypto.is_empty() {
            return Ok(None);
        }
        match security::of_answered(audio.profile, audio.has_crypto, self.circumstances())? {
            Security::Plain => Ok(None),
            Security::Keyed => {
                // RFC 4568 5.1.3: one line, with the tag and suite of one that was offered.
                let theirs = audio.crypto.first().ok_or(Refusal::NoUsableKey)?;
                let ours = pending
                    .crypto
                    .iter()
                    .find(|offered| offered.tag == theirs.tag && offered.suite == theirs.suite)
                    .ok_or(Refusal::AnswerMismatch)?;
                Ok(Some(Keys { suite: ours.suite, ours: ours.key.clone(), theirs: theirs.key.clone() }))
            }
        }
    }

    /// What is settled where the peer wants no audio now: nothing flows, and the call goes on.
    fn without_media(&self) -> Negotiated {
        let codec = self.capabilities.codecs.first().copied().unwrap_or(Codec::Pcmu);
        Negotiated {
            audio: AudioFormat { codec, payload_type: codec.offered_payload_type() },
            telephone_event: None,
            remote: None,
            remote_rtcp: None,
            direction: Direction::Inactive,
            held: true,
            without_media: true,
            srtp: self.established.clone(),
        }
    }

    fn audio_media(&self, choice: &Choice, direction: Direction, keys: Option<&Keys>) -> sdp_types::Media {
        let mut formats = vec![(choice.format.payload_type, choice.format.codec.rtpmap().to_owned())];
        if let Some((payload_type, rate)) = choice.telephone_event {
            formats.push((payload_type, telephone_event_rtpmap(rate)));
        }
        let crypto: Vec<CryptoLine> = keys
            .zip(choice.crypto.as_ref())
            .map(|(keys, offered)| CryptoLine { tag: offered.tag, suite: keys.suite, key: keys.ours.clone() })
            .into_iter()
            .collect();
        self.media(choice.audio.profile, &formats, direction, &crypto)
    }

    fn offered_media(
        &self,
        profile: Profile,
        direction: Direction,
        crypto: &[CryptoLine],
    ) -> sdp_types::Media {
        let codecs = &self.capabilities.codecs;
        let mut formats: Vec<_> =
            codecs.iter().map(|codec| (codec.offered_payload_type(), codec.rtpmap().to_owned())).collect();
        // RFC 4733 2.5.1.1: one for each clock rate among the codecs.
        if codecs.iter().any(|codec| codec.clock_rate() == 48_000) {
            formats.push((TELEPHONE_EVENT_48000, telephone_event_rtpmap(48_000)));
        }
        formats.push((TELEPHONE_EVENT, telephone_event_rtpmap(8_000)));
        self.media(profile, &formats, direction, crypto)
    }

    fn media(
        &self,
        profile: Profile,
        formats: &[(u8, String)],
        direction: Direction,
        crypto: &[CryptoLine],
    ) -> sdp_types::Media {
        let payload_types: Vec<String> =
            formats.iter().map(|(payload_type, _)| payload_type.to_string()).collect();
        let mut attributes = Vec::new();
        for (payload_type, rtpmap) in formats {
            attributes.push(attribute("rtpmap", format!("{payload_type} {rtpmap}")));
            if rtpmap.starts_with("telephone-event") {
                attributes.push(attribute("fmtp", format!("{payload_type} 0-15")));
            }
        }
        attributes.push(attribute("ptime", PTIME_MS.to_string()));
        attributes.push(sdp_types::Attribute { attribute: direction.as_str().to_owned(), value: None });
        attributes.extend(crypto.iter().map(|line| attribute("crypto", line.print().to_string())));
        sdp_types::Media {
            port: self.capabilities.port,
            attributes,
            ..bare_media("audio", profile.as_str(), &payload_types.join(" "))
        }
    }

    /// Prints a description; its version is that of the last one if nothing has changed.
    fn print(&mut self, medias: Vec<sdp_types::Media>) -> Bytes {
        let address = self.capabilities.address;
        let mut session =
            sdp_types::Session::new(sdp_types::Origin::with_ip_addr(self.id, 0_u64, address), "-");
        session.connection = Some(sdp_types::Connection::from_ip_addr(address));
        session.times = vec![sdp_types::Time { start_time: 0, stop_time: 0, repeats: Vec::new() }];
        session.medias = medias;
        let unversioned = Zeroizing::new(session.to_string());
        if self.sent.as_ref().is_none_or(|sent| *sent.0 != *unversioned) {
            self.version += 1;
            self.sent = Some(Sent(unversioned));
        }
        session.origin.sess_version = self.version;
        Description::new(session).print()
    }
}

/// What we do with the stream that this line describes: RFC 3264 6.1, and 8.4 for 0.0.0.0.
fn answered_direction(audio: &AudioLine) -> Direction {
    let reversed = audio.direction.reversed();
    match audio.place {
        Place::Unspecified => reversed.and(Direction::RecvOnly),
        // SEC-80: we may still listen to a peer to whom we do not send.
        Place::Nowhere => reversed,
        Place::Unicast(_) => reversed,
    }
}

fn negotiated(
    audio: &AudioLine,
    format: AudioFormat,
    telephone_event: Option<(u8, u32)>,
    direction: Direction,
    srtp: Option<Keys>,
) -> Negotiated {
    let sends = direction.sends();
    Negotiated {
        audio: format,
        telephone_event: telephone_event.map(|(payload_type, _)| payload_type),
        remote: audio.rtp().filter(|_| sends),
        remote_rtcp: audio.rtcp(),
        direction,
        held: !audio.direction.receives() || audio.place == Place::Unspecified,
        without_media: false,
        srtp,
    }
}

/// RFC 3264 6: a line that is not taken is answered with port 0 and otherwise as it was.
fn rejected(media: &sdp_types::Media) -> sdp_types::Media {
    bare_media(&media.media, &media.proto, &media.fmt)
}

fn bare_media(media: &str, proto: &str, fmt: &str) -> sdp_types::Media {
    sdp_types::Media {
        media: media.to_owned(),
        port: 0,
        num_ports: None,
        proto: proto.to_owned(),
        fmt: fmt.to_owned(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn attribute(name: &str, value: String) -> sdp_types::Attribute {
    sdp_types::Attribute { attribute: name.to_owned(), value: Some(value) }
}

fn telephone_event_rtpmap(rate: u32) -> String {
    format!("telephone-event/{rate}")
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
