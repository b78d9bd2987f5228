"""How the state of a config, or what a run came to, is shown: a word, and a shape that tells it without its colour."""

from markupsafe import Markup

from shared.ledger.console_statements import CONFIG_STATES

# The words of `shared/ledger/console_statements.py`, and what runs end as beside them.
STATES: tuple[str, ...] = (*CONFIG_STATES, "cancelled")
_LABELS = {"quota": "waiting for quota", "never_ran": "never ran", "service": "older service's"}
# What a run is at before its execution is there.
_BEFORE_EXECUTION = {
    "pending": "its turn comes",
    "queued": "launch is told of it",
    "launching": "Cloud Run is asked for an execution",
}
_OF_OPEN_RUNS = {"pending": "waiting", "queued": "waiting", "launching": "running"}
# Drawn in a square of 16, by lines unless the style sheet fills them.
_SHAPES = {
    "failed": "M8 1.5 15 14H1zM8 6v4M8 12v.5",
    "blocked": "M2 8a6 6 0 1 0 12 0 6 6 0 1 0-12 0M4.5 8h7",
    "running": "M8 2a6 6 0 1 1-6 6",
    "quota": "M4 2h8M4 14h8M5 2c0 4 6 4 6 8v4M11 2c0 4-6 4-6 8v4",
    "waiting": "M2 8a6 6 0 1 0 12 0 6 6 0 1 0-12 0M8 4.5V8l2.5 1.5",
    "due": "M3 8h9M8.5 4 12.5 8l-4 4",
    "succeeded": "M2.5 8.5 6.5 12.5 13.5 4",
    "unchanged": "M3 6h10M3 10h10",
    "shadow": "M2 8a6 6 0 1 0 12 0 6 6 0 1 0-12 0M8 2v12M10 3v10M12 4.5v7",
    "never_ran": "M3.5 8h1M7.5 8h1M11.5 8h1",
    "paused": "M5.5 3v10M10.5 3v10",
    "service": "M3 3h10v10H3z",
    "cancelled": "M4 4l8 8M12 4l-8 8",
}


def run_word(state: str, verdict: str | None) -> str:
    """A run's state in the words of configs' states: one that had nothing to load is `unchanged`."""
    if verdict in ("unchanged", "kept"):
        return "unchanged"
    return _OF_OPEN_RUNS.get(state, state)


def open_note(state: str | None) -> str:
    """What an open run is at, where that is more than its word says."""
    return _BEFORE_EXECUTION.get(state or "", "")


def label(state: str) -> str:
    """The state in words."""
    return _LABELS.get(state, state)


def shape(state: str) -> Markup:
    """The state's sign, which its word stands beside: hidden from those who hear the page."""
    return Markup('<svg class="sign" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>').format(
        _SHAPES[state]
    )
