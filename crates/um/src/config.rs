//! What the operator has set, as types.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use umbel_ivr::conversation;
use umbel_ivr::phrase::LocalTime;
use umbel_ivr::{Language, Prompt};
use umbel_ocexum::Policy;
use umbel_play_on_phone::DiallingRules;
use umbel_sip_message::Uri;
use umbel_time::UnixTime;

use crate::classify::DiversionPreference;
use crate::names::Locality;

/// Settings of a unified messaging server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The user agent. Its bound of calls is set by [`Config::calls_max`].
    pub agent: umbel_ua::Config,
    /// What is ours: domain, hosts, pilots.
    pub locality: Locality,
    /// Which connections are trusted, and what for.
    pub trust: Policy,
    /// Whether peers that are neither listed nor a gateway get 403 (PEER-4). Default: no.
    pub refuse_unlisted: bool,
    /// Which of several diverting parties names the mailbox. Default: the last.
    pub diversion_preference: DiversionPreference,
    /// Settings of the conversations.
    pub conversation: conversation::Config,
    /// Settings of the media.
    pub media: Media,
    /// How recordings end.
    pub recording: Recording,
    /// So many calls at once; a further one gets 503 with Retry-After. An eighth of them is kept for listed peers
    /// and gateways, where there are any. Default: 1,000.
    pub calls_max: usize,
    /// The longest call; then we hang up. Default: 30 minutes.
    pub call_max: Duration,
    /// Where we listen for SIP: no media is sent there (SEC-80).
    pub listeners: Vec<SocketAddr>,
    /// Gateways to ping (PEER-11).
    pub gateways: Vec<Uri>,
    /// Who is told of every change in a mailbox (MWI-1). Default: nobody.
    pub notified: Vec<Notified>,
    /// The recordings with which we speak.
    pub prompts: Prompts,
    /// What the clocks of mailbox owners show.
    pub clocks: Clocks,
    /// Calls that users ask us to place.
    pub play_on_phone: PlayOnPhone,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            agent: umbel_ua::Config::default(),
            locality: Locality::default(),
            trust: Policy::default(),
            refuse_unlisted: false,
            diversion_preference: DiversionPreference::default(),
            conversation: conversation::Config::default(),
            media: Media::default(),
            recording: Recording::default(),
            calls_max: 1_000,
            call_max: Duration::from_secs(30 * 60),
            listeners: Vec::new(),
            gateways: Vec::new(),
            notified: Vec::new(),
            prompts: Prompts::default(),
            clocks: Clocks::default(),
            play_on_phone: PlayOnPhone::default(),
        }
    }
}

/// Calls that users ask us to place ([MS-OCEXUM] 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayOnPhone {
    /// The server that they go through (POP-5). Without one there are no such calls.
    pub outbound_proxy: Option<Uri>,
    /// Which numbers outside may be called (SEC-44). Default: none.
    pub rules: DiallingRules,
    /// When a key is asked for before anything is played (DEC-27). Default: where a number outside was called.
    pub confirm: ConfirmPlayback,
    /// Whom From and To name (DEC-24). Default: the owner.
    pub identity: Identity,
    /// Whether `Reject-Contact` is added for proxies that do not know `Ms-Sensitivity` (SENS-18). Default: no.
    pub caller_preferences: bool,
    /// POP-6: how long it may ring. Default: one minute.
    pub ring_max: Duration,
}

impl Default for PlayOnPhone {
    fn default() -> Self {
        PlayOnPhone {
            outbound_proxy: None,
            rules: DiallingRules::default(),
            confirm: ConfirmPlayback::default(),
            identity: Identity::default(),
            caller_preferences: false,
            ring_max: Duration::from_secs(60),
        }
    }
}

