//! Other users of the machine (SEC-121, SEC-122), and folders that do not let us in.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::site::{Ran, Site};

fn set_mode(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Only root may give files away.
fn is_root(site: &Site) -> bool {
    site.folder().metadata().unwrap().uid() == 0
}

/// A command of a user who is not let in everywhere: ourselves, or nobody where we are root.
fn unprivileged(site: &Site, arguments: &[&str]) -> Ran {
    const NOBODY: u32 = 65_534;
    let mut command = site.command(arguments);
    if is_root(site) {
        let copy = site.path("umbel");
        if !copy.exists() {
            let program = env!("CARGO_BIN_EXE_umbel");
            std::fs::hard_link(program, &copy).or_else(|_| std::fs::copy(program, &copy).map(drop)).unwrap();
        }
        set_mode(site.folder(), 0o755);
        command = Command::new(copy);
        command.args(arguments).arg("--config").arg(site.path("umbel.toml"));
        command.current_dir(site.folder()).uid(NOBODY).gid(NOBODY);
    }
    Ran::of(command.output().unwrap())
}

// SEC-121
#[test]
fn everything_we_make_is_for_us_alone() {
    let site = Site::with_users();
    let server = site.serve();
    let mut folders = vec![site.path("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let certificate = entry.file_name() == "authority.pem";
            let mode = metadata.permissions().mode() & 0o777;
            assert!(certificate || mode & 0o077 == 0, "{}: {mode:o}", entry.path().display());
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
    drop(server);
}

// SEC-121
#[test]
fn a_data_directory_that_is_open_to_others_is_told_of_and_one_they_can_write_is_refused() {
    let site = Site::with_users();
    let data = site.path("data");
    let checked = || site.umbel(&["check"]).succeeded();
    assert!(!checked().contains("others can look into"));
    set_mode(&data, 0o755);
    assert!(checked().contains("(mode 0755); run chmod 700"), "{}", checked());
    set_mode(&data, 0o757);
    site.umbel(&["serve"]).failed(77, &["others can write into", "chmod 700"]);
    site.umbel(&["user", "list", "--json"]).failed_as_json(77, "permission");
    set_mode(&data, 0o700);
    assert!(!checked().contains("others can look into"));
}

// SEC-121
#[test]
fn a_key_that_others_can_read_is_refused() {
    let site = Site::with_users();
    let peers = site.path("peers");
    site.umbel(&["certificate", "issue", "um.example.test", peers.to_str().unwrap()]).succeeded();
    for key in ["data/secret.key", "data/authority-key.pem"] {
        let key = site.path(key);
        set_mode(&key, 0o644);
        site.umbel(&["serve"]).failed(77, &[key.file_name().unwrap().to_str().unwrap(), "600"]);
        let checked = site.umbel(&["check"]);
        assert_eq!(checked.status, Some(77), "{checked:?}");
        set_mode(&key, 0o600);
    }
    let lines =
        "certificate = \"peers/um.example.test.pem\"\nprivate-key = \"peers/um.example.test-key.pem\"\n";
    site.configure(&site.configuration(lines, ""));
    set_mode(&peers.join("um.example.test-key.pem"), 0o604);
    site.umbel(&["serve", "--json"]).failed_as_json(77, "certificate");
}

// SEC-122
#[test]
fn a_configuration_that_others_can_write_is_refused() {
    let site = Site::new();
    let file = site.path("umbel.toml");
    for (mode, good) in [(0o600, true), (0o640, true), (0o644, true), (0o606, false), (0o666, false)] {
        set_mode(&file, mode);
        let ran = site.umbel(&["user", "list"]);
        if good {
            ran.succeeded();
        } else {
            ran.failed(77, &["umbel.toml", "chmod"]);
            site.umbel(&["serve", "--json"]).failed_as_json(77, "permission");
        }
    }
}

// SEC-122
#[test]
fn a_configuration_of_somebody_elses_is_refused() {
    let site = Site::new();
    if !is_root(&site) {
        // Only root can make such a file.
        return;
    }
    chown(site.path("umbel.toml"), Some(65_534), None).unwrap();
    site.umbel(&["user", "list"]).failed(77, &["umbel.toml", "chown"]);
    chown(site.path("umbel.toml"), Some(0), None).unwrap();
    site.umbel(&["user", "list"]).succeeded();
}

#[test]
fn data_that_cannot_be_made_or_written_is_named() {
    let site = Site::new();
    site.configure(&format!("data = \"umbel.toml/data\"\n{}", site.configuration("", "")));
    for command in [["user", "list"].as_slice(), &["serve"]] {
        site.umbel(command).failed(73, &["umbel.toml/data"]);
    }
    std::fs::create_dir(site.path("shut")).unwrap();
    set_mode(&site.path("shut"), 0o500);
    site.configure(&format!("data = \"shut/data\"\n{}", site.configuration("", "")));
    for command in [["user", "list"].as_slice(), &["serve"]] {
        unprivileged(&site, command).failed(77, &["shut/data"]);
    }
}

#[test]
fn a_configuration_that_may_not_be_read_is_named() {
    let site = Site::new();
    set_mode(&site.path("umbel.toml"), 0o000);
    unprivileged(&site, &["user", "list"]).failed(77, &["umbel.toml"]);
}
