"""Twenty configs go from the older service to the job, with both at work all along, and back in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import forget_proxies
from local.system import System
from tests.e2e.test_forward import Migration
from tests.migration.judge import judge
from tests.migration.team import Config, Team, points_in_commands
from tests.migration.witness import Witness

CONFIGS = 20
SECONDS_BETWEEN_MESSAGES = 10
TYPED = {"order_no": "STRING", "edition": "STRING", "unit_price": "FLOAT64", "paid": "BOOL"}


@pytest.fixture
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    forget_proxies()
    folder: Path = tmp_path_factory.mktemp("moving")
    for name in ("samples", "failpoints"):
        (folder / name).mkdir()
    settings = {"RETRY_SECONDS": "1", "LEASE_SECONDS": "60", "SERVICE_TIMEOUT_SECONDS": "60", "MIGRATION_MATCHES": "1"}
    points = {"FAILPOINTS": str(folder / "failpoints")}
    with System(
        folder, folder / "samples", settings=settings, job_settings=points, with_service=True, faulty=True
    ) as system:
        migration = Migration(system)
        postgres = migration.team.clients.postgres
        with Witness(system.addresses["bigquery"], system.log("service"), postgres) as witness:
            yield Team(system, witness, migration)


@pytest.mark.timeout(900)
def test_twenty_configs_move_with_one_owner_of_each_table_all_along(team: Team) -> None:
    configs = [team.add(team.people.unique(f"order{number}")) for number in range(CONFIGS)]
    start_amid_a_death(team)
    team.wait_forwarded(team.publish(*configs))
    edited, changing, renamed, *others = configs
    first, busy = others[:4], others[4:6]
    with team.busy_portal(busy, SECONDS_BETWEEN_MESSAGES):
        shadow_the_first(team, [edited, changing, *first, *busy])
        judge_what_differs(team, edited, changing)
        promote_the_first(team, first, edited)
    roll_one_back_in_mid_run(team, first[0])
    with team.busy_portal(busy, SECONDS_BETWEEN_MESSAGES):
        roll_all_back(team, configs, first)
        move_all(team, configs, renamed)
    load_by_the_job(team, [config for config in configs if config not in (renamed, *first)])
    take_types(team, first[0], first[1])
    finish(team)
    load_as_a_plain_deployment(team, first[0], first[2])
    assert judge(team.witness.history()) == []
    assert team.died_at == points_in_commands()


def start_amid_a_death(team: Team) -> None:
    team.kill_migrate_as_it_waits("start")
    assert "have no marks" in team.migrate("status", code=1)
    assert f"{CONFIGS} service" in team.migrate("start")


def shadow_the_first(team: Team, configs: list[Config]) -> None:
    names = [config.name for config in configs]
    team.migrate_dying("shadow", *names, at=["after_dataset", "after_mark", "after_record"])
    assert team.marks(*configs) == {"shadow"}
    for config in configs[2:4]:
        team.edit(config)
    team.wait_forwarded(team.publish(*configs[2:4]))


def judge_what_differs(team: Team, edited: Config, changing: Config) -> None:
    """Somebody wrote into the service's table; and a sheet was edited between the two loads."""
    statement = f"UPDATE `{edited.table}` SET edition = 'by hand' WHERE TRUE"
    team.change_table(edited, statement, [(row[0], "by hand", *row[2:]) for row in edited.rows()])
    team.edit(changing)
    team.migrate("shadow", edited.name, changing.name)
    found = team.verdicts(edited, changing)
    assert found == {edited.name: "MISMATCH", changing.name: "SHEET_CHANGED"}


def promote_the_first(team: Team, configs: list[Config], edited: Config) -> None:
    """All but the one that differs."""
    team.wait_matches(configs)
    team.migrate_dying("compare", configs[0].name, at=["after_compare"])
    assert "MISMATCH" in team.migrate("promote", edited.name, configs[0].name, code=1)
    assert team.marks(edited, *configs) == {"shadow"}
    *early, by_command, by_sql = configs
    team.migrate_dying("promote", *(config.name for config in early), at=["after_mark"])
    promote_in_mid_forward(team, by_command, by_sql)
    team.edit(by_command)
    team.wait_run(team.publish(*configs))
    assert team.holds(by_command) == in_sheet(by_command)


