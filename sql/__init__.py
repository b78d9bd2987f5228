"""The database's DDL, as it is (`schema.sql`) and how it got there (`migrations/`), and the command that applies it."""
