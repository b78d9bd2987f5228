"""The older service's log, as `gcloud logging read --format=json` prints it: how it was used, and how often. Pure."""

import contextlib
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.errors import InvalidInput
from shared.spreadsheet import parse_url

_REMEDY = "give what `gcloud logging read … --format=json` printed"
# Lines of one run stand closer together than two runs do: the service's requests end within minutes.
_ONE_RUN = timedelta(minutes=10)
# Two gaps are the least that can be alike.
_FEWEST_RUNS = 3
# The middle half of a clock's gaps lies close together; what people start by hand is spread wider than its median.
_STEADY = 0.5
# A name may be any word: it tells of the config where it stands in quotes, is all of a line, or is a whole value
# (`config: sales`, `config=sales rows=10`), and not in `POST /run 200`.
_NAME = "|".join(
    (
        r"(?P<quote>[\"'`])(?P<quoted>MARK)(?P=quote)",
        r"^\s*(?P<line>MARK)\s*$",
        r"[:=]\s*(?P<value>MARK)(?=\s*(?:$|[,;)\]}]))",
        r"=(?P<word>MARK)(?=\s)",
    )
)
# A table and a spreadsheet are themselves wherever they stand.
_PLACE = r"(?<![\w-])(?P<place>MARK)(?![\w-])"


class _Request(msgspec.Struct):
    status: int | None = None
    latency: str = ""


class _Entry(msgspec.Struct):
    """What is needed of a LogEntry (cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry)."""

    timestamp: datetime
    text: str = msgspec.field(name="textPayload", default="")
    payload: Any = msgspec.field(name="jsonPayload", default=None)
    request: _Request | None = msgspec.field(name="httpRequest", default=None)

    def __post_init__(self) -> None:
        """Instants in UTC, which is what the API prints; an exported log may have an offset, or none."""
        moment = self.timestamp
        self.timestamp = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class Requests(msgspec.Struct, frozen=True):
    """The HTTP requests of a log: `by_hour` counts them by hour of the day, `seconds` is how long most took."""

    count: int
    failed: int
    by_hour: dict[int, int]
    median_seconds: float | None
    seconds: float | None


class Pattern(msgspec.Struct, frozen=True):
    """When a config's name, table or spreadsheet was in the log, as runs; `hours` between them is proposed."""

    runs: int
    last: datetime | None
    hours: int | None
    steady: bool = False


class Usage(msgspec.Struct, frozen=True):
    """A log from `begin` to `end`, and a pattern for each config's id."""

    entries: int
    begin: datetime
    end: datetime
    requests: Requests
    patterns: dict[int, Pattern]


def read_usage(text: bytes, subject: str, configs: Sequence[Mapping[str, Any]]) -> Usage:
    """What the log tells, of the configs' rows too. Raises `InvalidInput`, which quotes nothing of the log."""
    try:
        entries = msgspec.json.decode(text, type=list[_Entry], strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:  # its sentences name fields, kinds and places
        raise InvalidInput(f"{subject} is not a list of log entries: {problem}", _REMEDY) from None
    if not entries:
        raise InvalidInput(f"{subject} has no entries", "ask for more: --freshness=30d, and the service's own name")
    entries.sort(key=lambda entry: entry.timestamp)
    seen = _moments(entries, configs)
    patterns = {row["id"]: _pattern(seen.get(row["id"], [])) for row in configs}
    return Usage(len(entries), entries[0].timestamp, entries[-1].timestamp, _requests(entries), patterns)


def _requests(entries: Iterable[_Entry]) -> Requests:
    asked = [(entry.timestamp, entry.request) for entry in entries if entry.request is not None]
    seconds = sorted(filter(None, (_seconds(request.latency) for _, request in asked)))
    return Requests(
        count=len(asked),
        failed=sum((request.status or 0) >= 400 for _, request in asked),
        by_hour=dict(sorted(Counter(moment.hour for moment, _ in asked).items())),
        median_seconds=statistics.median(seconds) if seconds else None,
        seconds=seconds[min(len(seconds) - 1, len(seconds) * 95 // 100)] if seconds else None,
    )


def _seconds(latency: str) -> float | None:
    """A duration as JSON has it: `3.5s`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", latency)
    return float(found[1]) if found else None


def _moments(entries: Iterable[_Entry], configs: Sequence[Mapping[str, Any]]) -> dict[int, list[datetime]]:
    """When each config's marks were in the log, in the entries' order."""
    finders = [_finder(_owners(configs, _names), _NAME), _finder(_owners(configs, _places), _PLACE)]
    seen: dict[int, list[datetime]] = {}
    for entry in entries:
        texts = [entry.text, *_texts(entry.payload)]
        for config_id in {found for find in finders for text in texts for found in find(text)}:
            seen.setdefault(config_id, []).append(entry.timestamp)
    return seen


def _finder(owners: Mapping[str, int], pattern: str) -> Callable[[str], set[int]]:
    """Finds the owners of the marks that stand in a text as the pattern has it."""
    if not owners:
        return lambda text: set()
    # The longest first: `sales` must not be found in `sales-north`.
    marks = "|".join(re.escape(mark) for mark in sorted(owners, key=len, reverse=True))
    find = re.compile(pattern.replace("MARK", f"(?:{marks})"), re.MULTILINE).finditer
    return lambda text: {owners[found[found.lastgroup or 0]] for found in find(text)}


def _texts(payload: Any) -> Iterator[str]:
    """The strings among a JSON object's values, each by itself."""
    match payload:
        case str():
            yield payload
        case dict() | list():
            for value in payload.values() if isinstance(payload, dict) else payload:
                yield from _texts(value)


def _owners(
    configs: Sequence[Mapping[str, Any]], marks: Callable[[Mapping[str, Any]], Iterable[str]]
) -> dict[str, int]:
    """By what a config is known in a text, if it is no other's."""
    counts: Counter[str] = Counter()
    owners: dict[str, int] = {}
    for row in configs:
        for mark in set(marks(row)) - {""}:
            counts[mark] += 1
            owners[mark] = row["id"]
    return {mark: owner for mark, owner in owners.items() if counts[mark] == 1}


def _names(row: Mapping[str, Any]) -> Iterator[str]:
    if row["name"] is not None:
        yield row["name"].strip()


def _places(row: Mapping[str, Any]) -> Iterator[str]:
    """Its table with the dataset, and its spreadsheet; what a portal left NULL is no mark."""
    dataset, table, url = row["bigquery_dataset_id"], row["bigquery_table_id"], row["google_sheet_url"]
    if dataset is not None and table is not None:
        yield f"{dataset}.{table}"
    if url is not None:
        with contextlib.suppress(ValueError):  # a wrong address is told by `configs`
            yield parse_url(url).id


def _pattern(moments: Sequence[datetime]) -> Pattern:
    starts = [each for before, each in zip((None, *moments), moments, strict=False) if _begins(before, each)]
    last = starts[-1] if starts else None
    if len(starts) < _FEWEST_RUNS:
        return Pattern(len(starts), last, None)
    gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(starts)]
    median = statistics.median(gaps)
    spread = statistics.quantiles(gaps, n=4, method="inclusive")
    steady = spread[2] - spread[0] <= _STEADY * median
    # What is not steady gets the shorter hours: nobody is to wait longer than today.
    hours = round(median / 3600) if steady else int(median / 3600)
    return Pattern(len(starts), last, min(max(hours, 1), 876_000), steady)


def _begins(before: datetime | None, moment: datetime) -> bool:
    return before is None or moment - before > _ONE_RUN
