-- Takes back our own tables, and with them the history.
DROP TABLE IF EXISTS sheet_to_bigquery_messages;
DROP TABLE IF EXISTS sheet_to_bigquery_runs;
