//! A protocol server with telephones and a voice mail server that SIPp plays: ours, or Kamailio with our
//! recipe in its place.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use umbel_interop::kamailio::Kamailio;
use umbel_interop::sipp::Sipp;
use umbel_interop::stand_in::{Manner, StandIn, register};
use umbel_interop::trace::{self, Traced};
use umbel_interop::umbel::{DOMAIN, Umbel, password_of};
use umbel_interop::wait::until;

/// Callers find out within this that nobody answers.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long telephones ring, in seconds, where a test does not say otherwise: those that answer do so at once, and a
/// busy machine gets time for it.
const RING_TIME: u32 = 60;

/// Users: alice, bob and dora, with passwords. Bob is called; dora is who he forwards to, if he does.
pub(crate) struct World {
    pub(crate) voice_mail: StandIn,
    pub(crate) address: SocketAddr,
    telephones: Vec<(&'static str, StandIn)>,
    kamailio: Option<Kamailio>,
    /// Calls made so far, so that each has a Call-ID of its own.
    calls: AtomicU32,
    pub(crate) umbel: Umbel,
}

/// What happened to a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) call_id: String,
    /// The final response.
    pub(crate) status: u16,
    /// Whom it rang, in the order of the alphabet.
    pub(crate) rang: Vec<&'static str>,
    /// The reason of the Diversion with which voice mail was asked, empty if it was not said.
    pub(crate) voice_mail: Option<String>,
    /// The caller was told that the call is forwarded.
    pub(crate) is_said_forwarded: bool,
}

impl World {
    /// Our own protocol server, with these lines in its table.
    pub(crate) fn umbel(lines: &str) -> Self {
        let umbel = Umbel::unconfigured();
        let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
        let says_how_long = lines.contains("ring-time");
        let ring_time = if says_how_long { String::new() } else { format!("ring-time = \"{RING_TIME}s\"\n") };
        let server = format!(
            "voicemail = [\"sip:{};transport=tcp\"]\ndigest = [\"MD5\"]\n{ring_time}{lines}",
            voice_mail.address()
        );
        let umbel = umbel.configured(Some(&server), None).with_users();
        umbel.import(&format!(
            "address,extension,name,password\ndora@{DOMAIN},104,Dora,{}\n",
            password_of("dora")
        ));
        let umbel = umbel.started();
        let address = umbel.server_tcp();
        World::new(umbel, None, address, voice_mail)
    }

    fn new(umbel: Umbel, kamailio: Option<Kamailio>, address: SocketAddr, voice_mail: StandIn) -> Self {
        World { voice_mail, address, telephones: Vec::new(), kamailio, calls: AtomicU32::new(0), umbel }
    }

    /// Kamailio with our recipe.
    #[cfg(feature = "kamailio")]
    pub(crate) fn kamailio(more: &[(&str, String)]) -> Self {
        let umbel = Umbel::unconfigured().configured(None, Some(""));
        let voice_mail = StandIn::start(&umbel, "voice-mail", Manner::Answers);
        let uri = format!("sip:{};transport=tcp", voice_mail.address());
        let third = ("THIRD_PASSWORD", format!("\"{}\"", password_of("dora")));
        let own = [("THIRD_USER", "\"dora\"".to_owned()), third];
        let mut more = [&own, more].concat();
        if !more.iter().any(|(name, _)| *name == "RING_TIME") {
            more.push(("RING_TIME", (RING_TIME * 1_000).to_string()));
        }
        let kamailio = Kamailio::start_with(&umbel, umbel_interop::umbel::LISTED, &uri, &more);
        let address = kamailio.address();
        World::new(umbel, Some(kamailio), address, voice_mail)
    }

    /// With a telephone that behaves so, registered.
    pub(crate) fn with(mut self, user: &'static str, manner: Manner<'_>) -> Self {
        let port = self.umbel.take_ports(1);
        register(&self.umbel, self.address, user, port);
        let telephone = StandIn::start_at(&self.umbel, user, manner, port);
        self.telephones.push((user, telephone));
        self
    }

    /// With rules of a user.
    pub(crate) fn with_rules(self, user: &str, rules: &[&str]) -> Self {
        if !rules.is_empty() {
            self.umbel.set(user, rules);
        }
        self
    }

    /// Calls bob as alice, once for each of these header lines, all at the same time.
    pub(crate) fn call(&self, headers: &[&str], expected: u16) -> Vec<Outcome> {
        self.call_as("alice", "bob", headers, expected)
    }

