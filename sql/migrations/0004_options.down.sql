-- The column stays: it holds what people wrote, and whoever reads the table may read it.
SELECT 1 FROM {configs} LIMIT 0;
