//! Other people's programs: which ones the checks use, and how they get here.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// How often something is fetched before it counts as not to be had: networks have hiccups.
const FETCHES_MAX: u32 = 3;
/// How long to wait before it is fetched again.
const FETCH_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A program that some checks need and the machine may lack.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    /// How the ledger names it.
    pub(crate) name: &'static str,
    /// A program on the path, or a file below `/usr`, that shows it is here.
    shown_by: &'static str,
    /// The distribution's packages that bring it.
    packages: &'static [&'static str],
}

pub(crate) const BARESIP: Tool = Tool { name: "baresip", shown_by: "baresip", packages: &["baresip-core"] };
/// Another stack of SIP, TLS and sound than baresip's.
pub(crate) const LINPHONE: Tool =
    Tool { name: "Linphone", shown_by: "linphonec", packages: &["linphone-cli"] };
pub(crate) const SIPP: Tool = Tool { name: "SIPp", shown_by: "sipp", packages: &["sip-tester"] };
pub(crate) const KAMAILIO: Tool = Tool {
    name: "Kamailio",
    shown_by: "kamailio",
    packages: &["kamailio", "kamailio-tls-modules", "kamailio-extra-modules"],
};
pub(crate) const SOX: Tool = Tool { name: "SoX", shown_by: "sox", packages: &["sox", "libsox-fmt-all"] };
/// What the program's sound card is built with.
pub(crate) const ALSA: Tool =
    Tool { name: "ALSA's headers", shown_by: "include/alsa/asoundlib.h", packages: &["libasound2-dev"] };
/// A sound card for machines without one.
pub(crate) const PULSEAUDIO: Tool = Tool {
    name: "PulseAudio",
    shown_by: "pulseaudio",
    packages: &["pulseaudio", "pulseaudio-utils", "libasound2-plugins"],
};
pub(crate) const AIOSMTPD: Tool = Tool {
    name: "aiosmtpd",
    shown_by: "lib/python3/dist-packages/aiosmtpd/__init__.py",
    packages: &["python3-aiosmtpd"],
};
pub(crate) const OPENSSL: Tool = Tool { name: "OpenSSL", shown_by: "openssl", packages: &["openssl"] };
pub(crate) const CHROMIUM: Tool =
    Tool { name: "Chromium", shown_by: "chromium-headless-shell", packages: &["chromium-headless-shell"] };
/// A gateway from IMAP to Exchange Web Services.
pub(crate) const DAVMAIL: Tool = Tool { name: "DavMail", shown_by: "davmail", packages: &["davmail"] };
pub(crate) const NODE: Tool = Tool { name: "Node", shown_by: "node", packages: &["nodejs", "npm"] };

const ALL: [Tool; 12] =
    [BARESIP, LINPHONE, SIPP, KAMAILIO, SOX, OPENSSL, ALSA, PULSEAUDIO, CHROMIUM, NODE, AIOSMTPD, DAVMAIL];

impl Tool {
    pub(crate) fn is_here(self) -> bool {
        self.place().is_some()
    }

    /// What shows that it is here.
    pub(crate) fn place(self) -> Option<PathBuf> {
        on_path(self.shown_by)
            .or_else(|| Some(Path::new("/usr").join(self.shown_by)).filter(|file| file.is_file()))
    }
}

/// Where `program` is on the search path, administration folders included.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Installs what is missing where this user may; says what was done.
pub(crate) fn install() -> Vec<String> {
    let missing: Vec<Tool> = ALL.into_iter().filter(|tool| !tool.is_here()).collect();
    if missing.is_empty() {
        return vec!["all programs that the checks use are here".to_owned()];
    }
    let names = missing.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    if on_path("apt-get").is_none() || !is_root() {
        return vec![format!(
            "{names}: not here, and this user may not install them; their checks are skipped"
        )];
    }
    let packages = missing.iter().flat_map(|tool| tool.packages).copied();
    let updated = fetched(Command::new("apt-get").args(["update", "-qq"]));
    let installed = fetched(
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages),
    );
    let outcome = if updated && installed { "installed" } else { "could not be installed" };
    vec![format!("{names}: {outcome}")]
}

