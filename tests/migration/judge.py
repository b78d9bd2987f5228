"""The judge of a migration: reads what happened and says which promises were broken. Imports nothing of the product."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.migration.history import Attempt, Change, Edition, Facts, History, Rows, Write

# BigQuery tells times in milliseconds, cut off.
ROUNDING = 0.002
# A job's end is noted, and then committed together with what it wrote.
COMMITTING = 0.5
# A claim looks at the mark of a moment ago; who changes it then wishes the run away.
SAME_MOMENT = 3.0


def two_never_have_a_table(history: History) -> Iterator[str]:
    """Of a service's messages and the job's runs, one at a time has a table in its hands."""
    for table, attempts in Facts(history).attempts.items():
        last = attempts[0]
        for attempt in attempts[1:]:
            if attempt.began < last.ended:
                yield f"{table}: {attempt.label} began while {last.label} was open"
            last = max(last, attempt, key=lambda each: each.ended)


def who_begins_is_the_owner(history: History) -> Iterator[str]:
    """By the marks of that moment: the job with job_ready, and in shadow beside the service; else the service."""
    facts = Facts(history)
    tables = set(history.tables.values())
    for attempt in (each for attempts in facts.attempts.values() for each in attempts):
        mark = facts.mark(attempt.config_id, attempt.first.seq)
        is_shadow = attempt.table not in tables
        wanted = {"shadow"} if is_shadow else {"job_ready"} if attempt.who == "job" else {"service", "shadow"}
        if mark not in wanted and not _has_just_changed(facts, attempt, wanted):
            yield f"{attempt.table}: {attempt.label} began although the mark was {mark}"


def every_write_is_in_its_writers_hands(history: History) -> Iterator[str]:
    """BigQuery's jobs: each within an open attempt of whoever wrote, and none at the same time as another."""
    facts = Facts(history)
    edits = {edit.job_id for edit in history.edits}
    tables = {*history.tables.values(), *history.shadows.values()}
    for table, writes in _writes(history).items():
        if table in tables:
            for before, after in pairwise(writes):
                if after.began < before.ended:
                    yield f"{table}: {after.job_id} began while {before.job_id} wrote"
            for write in writes:
                if write.job_id not in edits and _attempt(facts, write) is None:
                    yield f"{table}: {write.job_id} wrote it, and nobody had it in hand"


def every_load_is_one_complete_reading(history: History) -> Iterator[str]:
    """As many rows as one of the sheet's editions that stood there while the attempt was open."""
    facts = Facts(history)
    for write in history.writes:
        attempt = _attempt(facts, write)
        if attempt is None:
            continue
        editions = _readable(history, attempt, write)
        if write.rows is not None and write.rows not in {len(edition.rows) for edition in editions}:
            yield f"{write.table}: {write.job_id} loaded {write.rows} rows, which is no edition of its sheet"


def a_table_is_always_one_of_the_loads(history: History) -> Iterator[str]:
    """At each look, all its rows are those of the newest write, or of one that came at that very moment."""
    facts = Facts(history)
    writes = _writes(history)
    own = set(history.tables.values())
    for sample in history.samples:
        settled = [each for each in writes[sample.table] if each.ended <= sample.asked - COMMITTING]
        coming = [each for each in writes[sample.table] if each.ended > sample.asked - COMMITTING]
        if sample.rows is None:
            if settled and sample.table in own:
                yield f"{sample.table} was gone at {sample.asked:.3f}"
            continue
        possible = (*settled[-1:], *(each for each in coming if each.began <= sample.answered))
        wanted = [rows for each in possible for rows in _contents(history, facts, each)]
        if sorted(sample.rows) not in [sorted(rows) for rows in wanted]:
            yield f"{sample.table} held {len(sample.rows)} rows at {sample.asked:.3f}, which are nobody's load"


def every_message_is_acted_on_once(history: History) -> Iterator[str]:
    """By the older service, which says 200 to it once, or by the job; never by both, and never by nobody."""
    done = Counter(each.message_id for each in history.served if each.status == 200)
    done.update(set(history.recorded))
    for message_id in history.published:
        if done[message_id] != 1:
            yield f"message {message_id} was acted on {done[message_id]} times"


