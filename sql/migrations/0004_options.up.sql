-- What a config may say beside the owner's columns (README.md, "Options"); NULL is all defaults.
ALTER TABLE {configs} ADD COLUMN IF NOT EXISTS options jsonb;
