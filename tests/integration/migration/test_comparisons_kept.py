"""What the ledger keeps of comparisons, and how many in a row it counts."""

from datetime import timedelta

import msgspec
import pytest

NAMES = ("id", "city")
SECRET = "a value of a cell"


def compared(desk, service, job):
    """Another load of the service, another shadow run, and their comparison, kept."""
    desk.service_loads(NAMES, service)
    desk.shadow_loads(NAMES, job)
    found = desk.compare()
    assert desk.store.record_comparison(found)
    return found


def matches(desk):
    return desk.store.consecutive_matches(desk.config.id, desk.config.destination)


def mark(desk, before, after):
    desk.sql(
        "INSERT INTO sheet_to_bigquery_owner_changes (config_id, config_name, changed_by, before, after)"
        " VALUES (:id, 'sales', 'test', :before, :after)",
        id=desk.config.id,
        before=before,
        after=after,
    )


def test_a_comparison_comes_back_as_it_was_kept_without_values(desk):
    found = compared(desk, [("1", SECRET)], [("1", "another"), ("2", SECRET)])
    assert SECRET in msgspec.json.encode(found.sample).decode()
    (kept,) = desk.store.newest_comparisons([desk.config.id]).values()
    for name in kept.__struct_fields__:
        if name != "compared_at":
            assert getattr(kept, name) == getattr(found, name), name
    ((row,),) = desk.sql("SELECT to_jsonb(c)::text FROM sheet_to_bigquery_comparisons c")
    assert SECRET not in row


def test_the_same_two_loads_are_kept_once(desk):
    compared(desk, [("1", "x")], [("1", "x")])
    assert not desk.store.record_comparison(desk.compare())
    assert matches(desk) == 1


def test_a_second_look_that_knows_more_takes_the_place_of_the_first(desk):
    """Three matches, and a load that differs: first it looks as if the sheet was edited, then it is known not to be."""
    compared(desk, [("1", "x")], [("1", "x")])
    found = msgspec.structs.replace(compared(desk, [("1", "x")], [("1", "x")]), verdict="SHEET_CHANGED")
    desk.service_loads(NAMES, [("1", "y")])
    desk.shadow_loads(NAMES, [("1", "x")])
    mismatch = desk.compare()
    assert mismatch.verdict == "MISMATCH"
    assert desk.store.record_comparison(msgspec.structs.replace(mismatch, verdict="SHEET_CHANGED"))
    assert matches(desk) == 2
    assert desk.store.record_comparison(mismatch)
    assert matches(desk) == 0
    assert not desk.store.record_comparison(msgspec.structs.replace(mismatch, verdict="SHEET_CHANGED"))
    assert not desk.store.record_comparison(msgspec.structs.replace(mismatch, verdict="MATCH"))
    assert matches(desk) == 0
    assert found.run_id != mismatch.run_id


@pytest.mark.parametrize(
    "edit",
    [
        "google_sheet_url = 'https://docs.google.com/spreadsheets/d/another_sheet_1/edit'",
        "google_sheet_tab_name = 'another'",
        """options = '{"range": "B2:C9"}'""",
    ],
)
def test_matches_from_before_the_config_was_edited_count_no_more(desk, edit):
    compared(desk, [("1", "x")], [("1", "x")])
    assert matches(desk) == 1
    desk.sql(f"UPDATE sheet_to_bigquery_configs SET {edit}")
    assert matches(desk) == 0


def test_who_owns_the_table_is_no_edit_of_what_is_read(desk):
    compared(desk, [("1", "x")], [("1", "x")])
    desk.sql("""UPDATE sheet_to_bigquery_configs SET options = '{"parity": true}', name = 'renamed'""")
    assert matches(desk) == 1


def test_every_load_of_the_service_counts_once_however_many_shadows_it_had(desk):
    compared(desk, [("1", "x")], [("1", "x")])
    desk.shadow_loads(NAMES, [("1", "x")])
    assert desk.store.record_comparison(desk.compare())
    assert matches(desk) == 1
    compared(desk, [("1", "x")], [("1", "x")])
    assert matches(desk) == 2


def test_a_mismatch_ends_the_row_and_what_proves_nothing_does_not(desk):
    assert matches(desk) == 0
    compared(desk, [("1", "x")], [("1", "x")])
    desk.service_loads(NAMES, [("1", "y")])
    older = desk.compare()
    assert (older.verdict, desk.store.record_comparison(older), matches(desk)) == ("SHADOW_OLDER", True, 1)
    assert compared(desk, [("1", "x")], [("1", "y")]).verdict == "MISMATCH"
    assert matches(desk) == 0
    compared(desk, [("1", "x")], [("1", "x")])
    assert matches(desk) == 1


def test_matches_from_before_the_config_went_back_to_the_service_count_no_more(desk):
    mark(desk, "service", "shadow")
    compared(desk, [("1", "x")], [("1", "x")])
    assert matches(desk) == 1
    mark(desk, "shadow", "service")
    mark(desk, "service", "shadow")
    assert matches(desk) == 0


def test_matches_of_another_table_count_for_nothing(desk):
    compared(desk, [("1", "x")], [("1", "x")])
    assert desk.store.consecutive_matches(desk.config.id, "test-project.other.table") == 0


def test_an_empty_ledger_has_no_comparison(store):
    assert (store.newest_comparisons(), store.newest_comparisons([1]), store.consecutive_matches(1, "p.d.t")) == (
        {},
        {},
        0,
    )
    assert (store.newest_shadow(1, "p.d.t"), store.newest_load(1, "p.d.t"), store.owned_since(1)) == (None, None, None)
    assert store.forwarded_at(1, store.now()) is None


def test_a_message_that_the_service_answered_long_before_is_not_what_it_wrote_for(store, sql):
    now = store.now()
    for number, (begun, ended) in enumerate([(200, 100), (50, None), (20, None)]):
        sql(
            "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until, ended_at, status)"
            " VALUES (:id, 1, :begun, :until, :ended, :status)",
            id=str(number),
            begun=now - timedelta(seconds=begun),
            until=now + timedelta(seconds=300 - begun),
            ended=now - timedelta(seconds=ended) if ended else None,
            status=200 if ended else None,
        )
    assert store.forwarded_at(1, now) == now - timedelta(seconds=50)


@pytest.mark.parametrize(
    ("options", "expected", "dropped", "left"),
    [
        ('{"parity": true}', {"parity": True}, True, None),
        ('{"parity": true, "max_shrink": 0.5}', {"parity": True, "max_shrink": 0.5}, True, {"max_shrink": 0.5}),
        ('{"parity": true, "max_shrink": 0.5}', {"parity": True}, False, {"parity": True, "max_shrink": 0.5}),
        (
            r'"{\"parity\": true, \"max_shrink\": 0.5}"',
            '{"parity": true, "max_shrink": 0.5}',
            True,
            {"max_shrink": 0.5},
        ),
        ('{"parity": false}', {"parity": False}, False, {"parity": False}),
        (None, {}, False, None),
    ],
)
def test_parity_goes_only_where_the_options_are_still_those_that_were_shown(
    store, sql, add_config, options, expected, dropped, left
):
    config_id = add_config(options=options)
    assert store.drop_parity(config_id, expected, "ana", None) is dropped
    ((found,),) = sql("SELECT options FROM sheet_to_bigquery_configs WHERE id = :id", id=config_id)
    assert found == left
