"""A stand-in for the older service, for the local system and the tests: what it does to tables, without its Slack.

It takes Pub/Sub's pushes at `POST /sheet-to-bigquery`, as Cloud Run lets them through: with an ID token for its own
address. Each message says what to load and where; the service looks nowhere else, and at no database. Its tables have
the shape that the owner's facts record: every value as the sheet shows it, every column a STRING.
"""
