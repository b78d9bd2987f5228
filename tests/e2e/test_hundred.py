"""A hundred configs due at once: every table equal to its sheet, and no config run twice."""

import random

from tests.e2e.conftest import DATASET, Team

CONFIGS = 100


def test_a_hundred_configs_due_at_once_all_succeed_once(team: Team) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sheets = {}
    for number in range(CONFIGS):
        name = team.unique(f"hundred_{number:03}")
        rows = [[index, chance.randrange(10**6), f"text {chance.random()}"] for index in range(chance.randint(1, 40))]
        team.write_sheet(name, [["id", "amount", "note"], *rows])
        sheets[name] = rows
    configs = {team.add_config(name): name for name in sheets}
    answers = [team.dispatch(config_names=list(sheets)) for _ in range(2)]
    assert [answer["recorded"] for answer in answers] == [CONFIGS, 0]

    runs = team.wait_for_runs(*configs, seconds=280)
    assert {run.state for run in runs} == {"succeeded"}, [run.error for run in runs if run.error]
    assert sorted(run.config_id for run in runs) == sorted(configs)
    assert {run.attempt for run in runs} == {1}
    for config_id, name in configs.items():
        loaded = [[row["id"], row["amount"], row["note"]] for row in team.table(name)]
        assert loaded == sheets[name], name
        assert team.last_run(config_id) is not None

    # BigQuery's own history: one load a table.
    loads = [
        job.destination.table_id
        for job in team.clients.bigquery.list_jobs(max_results=1000)
        if job.job_type == "load" and job.destination.dataset_id == DATASET and job.destination.table_id in sheets
    ]
    assert sorted(loads) == sorted(sheets)
