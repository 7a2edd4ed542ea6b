//! What we can do, in the words of the header fields that say so (RFC 3261 11.2, 20.1, 20.5, 20.37).

use umbel_sip_message::Method;

/// Accept: what an INVITE may carry.
pub(crate) const ACCEPT: &str = "application/sdp";
/// Accept, for INFO: digits, in the two forms in use.
pub(crate) const ACCEPT_INFO: &str = "application/dtmf-relay, application/dtmf";
/// Accept-Encoding: bodies are taken as they are.
pub(crate) const ACCEPT_ENCODING: &str = "identity";
/// The event package of message waiting (RFC 3842), the only one that we know.
pub(crate) const EVENT: &str = "message-summary";
/// Supported: what a peer may use with us.
const SUPPORTED: &str = "100rel, timer";
/// RFC 4488 5: a REFER may ask not to be told what comes of it.
const NO_REFER_SUBSCRIPTION: &str = "norefersub";
/// RFC 3891 6.2: an INVITE may take the place of a dialog of ours.
const REPLACES: &str = "replaces";

/// What is served besides calls, as the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) notify: bool,
    pub(crate) subscribe: bool,
    pub(crate) message: bool,
    pub(crate) refer: bool,
    pub(crate) refers: bool,
    pub(crate) replaces: bool,
}

impl Served {
    /// Allow (PEER-12): exactly what is served. REFER is among it in telephones alone (XFER-4).
    pub(crate) fn allow(self) -> String {
        let mut allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK".to_owned();
        for method in [Method::Notify, Method::Subscribe, Method::Message, Method::Refer] {
            if self.serves(&method) {
                allow.extend([", ", method.as_str()]);
            }
        }
        allow
    }

    /// Whether a request of this method is served, in a dialog or out of one.
    pub(crate) fn serves(self, method: &Method) -> bool {
        match method {
            Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Options => true,
            Method::Update | Method::Info | Method::Prack => true,
            // RFC 3515 2.4.4: what came of a REFER of ours is told in its dialog.
            Method::Notify => self.notify || self.refers,
            Method::Subscribe => self.subscribe,
            Method::Message => self.message,
            Method::Refer => self.refer,
            Method::Register | Method::Publish => false,
            Method::Extension(_) => false,
        }
    }

    /// Supported: what a peer may use with us.
    pub(crate) fn supported(self) -> String {
        let more = [(self.refer, NO_REFER_SUBSCRIPTION), (self.replaces, REPLACES)];
        let mut supported = SUPPORTED.to_owned();
        for (_, option_tag) in more.iter().filter(|(served, _)| *served) {
            supported.extend([", ", option_tag]);
        }
        supported
    }

    /// Whether the extension of an option tag is ours, so that a request of this method may require it.
    pub(crate) fn supports(self, method: &Method, option_tag: &str) -> bool {
        let is = |ours: &str| ours.eq_ignore_ascii_case(option_tag);
        SUPPORTED.split(", ").any(is)
            || (*method == Method::Refer && is(NO_REFER_SUBSCRIPTION))
            || (*method == Method::Invite && self.replaces && is(REPLACES))
    }

    /// Whether anybody here speaks of events: then Allow-Events says of which (RFC 6665 8.2.2).
    pub(crate) fn has_events(self) -> bool {
        self.notify || self.subscribe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Served {
        Served {
            notify: false,
            subscribe: false,
            message: false,
            refer: false,
            refers: false,
            replaces: false,
        }
    }

    // PEER-12: "as implemented, no more".
    #[test]
    fn allow_lists_what_is_served_and_nothing_else() {
        let all = [
            Method::Invite,
            Method::Ack,
            Method::Bye,
            Method::Cancel,
            Method::Options,
            Method::Register,
            Method::Update,
            Method::Info,
            Method::Prack,
            Method::Refer,
            Method::Notify,
            Method::Subscribe,
            Method::Message,
            Method::Publish,
        ];
        for bits in 0..32 {
            let served = Served {
                notify: bits & 1 > 0,
                subscribe: bits & 2 > 0,
                message: bits & 4 > 0,
                refer: bits & 8 > 0,
                refers: bits & 16 > 0,
                replaces: false,
            };
            for method in &all {
                let listed = served.allow().split(", ").any(|name| name == method.as_str());
                assert_eq!(listed, served.serves(method), "{method}");
            }
        }
        let none = nothing();
        assert!(!none.serves(&Method::Subscribe) && !none.serves(&Method::Message));
        assert!(Served { subscribe: true, ..none }.serves(&Method::Subscribe));
    }

    // RFC 3261 8.2.2.3
    #[test]
    fn option_tags_compare_without_case_and_whole() {
        let supports = |method: &Method, option_tag: &str| nothing().supports(method, option_tag);
        assert!(supports(&Method::Invite, "timer"));
        assert!(supports(&Method::Invite, "100REL"));
        assert!(!supports(&Method::Invite, "100"));
        assert!(!supports(&Method::Invite, "replaces"));
        // RFC 4488: of REFER alone.
        assert!(supports(&Method::Refer, "NoReferSub"));
        assert!(!supports(&Method::Invite, "norefersub"));
    }

    // RFC 3891 6.2: where calls may be replaced, that is said; "Replaces" is for INVITE alone.
    #[test]
    fn replaces_is_supported_where_it_is_done() {
        let served = Served { replaces: true, ..nothing() };
        assert!(served.supports(&Method::Invite, "Replaces"));
        assert!(!served.supports(&Method::Bye, "replaces"));
        assert_eq!(served.supported(), "100rel, timer, replaces");
        assert_eq!(Served { refer: true, ..served }.supported(), "100rel, timer, norefersub, replaces");
        assert_eq!(nothing().supported(), "100rel, timer");
    }
}
