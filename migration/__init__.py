"""The migration from the older service: comparing tables, foreign writes, types, and what both systems cost."""