/// When whoever answers has to press a key before anything is played: `[um] confirm-playback`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfirmPlayback {
    /// Where a number outside was called.
    #[default]
    Numbers,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whom From and To of a Play-On-Phone call name: `[um] play-on-phone-identity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// The owner of the mailbox ([MS-OCEXUM] 3.2).
    #[default]
    Owner,
    /// The number that is called, for gateways that route on To.
    Number,
}

/// A peer that is told what is in mailboxes without having asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    /// A protocol server, which knows the telephones of a user by the user's address.
    Server(Uri),
    /// A gateway, which knows telephones by their extensions; users without one are none of its business.
    Gateway(Uri),
}

/// Settings of the media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The codecs we have, in the order in which we offer them. Default: G.722, PCMU, PCMA.
    pub codecs: Vec<umbel_sdp::Codec>,
    /// When audio is encrypted. Default: where it is offered.
    pub srtp: umbel_sdp::Srtp,
    /// The address to tell peers, where it is not that of the socket. Default: none.
    pub advertise: Option<IpAddr>,
    /// Whether packets may come from elsewhere than the session description says (SEC-71). Default: yes.
    pub learn_source: bool,
}

impl Default for Media {
    fn default() -> Self {
        use umbel_sdp::Codec;
        Media {
            codecs: vec![Codec::G722, Codec::Pcmu, Codec::Pcma],
            srtp: umbel_sdp::Srtp::default(),
            advertise: None,
            learn_source: true,
        }
    }
}

/// How recordings end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What is shorter is not kept. Default: one second.
    pub min: Duration,
    /// The longest message. Default: five minutes.
    pub max: Duration,
    /// The longest silence in it; none: silence does not end it. Default: ten seconds.
    pub silence: Option<Duration>,
}

impl Default for Recording {
    fn default() -> Self {
        Recording {
            min: Duration::from_secs(1),
            max: Duration::from_secs(5 * 60),
            silence: Some(Duration::from_secs(10)),
        }
    }
}

/// Finds a recording by language and name.
type Finder = dyn Fn(Language, Prompt) -> Option<Arc<umbel_media::Prompt>> + Send + Sync;

/// The recordings with which we speak. Shared by all calls.
#[derive(Clone)]
pub struct Prompts {
    find: Arc<Finder>,
}

impl Prompts {
    /// These recordings.
    pub fn new(recordings: BTreeMap<(Language, Prompt), Arc<umbel_media::Prompt>>) -> Self {
        Prompts::by(move |language, prompt| recordings.get(&(language, prompt)).cloned())
    }

    /// Recordings that `find` finds.
    pub fn by(
        find: impl Fn(Language, Prompt) -> Option<Arc<umbel_media::Prompt>> + Send + Sync + 'static,
    ) -> Self {
        Prompts { find: Arc::new(find) }
    }

    /// The recording of this name; what is missing is passed over in silence.
    pub(crate) fn find(&self, language: Language, prompt: Prompt) -> Option<Arc<umbel_media::Prompt>> {
        (self.find)(language, prompt)
    }
}

impl Default for Prompts {
    /// None: everything is said in silence.
    fn default() -> Self {
        Prompts::by(|_, _| None)
    }
}

impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prompts")
    }
}

/// Tells what a clock shows, by the name of its time zone (none: the server's) and the time.
type LocalTimeOf = dyn Fn(Option<&str>, UnixTime) -> LocalTime + Send + Sync;

/// What the clocks of mailbox owners show. The tables of time zones are not in this room.
#[derive(Clone)]
pub struct Clocks {
    local_time: Arc<LocalTimeOf>,
}

impl Clocks {
    /// Clocks that show what `local_time` says for a zone and a time.
    pub fn new(local_time: impl Fn(Option<&str>, UnixTime) -> LocalTime + Send + Sync + 'static) -> Self {
        Clocks { local_time: Arc::new(local_time) }
    }

    pub(crate) fn show(&self, zone: Option<&str>, at: UnixTime) -> LocalTime {
        (self.local_time)(zone, at)
    }
}

impl Default for Clocks {
    /// Coordinated universal time, wherever the owner is.
    fn default() -> Self {
        Clocks::new(|_zone, at| universal_time(at))
    }
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clocks")
    }
}

/// The civil date of a day number, by Howard Hinnant's `civil_from_days`.
fn universal_time(at: UnixTime) -> LocalTime {
    let seconds = at.as_secs();
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Counted from 0000-03-01, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let small = |number: i64| u8::try_from(number).unwrap_or(0);
    LocalTime {
        year: i16::try_from(year).unwrap_or(i16::MAX),
        month: small(month),
        day: small(day),
        hour: small(second_of_day / 3_600),
        minute: small(second_of_day / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn universal_time_is_right_around_leap_days_and_the_epoch() {
        for (seconds, year, month, day, hour, minute) in [
            (0, 1970, 1, 1, 0, 0),
            (-60, 1969, 12, 31, 23, 59),
            (951_782_400, 2000, 2, 29, 0, 0),
            (951_868_800, 2000, 3, 1, 0, 0),
            (1_327_246_440, 2012, 1, 22, 15, 34),
            (4_107_542_399, 2100, 2, 28, 23, 59),
            (4_107_542_400, 2100, 3, 1, 0, 0),
        ] {
            let shown = Clocks::default().show(Some("Europe/Berlin"), UnixTime::from_secs(seconds));
            assert_eq!(shown, LocalTime { year, month, day, hour, minute }, "{seconds}");
        }
    }
}
