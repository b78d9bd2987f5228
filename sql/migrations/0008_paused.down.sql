-- The columns stay: a config that is paused is so for the reason that stands there.
SELECT 1 FROM {configs} LIMIT 0;
