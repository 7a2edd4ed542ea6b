//! What one INVITE says of itself, read once: who calls, for whom, and how the call came here.
//!
//! Who may be believed is decided before the reading: what an unlisted peer asserts about callers is
//! left out here, and nothing later can find it.

use umbel_ocexum::{ExchangeCommand, Identity, Trust};
use umbel_sip_message::{
    Diversion, HeaderName, Headers, HistoryEntry, NameAddr, ParseError, Request, Scheme,
};
use umbel_store::{Caller, Importance, clean_text};
use umbel_ua::Invitation;

use crate::names::{Locality, Named, People, VOICE_MAIL, shown};
use crate::refusal::Refusal;

/// LOOP-5: more entries than these, and the call is going round.
const HISTORY_ENTRIES_MAX: usize = 5;
/// The most names of one INVITE that are looked up.
pub(crate) const NAMES_MAX: usize = 16;

/// One INVITE, as far as it decides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Particulars {
    /// The value of Call-ID.
    pub(crate) call_id: String,
    /// Whom the Request-URI names.
    pub(crate) called: Named,
    /// Whether the Request-URI is a voice mail GRUU.
    pub(crate) is_voice_mail: bool,
    /// Whom its `target` names (RFC 4458).
    pub(crate) target: Option<Named>,
    /// From.
    pub(crate) from: Named,
    /// `P-Asserted-Identity`, from those who may assert it.
    pub(crate) asserted: Vec<Named>,
    /// Who diverted the call (RFC 5806), the last one first.
    pub(crate) diversions: Vec<Named>,
    /// Where the call was sent before it came here (RFC 7044), the original target first.
    pub(crate) history: Vec<Named>,
    /// Whom the last History-Info entry names: the place it came to.
    pub(crate) arrived: Option<Named>,
    /// P5: it was referred, or takes the place of another call.
    pub(crate) referred: bool,
    /// P5: it takes the place of another call.
    pub(crate) replaces: bool,
    /// What its `Ms-Exchange-Command` headers come to.
    pub(crate) command: Option<ExchangeCommand>,
    /// The caller, for people.
    pub(crate) caller: Caller,
    /// Subject (HDR-1).
    pub(crate) subject: String,
    /// Priority (HDR-2).
    pub(crate) importance: Importance,
    /// From and To, for the record of the call.
    pub(crate) parties: (String, String),
}