/// Where `cargo-deny` is; built into `target/tools` where it is missing and this is continuous integration.
pub(crate) fn cargo_deny() -> Result<PathBuf, String> {
    let own = PathBuf::from("target/tools/bin/cargo-deny");
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let installed = home.map(|home| home.join("bin/cargo-deny")).filter(|file| file.is_file());
    if let Some(here) = on_path("cargo-deny").or(installed).or_else(|| own.is_file().then(|| own.clone())) {
        return Ok(here);
    }
    if std::env::var_os("CI").is_none() {
        return Err("cargo-deny is not here; `cargo install cargo-deny --locked` brings it".to_owned());
    }
    let install = ["install", "cargo-deny", "--locked", "--debug", "--root", "target/tools"];
    if fetched(Command::new(env!("CARGO")).args(install)) && own.is_file() {
        Ok(own)
    } else {
        Err("cargo-deny is not here and could not be built".to_owned())
    }
}

/// The Python with the libraries of `interop/clients/requirements.txt`, in a folder of the build's.
pub(crate) fn python_clients() -> Result<PathBuf, String> {
    let folder = std::path::absolute("target/tools/clients-python").map_err(|error| error.to_string())?;
    let python = folder.join("bin/python");
    let wanted = "interop/clients/requirements.txt";
    if !is_current(&folder, wanted) {
        if on_path("python3").is_none() {
            return Err("Python is not here".to_owned());
        }
        let made = quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let install =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted];
        if !made || !fetched(Command::new(&python).args(install)) {
            return Err("the libraries in Python could not be installed".to_owned());
        }
        note_current(&folder, wanted)?;
    }
    Ok(python)
}

/// The folder with the libraries of `interop/clients/package.json`, and with the scripts: node looks for
/// libraries beside a script.
pub(crate) fn node_clients() -> Result<PathBuf, String> {
    let folder = std::path::absolute("target/tools/clients-node").map_err(|error| error.to_string())?;
    let wanted = "interop/clients/package.json";
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    if !is_current(&folder, wanted) {
        if on_path("node").is_none() || on_path("npm").is_none() {
            return Err("Node is not here".to_owned());
        }
        std::fs::copy(wanted, folder.join("package.json")).map_err(failed)?;
        let install = ["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"];
        if !fetched(Command::new("npm").args(install).arg(&folder)) {
            return Err("the libraries for Node could not be installed".to_owned());
        }
        note_current(&folder, wanted)?;
    }
    for script in std::fs::read_dir("interop/clients").map_err(failed)?.filter_map(Result::ok) {
        if script.path().extension().is_some_and(|extension| extension == "mjs") {
            std::fs::copy(script.path(), folder.join(script.file_name())).map_err(failed)?;
        }
    }
    Ok(folder)
}

/// Whether what is in the folder was installed from the list as it is now.
fn is_current(folder: &Path, wanted: &str) -> bool {
    let installed = std::fs::read(folder.join("installed-from"));
    installed.is_ok_and(|installed| std::fs::read(wanted).is_ok_and(|wanted| installed == wanted))
}

fn note_current(folder: &Path, wanted: &str) -> Result<(), String> {
    std::fs::copy(wanted, folder.join("installed-from")).map(|_| ()).map_err(|error| error.to_string())
}

/// Where Schemathesis is; installed from PyPI into `target/tools` where it is missing.
pub(crate) fn schemathesis() -> Result<PathBuf, String> {
    /// Newer ones find more, and are to do so when somebody looks.
    const VERSION: &str = "schemathesis==4.32.5";
    /// What it draws with: another version makes other requests of the same seed.
    const CHANCE: &str = "hypothesis==6.170.15";
    let folder = PathBuf::from("target/tools").join(VERSION.replace("==", "-"));
    let program = folder.join("bin/schemathesis");
    if !program.is_file() {
        if on_path("python3").is_none() {
            return Err("Python is not here".to_owned());
        }
        let made = quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let pip = ["-m", "pip", "install", "--quiet", VERSION, CHANCE];
        if !made || !fetched(Command::new(folder.join("bin/python")).args(pip)) {
            return Err(format!("{VERSION} cannot be installed from here"));
        }
    }
    std::path::absolute(program).map_err(|error| error.to_string())
}

pub(crate) fn report() -> ExitCode {
    for line in install() {
        println!("{line}");
    }
    for tool in ALL {
        println!("{:10} {}", tool.name, if tool.is_here() { "here" } else { "missing" });
    }
    ExitCode::SUCCESS
}

/// Runs what takes something from a network, and again where it fails.
pub(crate) fn fetched(command: &mut Command) -> bool {
    for fetch in 1..=FETCHES_MAX {
        if quiet(command) {
            return true;
        }
        if fetch < FETCHES_MAX {
            std::thread::sleep(FETCH_AGAIN_AFTER);
        }
    }
    false
}

fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stdin(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Whether this user may do everything.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
