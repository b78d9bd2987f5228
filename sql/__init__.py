"""The database's DDL: `schema.sql` (as it is) and `migrations/` (how it got there), and the command that applies them."""
