-- Which mailboxes changed, so that lamps follow whoever changed them (MWI-1). Of a mailbox only the latest
-- change is kept; numbers are never used again. Triggers, so that no program and no statement can forget it.

CREATE TABLE mailbox_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL UNIQUE REFERENCES user ON DELETE CASCADE
) STRICT;

CREATE TRIGGER message_came AFTER INSERT ON message BEGIN
    DELETE FROM mailbox_change WHERE user = NEW.user;
    INSERT INTO mailbox_change (user) VALUES (NEW.user);
END;

-- A message that is swept was deleted before: that is no change of a lamp.
CREATE TRIGGER message_changed AFTER UPDATE OF heard, deleted, importance ON message
WHEN (OLD.deleted IS NULL) <> (NEW.deleted IS NULL)
    OR (NEW.deleted IS NULL AND (OLD.heard <> NEW.heard OR OLD.importance <> NEW.importance))
BEGIN
    DELETE FROM mailbox_change WHERE user = NEW.user;
    INSERT INTO mailbox_change (user) VALUES (NEW.user);
END;

-- The lamp is on another telephone from now on.
CREATE TRIGGER extension_changed AFTER UPDATE OF extension ON user
WHEN OLD.extension IS NOT NEW.extension AND EXISTS (SELECT 1 FROM mailbox_change WHERE user = NEW.id)
BEGIN
    DELETE FROM mailbox_change WHERE user = NEW.id;
    INSERT INTO mailbox_change (user) VALUES (NEW.id);
END;

INSERT INTO mailbox_change (user) SELECT DISTINCT user FROM message;
