//! `umbel user import FILE.csv`: all rows or none.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use umbel_store::{Address, GreetingKind, NewPin, Password, Pin, PinSet, StoredAudio, UserEntry};

use zeroize::Zeroizing;

use super::user_columns::{Setting, names, setting};
use super::{Admin, beside, read_wav};
use crate::exit::{Exit, Failure, at_path};
use crate::progress::Progress;
use crate::refused;
use crate::runtime::now;
use crate::store::author;

/// More users than a store of one node is made for.
const ROWS_MAX: usize = 100_000;
/// A file of so many rows, with all columns filled, is smaller.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Octets of all greetings of one file, which are read before the first row is written.
const GREETINGS_BYTES_MAX: usize = 1 << 30;

/// One row, read and checked by itself.
struct Row {
    /// Its line in the file, from 1.
    line: u64,
    entry: UserEntry,
    greeting: Option<StoredAudio>,
}

/// The greetings of a file, each read once, however many rows name it.
#[derive(Default)]
struct Greetings {
    read: BTreeMap<PathBuf, StoredAudio>,
    bytes: usize,
}

impl Greetings {
    fn read(&mut self, path: PathBuf, json: bool) -> Result<StoredAudio, Failure> {
        if let Some(audio) = self.read.get(&path) {
            return Ok(audio.clone());
        }
        let audio = read_wav(&path, json)?;
        self.bytes += audio.data.len();
        if self.bytes > GREETINGS_BYTES_MAX {
            let why = format!("the greetings are more than {GREETINGS_BYTES_MAX} octets; part the file");
            return Err(Failure::new(Exit::Failed, "sound-too-large", why));
        }
        self.read.insert(path, audio.clone());
        Ok(audio)
    }
}

/// What an import came to.
pub(super) struct Imported {
    /// The PINs that were made, to be printed once.
    pub(super) pins: Vec<PinSet>,
    /// What could not be done when the rows were written.
    pub(super) rest: Result<(), Failure>,
}

/// Adds or updates users. Nothing is written before all rows and all greetings have been read and checked.
pub(super) fn import(admin: &mut Admin, file: &Path) -> Result<Imported, Failure> {
    let rows = read(admin, file)?;
    let entries: Vec<UserEntry> = rows.iter().map(|row| row.entry.clone()).collect();
    // Each PIN and password is hashed, which takes time on purpose.
    let progress = Progress::begin("hashing and saving", None, admin.json);
    let set =
        admin.store.put_users(&entries, &author(), now()).map_err(|error| refused(error, file, &rows))?;
    drop(progress);
    let rest = finish(admin, file, &rows);
    Ok(Imported { pins: set, rest })
}

/// What comes after the rows: remarks on their rules, and the greetings, each with a file of its own.
fn finish(admin: &mut Admin, file: &Path, rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        if row.entry.changes.iter().any(super::routing::is_rule) {
            let user = admin.user(row.entry.address.as_str())?;
            super::routing::remark(admin, &user)?;
        }
        if let Some(audio) = &row.greeting {
            let kind = GreetingKind::Standard;
            admin.store.set_greeting(&row.entry.address, kind, audio, &author(), now()).map_err(|error| {
                let about = format!("{}:{}", file.display(), row.line);
                let failure = refused::store(error, &about);
                let message =
                    format!("{}; all rows are imported, the greetings from here on are not", failure.message);
                Failure { message, ..failure }
            })?;
        }
    }
    Ok(())
}

fn refused(error: umbel_store::StoreError, file: &Path, rows: &[Row]) -> Failure {
    match error {
        umbel_store::StoreError::Refused(umbel_store::Refusal::Entry { entry, refusal }) => {
            let line = rows.get(entry).map_or(0, |row| row.line);
            Failure::new(
                Exit::Failed,
                "refused",
                format!("{}:{line}: {refusal}; nothing was imported", file.display()),
            )
        }
        other => refused::store(other, &file.display().to_string()),
    }
}

