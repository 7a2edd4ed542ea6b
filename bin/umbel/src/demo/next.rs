//! The first words of the tour and its last ones: where everything is, who lives there, and what to try next.

use std::path::Path;

use serde_json::json;
use umbel_net::Listener;
use umbel_node::Transport;

use super::premises::Premises;
use super::show::Show;
use crate::config::{Config, DEFAULT_DATA};
use crate::exit::Failure;
use crate::serve::Made;

/// Where everything is.
pub(super) struct Place<'a> {
    pub(super) premises: &'a Premises,
    pub(super) config: &'a Config,
    /// The protocol server's listeners, and the unified messaging server's.
    pub(super) listeners: [Vec<Listener>; 2],
    /// Where the web front is.
    pub(super) web: &'a str,
}

impl Place<'_> {
    /// What was started.
    pub(super) fn welcome(&self, show: Show) -> Result<(), Failure> {
        let [server, um] = &self.listeners;
        let words =
            |listeners: &[Listener]| -> Vec<String> { listeners.iter().map(ToString::to_string).collect() };
        let data = self.premises.data().display().to_string();
        let stays = if self.premises.is_kept { "" } else { ", gone at the end" };
        show.say(&format!("A call server      {}", words(server).join("  ")))?;
        show.say(&format!("and voice mail     {}", words(um).join("  ")))?;
        show.say(&format!("and a web mailbox  {}", self.web))?;
        show.say(&format!("with their data in {data}{stays};"))?;
        show.say("alice and bob have a telephone each, registered by password over TLS.")?;
        show.document(&json!({
            "event": "started",
            "server": words(server),
            "um": words(um),
            "web": self.web,
            "data": data,
            "kept": self.premises.is_kept,
        }))
    }

    /// The users, and what to try.
    pub(super) fn next(&self, show: Show, residents: &[Made]) -> Result<(), Failure> {
        show.heading(6, "now you: everything goes on running until Ctrl-C")?;
        show.say(&format!("   The mailbox: {}  (sign in as one of these)\n", self.web))?;
        for Made { address, extension, pin, password } in residents {
            let (pin, password) = (pin.reveal(), password.reveal());
            show.say(&format!("   {address}   extension {extension}   PIN {pin}   password {password}"))?;
        }
        show.say(&self.commands())?;
        let users: Vec<_> = residents
            .iter()
            .map(|made| {
                json!({
                    "address": made.address.as_str(),
                    "extension": made.extension,
                    "pin": made.pin.reveal(),
                    "password": made.password.reveal(),
                })
            })
            .collect();
        show.document(
            &json!({ "event": "serving", "web": self.web, "users": users, "folder": self.premises.folder() }),
        )
    }

    /// Commands to copy, each of them whole.
    fn commands(&self) -> String {
        let by = |transport| self.listeners[0].iter().find(move |listener| listener.transport == transport);
        let (Some(tcp), Some(tls)) = (by(Transport::Tcp), by(Transport::Tls)) else { return String::new() };
        let (tcp, tls, domain) = (tcp.address, tls.address, &self.config.domain);
        let folder = self.premises.folder();
        // Relative to the folder, where the data are in it.
        let data = self.premises.data();
        let (here, authority) = match data.strip_prefix(folder.canonicalize().as_deref().unwrap_or(folder)) {
            Ok(inside) if inside == Path::new(DEFAULT_DATA) => {
                (String::new(), format!("{DEFAULT_DATA}/authority.pem"))
            }
            _ => (format!(" --data {}", data.display()), format!("{}/authority.pem", data.display())),
        };
        let program = std::env::current_exe().ok().map(|path| path.display().to_string());
        let program = program.unwrap_or_else(|| "umbel".to_owned());
        let phone = |command: &str, user: &str| {
            format!(
                "umbel phone {command} \\\n     --as {user}@{domain} --password-file {user}.password \\\n     --server tls:{tls} --authority {authority}"
            )
        };
        let folder = folder.display();
        format!(
            "\n   In another terminal:\n\n\
             \x20  cd {folder}\n\
             \x20  alias umbel={program}\n\n\
             \x20  # alice's telephone; a softphone registers at {tcp} (TCP) or {tls} (TLS) as well\n\
             \x20  {}\n\n\
             \x20  # bob calls her from a third one; --play a WAV file of yours, and she has a message\n\
             \x20  {}\n\n\
             \x20  # she hears her messages, and records what she hears\n\
             \x20  {}\n\n\
             \x20  # or has one played on her telephone, which rings whatever her rules say\n\
             \x20  umbel message list alice{here}\n\
             \x20  umbel play-on-phone MESSAGE-ID{here}\n\n\
             \x20  # who called whom, and why a call went where it went\n\
             \x20  umbel calls{here}\n\
             \x20  umbel why CALL-ID{here}\n",
            phone("register", "alice"),
            phone("call alice", "bob"),
            phone("voicemail --keys w4,1,w15 --record heard.wav", "alice"),
        )
    }
}
