-- Mails that wait to be sent, in the order of their numbers, which are never used again. A mail goes with what
-- it tells of. It holds no audio, and a PIN only encrypted, until it is sent or failed.

CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL,                   -- 128 random bits; of a message its id
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    kind TEXT NOT NULL,
    message BLOB REFERENCES message (id) ON DELETE CASCADE,
    missed_call INTEGER REFERENCES missed_call ON DELETE CASCADE,
    greeting TEXT,                      -- JSON
    pin BLOB,
    queued INTEGER NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    failed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_due ON outbox (failed, due, number);
CREATE INDEX outbox_queued ON outbox (failed, queued);
CREATE INDEX outbox_user ON outbox (user, failed);
CREATE INDEX outbox_message ON outbox (message) WHERE message IS NOT NULL;
CREATE INDEX outbox_missed_call ON outbox (missed_call) WHERE missed_call IS NOT NULL;

-- When PINs were reset by mail, so that they are not reset too often.
CREATE TABLE pin_reset (
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX pin_reset_user ON pin_reset (user, at);
