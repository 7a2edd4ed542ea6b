//! The command line: what can be asked for, and with which words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Voice mail over SIP: call answering, subscriber access and their protocol extensions of [MS-OCEXUM].
#[derive(Debug, Parser)]
#[command(name = "umbel", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print one JSON document, or one a line; errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where the configuration and the data are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// The configuration file; without one, the embedded defaults.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// The data directory of the embedded defaults [default: ./umbel-data].
    #[arg(long, value_name = "DIR", conflicts_with = "config", global = true)]
    pub(crate) data: Option<PathBuf>,
}

/// The tour.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoOptions {
    /// End after the tour: with 0 where every step held, with 1 where one did not.
    #[arg(long)]
    pub(crate) once: bool,
    /// Keep the data in this directory; without it, they are gone at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the roles that the configuration names; without one, the embedded defaults.
    Serve(Place),
    /// See it all at work: the three roles, real calls, what goes over the wires; then a server to try it on.
    Demo(DemoOptions),
    /// Say what is wrong with certificates, names, ports, store, prompts and users, and how to mend it.
    Check {
        #[command(flatten)]
        place: Place,
        /// Write the configuration in force, with comments.
        #[arg(long)]
        print_config: bool,
    },
    /// Let a running server read its configuration again.
    Reload(Place),
    /// Users and their settings.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Mailboxes and greetings.
    Mailbox {
        #[command(subcommand)]
        command: MailboxCommand,
    },
    /// Voice messages.
    Message {
        #[command(subcommand)]
        command: MessageCommand,
    },
    /// Play a message on its owner's telephone, or on a number, and follow the call; Ctrl-C hangs up.
    PlayOnPhone {
        #[command(flatten)]
        place: Place,
        /// The message's id.
        #[arg(value_name = "MESSAGE-ID")]
        message: String,
        /// An extension, an address or a number that the owner may call [default: the owner's own telephone].
        number: Option<String>,
    },
    /// The decisions of one call: who, trust, PIN, diversion, recording, with the rule that decided.
    Why {
        #[command(flatten)]
        place: Place,
        /// The Call-ID header of the call.
        call_id: String,
        /// Print one fact only: `pin` is `skipped`, `prompted` or `none`.
        #[arg(long)]
        field: Option<WhyField>,
    },
    /// Calls now, and the last ones.
    Calls {
        #[command(flatten)]
        place: Place,
        /// The last 1,000 rather than the last 20.
        #[arg(long)]
        all: bool,
    },
    /// Mails that wait to be sent, and those that failed.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Certificates of the local authority.
    Certificate {
        #[command(subcommand)]
        command: CertificateCommand,
    },
    /// The protocol client: a telephone for people, scripts and tests.
    Phone {
        #[command(subcommand)]
        command: Box<PhoneCommand>,
    },
    /// Not in this version.
    #[command(hide = true)]
    Backup(NotYet),
    /// Not in this version.
    #[command(hide = true)]
    Restore(NotYet),
    /// Not in this version.
    #[command(hide = true)]
    Import(NotYet),
    /// Write shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a directory.
    Man {
        /// The directory.
        directory: PathBuf,
    },
}

