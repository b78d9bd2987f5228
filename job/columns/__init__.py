"""Names, kinds and values of a table's columns: pure, no service, no clock, no environment."""