    /// Calls a user as another, once for each of these header lines, all at the same time.
    pub(crate) fn call_as(
        &self,
        caller: &str,
        callee: &str,
        headers: &[&str],
        expected: u16,
    ) -> Vec<Outcome> {
        let scenario = if expected == 200 { "user_answered" } else { "user_refused" };
        self.play(scenario, (caller, callee), headers, expected)
    }

    /// The same with headers for which a call is refused: by our server before it asks for the password.
    pub(crate) fn call_malformed(&self, headers: &[&str]) -> Vec<Outcome> {
        let scenario = if self.is_kamailio() { "user_refused" } else { "stranger_refused" };
        self.play(scenario, ("alice", "bob"), headers, 400)
    }

    fn play(
        &self,
        scenario: &str,
        (caller, callee): (&str, &str),
        headers: &[&str],
        expected: u16,
    ) -> Vec<Outcome> {
        let calls = headers.iter().map(|header| {
            let nth = self.calls.fetch_add(1, Ordering::Relaxed);
            let sipp = Sipp::new(&self.umbel, scenario, &format!("call{nth}"))
                .server(self.address)
                .caller(&format!("sip:{caller}@{DOMAIN}"))
                .target(&format!("sip:{callee}@{DOMAIN}"))
                .header(header)
                .password_of(caller)
                .traced();
            let sipp = if expected == 200 { sipp } else { sipp.with("FINAL", &expected.to_string()) };
            let (call_id, trace) = (sipp.call_id(1), sipp.trace());
            (*header, call_id, trace, sipp.start())
        });
        let calls: Vec<_> = calls.collect();
        let outcomes = calls.into_iter().map(|(header, call_id, trace, mut program)| {
            let status = program.wait(PATIENCE);
            let messages = trace::read(&trace);
            assert!(
                status.success(),
                "a call with `{header}` was to end with {expected}: {status}\n{}",
                first_lines(&messages).join("\n")
            );
            self.outcome(&call_id, &messages)
        });
        outcomes.collect()
    }

    fn outcome(&self, call_id: &str, messages: &[Traced]) -> Outcome {
        let rang = self.rung_by(call_id);
        let asked = self.voice_mail.invites(call_id);
        assert!(asked.len() <= 1, "voice mail was asked more than once: {asked:#?}");
        let voice_mail = asked.first().map(|invite| {
            let diversion = invite.headers("Diversion").concat();
            diversion.split_once(";reason=").map(|(_, reason)| reason.to_owned()).unwrap_or_default()
        });
        let statuses = || messages.iter().filter(|message| message.is_received).filter_map(Traced::status);
        let status = statuses().find(|status| *status >= 200 && *status != 407);
        Outcome {
            call_id: call_id.to_owned(),
            status: status.expect("a call has an end"),
            rang,
            voice_mail,
            is_said_forwarded: statuses().any(|status| status == 181),
        }
    }

    /// Whom a call rang, in the order of the alphabet.
    pub(crate) fn rung_by(&self, call_id: &str) -> Vec<&'static str> {
        let rang = |(_, telephone): &&(&str, StandIn)| !telephone.invites(call_id).is_empty();
        let mut rang: Vec<_> = self.telephones.iter().filter(rang).map(|(user, _)| *user).collect();
        rang.sort_unstable();
        rang
    }

    /// Waits until a call has rung these.
    pub(crate) fn await_rung(&self, call_id: &str, users: &[&'static str]) {
        until(&format!("{users:?} to ring"), PATIENCE, || {
            let rang = self.rung_by(call_id);
            users.iter().all(|user| rang.contains(user)).then_some(())
        });
    }

    /// Whether it is Kamailio in our place.
    pub(crate) fn is_kamailio(&self) -> bool {
        self.kamailio.is_some()
    }

    /// Ends the servers in order.
    pub(crate) fn stop(self) {
        match self.kamailio {
            Some(kamailio) => kamailio.stop(),
            None => self.umbel.stop(),
        }
    }
}

/// A ladder, for the message of a failed test.
pub(crate) fn first_lines(messages: &[Traced]) -> Vec<String> {
    let arrow = |message: &Traced| if message.is_received { "<--" } else { "-->" };
    messages.iter().map(|message| format!("{} {}", arrow(message), message.first_line())).collect()
}
