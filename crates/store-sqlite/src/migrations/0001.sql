-- The first schema. Times are milliseconds since 1970 UTC; audio is in files, named here.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    extension TEXT UNIQUE,
    name TEXT NOT NULL,
    email TEXT,
    enabled INTEGER NOT NULL,
    skip_pin INTEGER NOT NULL,
    language TEXT,
    time_zone TEXT,
    administrator INTEGER NOT NULL,
    missed_call_notices INTEGER NOT NULL,
    routing TEXT NOT NULL,              -- JSON object of strings
    away INTEGER NOT NULL DEFAULT 0,    -- callers hear the out-of-office greeting
    added INTEGER NOT NULL,
    last_number INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE alias (
    name TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_user ON alias (user);

-- The latest row of a user is the present PIN; the others may not be chosen again (SEC-83).
CREATE TABLE pin (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    salt BLOB NOT NULL,
    hash BLOB NOT NULL,
    memory_kib INTEGER NOT NULL,
    passes INTEGER NOT NULL,
    generated INTEGER NOT NULL
) STRICT;
CREATE INDEX pin_user ON pin (user, id);

CREATE TABLE password (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL UNIQUE REFERENCES user ON DELETE CASCADE,
    salt BLOB NOT NULL,
    hash BLOB NOT NULL,
    memory_kib INTEGER NOT NULL,
    passes INTEGER NOT NULL,
    digest BLOB NOT NULL                -- HA1 by MD5 and SHA-256, encrypted (DEC-35)
) STRICT;

-- Failures in a row at a door (SEC-85).
CREATE TABLE lock_out (
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    door TEXT NOT NULL,
    failures INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (user, door)
) STRICT, WITHOUT ROWID;

CREATE TABLE caller_failure (
    caller TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX caller_failure_caller ON caller_failure (caller, at);

CREATE TABLE message (
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    number INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    caller TEXT NOT NULL,
    caller_name TEXT,
    caller_verified INTEGER NOT NULL,
    subject TEXT NOT NULL,
    importance TEXT NOT NULL,
    received INTEGER NOT NULL,
    heard INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER,
    incomplete INTEGER NOT NULL DEFAULT 0,
    damaged INTEGER NOT NULL DEFAULT 0,
    format TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    file TEXT NOT NULL,
    checksum BLOB NOT NULL,             -- SHA-256 of the audio without its header
    PRIMARY KEY (user, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_deleted ON message (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE greeting (
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    file TEXT NOT NULL,
    checksum BLOB NOT NULL,
    PRIMARY KEY (user, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE missed_call (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    caller TEXT NOT NULL,
    caller_name TEXT,
    caller_verified INTEGER NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    call_id TEXT NOT NULL
) STRICT;
CREATE INDEX missed_call_user ON missed_call (user, id);

-- Recordings that were running when last synced: what recovery starts from (REL-02).
CREATE TABLE recording (
    id BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    caller TEXT NOT NULL,
    caller_name TEXT,
    caller_verified INTEGER NOT NULL,
    subject TEXT NOT NULL,
    importance TEXT NOT NULL,
    greeting INTEGER NOT NULL,
    format TEXT NOT NULL,
    call_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    file TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    mailbox TEXT,
    transport TEXT NOT NULL,
    peer TEXT,
    command_seen INTEGER NOT NULL,
    ruling TEXT NOT NULL,               -- JSON
    rule TEXT NOT NULL
) STRICT;
CREATE INDEX decision_call ON decision (call_id, id);

CREATE TABLE call (
    started INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    caller TEXT NOT NULL,
    called TEXT NOT NULL,
    ended INTEGER,
    transport TEXT NOT NULL,
    peer TEXT,
    pin TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (started, call_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    mailbox TEXT NOT NULL,
    call_id TEXT,
    door TEXT,
    author TEXT,                        -- JSON
    event TEXT NOT NULL                 -- JSON
) STRICT;
CREATE INDEX audit_mailbox ON audit (mailbox, id);
