"""The product's guards, each with what takes its place where it is taken away, and the faults that miss it then."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """A guard's text in a file and what takes its place, and the faults that it guards against.

    `test` is for a guard behind another one, which no fault alone gets past: what it refuses is tried by itself.
    """

    name: str
    file: str
    guard: str
    instead: str
    faults: Sequence[str] = ()
    times: int = 3
    limits: Sequence[str] = ()
    test: str | None = None


LEDGER = "shared/ledger"
ADMISSION_STATEMENTS, END_STATEMENTS = f"{LEDGER}/admission_statements.py", f"{LEDGER}/end_statements.py"
SETTLE = "shared/settle.py"
NOTICES = f"{LEDGER}/notice_statements.py"
FORWARD_STATEMENTS, FORWARD_QUERIES = f"{LEDGER}/forward_statements.py", f"{LEDGER}/forward_queries.py"
FORWARDS = "tests/integration/ledger/test_forwards.py"
PLAN_STATEMENTS, PLANS = f"{LEDGER}/plan_statements.py", "tests/integration/ledger/test_requested_plans.py"
LOAD_JOB, READ = "shared/load_job.py", "job/reading/read.py"
SHADOWS = "tests/integration/ledger/test_shadows.py"
RUNS, STATES = "sql/migrations/0001_runs.up.sql", "tests/integration/ledger/test_states.py"
MUTATIONS = (
    Mutation(
        "claim: only what is queued",
        f"{LEDGER}/run_statements.py",
        "WHERE r.id = :run_id AND r.state = 'queued' AND c.id = r.config_id",
        "WHERE r.id = :run_id AND c.id = r.config_id",
        ["delivered three times to launch"],
        times=6,
    ),
    Mutation(
        "claim: not while the older service may write",
        f"{LEDGER}/run_statements.py",
        "AND NOT {_HAS_TO_WAIT}\nRETURNING",
        "AND NOT EXISTS ({_TABLE_TAKEN})\nRETURNING",
        test=f"{SHADOWS}::test_a_run_waits_while_the_older_service_may_write_its_table",
    ),
    Mutation(
        "a shadow config's own table is not the job's",
        f"{LEDGER}/statements.py",
        """f"(CASE WHEN {run}.why = 'shadow' THEN {shadowed} ELSE {owned} END)\"""",
        """f"({run}.why <> '' AND ({shadowed} OR {owned}))\"""",
        test=f"{SHADOWS}::test_a_run_by_hand_of_a_shadow_config_is_not_ours_to_load_its_table",
    ),
    Mutation(
        "a change of owner ends what is in flight",
        "sql/tracking/start.sql",
        "IF old_owner IN ('shadow', 'job_ready') THEN",
        "IF old_owner IS NULL THEN",
        test="tests/integration/verbs/test_change_of_owner.py::"
        "test_an_attempt_in_flight_is_closed_by_the_sweep_after_the_table_has_gone_back",
    ),
    Mutation(
        "admission lock",
        f"{LEDGER}/statements.py",
        'LOCK_ADMISSION = "SELECT pg_advisory_xact_lock(1932681841, 2)"',
        'LOCK_ADMISSION = "SELECT 1"',
        ["a config goes before all others", "slow jobs"],
        limits=["MAX_RUNNING=2"],
    ),
    Mutation(
        "cap on runs in flight",
        ADMISSION_STATEMENTS,
        "least(:most, :cap - count(*))",
        "least(:most, :cap - 0 * count(*))",
        ["eight calls of dispatch", "slow jobs"],
        limits=["MAX_RUNNING=2"],
    ),
    Mutation(
        "quota of reads",
        ADMISSION_STATEMENTS,
        "ranked.reads_so_far + reserved.reads <= :reads_per_minute",
        "ranked.reads_so_far <= :reads_per_minute",
        ["eight calls of dispatch"],
        limits=["SHEETS_READS_PER_MINUTE=20"],
    ),
    Mutation(
        "attempt in the job id",
        LOAD_JOB,
        'return f"sheet_to_bigquery_{run_id}_{attempt}"',
        'return f"sheet_to_bigquery_{run_id}_1"',
        ["a load that fails", "out of memory"],
    ),
    Mutation(
        "labels of the attempt's job",
        LOAD_JOB,
        'return found.get("run") == run_id and found.get("attempt") == str(attempt)',
        "return found is not None and bool(run_id) and bool(attempt)",
        ["a stranger's job"],
    ),
    Mutation(
        "location of the attempt's job",
        SETTLE,
        "client, location = bigquery_of(run.job_project), run.job_location",
        'client, location = bigquery_of(run.job_project), "EU"',
        ["completion lost for ever"],
    ),
    Mutation(
        "burn before a new attempt",
        SETTLE,
        "seen = load_job.burn(client, run.id, run.attempt, location)",
        'seen = load_job.Look("burned")',
        ["asleep and forgotten", "forged completion"],
    ),
    Mutation(
        "an unknown launch waits for settling",
        "shared/executions.py",
        "raise LaunchUnknown(\n",
        "raise LaunchRefused(\n",
        ["503 although an execution was created", "reply to RunJob lost"],
    ),
    Mutation(
        "a message by hand counts once",
        f"{LEDGER}/message_queries.py",
        'if not self._record_message(message_id, now, "accepted", None, body):',
        'if not self._record_message(message_id, now, "accepted", None, body) and not body:',
        ["ack lost by launch"],
        times=6,
    ),
    Mutation(
        "last_run never goes back",
        END_STATEMENTS,
        "SET last_run = greatest(c.last_run, closed.slot)",
        "SET last_run = closed.slot",
        ["last_run put ahead"],
        times=8,
    ),
    Mutation(
        "a person's NULL stays",
        END_STATEMENTS,
        " AND NOT (closed.had_last_run AND c.last_run IS NULL)",
        "",
        ["last_run nulled"],
        times=8,
    ),
    Mutation(
        "an attempt fails once",
        END_STATEMENTS,
        "WHERE id = :run_id AND attempt = :attempt AND state IN {_IN_FLIGHT}\n    RETURNING {_CLOSED}\n",
        "WHERE id = :run_id\n    RETURNING {_CLOSED}\n",
        ["asleep beyond the lease: at settle.after_burn", "out of memory", "four sweeps"],
        times=4,
    ),
    Mutation(
        "the sweep looks at leases",
        "shared/sweep.py",
        "for run_id in store.lease_over(store.now()):",
        "for run_id in store.lease_over(store.now())[:0]:",
        ["completion lost for ever"],
        times=12,
    ),
    Mutation(
        "the sweep publishes what was not heard",
        "shared/sweep.py",
        "    if unheard:\n",
        "    if not unheard:\n",
        ["run request lost for ever"],
    ),
    Mutation(
        "a reading lies between two equal versions",
        READ,
        "if before == version:",
        "if before:",
        ["an edit during the read"],
    ),
    Mutation(
        "an empty sheet empties no table",
        READ,
        'if not reading.table.rows and config.options.on_empty == "fail":',
        'if not reading.table.rows and config.options.on_empty == "never":',
        ["emptied"],
        times=6,
    ),
    Mutation(
        "one active run per config and per table",
        RUNS,
        "CREATE UNIQUE INDEX runs_active_",
        "CREATE INDEX runs_active_",
        test=f"{STATES}::test_the_database_refuses_a_second_active_run_of_a_config_or_of_a_table",
    ),
    Mutation(
        "one request by hand waits",
        RUNS,
        "CREATE UNIQUE INDEX runs_follow_up",
        "CREATE INDEX runs_follow_up",
        test=f"{STATES}::test_the_database_refuses_a_second_request_by_hand_that_waits",
    ),
    Mutation(
        "a run changes only to states that may follow",
        "sql/migrations/0007_life.up.sql",
        "OLD.state <> NEW.state\n",
        "OLD.state IS NULL\n",
        test=f"{STATES}::test_the_database_allows_exactly_the_transitions_that_are_told",
    ),
    Mutation(
        "a notice is one sweep's to tell",
        NOTICES,
        "SET attempts = attempts + 1, not_before = :again",
        "SET attempts = attempts + 1",
        ["configs that fail", "four sweeps", "silence of slack"],
        times=3,
    ),
    Mutation(
        "who heard is noted",
        NOTICES,
        "SET heard = CAST(:heard AS text[]), closed_at",
        "SET closed_at",
        ["configs that fail", "500 by slack", "broken connection to slack"],
    ),
    Mutation(
        "people are told last",
        "shared/sweep.py",
        "    started = store.now()\n",
        "    started = store.now()\n    notify(store, channels)\n",
        test="tests/faults/test_rounds.py::test_while_nobody_listens_a_run_is_settled_all_the_same",
    ),
    Mutation(
        "a wish ends the retries",
        END_STATEMENTS,
        "SET state = CASE WHEN cancel_requested_at IS NULL THEN CAST(:state AS text) ELSE 'cancelled' END,",
        "SET state = CAST(:state AS text),",
        ["every open run cancelled", "slow jobs", "an execution killed"],
    ),
    Mutation(
        "so many permanent failures in a row",
        END_STATEMENTS,
        "AND CAST(:pause_after AS integer) - 1 = (",
        "AND CAST(:pause_after AS integer) - 1 < (",
        ["asked for until it is paused"],
        times=1,
    ),
    Mutation(
        "cleaning keeps what is asked for",
        END_STATEMENTS,
        "AND n.verdict = 'loaded' ORDER BY",
        "AND n.verdict = 'lost' ORDER BY",
        ["old runs and messages"],
    ),
    Mutation(
        "forward: a change of owner is waited for",
        FORWARD_STATEMENTS,
        "WHERE c.id = :config_id FOR SHARE OF c",
        "WHERE c.id = :config_id",
        test=f"{FORWARDS}::test_a_change_of_owner_at_the_same_moment_is_waited_for_and_seen",
    ),
    Mutation(
        "forward: under the lock that claims take",
        FORWARD_QUERIES,
        "            self._run(statements.LOCK_ADMISSION)\n",
        "",
        test=f"{FORWARDS}::test_a_change_of_owner_waits_for_a_decision_that_is_being_made",
    ),
    Mutation(
        "forward: not while a run is in flight",
        FORWARD_QUERIES,
        "if reason := found.run or found.message:",
        "if reason := found.message:",
        test=f"{FORWARDS}::test_a_run_in_flight_holds_the_table",
    ),
    Mutation(
        "forward: not while the service may be at work",
        FORWARD_QUERIES,
        "    if found.is_open:\n",
        "    if found.is_open and not owner:\n",
        test=f"{FORWARDS}::test_an_unanswered_message_waits_until_the_service_has_given_up",
    ),
    Mutation(
        "forward: no table of the job's",
        FORWARD_QUERIES,
        "    if found.rival:\n",
        "    if found.rival and owner.is_job:\n",
        test=f"{FORWARDS}::test_a_message_for_a_table_that_the_job_owns_is_refused",
    ),
    Mutation(
        "a plan is launched once",
        PLAN_STATEMENTS,
        "WHERE id = :plan_id AND state = 'requested'\nRETURNING id",
        "WHERE id = :plan_id AND state <> 'done'\nRETURNING id",
        test=f"{PLANS}::test_of_many_claims_at_the_same_moment_one_gets_the_plan",
    ),
    Mutation(
        "a plan ends by one word",
        PLAN_STATEMENTS,
        "state = 'failed' AND plan IS NULL AND error_class = :silent",
        "state <> 'requested' AND :silent <> ''",
        test=f"{PLANS}::test_a_word_that_comes_after_another_one_changes_nothing",
    ),
    Mutation(
        "a plan is told by its own execution",
        PLAN_STATEMENTS,
        "launched_at IS NOT NULL AND coalesce(execution, :execution) = :execution",
        "launched_at IS NOT NULL AND coalesce(execution, :execution) <> ''",
        test=f"{PLANS}::test_another_executions_word_is_not_believed",
    ),
    Mutation(
        "a job that knows no plans loads nothing for one",
        "shared/planning.py",
        '"RUN_ID": NO_RUN,',
        '"RUN_ID": "",',
        test="tests/unit/shared/test_planning.py::"
        "test_a_job_that_knows_no_plans_refuses_to_start_instead_of_loading_by_hand",
    ),
    Mutation(
        "an execution for a plan loads nothing",
        "shared/settings.py",
        "plan=plan.model if plan else None,",
        "plan=None,",
        test="tests/integration/job/test_plans.py::test_a_plan_tells_what_would_be_loaded_and_loads_nothing",
    ),
    Mutation(
        "PostgreSQL's clock",
        f"{LEDGER}/queries.py",
        "return self._run(statements.NOW)[0][0]",
        "return datetime.now().astimezone()",
        ["dispatch an hour ahead", "launch an hour ahead", "complete an hour ahead"],
        times=1,
    ),
)
