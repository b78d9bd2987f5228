"""The one load of an attempt, under its own BigQuery job id."""
