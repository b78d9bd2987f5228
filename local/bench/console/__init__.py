"""Measures the console's pages over a large ledger: `python -m local.bench.console`."""
