-- Since when, and why, a config is paused whose is_active the product set to false.
ALTER TABLE {configs} ADD COLUMN IF NOT EXISTS paused_at timestamptz, ADD COLUMN IF NOT EXISTS paused_reason text;
