//! `umbel demo`: a tour of what the three roles do together, and then a server to try it all on.
//!
//! The roles are those of `umbel serve` and the telephones those of `umbel phone`, in one process, on loopback and
//! on ports that are free. What is shown is what went over their wires, and what is said to hold was compared.

mod compare;
mod hearing;
mod ladder;
mod next;
mod play_on_phone;
mod premises;
mod show;
mod stage;
mod tour;
mod web;

use umbel_node::Transport;

use crate::admin::Admin;
use crate::cli::DemoOptions;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::runtime;
use crate::serve::{Made, Servers};
use crate::tap::Wires;
use premises::Premises;
use show::Show;
use stage::{Stage, listening, registered};

/// Shows the tour; and then serves, unless it is to be shown once only.
pub(crate) fn run(options: &DemoOptions, json: bool) -> Result<(), Failure> {
    let log = crate::log::start_at("warn");
    let premises = Premises::prepare(options.data.as_deref())?;
    let config = premises.config();
    let show = Show::new(json);
    runtime::run(async {
        let wires = Wires::default();
        let mut servers = Servers::start(config.clone(), log, Some(wires.clone())).await?;
        let (made, listeners, clock) = (servers.take_made(), servers.listeners(), servers.clock());
        let web = servers.web_url();
        for (listeners, name) in listeners.iter().zip(["server", "um"]) {
            listeners.iter().for_each(|listener| wires.place(listener.address, name));
        }
        let mut admin = Admin::of(config.clone(), json)?;
        let residents = premises.move_in(&config, admin.store.as_mut(), made)?;
        servers.are_ready();
        let stop = servers.stop();
        let serving = servers.until_stopped();
        tokio::pin!(serving);
        let place =
            next::Place { premises: &premises, config: &config, listeners: listeners.clone(), web: &web };
        place.welcome(show)?;
        let begin = clock.now();
        let touring = async {
            let server = listening(&listeners[0], Transport::Tls)?;
            let [alice, bob] = two(&residents)?;
            let alices_password = alice.password.clone();
            let [alice, bob] = [alice, bob].map(|made| &made.address);
            let mut stage = Stage {
                premises: &premises,
                admin,
                clock,
                wires: wires.clone(),
                listeners: listeners.clone(),
                web: web.clone(),
                alices_password,
                alice: registered("alice", alice, &premises, server, clock, &wires).await?,
                bob: registered("bob", bob, &premises, server, clock, &wires).await?,
            };
            stage.watch_the_lamp().await?;
            let held = tour::tour(&mut stage, show).await?;
            let Stage { alice, bob, .. } = stage;
            alice.put_down().await?;
            bob.put_down().await?;
            Ok::<bool, Failure>(held)
        };
        let held = tokio::select! {
            ended = &mut serving => return ended,
            held = touring => held?,
        };
        show.verdict(held, clock.now().since(begin).as_secs_f64())?;
        if options.once || !held {
            stop.notify_one();
            serving.await?;
            return if held { Ok(()) } else { Err(not_held()) };
        }
        place.next(show, &residents)?;
        serving.await
    })
}

fn two(residents: &[Made]) -> Result<[&Made; 2], Failure> {
    match residents {
        [alice, bob, ..] => Ok([alice, bob]),
        _ => Err(Failure::new(Exit::Failed, "internal", "the tour has made no users")),
    }
}

fn not_held() -> Failure {
    Failure::new(Exit::Failed, "not-held", "not every step of the tour held; see the marks above")
}

impl Admin {
    /// The store of this configuration, for administration beside the running server.
    fn of(config: Config, json: bool) -> Result<Self, Failure> {
        let store = crate::store::open(&config)?;
        Ok(Admin { config, store: Box::new(store), json })
    }
}
