"""`job_helper.py configs`: every config, whether it is due, and when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.named import find_named
from commands.screen import Screen
from shared.config import parse_config
from shared.errors import InvalidConfig
from shared.ledger.store import Store, open_store
from shared.run import Verdict
from shared.settings import read_database

# More than anybody has; the statement wants a number.
_ALL = 1_000_000
_COLUMNS = ("ID", "NAME", "VERDICT", "NEXT DUE (UTC)", "LAST RUN (UTC)", "TABLE")
# A person has to mend these.
_WRONG = frozenset({"invalid", "table_conflict", "bad_frequency"})


class Registered(msgspec.Struct, frozen=True):
    """A config's row with the due rule's word on it; `verdict` is `invalid` where an active row cannot be run."""

    id: int
    name: str
    table: str
    verdict: str
    told: str
    next_due: datetime | None
    last_run: datetime | None
    paused_reason: str | None = None


def show_configs(wanted: Sequence[str], environ: Mapping[str, str], screen: Screen) -> int:
    """All configs, or those that are named. Raises `UnknownConfig` or `AmbiguousName`."""
    with open_store(read_database(environ)) as store:
        rows = [find_named(each, store) for each in wanted]
        names = [row["name"] for row in rows]
        # By their names an index finds them; where one has none, all are looked at.
        found = registered(store, names if names and None not in names else None)
    if rows:  # several may have one name
        found = [each for each in found if each.id in {row["id"] for row in rows}]
    if not found:
        screen.say("There are no configs yet: `python job_helper.py add` registers one.")
    else:
        _draw(found, screen)
    screen.json(found)
    return SUCCEEDED


def _draw(configs: Sequence[Registered], screen: Screen) -> None:
    """The configs as a table, and below it what is wrong with those that cannot be run."""
    rows = [
        (
            str(each.id),
            each.name,
            each.verdict.replace("_", " "),
            shown(each.next_due),
            shown(each.last_run),
            each.table,
        )
        for each in configs
    ]
    screen.table(_COLUMNS, rows)
    for each in configs:
        if each.verdict in _WRONG or each.paused_reason:
            screen.say(f"{each.id} {each.name}: {each.told}")


def registered(store: Store, names: Sequence[str] | None = None) -> list[Registered]:
    """Every config, or those of these names, by id."""
    now = store.now()
    verdicts = store.judge(now, due=True, most=_ALL, names=names) + store.judge(now, due=False, most=_ALL, names=names)
    by_id = {verdict.config_id: verdict for verdict in verdicts}
    return [_registered(row, by_id[row["id"]], now) for row in store.list_configs() if row["id"] in by_id]


def next_due(verdict: Verdict, now: datetime) -> datetime | None:
    """When the config's next run by schedule is due; None where none will be, as things are."""
    if verdict.verdict == "due":
        return now
    return verdict.until if verdict.verdict == "not_due" else None


def _registered(row: Mapping[str, Any], verdict: Verdict, now: datetime) -> Registered:
    word, told = verdict.verdict, verdict.reason
    try:
        parse_config(row)
    except InvalidConfig as problem:
        # Why it is paused tells more; what is wrong is still there when it is resumed.
        word, told = (word, f"{told}; {problem}") if word == "paused" else ("invalid", str(problem))
    return Registered(
        id=row["id"],
        name=verdict.name,
        table=verdict.destination,
        verdict=word,
        told=told,
        next_due=next_due(verdict, now) if word != "invalid" else None,
        last_run=datetime.fromisoformat(row["last_run"]) if row.get("last_run") else None,
        paused_reason=verdict.paused_reason,
    )
