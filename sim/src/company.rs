//! The scene of the protocol server: one such server, two unified messaging servers behind it, users with
//! telephones, a gateway, and strangers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use umbel_node::Transport;
use umbel_ocexum::Policy;
use umbel_proxy::{Config, MailboxStates, Route};
use umbel_sip_endpoint::SentBy;
use umbel_sip_message::{Method, Request};
use umbel_store::Decision;

use crate::callee::{self, Callee, Manner};
use crate::office::{By, PROXY};
use crate::telephone::{Do, Invite, Telephone};
use crate::{
    Account, Handset, Place, ProtocolServer, Softphone, UnifiedMessaging, World, address, certificate,
    handset, protocol_server, tcp, tls, unified_messaging,
};

/// The domain.
pub const DOMAIN: &str = "example.test";
/// The users, and their extensions and PINs.
pub const USERS: [(&str, &str, &str); 4] = [
    ("alice", "1001", "274950"),
    ("bob", "1002", "860427"),
    ("carol", "1003", "513862"),
    ("dave", "1004", "907351"),
];
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";
/// The first unified messaging server.
pub const UM: &str = "um.example.test";
/// The second.
pub const UM2: &str = "um2.example.test";
/// A number behind the gateway.
pub const NUMBER: &str = "+15555550100";
/// Somebody else's domain.
pub const ELSEWHERE: &str = "elsewhere.test";
/// What a scene is set up in; after it, ladders begin at one second.
const SET_UP: Duration = Duration::from_secs(1);

/// The scene.
pub struct Company {
    /// The world.
    pub world: World,
    /// The protocol server.
    pub server: Place<ProtocolServer>,
    seats: u8,
    telephones: BTreeMap<String, Place<Callee>>,
}

impl Company {
    /// A company with the settings of a fresh installation and nobody's telephone.
    pub fn new(seed: u64) -> Company {
        Company::with(seed, |_| {})
    }

    /// As [`Company::new`], with other settings.
    pub fn with(seed: u64, change: impl FnOnce(&mut Config)) -> Company {
        let mut world = World::new(seed);
        let mut config = Config::new(DOMAIN);
        let (here, gateway) = (address(10), address(20));
        config.hosts = vec![here.to_string(), PROXY.to_owned()];
        config.tcp = Some(SentBy { host: PROXY.to_owned(), port: None });
        config.tls = config.tcp.clone();
        config.trust = Policy {
            peers: [UM, UM2].iter().map(|name| name.parse().expect("a name")).collect(),
            gateways: vec![gateway.to_string().parse().expect("a network")],
            ..Policy::default()
        };
        config.voice_mail = [UM, UM2].iter().map(|name| uri(&format!("sip:{name};transport=tls"))).collect();
        // Ladders are of calls; who wants the lamps sets it.
        config.mailbox_states = MailboxStates::Told;
        config.routes =
            vec![Route { prefix: "+1".to_owned(), to: vec![uri("sip:gw.example.test;transport=tcp")] }];
        change(&mut config);
        let rng = world.rng();
        let mut server = ProtocolServer::new(config, rng);
        for (user, extension, _) in USERS {
            server.add_user(&format!("{user}@{DOMAIN}"), extension, PASSWORD);
        }
        let server = world.add("server", here, server);
        world.show_certificate(server, certificate(&[PROXY]));
        world.listen_tcp(server, Transport::Tcp.default_port());
        world.listen_tls(server, Transport::Tls.default_port(), certificate(&[PROXY, DOMAIN]));
        for (host, ip) in [(PROXY, here), (DOMAIN, here), (UM, address(1)), (UM2, address(2))] {
            world.resolve(host, [tls(ip, host)]);
        }
        world.resolve("gw.example.test", [tcp(gateway)]);
        Company { world, server, seats: 100, telephones: BTreeMap::new() }
    }

    /// A unified messaging server for all users: [`UM`] or [`UM2`].
    pub fn unified_messaging(&mut self, name: &str, host: &str) -> Place<UnifiedMessaging> {
        self.unified_messaging_with(name, host, |_| {})
    }

