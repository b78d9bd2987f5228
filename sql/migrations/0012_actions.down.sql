DROP TABLE sheet_to_bigquery_actions;
