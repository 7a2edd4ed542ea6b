//! House rules as a test: who imports whom, what every file begins with, what no file may contain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the project's root").to_owned()
}

/// Every file under version control, relative to the root.
fn tracked(suffix: &str) -> Vec<PathBuf> {
    let listing = Command::new("git").arg("ls-files").current_dir(root()).output().expect("git is here");
    assert!(listing.status.success(), "the project is a git checkout");
    let text = String::from_utf8(listing.stdout).expect("paths are UTF-8");
    let files: Vec<PathBuf> = text.lines().filter(|line| line.ends_with(suffix)).map(PathBuf::from).collect();
    assert!(!files.is_empty(), "no file ends with {suffix}");
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The import table of ARCHITECTURE.md.
fn allowed_imports() -> BTreeMap<String, BTreeSet<String>> {
    let text = read(Path::new("ARCHITECTURE.md"));
    let table = text
        .split_once("<!-- imports -->")
        .and_then(|(_, rest)| rest.split_once("<!-- end of imports -->"))
        .expect("ARCHITECTURE.md has the import table between its marks")
        .0;
    table
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let imports = cells[2].split(',').map(str::trim).filter(|name| !name.is_empty());
            (cells[1].to_owned(), imports.map(str::to_owned).collect())
        })
        .collect()
}

/// The rooms that a manifest names under `[dependencies]`.
fn imports(manifest: &str) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let dependencies = manifest.get("dependencies").and_then(|table| table.as_table());
    let names = dependencies.into_iter().flat_map(|table| table.keys());
    names.filter_map(|name| name.strip_prefix("umbel-")).map(str::to_owned).collect()
}

#[test]
fn rooms_import_only_what_the_architecture_allows() {
    let allowed = allowed_imports();
    let mut seen = BTreeSet::new();
    for manifest in tracked("Cargo.toml") {
        let folder = manifest.parent().expect("a manifest stands in a folder");
        let room = match folder.strip_prefix("crates") {
            Ok(room) => room.display().to_string(),
            Err(_) if folder == Path::new("sim") => "sim".to_owned(),
            Err(_) => continue,
        };
        let allowed = allowed.get(&room).unwrap_or_else(|| panic!("{room} is missing in ARCHITECTURE.md"));
        let excess: Vec<_> = imports(&read(&manifest)).difference(allowed).cloned().collect();
        assert!(excess.is_empty(), "{room} may not import {excess:?}; see the table in ARCHITECTURE.md");
        seen.insert(room);
    }
    let gone: Vec<_> = allowed.keys().filter(|room| !seen.contains(*room)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md lists rooms that do not exist: {gone:?}");
}

#[test]
fn every_source_file_begins_by_saying_what_it_is() {
    for file in tracked(".rs") {
        let text = read(&file);
        let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        assert!(first.starts_with("//! "), "{}: the first line says what the file is", file.display());
    }
}

/// Longer files hold more than one idea; split them where a state wants to be two.
#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    const LINES_MAX: usize = 700;
    let long: Vec<String> = tracked(".rs")
        .into_iter()
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, file)| format!("{}: {lines}", file.display()))
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines: {long:#?}");
}

#[test]
fn nothing_is_left_open_in_the_code() {
    let marks = ["todo!", "unimplemented!", "FIXME", "#[ignore"]
        .map(|mark| format!("{mark}{}", if mark.ends_with('!') { "(" } else { "" }));
    for file in tracked(".rs") {
        if file.ends_with("tidy.rs") {
            continue;
        }
        let text = read(&file);
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{}: {mark} is left", file.display());
        }
    }
}

/// Pure rooms are handed the time; only these may wait for it.
#[test]
fn tests_await_conditions_instead_of_sleeping() {
    let naps = [["thread", "sleep("].join("::"), ["time", "sleep("].join("::")];
    for file in tracked(".rs") {
        let test = file.components().any(|part| part.as_os_str() == "tests") || file.starts_with("interop");
        let text = read(&file);
        for nap in &naps {
            assert!(!(test && text.contains(nap.as_str())), "{}: sleeps", file.display());
        }
    }
}

/// `docs/requirements.md` names tests as `path::name`; each must exist, and where it says.
#[test]
fn every_test_that_the_requirements_name_exists() {
    let text = read(Path::new("docs/requirements.md"));
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let mut checked = 0;
    for name in text.split('`').skip(1).step_by(2) {
        let Some((path, test)) = name.split_once(".rs::") else { continue };
        let test = test.rsplit("::").next().unwrap_or(test);
        let path = format!("{path}.rs");
        assert!(root().join(&path).is_file(), "docs/requirements.md names {path}, which does not exist");
        let source = sources.entry(path.clone()).or_insert_with(|| read(Path::new(&path)));
        assert!(source.contains(&format!("fn {test}(")), "{path} has no test {test}");
        checked += 1;
    }
    assert!(checked > 50, "docs/requirements.md names {checked} tests only");
}
