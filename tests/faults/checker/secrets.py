"""I8: no cell, header, token or credential where it does not belong."""

from collections.abc import Iterator
from pathlib import Path

from tests.faults.checker.history import History, Violation


def nothing_secret_is_written(history: History) -> Iterator[Violation]:
    """I8. Column names, which are headers, may be in `RunCompleted` and in the ledger's columns alone."""
    for name, text in history.texts.items():
        content = text.read_text(errors="replace") if isinstance(text, Path) else text
        for secret, kind in history.secrets.items():
            if secret in content:
                yield Violation("I8", f"{name} has {kind}")
