"""The whole system on one machine: a server for each Google Cloud part, and what starts them together."""
