//! A softphone on `umbel-phone`: it registers, answers whoever calls after two seconds, and says back what it hears.
//!
//! ```sh
//! cargo run -p umbel --example softphone -- alice@example.test 127.0.0.1:5060 alice.password
//! ```
//!
//! The brain is [`Telephone`]. What is here is the world around it: connections ([`Flows`]), the clock, and for the
//! sound of a call a pair of sockets with a [`Session`]. Over TLS, give `Flows` a `umbel_net::Tls` and leave `srtp` alone.
#![expect(clippy::print_stdout, reason = "this is its face")]

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::net::UdpSocket;
use umbel_media::{Channel, Command, Event, Session};
use umbel_net::{Clock, Flows, Resolver, seed};
use umbel_node::{Input, Node};
use umbel_phone::{Answering, CallKey, Config, News, NoSockets, Order, Progress, Telephone, Wish};
use umbel_ua::Credentials;

/// More than any packet of a telephone.
const PACKET_MAX: usize = 2_048;
/// How often a pair of neighbouring ports is looked for.
const PORTS_TRIED: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // `Flows` has a task for each connection, on the thread of its owner.
    tokio::task::LocalSet::new().block_on(&runtime, softphone())
}

async fn softphone() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, server, password_file] = arguments.as_slice() else {
        return Err("usage: softphone USER@DOMAIN HOST:PORT PASSWORD-FILE".into());
    };
    let (user, domain) = address.split_once('@').ok_or("an address is USER@DOMAIN")?;
    // The address of ours that the server sees; nothing is sent.
    let probe = UdpSocket::bind("0.0.0.0:0").await?;
    probe.connect(server).await?;
    let here = probe.local_addr()?;

    let mut config = Config::new(
        format!("sip:{address}").parse()?,
        format!("sip:{server};transport=tcp").parse()?,
        format!("sip:{user}@{here};transport=tcp").parse()?,
    );
    config.credentials = Some(Credentials {
        realm: domain.to_owned(),
        username: user.to_owned(),
        password: std::fs::read_to_string(password_file)?.trim_end().to_owned(),
    });
    config.rtp_address = here.ip();
    // Over TCP everybody on the way would read the keys.
    config.srtp = umbel_sdp::Srtp::Off;
    config.answering = Answering::After { ringing: Duration::from_secs(2), play_on_phone: false };

    let clock = Clock::start();
    let mut telephone = Telephone::new(config, ChaCha20Rng::from_seed(seed()?));
    // Also for a server that is given by its address: it is the resolver that says where requests go (RFC 3263).
    let resolver = Resolver::system(seed()?)?;
    let mut flows = Flows::new(umbel_net::Config { resolver: Some(resolver), ..Default::default() }, clock);
    let mut sound: Option<Sound> = None;
    telephone.handle(clock.now(), Input::Order(Order::Register));
    loop {
        // What the brain and the sound want. What comes of that may make them want more.
        loop {
            while let Some(output) = telephone.poll_output() {
                let Some(wish) = flows.perform(output) else { continue };
                if let Some(order) = grant(wish, &mut sound, clock, here.ip()).await? {
                    telephone.handle(clock.now(), Input::Order(order));
                }
            }
            let orders = sound.as_mut().map(Sound::wants).unwrap_or_default();
            if orders.is_empty() {
                break;
            }
            for order in orders {
                telephone.handle(clock.now(), Input::Order(order));
            }
        }
        // A connection that a registration or a call goes along is not idle, however quiet.
        telephone.flows_in_use().for_each(|id| flows.keep(id, true));
        flows.flush();

        let session = sound.as_ref().and_then(|sound| sound.session.as_ref());
        let wake = [telephone.poll_timeout(), session.and_then(Session::poll_timeout)];
        tokio::select! {
            input = flows.next() => telephone.handle(clock.now(), input),
            (channel, source, packet) = received(sound.as_ref()) => {
                if let Some(session) = sound.as_mut().and_then(|sound| sound.session.as_mut()) {
                    session.handle_packet(clock.now(), channel, source, &packet);
                }
            }
            () = clock.sleep_until(wake.into_iter().flatten().min()) => {
                telephone.handle(clock.now(), Input::Timeout);
                if let Some(session) = sound.as_mut().and_then(|sound| sound.session.as_mut()) {
                    session.handle_timeout(clock.now());
                }
            }
        }
    }
}

