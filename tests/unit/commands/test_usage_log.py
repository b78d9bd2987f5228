"""What the older service's log tells of its use."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.usage_log import Usage, read_usage
from shared.errors import InvalidInput

BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def config(config_id: int, name: str, **columns: Any) -> dict[str, Any]:
    return {
        "id": config_id,
        "name": name,
        "google_sheet_url": f"https://docs.google.com/spreadsheets/d/spreadsheet-of-{name}/edit#gid=0",
        "bigquery_dataset_id": "reports",
        "bigquery_table_id": f"table_of_{name}",
        **columns,
    }


def line(text: str, hours: float = 0) -> dict[str, Any]:
    return {"timestamp": (BEGIN + timedelta(hours=hours)).isoformat(), "severity": "INFO", "textPayload": text}


def request(status: int, seconds: float, hours: float = 0) -> dict[str, Any]:
    answered = {"requestMethod": "POST", "status": status, "latency": f"{seconds}s"}
    return {"timestamp": (BEGIN + timedelta(hours=hours)).isoformat(), "httpRequest": answered}


def read(*entries: dict[str, Any], configs: tuple[dict[str, Any], ...] = (config(7, "sales"),)) -> Usage:
    # gcloud prints the newest first.
    return read_usage(json.dumps(entries[::-1]).encode(), "logs.json", configs)


def test_a_config_that_is_loaded_every_four_hours_gets_four() -> None:
    pattern = read(*(line("Loaded 10 rows for 'sales'", hours=4 * each + 0.01 * each) for each in range(12))).patterns[
        7
    ]
    assert (pattern.runs, pattern.hours, pattern.steady) == (12, 4, True)
    assert pattern.last == BEGIN + timedelta(hours=44.11)


def test_the_lines_of_one_run_are_one_run() -> None:
    lines = [line(f"config=sales step={step}", hours=24 * day + step / 60) for day in range(5) for step in range(8)]
    pattern = read(*lines).patterns[7]
    assert (pattern.runs, pattern.hours) == (5, 24)


def test_runs_that_people_start_when_they_like_get_the_shorter_hours_and_are_told_as_such() -> None:
    pattern = read(*(line("sales", hours=hours) for hours in (0, 1, 9, 11.9, 40, 70))).patterns[7]
    assert (pattern.hours, pattern.steady) == (8, False)


def test_a_config_that_is_loaded_every_quarter_of_an_hour_gets_an_hour_which_is_the_least() -> None:
    assert read(*(line("sales", hours=each / 4) for each in range(9))).patterns[7].hours == 1


@pytest.mark.parametrize("runs", [0, 1, 2])
def test_of_fewer_runs_than_three_nothing_is_proposed(runs: int) -> None:
    pattern = read(line("another"), *(line("sales", hours=24 * each) for each in range(runs))).patterns[7]
    assert (pattern.runs, pattern.hours) == (runs, None)


@pytest.mark.parametrize(
    "text",
    [
        "Processing config: sales",
        "loaded my-project.reports.table_of_sales",
        "reading https://docs.google.com/spreadsheets/d/spreadsheet-of-sales/edit",
    ],
    ids=["name", "table", "spreadsheet"],
)
def test_a_config_is_known_by_its_name_its_table_and_its_spreadsheet(text: str) -> None:
    assert read(line(text)).patterns[7].runs == 1


def test_a_config_is_known_in_structured_entries_too() -> None:
    entry = {"timestamp": BEGIN.isoformat(), "jsonPayload": {"message": "done", "details": {"config": "Größe"}}}
    assert read(entry, configs=(config(7, "Größe"),)).patterns[7].runs == 1


@pytest.mark.parametrize(
    "text",
    [
        "run",
        'Processing "run"',
        "Loaded `run`",
        "Processing config: run",
        "done (config: run)",
        "config=run rows=10",
        "rows=10, config=run, seconds=3",
        "Processing\nconfig: run\nrows: 10",
    ],
)
def test_a_name_in_quotes_or_as_a_whole_value_tells_of_its_config(text: str) -> None:
    assert read(line(text), configs=(config(7, "run"),)).patterns[7].runs == 1


@pytest.mark.parametrize(
    "text", ["POST /run 200", "the next run: at noon", "a run began", "config: run away", "config=run-north", "run 7"]
)
def test_a_name_that_is_a_word_in_a_sentence_or_part_of_a_path_tells_of_nothing(text: str) -> None:
    assert read(line(text), configs=(config(7, "run"),)).patterns[7].runs == 0


def test_a_name_that_is_a_field_of_a_structured_entry_and_not_its_value_tells_of_nothing() -> None:
    entry = {"timestamp": BEGIN.isoformat(), "jsonPayload": {"run": 5, "message": "the run ended"}}
    assert read(entry, configs=(config(7, "run"),)).patterns[7].runs == 0


def test_what_a_portal_left_null_is_no_mark() -> None:
    missing = {"google_sheet_url": None, "bigquery_dataset_id": None, "bigquery_table_id": None}
    nobody = config(7, "x", **missing) | {"name": None}
    patterns = read(line("None"), line("None.None"), line("'sales'"), configs=(nobody, config(8, "sales"))).patterns
    assert (patterns[7].runs, patterns[8].runs) == (0, 1)


def test_moments_with_an_offset_without_one_and_in_utc_are_in_one_order() -> None:
    moments = ["2026-03-02T08:30:00+02:00", "2026-03-02T06:15:00", "2026-03-02T06:00:00Z", "2026-03-01T23:45:00-07:00"]
    usage = read(*({"timestamp": each, "httpRequest": {"status": 200}} for each in moments))
    assert (usage.begin, usage.end) == (BEGIN, BEGIN + timedelta(minutes=45))
    assert usage.requests.by_hour == {6: 4}


def test_a_name_is_not_found_in_a_longer_one() -> None:
    patterns = read(line('"sales-north" failed'), configs=(config(7, "sales"), config(8, "sales-north"))).patterns
    assert (patterns[7].runs, patterns[8].runs) == (0, 1)


def test_what_two_configs_have_in_common_tells_neither() -> None:
    same = "https://docs.google.com/spreadsheets/d/the-same-one/edit"
    configs = (config(7, "sales", google_sheet_url=same), config(8, "stock", google_sheet_url=same))
    patterns = read(line("reading the-same-one"), line("stock"), configs=configs).patterns
    assert (patterns[7].runs, patterns[8].runs) == (0, 1)


def test_a_config_with_a_wrong_address_is_known_by_its_name() -> None:
    assert read(line("sales"), configs=(config(7, "sales", google_sheet_url="nonsense"),)).patterns[7].runs == 1


def test_requests_are_counted_by_the_hour_with_their_failures_and_times() -> None:
    entries = [request(200, 2 + each / 100, hours=24 * each) for each in range(20)]
    requests = read(*entries, request(500, 90.5, hours=3), line("sales")).requests
    assert (requests.count, requests.failed) == (21, 1)
    assert requests.by_hour == {6: 20, 9: 1}
    assert (requests.median_seconds, requests.seconds) == (2.1, 2.19)


def test_a_log_without_requests_says_so() -> None:
    requests = read(line("sales")).requests
    assert (requests.count, requests.seconds) == (0, None)


@pytest.mark.parametrize("text", [b"", b"secret", b'{"secret": 1}', b'[{"textPayload": "secret"}]', b"\xff", b"[]"])
def test_what_is_no_log_is_refused_without_quoting_it(text: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^logs\.json") as refused:
        read_usage(text, "logs.json", ())
    assert "secret" not in str(refused.value)