fn read(admin: &mut Admin, file: &Path) -> Result<Vec<Row>, Failure> {
    // Whatever is wrong with a row, the list is refused.
    let wrong = |line: u64, what: &str| {
        let message = format!("{}:{line}: {what}; nothing was imported", file.display());
        Failure::new(Exit::Failed, "refused", message)
    };
    let mut text = Zeroizing::new(Vec::new());
    std::fs::File::open(file)
        .and_then(|source| source.take(FILE_BYTES_MAX + 1).read_to_end(&mut text))
        .map_err(|error| at_path("read", file, &error))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(wrong(1, &format!("the file is larger than {FILE_BYTES_MAX} bytes")));
    }
    let line_of = |position: Option<&csv::Position>| position.map_or(0, |position| line_of(&text, position));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_slice());
    let heads = reader.headers().map_err(|error| wrong(1, &reason(&error)))?.clone();
    check_heads(&heads).map_err(|what| wrong(1, &what))?;
    let mut seen = BTreeSet::new();
    let _progress = Progress::begin("reading rows", None, admin.json);
    let (mut rows, mut greetings) = (Vec::new(), Greetings::default());
    for record in reader.records() {
        let record = record.map_err(|error| wrong(line_of(error.position()), &reason(&error)))?;
        let line = line_of(record.position());
        if rows.len() == ROWS_MAX {
            return Err(wrong(line, &format!("more than {ROWS_MAX} rows")));
        }
        let row = row(admin, &mut greetings, file, line, &heads, &record);
        let row = row.map_err(|failure| wrong(line, &failure.message))?;
        if !seen.insert(row.entry.address.clone()) {
            return Err(wrong(line, &format!("{} stands in an earlier row already", row.entry.address)));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The line of a record. The reader reports where it stood before it passed over empty lines.
fn line_of(text: &[u8], position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|at| text.get(at..)).unwrap_or_default();
    let passed = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + passed.filter(|byte| **byte == b'\n').count() as u64
}

/// What is wrong with the form of the file.
fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} cells, the header line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

fn check_heads(heads: &csv::StringRecord) -> Result<(), String> {
    if let Some(unknown) = heads.iter().find(|head| !names().any(|name| name == *head)) {
        let names: Vec<_> = names().collect();
        return Err(format!("there is no column `{unknown}`; there are {}", names.join(", ")));
    }
    let distinct: BTreeSet<&str> = heads.iter().collect();
    if distinct.len() != heads.len() {
        return Err("a column stands there twice".to_owned());
    }
    if !distinct.contains("address") {
        return Err("the column `address` is missing".to_owned());
    }
    Ok(())
}

fn row(
    admin: &mut Admin,
    greetings: &mut Greetings,
    file: &Path,
    line: u64,
    heads: &csv::StringRecord,
    record: &csv::StringRecord,
) -> Result<Row, Failure> {
    let wrong = |what: String| Failure::new(Exit::Failed, "refused", what);
    let cells = || heads.iter().zip(record.iter());
    let text = cells().find(|(head, _)| *head == "address").map(|(_, cell)| cell).unwrap_or_default();
    let address: Address = admin.address(text).map_err(|failure| wrong(failure.message))?;
    let lookup = umbel_store::Lookup::Address(address.clone());
    let known = admin.store.find_user(&lookup).map_err(|error| refused::store(error, text))?.is_some();
    let mut entry = UserEntry::new(address);
    let mut greeting = None;
    for (head, cell) in cells() {
        match setting(head, cell, &admin.config.domain).map_err(wrong)? {
            Setting::Change(change) => entry.changes.push(change),
            Setting::Greeting(path) => {
                greeting = Some(greetings.read(beside(file, &path), admin.json)?);
            }
            Setting::Elsewhere | Setting::Nothing => {}
        }
        match (head, cell) {
            // A user who is there keeps the PIN; a new one gets a random PIN.
            ("pin" | "password", "") => {}
            ("pin", digits) => {
                entry.pin = Some(NewPin::Own(Pin::new(digits).map_err(|why| wrong(why.to_string()))?));
            }
            ("password", text) => {
                entry.password =
                    Some(Password::new(text).ok_or_else(|| wrong("the password is too long".to_owned()))?);
            }
            _ => {}
        }
    }
    if entry.pin.is_none() && !known {
        entry.pin = Some(NewPin::Generate);
    }
    admin.can_be_called(&entry, !known)?;
    Ok(Row { line, entry, greeting })
}
