-- Counts the changes of what is set for users and of their passwords, so that whoever remembers users knows when
-- to ask anew. Triggers, so that no program and no statement can forget it.

CREATE TABLE user_change (
    count INTEGER NOT NULL
) STRICT;
INSERT INTO user_change (count) VALUES (0);

CREATE TRIGGER user_came AFTER INSERT ON user BEGIN
    UPDATE user_change SET count = count + 1;
END;

-- The counters of a mailbox are in the same row; they are no change of the user.
CREATE TRIGGER user_changed AFTER UPDATE OF id, address, extension, name, email, enabled, skip_pin, language,
    time_zone, administrator, missed_call_notices, routing, play_on_phone_dial_string, telephone_access_folder
ON user BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER user_gone AFTER DELETE ON user BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER alias_came AFTER INSERT ON alias BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER alias_changed AFTER UPDATE ON alias BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER alias_gone AFTER DELETE ON alias BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER password_came AFTER INSERT ON password BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER password_changed AFTER UPDATE ON password BEGIN
    UPDATE user_change SET count = count + 1;
END;

CREATE TRIGGER password_gone AFTER DELETE ON password BEGIN
    UPDATE user_change SET count = count + 1;
END;
