"""Every state has a word and a sign, of configs and of runs."""

from console.states import STATES, label, run_word, shape
from shared.states import STATES as RUNS_STATES


def test_a_runs_state_is_one_of_the_words_that_configs_have() -> None:
    assert {run_word(state, None) for state in RUNS_STATES} <= set(STATES)
    assert [run_word(state, None) for state in ("pending", "queued", "launching", "running")] == [
        "waiting",
        "waiting",
        "running",
        "running",
    ]


def test_a_run_that_had_nothing_to_load_is_unchanged() -> None:
    assert {run_word("succeeded", verdict) for verdict in ("unchanged", "kept")} == {"unchanged"}
    assert run_word("succeeded", "loaded") == "succeeded"


def test_no_two_states_look_alike() -> None:
    assert len({shape(state) for state in STATES}) == len({label(state) for state in STATES}) == len(STATES)
