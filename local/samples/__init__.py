"""Sample spreadsheets of the kinds that teams keep; `make.py` writes them."""
