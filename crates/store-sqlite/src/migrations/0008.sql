-- Mails that tell of a PIN or a password that was changed: which, and by whom.

ALTER TABLE outbox ADD COLUMN secret TEXT;  -- JSON
