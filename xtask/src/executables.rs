//! Executables that Cargo has built: what they are, and where.

use std::path::PathBuf;

use serde_json::Value;

use crate::workplace::Workplace;

/// One executable.
#[derive(Clone, Debug)]
pub(crate) struct Executable {
    /// The package's folder: tests run there.
    pub(crate) folder: PathBuf,
    /// The name of the target: a test's, a program's, a library's.
    pub(crate) target: String,
    /// `test`, `bin`, `lib`.
    pub(crate) kind: String,
    /// Whether it is the test of its target, and not the target itself.
    pub(crate) is_test: bool,
    pub(crate) path: PathBuf,
}

/// Has Cargo build, and gives the executables that came of it.
pub(crate) fn built(workplace: &Workplace, arguments: &[&str]) -> Result<Vec<Executable>, String> {
    let format = ["--message-format", "json-render-diagnostics"];
    let messages = workplace.output(&mut workplace.cargo(arguments.iter().chain(&format)))?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    Ok(messages.filter_map(|message| executable(&message)).collect())
}

fn executable(message: &Value) -> Option<Executable> {
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    Some(Executable {
        folder: manifest.parent()?.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        kind: message["target"]["kind"][0].as_str()?.to_owned(),
        is_test: message["profile"]["test"].as_bool()?,
        path: PathBuf::from(message["executable"].as_str()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_cargos_messages_only_executables_are_taken() {
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml",
            "target":{"kind":["lib"],"name":"a"},"profile":{"test":false},"executable":null}"#;
        let test = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml",
            "target":{"kind":["test"],"name":"b"},"profile":{"test":true},"executable":"/t/debug/deps/b-1"}"#;
        let end = r#"{"reason":"build-finished","success":true}"#;
        let read = |text: &str| executable(&serde_json::from_str(text).expect("JSON"));
        assert!(read(library).is_none() && read(end).is_none());
        let found = read(test).expect("an executable");
        assert_eq!((found.target.as_str(), found.kind.as_str(), found.is_test), ("b", "test", true));
        assert_eq!((found.folder, found.path), ("/w/crates/a".into(), "/t/debug/deps/b-1".into()));
    }
}
