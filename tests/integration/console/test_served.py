"""Whatever happens to the console's process, browsers get an answer of its own, and the log has the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.settings import Database
from tests.integration.console.conftest import WHO, Add, Sql, actions
from tests.integration.console.serving import Served, assert_ours, serving, settings

OWN = {"CONSOLE_USER": WHO}


def logged(served: Served, message: str) -> list[dict[str, Any]]:
    """The log's lines of one kind."""
    lines = (json.loads(line) for line in served.log.splitlines() if line.startswith("{"))
    return [line for line in lines if line["message"] == message]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT is missing"),
        ({"POSTGRES_PORT": "s3cret"}, "POSTGRES_PORT"),
        ({"CONSOLE_AUDIENCE": "s3cret"}, "CONSOLE_AUDIENCE is not the audience"),
        ({"K_SERVICE": "console"}, "CONSOLE_USER would let everybody act as one person"),
    ],
)
def test_wrong_settings_are_told_to_the_log_and_to_nobody_else(
    wrong: dict[str, str], told: str, staged: Path, tmp_path: Path, migrated: Database
) -> None:
    with serving(staged, tmp_path, settings(migrated) | OWN | wrong) as served:
        for answer in (served.client.get("/"), served.client.get("/overview.json"), served.client.post("/plans")):
            assert_ours(answer, 500)
            assert "settings are wrong" in answer.text
            assert not any(name in answer.text for name in ("s3cret", *wrong))
        assert served.client.get("/static/console.css").status_code == 200
        lines = logged(served, "refused")
        assert [told in line["error"] for line in lines] == [True] * 3
        assert "s3cret" not in served.log


def test_a_mistake_of_ours_is_answered_with_its_place_in_the_log_and_changes_nothing(
    staged: Path, tmp_path: Path, migrated: Database, add_config: Add, sql: Sql
) -> None:
    points = tmp_path / "failpoints"
    points.mkdir()
    path = f"/configs/{add_config()}/pause"
    with serving(staged, tmp_path, settings(migrated) | OWN | {"FAILPOINTS": str(points)}) as served:
        (points / "console.before_note").write_text("raise")
        answer = served.send(path, path, {}, reason="it moves")
        assert_ours(answer, 500)
        assert "the console made a mistake" in answer.text
        assert "Traceback" not in answer.text
        (line,) = logged(served, "crashed")
        assert (line["severity"], line["path"], line["method"]) == ("ERROR", path, "POST")
        assert "act_once" in line["exception"]
        assert sql("SELECT is_active FROM sheet_to_bigquery_configs") == [[True]]
        assert served.send(path, path, {}, reason="it moves").status_code == 303
    assert actions(sql) == ["pause"]


def test_what_is_larger_than_any_form_is_refused_whole(
    staged: Path, tmp_path: Path, migrated: Database, add_config: Add, sql: Sql
) -> None:
    def chunks() -> Any:
        yield from [b"reason=" + b"x" * 100_000] * 20

    path = f"/configs/{add_config()}/pause"
    with serving(staged, tmp_path, settings(migrated) | OWN) as served:
        assert_ours(served.send(path, path, {}, reason="x" * 1_200_000), 413)
        assert_ours(served.send(path, path, {}, reason="x" * 5_000_000), 413)
        assert_ours(served.send(path, path, {}, **{f"more{number}": "1" for number in range(60)}), 413)
        urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
        assert_ours(served.client.post(path, content=chunks(), headers=urlencoded), 413)
        assert_ours(served.send(path, path, {}, reason="x" * 501), 400)
        assert_ours(served.client.get("/", headers={"Host": "evil.example.com"}), 403)
        assert served.send(path, path, {}, reason="x" * 500).status_code == 303
        assert_ours(served.client.post("/plans", data={"name": "x"}), 403)
    assert actions(sql) == ["pause"]