def every_change_of_owner_is_in_the_audit(history: History) -> Iterator[str]:
    """In the order in which they came, with who did it, and nothing else."""
    facts = Facts(history)
    seen: dict[int, list[tuple[str, str]]] = {}
    for config_id in history.tables:
        marks = ["service", *(mark for _, mark in facts.marks(config_id))]
        seen[config_id] = [(before, after) for before, after in pairwise(marks) if before != after]
    kept: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for entry in history.audited:
        if entry.before != "parity":  # a table's step to real types is no change of its owner
            kept[entry.config_id].append((entry.before, entry.after))
        if not entry.by.strip():
            yield f"config {entry.config_id}: nobody made it {entry.after}"
    for config_id in sorted({*seen, *kept}):
        if seen.get(config_id, []) != kept[config_id]:
            yield f"config {config_id}: the marks went {seen.get(config_id)}, and the audit says {kept[config_id]}"


def last_run_is_moved_by_the_jobs_own_loads(history: History) -> Iterator[str]:
    """Not by a shadow's, and not by the service's: what schedules the service reads it, too."""
    facts = Facts(history)
    succeeded = {
        (change.transaction, change.row["config_id"])
        for change in facts.of("run")
        if change.row["state"] == "succeeded" and change.row["why"] != "shadow"
    }
    before: dict[int, Change] = {}
    for change in facts.of("config"):
        config_id = int(change.row["id"])
        former = before.get(config_id)
        before[config_id] = change
        if former is None or change.row["last_run"] in (None, former.row["last_run"]):
            continue  # people null it, who want a run
        if (change.transaction, config_id) not in succeeded:
            yield f"config {config_id}: last_run moved without a load of the job's"


CHECKS: tuple[Callable[[History], Iterator[str]], ...] = (
    two_never_have_a_table,
    who_begins_is_the_owner,
    every_write_is_in_its_writers_hands,
    every_load_is_one_complete_reading,
    a_table_is_always_one_of_the_loads,
    every_message_is_acted_on_once,
    every_change_of_owner_is_in_the_audit,
    last_run_is_moved_by_the_jobs_own_loads,
)


def judge(history: History) -> list[str]:
    """Every broken promise; none where all were kept."""
    return [f"{check.__name__}: {told}" for check in CHECKS for told in check(history)]


def _writes(history: History) -> dict[str, list[Write]]:
    found: dict[str, list[Write]] = defaultdict(list)
    for write in sorted(history.writes, key=lambda each: each.ended):
        found[write.table].append(write)
    return found


def _attempt(facts: Facts, write: Write) -> Attempt | None:
    """In whose hands the table was when it was written, by the writer's own word."""
    run = write.labels.get("run")
    for attempt in facts.attempts.get(write.table, ()):
        is_its = attempt.what == run if run else attempt.who == "service"
        if is_its and attempt.began - ROUNDING <= write.began and write.ended <= attempt.ended + ROUNDING:
            return attempt
    return None


def _readable(history: History, attempt: Attempt, write: Write) -> list[Edition]:
    sources = {history.shadows[config_id]: table for config_id, table in history.tables.items()}
    source = sources.get(write.table, write.table)
    return [
        each
        for each in history.editions
        if each.table == source
        and each.began <= write.ended + ROUNDING
        and (each.ended is None or each.ended >= attempt.began)
    ]


def _contents(history: History, facts: Facts, write: Write) -> list[Rows]:
    """What a write may have made of its table."""
    edited = [edit.rows for edit in history.edits if edit.job_id == write.job_id]
    attempt = _attempt(facts, write)
    return edited or ([each.rows for each in _readable(history, attempt, write)] if attempt else [])


def _has_just_changed(facts: Facts, attempt: Attempt, wanted: set[str]) -> bool:
    former = [
        before
        for (_, before), (change, _) in pairwise(facts.marks(attempt.config_id))
        if attempt.began - SAME_MOMENT <= change.at <= attempt.began and change.seq < attempt.first.seq
    ]
    return attempt.who == "job" and any(mark in wanted for mark in former)