impl Particulars {
    /// Reads an INVITE that came over a connection worth `trust`.
    pub(crate) fn read(
        invitation: &Invitation,
        trust: &Trust,
        ours: &Locality,
    ) -> Result<Particulars, Refusal> {
        let request = &invitation.request;
        let headers = request.headers();
        let peer = invitation.transport.remote.ip();
        let believed = trust.identity != Identity::Unlisted;
        let by_peer = |address: &NameAddr<'_>| {
            if believed { ours.named_by_peer(address.uri, peer) } else { ours.named(address.uri) }
        };
        // DEC-18: a gateway's caller numbers are believed. It is never trusted for the PIN, so that this
        // reading of a number opens nothing.
        let by_gateway = |address: &NameAddr<'_>| {
            if trust.identity == Identity::Gateway {
                ours.named_by_peer(address.uri, peer)
            } else {
                ours.named_as_caller(address.uri)
            }
        };
        // EUMR-23: not guessed at. "A wrong mailbox is worse than a failed call."
        let diversions = read(headers, HeaderName::Diversion, Headers::diversions)?;
        let history = read(headers, HeaderName::HistoryInfo, Headers::history_info)?;
        if goes_round(&diversions, &history) {
            return Err(Refusal::Loop);
        }
        // EUMR-20, SEC-14: what others assert is not even looked at.
        let asserted = match trust.identity {
            Identity::Listed | Identity::Gateway => {
                read(headers, HeaderName::PAssertedIdentity, Headers::asserted_identities)?
            }
            Identity::Unlisted => Vec::new(),
        };
        let from = headers.from();
        let mut history: Vec<Named> = history.iter().map(|entry| by_peer(&entry.address)).collect();
        let arrived = history.pop();
        let particulars = Particulars {
            call_id: invitation.call_id.clone(),
            called: ours.named(request.request_uri()),
            is_voice_mail: request.request_uri().has_opaque(VOICE_MAIL),
            target: request.request_uri().voicemail_target().map(|target| ours.named_by_target(&target)),
            from: by_gateway(&from),
            asserted: asserted.iter().map(by_gateway).collect(),
            diversions: diversions.iter().map(|diversion| by_peer(&diversion.address)).collect(),
            history,
            arrived,
            referred: headers.has(&HeaderName::ReferredBy),
            replaces: headers.has(&HeaderName::Replaces),
            command: ExchangeCommand::read(headers.all(&HeaderName::MsExchangeCommand)),
            caller: caller(&from, &asserted, believed),
            subject: headers.subject().map(|subject| clean_text(&subject)).unwrap_or_default(),
            importance: importance(request),
            parties: (clean_text(&shown(&from)), clean_text(&shown(&headers.to()))),
        };
        if particulars.names().count() > NAMES_MAX {
            return Err(Refusal::TooManyNames);
        }
        Ok(particulars)
    }

    /// All names that somebody has to be looked up by.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Named> {
        [&self.called, &self.from]
            .into_iter()
            .chain(&self.target)
            .chain(&self.asserted)
            .chain(&self.diversions)
            .chain(&self.history)
            .chain(&self.arrived)
    }

    /// Whom the message names as the caller: the first asserted identity, or From.
    pub(crate) fn calling(&self) -> &Named {
        self.asserted.first().unwrap_or(&self.from)
    }

    /// SEC-90, DEC-18: our own protocol server lets strangers through with the From that they wrote. Whom it knows it
    /// says in `P-Asserted-Identity`, and a From of ours it takes from nobody else.
    pub(crate) fn doubt_who_is_not_vouched_for(&mut self) {
        let is_ours = matches!(self.from, Named::Local(_) | Named::Number(_) | Named::Pilot);
        if self.asserted.is_empty() && !is_ours {
            self.caller.verified = false;
        }
    }

    /// The caller, for people. A user of ours whose word is believed and whose telephone tells no name is known by
    /// the name that the administrator gave.
    pub(crate) fn caller_among(&self, people: &People) -> Caller {
        let mut caller = self.caller.clone();
        let says_nothing = caller.name.as_deref().is_none_or(|name| name.trim().is_empty());
        if caller.verified && says_nothing {
            let own = people.user(self.calling()).map(|user| user.settings.name.trim());
            caller.name = own.filter(|name| !name.is_empty()).map(str::to_owned);
        }
        caller.clean()
    }
}

/// All values of a header; one that is there and says nothing cannot be read either.
fn read<'a, T>(
    headers: &'a Headers,
    name: HeaderName,
    values: impl FnOnce(&'a Headers) -> Result<Vec<T>, ParseError>,
) -> Result<Vec<T>, Refusal> {
    match values(headers) {
        Ok(values) if values.is_empty() && headers.has(&name) => Err(Refusal::Unreadable(name)),
        Ok(values) => Ok(values),
        Err(_) => Err(Refusal::Unreadable(name)),
    }
}

/// LOOP-5: the diverting parties' own count has reached their limit, or there are too many of them.
fn goes_round(diversions: &[Diversion<'_>], history: &[HistoryEntry<'_>]) -> bool {
    let counted_out =
        |diversion: &Diversion<'_>| diversion.limit.is_some_and(|limit| diversion.counter >= limit);
    history.len() > HISTORY_ENTRIES_MAX || diversions.iter().any(counted_out)
}

/// 8.2: "P-Asserted-Identity from a trusted peer; else From", a SIP one before a telephone number.
fn caller(from: &NameAddr<'_>, asserted: &[NameAddr<'_>], believed: bool) -> Caller {
    let is_sip = |address: &&NameAddr<'_>| matches!(address.uri.scheme(), Scheme::Sip | Scheme::Sips);
    let best = asserted.iter().find(is_sip).or(asserted.first()).unwrap_or(from);
    let name = best.display_name().or_else(|| from.display_name());
    Caller { id: shown(best), name: name.map(std::borrow::Cow::into_owned), verified: believed }.clean()
}

/// HDR-2: "urgent and emergency make the message high importance, non-urgent low, normal, absent or
/// unknown normal".
fn importance(request: &Request) -> Importance {
    let priority = request.headers().get_text(&HeaderName::Priority).unwrap_or_default();
    let is = |word: &str| priority.eq_ignore_ascii_case(word);
    if is("urgent") || is("emergency") {
        Importance::High
    } else if is("non-urgent") {
        Importance::Low
    } else {
        Importance::Normal
    }
}
