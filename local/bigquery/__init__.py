"""BigQuery's REST API (v2) on one machine: DuckDB computes, Parquet files hold the rows, SQLite the catalogue.

It is strict where BigQuery is strict, so that a mistake shows here and not in production. The shapes of
requests and answers come from the discovery document that google-api-python-client carries; where a
behaviour is known from elsewhere, the function that has it says so.
"""
