//! The step `browser`: the mailbox page in Chromium, against the program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use crate::prerequisites::{CHROMIUM, fetched, on_path};
use crate::steps::Outcome;
use crate::workplace::Workplace;

/// Where the suite is; its manifest pins what it drives the browser with.
const SUITE: &str = "interop/browser";
/// The oldest Node that these libraries run on.
const NODE_MAJOR: u32 = 20;

/// Runs the suite, or says why it cannot be.
pub(crate) fn run(workplace: &Workplace) -> Outcome {
    if let Some(why) = node_is_too_old() {
        return Outcome::Skipped(why);
    }
    let target = target_folder();
    let modules = match modules(&target.join("browser")) {
        Ok(modules) => modules,
        Err(why) => return Outcome::Skipped(why),
    };
    let Some(program) = workplace.made.program.get() else {
        return Outcome::Failed("the program was not built".to_owned());
    };
    let Some(chromium) = CHROMIUM.place() else { return Outcome::Skipped("Chromium is not here".to_owned()) };
    let suites = match suites() {
        Ok(suites) => suites,
        Err(error) => return Outcome::Failed(format!("{SUITE}: {error}")),
    };
    workplace.run(
        Command::new("node")
            // Side by side they would share two processors with their servers and telephones.
            .args(["--test", "--test-concurrency=1"])
            .args(suites)
            .env("UMBEL_BINARY", program)
            .env("BROWSER_MODULES", modules)
            .env("CHROMIUM", chromium),
    )
}

fn suites() -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(SUITE)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

fn node_is_too_old() -> Option<String> {
    let output = Command::new("node").arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next()?.parse::<u32>().ok()?;
    (major < NODE_MAJOR).then(|| format!("Node {NODE_MAJOR} is wanted, {version} is here"))
}

fn target_folder() -> PathBuf {
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    std::path::absolute(&folder).unwrap_or(folder)
}

/// What the suite drives the browser with: fetched once, and again when its lock file changes.
fn modules(folder: &Path) -> Result<PathBuf, String> {
    let modules = folder.join("node_modules");
    let lock = Path::new(SUITE).join("package-lock.json");
    let installed = folder.join("package-lock.json");
    let same = fs::read(&lock).ok().is_some_and(|wanted| fs::read(&installed).ok() == Some(wanted));
    if same && modules.join("playwright-core").is_dir() && modules.join("axe-core").is_dir() {
        return Ok(modules);
    }
    if on_path("npm").is_none() {
        return Err("npm is not here".to_owned());
    }
    let copied = fs::create_dir_all(folder)
        .and_then(|()| fs::copy(Path::new(SUITE).join("package.json"), folder.join("package.json")))
        .and_then(|_| fs::copy(&lock, &installed));
    copied.map_err(|error| format!("{}: {error}", folder.display()))?;
    let fetching = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"].map(OsStr::new);
    if fetched(Command::new("npm").args(fetching).current_dir(folder)) {
        return Ok(modules);
    }
    // Not half of them, next time.
    let _ = fs::remove_file(&installed);
    Err("playwright-core and axe-core cannot be fetched from here".to_owned())
}
