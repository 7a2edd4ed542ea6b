-- What the web services keep for a mail program: which number to offer first, and which folder to read out.

ALTER TABLE user ADD COLUMN play_on_phone_dial_string TEXT;
ALTER TABLE user ADD COLUMN telephone_access_folder TEXT;
