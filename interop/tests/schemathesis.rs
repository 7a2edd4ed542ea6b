//! The API is as its description says: Schemathesis makes requests of it, right ones and wrong ones, and compares
//! each answer with what the description promises.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use umbel_interop::sound::speech_folder;
use umbel_interop::umbel::{DOMAIN, Server, Umbel, password_of};
use umbel_interop::wait::until;

/// The longest that one run may take, in seconds.
const RUN_SECONDS: &str = "60";
/// A message is there a moment after its call; the machine may be busy.
const SAVED: Duration = Duration::from_secs(90);

/// A server in whose store there is something of everything.
fn umbel() -> Umbel {
    let umbel = Umbel::start();
    umbel.import(&format!("address,password,role\ncarol@{DOMAIN},{},administrator\n", password_of("carol")));
    let message = speech_folder().join("message.wav").to_string_lossy().into_owned();
    let (target, caller) = (format!("sip:alice@{DOMAIN}"), format!("bob@{DOMAIN}"));
    let (status, events) = umbel.phone(
        &["call", &target, "--as", &caller, "--play", &message, "--play-after", "8s", "--for", "14s"],
        &Server::Tcp,
    );
    assert_eq!(status, Some(0), "{events:#?}");
    until("the message", SAVED, || (umbel.messages("alice").len() == 1).then_some(()));
    umbel
}

/// Schemathesis as `user`, on the parts that programs use; pages of browsers bring a session, and who guesses at
/// secrets locks himself out.
fn check(umbel: &Umbel, user: &str, operations: &[&str]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemathesis");
    let program = std::env::var_os("SCHEMATHESIS").expect("SCHEMATHESIS names the program");
    let seed = std::env::var("SCHEMATHESIS_SEED").ok();
    let http = umbel.http();
    let output = Command::new(program)
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("http://{http}/api/v1/openapi.json")])
        .args(["--auth", &format!("{user}@{DOMAIN}:{}", password_of(user))])
        .args(["--max-time", RUN_SECONDS, "--exclude-tag", "browser", "--exclude-tag", "secrets"])
        .args(seed.iter().flat_map(|seed| ["--seed", seed]))
        .args(operations)
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("NO_COLOR", "1")
        // Where the machine reaches others through a proxy, that is not the way to ourselves.
        .envs([("NO_PROXY", "*"), ("no_proxy", "*")])
        .current_dir(umbel.folder())
        .output()
        .expect("Schemathesis can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("Test cases:"), "{said}");
}

#[test]
fn users_get_what_the_description_promises() {
    check(&umbel(), "alice", &[]);
}

/// As somebody who may do everything: only what is for administrators, since the rest is as above.
#[test]
fn administrators_get_what_the_description_promises() {
    check(&umbel(), "carol", &["--include-tag", "users", "--include-tag", "calls"]);
}
