"""`migrate.py promote`: what was proved, and while nobody else writes the table."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest


def test_as_many_matches_as_are_asked_for_make_the_table_the_jobs(migrate, team, sql) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "MATCH", "MATCH")
    done = migrate("promote", "sales", "--reason", "equal for a week")
    assert done.returncode == 0, done.stderr
    assert "keep the service's shape" in done.stdout
    assert team.owners() == {"sales": "job_ready"}
    assert team.changes()[-1] == ("sales", "shadow", "job_ready", "ana@desk", "equal for a week")
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]


@pytest.mark.parametrize(
    ("verdicts", "had"),
    [
        ((), 0),
        (("MATCH", "MATCH"), 2),
        (("MATCH", "MATCH", "MISMATCH"), 0),
        (("MATCH", "MISMATCH", "MATCH", "MATCH"), 2),
        (("SHEET_CHANGED", "SHADOW_OLDER", "MATCH"), 1),
    ],
)
def test_fewer_than_that_in_a_row_are_refused(verdicts, had, migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, *verdicts)
    done = migrate("promote", "sales")
    assert (done.returncode, f"has {had} of 3 MATCH in a row" in done.stderr) == (1, True)
    assert f"`python migrate.py compare {config_id}`" in done.stderr
    assert team.owners() == {"sales": "shadow"}


def test_what_could_not_be_compared_does_not_break_the_row(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "SHEET_CHANGED", "MATCH", "SHADOW_OLDER", "MATCH")
    assert migrate("promote", "sales").returncode == 0


@pytest.mark.parametrize("newest", ["SHEET_CHANGED", "SHADOW_OLDER"])
def test_what_proves_nothing_may_not_be_the_last_word(newest, migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "MATCH", "MATCH", newest)
    done = migrate("promote", "sales")
    assert (done.returncode, f"the newest comparison says {newest}, which neither proves" in done.stderr) == (1, True)
    team.compared(config_id, "MATCH")
    assert migrate("promote", "sales").returncode == 0


def test_matches_of_before_it_went_back_do_not_count(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "MATCH", "MATCH")
    migrate("rollback", "sales")
    team.mark(config_id, "shadow")
    done = migrate("promote", "sales")
    assert (done.returncode, "has 0 of 3" in done.stderr) == (1, True)


def test_one_load_of_the_services_counts_once(migrate, team, sql) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "MATCH", "MATCH")
    sql("UPDATE sheet_to_bigquery_comparisons SET service_loaded_at = '2026-05-04'")
    done = migrate("promote", "sales")
    assert (done.returncode, "has 1 of 3" in done.stderr) == (1, True)


def test_how_many_are_needed_is_a_setting_and_a_flag(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH")
    assert migrate("promote", "sales", MIGRATION_MATCHES="2").returncode == 1
    assert migrate("promote", "sales", "--dry-run", MIGRATION_MATCHES="1").returncode == 0
    assert migrate("promote", "sales", "--matches", "1", MIGRATION_MATCHES="2").returncode == 0


def test_a_reason_does_instead_of_matches_and_is_kept(migrate, team) -> None:
    team.config("sales", "shadow")
    done = migrate("promote", "sales", "--force", "differs only in a comment")
    assert (done.returncode, "(forced: 0 MATCH in a row, 3 needed; it was never compared)" in done.stdout) == (0, True)
    assert team.changes()[-1][-1] == "forced: differs only in a comment"
    assert migrate("promote", "sales", "--force", " ").returncode == 2


def test_a_config_that_was_never_a_shadow_is_refused_and_so_are_all_that_are_named(migrate, team) -> None:
    team.config("sales", "shadow")
    stock = team.config("stock")
    done = migrate("promote", "sales", "stock", "--force", "in a hurry")
    assert (done.returncode, f"`python migrate.py shadow {stock}`" in done.stderr) == (1, True)
    assert team.owners() == {"sales": "shadow", "stock": "service"}


def test_a_row_that_cannot_be_run_is_refused(migrate, team) -> None:
    team.config("sales", "shadow", google_sheet_url="nowhere")
    done = migrate("promote", "sales", "--force", "x")
    assert (done.returncode, "google_sheet_url" in done.stderr) == (2, True)
    assert team.owners() == {"sales": "shadow"}


@pytest.mark.parametrize("owner", ["job_ready", "service", "shadow"])
def test_a_table_that_another_active_config_replaces_is_refused(owner, migrate, team) -> None:
    """The service's messages for it would be nobody's."""
    team.config("first", owner, bigquery_table_id="shared")
    second = team.config("second", "shadow", bigquery_table_id="shared")
    team.compared(second, "MATCH", "MATCH", "MATCH")
    done = migrate("promote", "second", "--force", "it has to be")
    assert (done.returncode, '"first"' in done.stderr, team.owners()["second"]) == (1, True, "shadow")


def test_with_a_reason_it_is_told_what_was_found_all_the_same(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "MISMATCH")
    done = migrate("promote", "sales", "--force", "differs only in a comment")
    told = "(forced: 0 MATCH in a row, 3 needed; the newest comparison says MISMATCH)"
    assert (done.returncode, told in done.stdout) == (0, True), done.stdout


MERGED = {"load_mode": "merge", "merge_keys": ["id"]}


@pytest.mark.parametrize("options", [MERGED, {"load_mode": "append"}, {"load_mode": "snapshot"}])
def test_a_config_whose_runs_do_what_no_shadow_does_is_refused(options, migrate, team) -> None:
    config_id = team.config("sales", "shadow", options=json.dumps(options))
    team.compared(config_id, "MATCH", "MATCH", "MATCH")
    done = migrate("promote", "sales")
    assert (done.returncode, f"options.load_mode is {options['load_mode']}" in done.stderr) == (1, True)
    assert ("take load_mode" in done.stderr, team.owners()) == (True, {"sales": "shadow"})


def test_such_a_config_goes_with_a_reason_and_is_told(migrate, team) -> None:
    team.config("sales", "shadow", options=json.dumps(MERGED))
    done = migrate("promote", "sales", "--force", "appended by hand and looked at")
    assert (done.returncode, "what its own runs do was not compared" in done.stderr) == (0, True)
    assert team.owners() == {"sales": "job_ready"}


def test_while_the_service_may_be_at_work_nothing_changes(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.message_at_service(config_id, seconds=300)
    done = migrate("promote", "sales", "--force", "x", "--wait", "1")
    assert (done.returncode, "the service may be loading" in done.stderr) == (1, True)
    assert team.owners() == {"sales": "shadow"}


def test_it_waits_for_the_services_end(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.message_at_service(config_id, seconds=3)
    done = migrate("promote", "sales", "--force", "x")
    assert (done.returncode, "waiting for the service" in done.stderr) == (0, True)
    assert team.owners() == {"sales": "job_ready"}


def test_it_waits_for_a_message_that_comes_while_it_marks_too(migrate, team, sql) -> None:
    """As the function forward begins: in one transaction that holds the config's row."""
    config_id = team.config("sales", "shadow")
    with ThreadPoolExecutor(1) as pool:
        sql("BEGIN")
        sql("SELECT FROM sheet_to_bigquery_configs WHERE id = :id FOR SHARE", id=config_id)
        promoting = pool.submit(migrate, "promote", "sales", "--force", "x")
        while not sql("SELECT FROM pg_locks WHERE NOT granted"):
            assert not promoting.done(), promoting.result().stderr
        team.message_at_service(config_id, seconds=3)
        sql("COMMIT")
        done = promoting.result()
    assert (done.returncode, "waiting for the service" in done.stderr) == (0, True)
    waited = """
    SELECT o.changed_at >= f.open_until FROM sheet_to_bigquery_owner_changes o, sheet_to_bigquery_forwards f
    WHERE o.after = 'job_ready'
    """
    assert sql(waited) == [[True]]


