//! The program as its users meet it: the real binary, in folders of its own, over real connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

mod calls;
mod check;
mod command_line;
mod demo;
mod foreign_servers;
mod greetings;
mod import;
mod known_users;
mod mail;
mod message_waiting;
mod messages;
mod permissions;
mod play_on_phone;
#[path = "../shared/ports.rs"]
mod ports;
mod protocol_server;
mod reload;
mod routing;
mod serve;
mod site;
mod sound;
mod telephone;
mod telephone_page;
mod telephones;
mod terminal;
mod transfers;
mod users;
#[path = "../shared/wait.rs"]
mod wait;
mod web;