/// Whatever is said to a command that comes in a later version.
#[derive(Clone, Debug, Args)]
pub(crate) struct NotYet {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<std::ffi::OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhyField {
    Pin,
}

/// Secrets come from files: an argument would be seen by everybody on the machine.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SecretsFromFiles {
    /// A file with the PIN; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// A file with the password; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "REFUSED")]
    pub(crate) pin: Option<String>,
    #[arg(long, hide = true, value_name = "REFUSED")]
    pub(crate) password: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List the mails in the queue, by their numbers.
    List(Place),
    /// Try mails again now, those that failed too; a PIN that failed was wiped, reset it again instead.
    Retry {
        #[command(flatten)]
        place: Place,
        /// This one only.
        number: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; without --pin-file a random PIN is made and printed once.
    Add {
        #[command(flatten)]
        place: Place,
        /// user@domain, in the configured domain.
        address: String,
        /// The digits that callers know.
        #[arg(long, value_name = "N")]
        extension: Option<String>,
        /// The name as people write it.
        #[arg(long, value_name = "S")]
        name: Option<String>,
        /// Where notices go.
        #[arg(long, value_name = "E")]
        email: Option<String>,
        #[command(flatten)]
        secrets: SecretsFromFiles,
    },
    /// Show one user.
    Show {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
    },
    /// Remove a user with mailbox and messages.
    Remove {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
    },
    /// Make a new PIN and mail it to its owner, who has to change it at the first log-in with it.
    ResetPin {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
    },
    /// Open a PIN that wrong guesses have locked.
    Unlock {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
    },
    /// List all users.
    List(Place),
    /// Change settings, by the names of the import's columns, and routing rules.
    #[command(after_help = ROUTING_HELP)]
    Set {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
        /// KEY=VALUE, for example `name=Alice`, `skip_pin=no` or `forward-unanswered=bob@example.test`.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
        /// Make a random PIN and print it once, as `pin=` does; it has to be changed at the first log-in with it.
        #[arg(long, conflicts_with = "pin_file")]
        new_pin: bool,
        #[command(flatten)]
        secrets: SecretsFromFiles,
    },
    /// Add or update users from a CSV file: all rows or none.
    Import {
        #[command(flatten)]
        place: Place,
        /// Columns: address,extension,name,email,pin,password,skip_pin,enabled,language,greeting,time_zone,role,
        /// play-on-phone-dial-string,telephone-access-folder, and the routing rules of `umbel user set`.
        file: PathBuf,
    },
    /// Routing rules as the XML document of [MS-SIPRE] 2.2.9.
    Routing {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
        #[command(subcommand)]
        command: RoutingCommand,
    },
    /// Write all users as CSV, without secrets.
    Export(Place),
}

/// What `umbel user set` says of routing rules.
const ROUTING_HELP: &str = "\
Routing rules; `off` takes one away, `off:` before a value keeps the value without using it:
  forward-immediate=TARGET        all calls, at once; TARGET may be voicemail
  forward-unanswered=TARGET       calls that nobody answers; without it they go to voice mail
  no-voicemail=yes                not to voice mail either
  ring-also=TARGET                a second device, together with the own telephones
  ring-time=20s                   how long telephones ring
  team=TARGET,...                 who rings too, after team-after=10s, for team-time=20s
  delegates=TARGET,...            the same, where there is no team
  work-hours=\"mon-fri 09:00-17:00, sat 10:00-12:00\"
                                  when the rules apply, by the user's time_zone
  do-not-disturb=yes              own telephones stay silent
  skip-own-telephones=yes         they are silent, but for delegates and those who break through
  breakthrough=ADDRESS,...        whose calls ring in spite of that
  conference-invitations=yes      rules are for invitations to conferences too
  emergency-call-back=yes         own telephones and nothing else
  block=yes                       every call is refused
A TARGET is an address, an extension, a number or a SIP URI.";

#[derive(Debug, Subcommand)]
pub(crate) enum RoutingCommand {
    /// Replace the rules by those of a document; several files are several instances, which are merged.
    Import {
        /// The documents; `-` reads standard input.
        #[arg(required = true, value_name = "FILE.xml")]
        files: Vec<PathBuf>,
    },
    /// Write the rules as a document to standard output.
    Export,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailboxCommand {
    /// Show a mailbox: counts, limits, greetings, locks.
    Show {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
    },
    /// List all mailboxes with their counts.
    List(Place),
    /// Greetings: list, show, set or remove.
    Greeting {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
        #[command(subcommand)]
        command: GreetingCommand,
    },
    /// Write all messages of a mailbox into a directory, with a JSON description each.
    Export {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: String,
        /// The directory; made if absent.
        directory: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GreetingCommand {
    /// List the greetings and which one is active.
    List,
    /// Describe one greeting.
    Show {
        /// standard, out-of-office or name.
        kind: String,
    },
    /// Take a WAV file as a greeting.
    Set {
        /// standard, out-of-office or name.
        kind: String,
        /// The WAV file.
        file: PathBuf,
    },
    /// Remove a greeting.
    Remove {
        /// standard, out-of-office or name.
        kind: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MessageCommand {
    /// List messages, of one mailbox or of all.
    List {
        #[command(flatten)]
        place: Place,
        /// user@domain or an extension.
        address: Option<String>,
    },
    /// Describe one message.
    Show {
        #[command(flatten)]
        place: Place,
        /// The message's id.
        id: String,
    },
    /// Delete a message; it can be restored for 14 days.
    Delete {
        #[command(flatten)]
        place: Place,
        /// The message's id.
        id: String,
    },
    /// Restore a deleted message.
    Restore {
        #[command(flatten)]
        place: Place,
        /// The message's id.
        id: String,
    },
    /// Write a message as 16-bit PCM WAV.
    Export {
        #[command(flatten)]
        place: Place,
        /// The message's id.
        id: String,
        /// The file to write; `-` writes to standard output.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Issue a peer certificate: NAME is the DNS name it bears.
    Issue {
        #[command(flatten)]
        place: Place,
        /// The DNS name.
        name: String,
        /// Where NAME.pem, NAME-key.pem and authority.pem go.
        directory: PathBuf,
    },
}

/// What every telephone command needs.
#[derive(Clone, Debug, Args)]
pub(crate) struct PhoneOptions {
    /// The address to be: user@domain.
    #[arg(long = "as", value_name = "ADDRESS")]
    pub(crate) address: String,
    /// What those who are called are told beside it.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Whose password it is, in the words of the server that asks for it [default: the domain of --as].
    #[arg(long, value_name = "REALM")]
    pub(crate) realm: Option<String>,
    /// The server to call: tls:HOST:PORT or tcp:HOST:PORT.
    #[arg(long, value_name = "SERVER")]
    pub(crate) server: String,
    /// A PEM file with the authority that the server's certificate must come from.
    #[arg(long, value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
    /// A PEM certificate to show to the server.
    #[arg(long, value_name = "FILE", requires = "private_key")]
    pub(crate) certificate: Option<PathBuf>,
    /// The certificate's private key.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) private_key: Option<PathBuf>,
    /// When sound is encrypted (SRTP) [default: offered over TLS, off over TCP].
    #[arg(long, value_name = "WHEN")]
    pub(crate) srtp: Option<Encryption>,
    /// Record what is heard.
    #[arg(long, value_name = "OUT.wav")]
    pub(crate) record: Option<PathBuf>,
    /// Speak and listen with the system's sound card, in builds with the feature `audio`.
    #[arg(long, value_name = "device")]
    pub(crate) audio: Option<Audio>,
    /// Say what this file says.
    #[arg(long, value_name = "IN.wav")]
    pub(crate) play: Option<PathBuf>,
    /// Begin to say it this long after the answer, for example 5s, when the greeting is over.
    #[arg(long, value_name = "TIME", requires = "play")]
    pub(crate) play_after: Option<String>,
    /// Keys to press once answered, for example "1,w2,3#": wN waits N seconds, P is the PIN of --pin-file.
    #[arg(long, value_name = "KEYS")]
    pub(crate) keys: Option<String>,
    /// Hang up this long after the answer, for example 10s. Without it: a second after the sound, two seconds
    /// after the last key, or when the other side does.
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_time: Option<String>,
    /// Do not let the other side of a call send us on to somebody else.
    #[arg(long)]
    pub(crate) no_transfer: bool,
    #[command(flatten)]
    pub(crate) secrets: SecretsFromFiles,
}

/// When the sound of calls is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encryption {
    /// Never: RTP/AVP, and RTP/SAVP is refused.
    Off,
    /// Where the other side does it, too: RTP/AVP with keys.
    Offered,
    /// Always: RTP/SAVP alone.
    Required,
}

/// Where sound comes from and goes to, besides files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Audio {
    /// The microphone and the loudspeaker that the system calls its default.
    Device,
}

/// What happens to calls that come.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AnswerOptions {
    /// Answer after ringing for this long, for example 2s; Play-On-Phone calls, too.
    #[arg(long, value_name = "TIME", group = "answering")]
    pub(crate) after: Option<String>,
    /// Be busy (486).
    #[arg(long, group = "answering")]
    pub(crate) busy: bool,
    /// Decline (603).
    #[arg(long, group = "answering")]
    pub(crate) decline: bool,
    /// Let it ring.
    #[arg(long, group = "answering")]
    pub(crate) never: bool,
    /// Send calls on to this address; a Play-On-Phone call is declined instead.
    #[arg(long, value_name = "URI", group = "answering")]
    pub(crate) deflect: Option<String>,
    /// Send them on by this status: 303 asks the protocol server to do it, 302 is understood everywhere.
    #[arg(long, value_name = "302|303", requires = "deflect")]
    pub(crate) deflect_by: Option<u16>,
    /// Be there for Play-On-Phone calls alone.
    #[arg(long)]
    pub(crate) appear_offline: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PhoneCommand {
    /// Register and stay reachable, for --for or until interrupted; calls ring unless told otherwise.
    Register {
        #[command(flatten)]
        options: PhoneOptions,
        #[command(flatten)]
        answer: AnswerOptions,
    },
    /// Register, subscribe to one's own mailbox and say what waits there: once, or for --for with all changes.
    MessageWaiting {
        #[command(flatten)]
        options: PhoneOptions,
    },
    /// Call one's own voice mail and address with the headers of [MS-OCEXUM], and say which of its rows the server
    /// keeps.
    Check {
        #[command(flatten)]
        options: PhoneOptions,
        /// A unified messaging server to call directly, as a stranger; may be given again.
        #[arg(long, value_name = "SERVER")]
        direct: Vec<String>,
        /// Only the rows of this id, for example CMD-1; may be given again.
        #[arg(long = "row", value_name = "ID")]
        rows: Vec<String>,
    },
    /// Register, wait for one call and answer it, after two seconds unless told otherwise.
    Answer {
        #[command(flatten)]
        options: PhoneOptions,
        #[command(flatten)]
        answer: AnswerOptions,
        /// Give up if nobody calls within this time [default: 10m].
        #[arg(long, value_name = "TIME")]
        within: Option<String>,
    },
    /// Call one's own voice mail, as [MS-OCEXUM] 3.1.1; registered first where there is a password.
    Voicemail {
        #[command(flatten)]
        options: PhoneOptions,
        /// Leave `Ms-Exchange-Command: skip-pin` out.
        #[arg(long)]
        no_skip_pin: bool,
    },
    /// Make a call.
    Call {
        #[command(flatten)]
        options: PhoneOptions,
        /// sip:user@domain, user@domain or an extension.
        target: String,
        /// The Subject header.
        #[arg(long)]
        subject: Option<String>,
        /// The Priority header: emergency, urgent, normal or non-urgent.
        #[arg(long)]
        priority: Option<String>,
        /// A further header, `Name: value`, for tests and administrators.
        #[arg(long = "header", value_name = "NAME: VALUE")]
        headers: Vec<String>,
    },
}