/// Does what the brain wants besides SIP; gives what to tell it of that.
async fn grant(
    wish: Wish,
    sound: &mut Option<Sound>,
    clock: Clock,
    here: IpAddr,
) -> Result<Option<Order>, Box<dyn Error>> {
    match wish {
        Wish::OpenMedia { call } => {
            *sound = Sound::open(call, here).await;
            let at = sound.as_ref().and_then(|sound| sound.rtp.local_addr().ok()).ok_or(NoSockets);
            Ok(Some(Order::MediaOpened { call, at }))
        }
        Wish::Media { command, .. } => {
            let Some(Sound { session, .. }) = sound else { return Ok(None) };
            match (session.as_mut(), command) {
                (Some(session), command) => session.handle_command(clock.now(), command),
                // What was agreed on makes the session.
                (None, Command::Update(agreed)) => {
                    *session = Some(Session::new(clock.now(), agreed, ChaCha20Rng::from_seed(seed()?)));
                }
                (None, _) => {}
            }
            Ok(None)
        }
        Wish::CloseMedia { .. } => {
            *sound = None;
            Ok(None)
        }
        Wish::Tell(news) => {
            println!("{news:?}");
            let News::Call { call, change: Progress::Answered(_), .. } = news else { return Ok(None) };
            Ok(Some(Order::Sound { call, command: Command::Listen(true) }))
        }
    }
}

/// The sound of the one call that this telephone has at a time.
struct Sound {
    call: CallKey,
    rtp: UdpSocket,
    /// The next port.
    rtcp: UdpSocket,
    session: Option<Session>,
}

impl Sound {
    async fn open(call: CallKey, here: IpAddr) -> Option<Sound> {
        for _ in 0..PORTS_TRIED {
            let rtp = UdpSocket::bind((here, 0)).await.ok()?;
            let port = rtp.local_addr().ok()?.port();
            if port % 2 == 0
                && let Ok(rtcp) = UdpSocket::bind((here, port + 1)).await
            {
                return Some(Sound { call, rtp, rtcp, session: None });
            }
        }
        None
    }

    /// Sends what the session wants sent; gives what it tells. With a sound card, what is heard would be played,
    /// and what the microphone captures be spoken.
    fn wants(&mut self) -> Vec<Order> {
        let (call, Some(session)) = (self.call, &mut self.session) else { return Vec::new() };
        while let Some(packet) = session.poll_transmit() {
            let socket = if packet.channel == Channel::Rtp { &self.rtp } else { &self.rtcp };
            // What the system does not take is lost, as on any network.
            let _ = socket.try_send_to(packet.bytes, packet.to);
        }
        let told = std::iter::from_fn(|| session.poll_event());
        told.map(|event| match event {
            Event::Heard { samples } => Order::Sound { call, command: Command::Speak(samples) },
            event => Order::Media { call, event },
        })
        .collect()
    }
}

/// The next packet of the call; without one, never.
async fn received(sound: Option<&Sound>) -> (Channel, SocketAddr, Vec<u8>) {
    let Some(Sound { rtp, rtcp, .. }) = sound else { return std::future::pending().await };
    let (mut sound, mut report) = ([0; PACKET_MAX], [0; PACKET_MAX]);
    loop {
        // An error is a packet of ours that nobody took.
        tokio::select! {
            Ok((length, source)) = rtp.recv_from(&mut sound) => return (Channel::Rtp, source, sound[..length].to_vec()),
            Ok((length, source)) = rtcp.recv_from(&mut report) => return (Channel::Rtcp, source, report[..length].to_vec()),
            else => tokio::task::yield_now().await,
        }
    }
}