def test_what_somebody_edits_while_it_marks_is_not_promoted(migrate, team, sql) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MATCH", "MATCH", "MATCH")
    with ThreadPoolExecutor(1) as pool:
        sql("BEGIN")
        sql("UPDATE sheet_to_bigquery_configs SET google_sheet_tab_name = 'unproved' WHERE id = :id", id=config_id)
        promoting = pool.submit(migrate, "promote", "sales")
        while not sql("SELECT FROM pg_locks WHERE NOT granted"):
            assert not promoting.done(), promoting.result().stderr
        sql("COMMIT")
        done = promoting.result()
    assert (done.returncode, "somebody changed config" in done.stderr) == (1, True)
    assert team.owners() == {"sales": "shadow"}


def test_a_shadow_run_that_waits_ends_and_one_in_flight_is_wished_to(migrate, team, add_run) -> None:
    flying = team.in_flight(team.config("sales", "shadow"), add_run, "shadow")
    add_run(team.config("stock", "shadow"), flying.slot, "shadow", state="pending", destination="s.t")
    assert migrate("promote", "sales", "stock", "--force", "x").returncode == 0
    assert sorted(team.runs()) == [("shadow", "cancelled"), ("shadow", "running")]
    assert team.run(flying.id).cancel_requested_at is not None


def test_a_dry_run_examines_and_changes_nothing(migrate, team) -> None:
    team.config("sales", "shadow")
    assert migrate("promote", "sales", "--dry-run").returncode == 1
    done = migrate("promote", "sales", "--dry-run", "--force", "x", "--json")
    assert (done.returncode, json.loads(done.stdout)[0]["before"]) == (0, "shadow")
    assert team.owners() == {"sales": "shadow"}


def test_whoever_is_killed_calls_it_again_and_it_ends_in_the_same_state(migrate, team, add_run) -> None:
    config_id = team.config("sales", "shadow")
    waiting = team.in_flight(team.config("other", "job_ready"), add_run)
    add_run(config_id, waiting.slot, "shadow", state="pending", destination="s.t")
    migrate("promote", "sales", "--force", "x", die_at="migrate.after_mark")
    assert ("shadow", "pending") in team.runs()
    done = migrate("promote", "sales", "--force", "x")
    assert (done.returncode, "job_ready already" in done.stdout) == (0, True)
    assert ("shadow", "cancelled") in team.runs()
    assert len([change for change in team.changes() if change[0] == "sales" and change[2] == "job_ready"]) == 1


def test_the_guides_sql_does_the_same_and_is_written_down(team, sql) -> None:
    team.config("sales", "shadow")
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready' WHERE name IN ('sales')")
    assert team.changes()[-1][:3] == ("sales", "shadow", "job_ready")
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]
