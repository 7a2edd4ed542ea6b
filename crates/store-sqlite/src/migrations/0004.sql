-- Each mailbox counts what happens to its items (messages, and notices of missed calls), so that mail programs
-- are told what is new to them. Triggers, so that no program and no statement can forget it.

ALTER TABLE user ADD COLUMN item_changes INTEGER NOT NULL DEFAULT 0;
-- What went up to this count is not remembered any more.
ALTER TABLE user ADD COLUMN items_forgotten INTEGER NOT NULL DEFAULT 0;

-- The count when it came, when it came to where it is, and when it last changed.
ALTER TABLE message ADD COLUMN entered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_changes ON message (user, changed);

ALTER TABLE missed_call ADD COLUMN item BLOB;               -- 128 random bits
ALTER TABLE missed_call ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE missed_call ADD COLUMN entered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE missed_call ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE gone_item (
    user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    changed INTEGER NOT NULL,
    id BLOB NOT NULL,
    entered INTEGER NOT NULL,
    PRIMARY KEY (user, changed)
) STRICT, WITHOUT ROWID;

-- What is there already came in the order of its numbers, notices last.
UPDATE message SET entered = number, placed = number, changed = number;
UPDATE missed_call SET item = randomblob(16),
    entered = (SELECT last_number FROM user WHERE id = missed_call.user)
        + (SELECT count(*) FROM missed_call m WHERE m.user = missed_call.user AND m.id <= missed_call.id);
UPDATE missed_call SET changed = entered;
UPDATE user SET item_changes = last_number + (SELECT count(*) FROM missed_call WHERE user = user.id);

CREATE INDEX missed_call_changes ON missed_call (user, changed);
CREATE UNIQUE INDEX missed_call_item ON missed_call (item);

CREATE TRIGGER message_item_came AFTER INSERT ON message BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = NEW.user;
    UPDATE message SET (entered, placed, changed) =
        (SELECT item_changes, item_changes, item_changes FROM user WHERE id = NEW.user)
    WHERE user = NEW.user AND number = NEW.number;
END;

CREATE TRIGGER message_item_moved AFTER UPDATE OF deleted ON message
WHEN (OLD.deleted IS NULL) <> (NEW.deleted IS NULL)
BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = NEW.user;
    UPDATE message SET (placed, changed) = (SELECT item_changes, item_changes FROM user WHERE id = NEW.user)
    WHERE user = NEW.user AND number = NEW.number;
END;

CREATE TRIGGER message_item_changed AFTER UPDATE OF heard, damaged ON message
WHEN OLD.heard <> NEW.heard OR OLD.damaged <> NEW.damaged
BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = NEW.user;
    UPDATE message SET changed = (SELECT item_changes FROM user WHERE id = NEW.user)
    WHERE user = NEW.user AND number = NEW.number;
END;

-- Where the mailbox itself goes, nobody is told of its items.
CREATE TRIGGER message_item_gone AFTER DELETE ON message BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = OLD.user;
    INSERT INTO gone_item (user, changed, id, entered)
    SELECT id, item_changes, OLD.id, OLD.entered FROM user WHERE id = OLD.user;
END;

CREATE TRIGGER notice_item_came AFTER INSERT ON missed_call BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = NEW.user;
    UPDATE missed_call SET (entered, changed) = (SELECT item_changes, item_changes FROM user WHERE id = NEW.user)
    WHERE id = NEW.id;
END;

CREATE TRIGGER notice_item_changed AFTER UPDATE OF seen ON missed_call WHEN OLD.seen <> NEW.seen BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = NEW.user;
    UPDATE missed_call SET changed = (SELECT item_changes FROM user WHERE id = NEW.user) WHERE id = NEW.id;
END;

CREATE TRIGGER notice_item_gone AFTER DELETE ON missed_call BEGIN
    UPDATE user SET item_changes = item_changes + 1 WHERE id = OLD.user;
    INSERT INTO gone_item (user, changed, id, entered)
    SELECT id, item_changes, OLD.item, OLD.entered FROM user WHERE id = OLD.user;
END;