def promote_in_mid_forward(team: Team, by_command: Config, by_sql: Config) -> None:
    """The command waits for the service; who marks by SQL, as the guide does, has the job wait for it."""
    team.portal.order(seconds=6)
    forwarded = team.publish(by_command, by_sql)
    team.wait(lambda: all(team.portal.asked(message_id) for message_id in forwarded))
    team.people.set_config(by_sql.id, migration_status="job_ready")
    team.people.publish({"config_id": by_sql.id})
    team.wait(lambda: team.has_runs(by_sql))
    assert "may be loading" in team.migrate("promote", by_command.name, "--wait", "0", code=1)
    assert team.marks(by_command) == {"shadow"}
    team.migrate("promote", by_command.name)
    team.portal.order()
    team.wait_forwarded(forwarded)
    team.wait_quiet()
    assert team.state_of_newest_run(by_sql) == "succeeded"


def roll_one_back_in_mid_run(team: Team, config: Config) -> None:
    """The run has read the sheet; what it would load, it cannot load any more. A message waits for its end."""
    team.wait_quiet()
    (team.points / "job.after_read").write_text("sleep 30")
    team.publish(config)
    team.wait(lambda: list(team.points.glob("job.after_read.taken.*")))
    team.edit(config)
    team.migrate_once_dying("rollback", config.name, at="after_mark")
    held_back = team.publish(config)
    team.migrate_dying("rollback", config.name, at=["after_wish", "after_close"])
    assert team.marks(config) == {"service"}
    assert team.state_of_newest_run(config) == "cancelled"
    team.wait_forwarded(held_back)
    assert team.holds(config) == in_sheet(config)


def roll_all_back(team: Team, configs: list[Config], first: list[Config]) -> None:
    """With messages on their way to the job."""
    team.publish(*first[1:4])
    team.migrate_dying("rollback", "--all", "--no-cloud", at=["before_cloud"])
    assert team.marks(*configs) == {"service"}
    for config in first[1:3]:
        team.edit(config)
    team.wait_forwarded(team.publish(*configs))
    for config in (configs[0], configs[1], *first[1:3]):
        assert team.holds(config) == in_sheet(config)


def move_all(team: Team, configs: list[Config], renamed: Config) -> None:
    """With one whose tab has another name by now: the service finds it no more, and the job does by its gid."""
    team.rename_tab(renamed, "Orders of this year")
    team.migrate("shadow", *(config.name for config in configs))
    team.wait_matches(configs)
    [message_id] = team.publish(renamed)
    team.wait(lambda: "ended with 500" in team.portal.asked(message_id))
    team.migrate("promote", *(config.name for config in configs))
    assert team.marks(*configs) == {"job_ready"}
    team.wait_run([message_id])
    assert team.holds(renamed) == in_sheet(renamed)


def load_by_the_job(team: Team, configs: list[Config]) -> None:
    for config in configs[::3]:
        team.edit(config)
    team.wait_run(team.publish(*configs))
    for config in configs:
        assert team.holds(config) == in_sheet(config)
        assert set(team.people.types(config.name).values()) == {"STRING"}


def take_types(team: Team, viewed: Config, plain: Config) -> None:
    """Both keep what the sheet holds, and one a view as its readers know it."""
    view = f"{viewed.name}_as_before"
    team.migrate_dying("types", viewed.name, "--apply", "--view", view, at=["after_types", "after_run"])
    team.migrate("types", plain.name, "--apply")
    assert team.people.types(viewed.name) == TYPED
    assert set(team.people.types(view).values()) == {"STRING"}


def finish(team: Team) -> None:
    team.people.add_config("migration_test_1")
    assert "nothing was dropped" in team.migrate("finish")
    team.migrate_dying("finish", "--yes", at=["after_test_configs", "after_tracking", "after_tables"])
    assert "nothing is left to drop" in team.migrate("finish")


def load_as_a_plain_deployment(team: Team, typed: Config, text: Config) -> None:
    """Two configs are due; the portal's messages are the job's, too."""
    for config in (typed, text):
        team.edit(config)
        team.people.set_config(config.id, last_run=None)
    assert team.people.dispatch()["recorded"] == 2
    team.wait_quiet()
    for config in (typed, text):
        assert team.state_of_newest_run(config) == "succeeded"
        assert team.holds(config) == in_sheet(config)
    assert team.people.types(typed.name) == TYPED
    assert set(team.people.types(text.name).values()) == {"STRING"}
    team.edit(text)
    team.wait_run(team.publish(text))
    assert team.holds(text) == in_sheet(text)


def in_sheet(config: Config) -> list[tuple[str, ...]]:
    """The orders' numbers and editions that the sheet has."""
    return sorted((number, edition) for number, edition, *_ in config.rows())
