//! What a telephone is told about itself.

use std::net::IpAddr;
use std::time::Duration;

use umbel_sdp::{Codec, Srtp};
use umbel_sip_message::{StatusCode, Uri};
use umbel_ua::Credentials;

/// Settings of a telephone. `owner`, `server` and `contact` have no defaults: see [`Config::new`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to be: an address-of-record as a URI without parameters.
    pub owner: Uri,
    /// What to call its owner beside it.
    pub name: Option<String>,
    /// The configured next hop, `sip:HOST:PORT;transport=tls`: every request goes there, no other server is
    /// ever asked for the way.
    pub server: Uri,
    /// Where requests reach us. Behind a registration they come along its flow, wherever this points.
    pub contact: Uri,
    /// What to answer challenges with; for its own realm only (SEC-50). Default: none.
    pub credentials: Option<Credentials>,
    /// Whether the server knows us by the certificate that we show (a listed peer). Default: no.
    pub known_by_certificate: bool,
    /// RFC 5626 4.1: `urn:uuid:…` of this telephone; without one it registers without `outbound`. Default: none.
    pub instance: Option<String>,
    /// How long to ask to be registered. Default: an hour.
    pub expires: Duration,
    /// What happens to calls that come. Default: they ring.
    pub answering: Answering,
    /// Whether the owner wishes to appear offline: only Play-On-Phone rings then (OCEXUM-3.2-7). Default: no.
    pub appear_offline: bool,
    /// Whether the other side of a call may send us on to somebody else (RFC 3515), or somebody else take its place
    /// (RFC 3891). Default: yes.
    pub transfers: bool,
    /// So many calls at once; one more is busy. Default: 1.
    pub lines: usize,
    /// Codecs, in the order in which they are offered. Default: G.722, PCMU, PCMA.
    pub codecs: Vec<Codec>,
    /// When sound is encrypted. Default: where the connection to the server is.
    pub srtp: Srtp,
    /// Where our packets of sound are sent from, as peers are told. Default: 127.0.0.1.
    pub rtp_address: IpAddr,
    /// The product, for User-Agent and Server. Default: `Umbel-phone`.
    pub user_agent: String,
}

impl Config {
    /// A telephone of `owner` at `server`, everything else by default.
    pub fn new(owner: Uri, server: Uri, contact: Uri) -> Self {
        Config {
            owner,
            name: None,
            server,
            contact,
            credentials: None,
            known_by_certificate: false,
            instance: None,
            expires: umbel_ua::registration::EXPIRES,
            answering: Answering::Ring,
            appear_offline: false,
            transfers: true,
            lines: 1,
            codecs: vec![Codec::G722, Codec::Pcmu, Codec::Pcma],
            srtp: Srtp::Offered,
            rtp_address: IpAddr::from([127, 0, 0, 1]),
            user_agent: "Umbel-phone".to_owned(),
        }
    }
}

/// What happens to calls that come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answering {
    /// They ring until somebody answers or gives up.
    Ring,
    /// They ring for this long and are then answered.
    After {
        /// How long.
        ringing: Duration,
        /// POP-12: a Play-On-Phone call is answered only where somebody asked for just that (DEC-28).
        play_on_phone: bool,
    },
    /// Busy: 486.
    Busy,
    /// Declined: 603.
    Decline,
    /// Sent on to somebody else. A Play-On-Phone call never is (SENS-16).
    Deflect {
        /// To whom.
        to: Uri,
        /// By which response.
        by: Redirection,
    },
}

/// How a call is sent on.
///
/// Our protocol server follows both by itself (SIPRE-30). The default is 303, which asks the server to do it;
/// a server that does not know it hands it to the caller, who treats it as any redirection (RFC 3261 8.1.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirection {
    /// 302: "the requesting client SHOULD retry the request at the new address" (RFC 3261 21.3.3).
    MovedTemporarily,
    /// 303, of draft-rajesh-sipping-303: the proxy is to retarget.
    #[default]
    SeeOther,
}

impl Redirection {
    /// The status of the response.
    pub const fn status(self) -> StatusCode {
        const SEE_OTHER: StatusCode = match StatusCode::new(303) {
            Some(status) => status,
            None => StatusCode::MOVED_TEMPORARILY,
        };
        match self {
            Redirection::MovedTemporarily => StatusCode::MOVED_TEMPORARILY,
            Redirection::SeeOther => SEE_OTHER,
        }
    }
}