    /// As [`Company::unified_messaging`], with other settings.
    pub fn unified_messaging_with(
        &mut self,
        name: &str,
        host: &str,
        change: impl FnOnce(&mut umbel_um::Config),
    ) -> Place<UnifiedMessaging> {
        let here = if host == UM { address(1) } else { address(2) };
        let mut config = umbel_um::Config::default();
        config.locality.domain = DOMAIN.to_owned();
        config.locality.pilots = ["voicemail".to_owned()].into();
        config.trust.peers = vec![PROXY.parse().expect("a name")];
        config.agent.contacts.tls = Some(uri(&format!("sip:{host};transport=tls")));
        config.agent.endpoint.tls = Some(SentBy { host: host.to_owned(), port: None });
        config.play_on_phone.outbound_proxy = Some(uri(&format!("sip:{PROXY};transport=tls")));
        change(&mut config);
        let rng = self.world.rng();
        let mut server = UnifiedMessaging::new(here, config, rng);
        for (user, extension, pin) in USERS {
            server.add_user(&format!("{user}@{DOMAIN}"), extension, Some(pin), &[]);
        }
        let place = self.world.add(name, here, server);
        self.world.with(place, |_, _| ());
        self.world.show_certificate(place, certificate(&[host]));
        self.world.listen_tls(place, Transport::Tls.default_port(), certificate(&[host]));
        place
    }

    /// Somebody who stands where a unified messaging server should be, and does what a test wants.
    pub fn in_place_of_unified_messaging(&mut self, name: &str, host: &str, manner: Manner) -> Place<Callee> {
        let here = if host == UM { address(1) } else { address(2) };
        let place =
            self.world.add(name, here, Callee::new(here, &format!("sip:{host};transport=tls"), manner));
        self.world.listen_tls(place, Transport::Tls.default_port(), certificate(&[host]));
        place
    }

    /// A protocol server of [`ELSEWHERE`], with the same users, that knows nobody here.
    pub fn elsewhere(&mut self) -> Place<ProtocolServer> {
        let here = address(30);
        let mut config = Config::new(ELSEWHERE);
        config.tls = Some(SentBy { host: ELSEWHERE.to_owned(), port: None });
        let rng = self.world.rng();
        let mut server = ProtocolServer::new(config, rng);
        for (user, extension, _) in USERS {
            server.add_user(&format!("{user}@{ELSEWHERE}"), extension, PASSWORD);
        }
        let server = self.world.add("elsewhere", here, server);
        self.world.listen_tls(server, Transport::Tls.default_port(), certificate(&[ELSEWHERE]));
        self.world.resolve(ELSEWHERE, [tls(here, ELSEWHERE)]);
        server
    }

    /// The gateway to numbers outside.
    pub fn gateway(&mut self, manner: Manner) -> Place<Callee> {
        let here = address(20);
        let place =
            self.world.add("gateway", here, Callee::new(here, &format!("sip:{here};transport=tcp"), manner));
        self.world.listen_tcp(place, Transport::Tcp.default_port());
        place
    }

    /// A registered telephone of a user, by TLS. Its name is the user's, a second one's ends in a digit.
    pub fn telephone(&mut self, name: &str, manner: Manner) -> Place<Callee> {
        let place = self.unregistered_telephone(name, manner);
        self.world.order(place, callee::Do::Register);
        place
    }

