//! The scene of most tests: one server, two users, and whoever calls.

use std::time::Duration;

use umbel_node::Transport;
use umbel_um::Config;

use crate::telephone::{Do, Invite, Telephone};
use crate::unified_messaging::UnifiedMessaging;
use crate::{Place, World, address, certificate, tcp, tls};

/// The PIN of alice.
pub const ALICES_PIN: &str = "274950";
/// The PIN of bob.
pub const BOBS_PIN: &str = "860427";
/// The name in the certificate of the listed peer.
pub const PROXY: &str = "proxy.example.test";

/// A world with a unified messaging server `um`, and the users alice (1001) and bob (1002).
pub struct Office {
    /// The world.
    pub world: World,
    /// The server.
    pub um: Place<UnifiedMessaging>,
    callers: u8,
}

/// How somebody reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Over TCP.
    Tcp,
    /// Over TLS, without a certificate of one's own.
    Tls,
    /// Over TLS, with a certificate of this name.
    MutualTls(&'static str),
}

impl Office {
    /// An office with the settings of a fresh installation, and [`PROXY`] as its listed peer.
    pub fn new(seed: u64) -> Office {
        Office::with(seed, |_| {})
    }

    /// As [`Office::new`], with other settings.
    pub fn with(seed: u64, change: impl FnOnce(&mut Config)) -> Office {
        let mut world = World::new(seed);
        let mut config = Config::default();
        config.locality.domain = "example.test".to_owned();
        config.locality.pilots = ["voicemail".to_owned()].into();
        config.trust.peers = vec![PROXY.parse().expect("a name")];
        change(&mut config);
        let rng = world.rng();
        let mut server = UnifiedMessaging::new(address(1), config, rng);
        server.add_user("alice@example.test", "1001", Some(ALICES_PIN), &[]);
        server.add_user("bob@example.test", "1002", Some(BOBS_PIN), &[]);
        let um = world.add("um", address(1), server);
        // What it wants done from the start.
        world.with(um, |_, _| ());
        world.listen_tcp(um, Transport::Tcp.default_port());
        world.listen_tls(um, Transport::Tls.default_port(), certificate(&["um.example.test"]));
        Office { world, um, callers: 0 }
    }

    /// Somebody who may call.
    pub fn caller(&mut self, name: &str, by: By) -> Place<Telephone> {
        self.callers += 1;
        let here = address(100 + self.callers);
        let there = match by {
            By::Tcp => tcp(address(1)),
            By::Tls | By::MutualTls(_) => tls(address(1), "um.example.test"),
        };
        let rng = self.world.rng();
        let place = self.world.add(name, here, Telephone::new(here, there, rng));
        if let By::MutualTls(own) = by {
            self.world.show_certificate(place, certificate(&[own]));
        }
        place
    }

    /// Somebody calls; a moment passes.
    pub fn call(&mut self, caller: Place<Telephone>, invite: Invite) {
        self.order(caller, Do::Call(Box::new(invite)), Duration::from_millis(200));
    }

    /// Somebody does something; a time passes.
    pub fn order(&mut self, caller: Place<Telephone>, what: Do, then: Duration) {
        self.world.order(caller, what);
        self.world.run_for(then);
    }

    /// A time passes.
    pub fn wait(&mut self, seconds: u64) {
        self.world.run_for(Duration::from_secs(seconds));
    }

    /// The server.
    pub fn server(&mut self) -> &mut UnifiedMessaging {
        &mut self.world[self.um]
    }

    /// Fills a mailbox to its limit.
    pub fn fill(&mut self, address: &str) {
        self.server().fill(address);
    }

    /// What `umbel why CALL-ID --field pin` says of somebody's last call, and the rule behind it.
    pub fn why_pin(&mut self, caller: Place<Telephone>) -> (String, String) {
        let call_id = self.world[caller].call_id();
        let (pin, rule) = self.server().why_pin(&call_id).expect("every call has a decision");
        (pin.as_str().to_owned(), rule)
    }
}

/// A call by `from` to `to`, both of them users of the office.
pub fn invite(from: &str, to: &str) -> Invite {
    Invite::new(&format!("sip:{to}@example.test"), &format!("{from}@example.test"))
}

/// A call by a user to the own voice mail address ([MS-OCEXUM] 4.1).
pub fn to_own_voice_mail(user: &str) -> Invite {
    let own = format!("{user}@example.test");
    Invite::new(&format!("sip:{own};opaque=app:voicemail"), &own)
}