    /// A telephone for people of a user, by TLS, that registers.
    pub fn softphone(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut umbel_phone::Config),
    ) -> Place<Softphone> {
        let (here, config) = self.telephone_settings(name, change);
        let rng = self.world.rng();
        let place = self.world.add(name, here, Softphone::new(here, config, rng));
        self.world.order(place, umbel_phone::Order::Register);
        place
    }

    /// The same with sound. It speaks µ-law only, so that what is heard is what was said, octet for octet.
    pub fn handset(&mut self, name: &str, change: impl FnOnce(&mut umbel_phone::Config)) -> Place<Handset> {
        let (here, mut config) = self.telephone_settings(name, change);
        config.codecs = vec![umbel_sdp::Codec::Pcmu];
        let rng = self.world.rng();
        let place = self.world.add(name, here, Handset::new(here, config, rng));
        self.world.order(place, handset::Told::Phone(Box::new(umbel_phone::Order::Register)));
        place
    }

    fn telephone_settings(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut umbel_phone::Config),
    ) -> (IpAddr, umbel_phone::Config) {
        let here = self.seat();
        let user = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let mut config = umbel_phone::Config::new(
            uri(&format!("sip:{user}@{DOMAIN}")),
            uri(&format!("sip:{PROXY};transport=tls")),
            uri(&format!("sip:{user}@{here};transport=tls")),
        );
        config.credentials = Some(umbel_ua::Credentials {
            realm: DOMAIN.to_owned(),
            username: user.to_owned(),
            password: PASSWORD.to_owned(),
        });
        config.instance = Some(format!("urn:uuid:00000000-0000-4000-8000-{:012}", self.seats));
        config.rtp_address = here;
        change(&mut config);
        (here, config)
    }

    /// A telephone of a user that has not registered yet.
    pub fn unregistered_telephone(&mut self, name: &str, manner: Manner) -> Place<Callee> {
        let here = self.seat();
        let user = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let (server, account) = (tls(address(10), PROXY), Account::new(user, PASSWORD));
        let telephone = Callee::registered(here, manner, server, (user, DOMAIN), account);
        let place = self.world.add(name, here, telephone);
        self.telephones.insert(name.to_owned(), place);
        place
    }

    /// A user who calls, by the protocol server and with the password.
    pub fn user(&mut self, name: &str, by: By) -> Place<Telephone> {
        let place = self.somebody(&format!("{name}'"), by);
        self.world[place].account = Some(Account::new(name, PASSWORD));
        place
    }

    /// Anybody else who calls, by the protocol server.
    pub fn somebody(&mut self, name: &str, by: By) -> Place<Telephone> {
        let here = self.seat();
        self.somebody_at(name, here, by)
    }

    /// Anybody else who calls from an address of note.
    pub fn somebody_at(&mut self, name: &str, here: IpAddr, by: By) -> Place<Telephone> {
        let there = match by {
            By::Tcp => tcp(address(10)),
            By::Tls | By::MutualTls(_) => tls(address(10), PROXY),
        };
        let rng = self.world.rng();
        let place = self.world.add(name, here, Telephone::new(here, there, rng));
        if let By::MutualTls(own) = by {
            self.world.show_certificate(place, certificate(&[own]));
        }
        place
    }

    fn seat(&mut self) -> IpAddr {
        self.seats += 1;
        address(self.seats)
    }

    /// Telephones register; ladders begin after that.
    pub fn open(&mut self) {
        let until = umbel_time::Instant::ZERO + SET_UP;
        self.world.run_for(until.since(self.world.now()));
        for (name, place) in &self.telephones {
            let registrations = &self.world[*place].registrations;
            assert!(registrations.iter().all(|status| *status == 200), "{name}: {registrations:?}");
        }
        self.world.forget_ladder();
    }

    /// Sets a rule of a user, in the words of `umbel user set`.
    pub fn set_rule(&mut self, user: &str, rule: &str, value: &str) {
        self.world[self.server].set_rule(&format!("{user}@{DOMAIN}"), rule, value);
    }

    /// Somebody calls.
    pub fn call(&mut self, caller: Place<Telephone>, invite: Invite) {
        self.world.order(caller, Do::Call(Box::new(invite)));
    }

    /// A time passes.
    pub fn wait(&mut self, seconds: u64) {
        self.world.run_for(Duration::from_secs(seconds));
    }

    /// The server stops and starts again, with the bindings that it has kept. All flows are gone.
    pub fn restart_server(&mut self) {
        self.world.break_all_flows(self.server);
        self.world.order(self.server, protocol_server::Told::Restart);
    }

    /// The same for a unified messaging server, whose store stays.
    pub fn restart_unified_messaging(&mut self, um: Place<UnifiedMessaging>) {
        self.world.break_all_flows(um);
        self.world.order(um, unified_messaging::Told::Restart);
    }

    /// The INVITEs that begin a call and that went from one place to another.
    pub fn invites(&self, from: &str, to: &str) -> Vec<Request> {
        let invites = self.world.ladder().requests(&Method::Invite);
        invites
            .filter(|(rung, request)| {
                rung.from == from && rung.to == to && request.headers().to().tag().is_none()
            })
            .map(|(_, request)| request.clone())
            .collect()
    }

    /// Whom the protocol server has invited, in order.
    pub fn invited(&self) -> Vec<&str> {
        let invites = self.world.ladder().requests(&Method::Invite);
        invites
            .filter(|(rung, request)| rung.from == "server" && request.headers().to().tag().is_none())
            .map(|(rung, _)| rung.to.as_str())
            .collect()
    }

    /// What the protocol server has written down about somebody's last call.
    pub fn decisions(&mut self, caller: Place<Telephone>) -> Vec<Decision> {
        let call_id = self.world[caller].call_id();
        self.world[self.server].decisions(&call_id)
    }
}

/// A call by one user to another.
pub fn invite(from: &str, to: &str) -> Invite {
    Invite::new(&format!("sip:{to}@{DOMAIN}"), &format!("{from}@{DOMAIN}"))
}

/// A call to a user's voice mail address.
pub fn to_voice_mail(from: &str, of: &str) -> Invite {
    Invite::new(&format!("sip:{of}@{DOMAIN};opaque=app:voicemail"), &format!("{from}@{DOMAIN}"))
}

fn uri(text: &str) -> umbel_sip_message::Uri {
    text.parse().expect("a URI")
}
