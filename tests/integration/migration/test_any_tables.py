"""Any two tables: what is the same in another order is the same, and any single change is noticed."""

from datetime import timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.comparison import Differences

# Few values, so that rows and cells repeat: what an XOR, or columns looked at one by one, would lose.
CELLS = st.sampled_from([None, "", "null", "NULL", "0", "é", "a\n\"b'\\", "[null]"])
# All that flexible column names allow beside letters, and what looks like SQL or like the comparison's own names.
NAMES = st.lists(
    st.text(st.sampled_from("aZ09_ äß名&%=+:'<>#|-"), min_size=1, max_size=8).filter(str.strip),
    min_size=1,
    max_size=3,
    unique_by=str.casefold,
)
any_pair = settings(
    max_examples=15,
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


@st.composite
def tables(draw, least=0):
    names = draw(NAMES)
    rows = st.lists(st.tuples(*[CELLS] * len(names)), min_size=least, max_size=6)
    return names, draw(rows)


def compared(desk, names, service, job):
    desk.service_loads(names, service)
    desk.shadow_loads(names, job)
    return desk.compare()


@any_pair
@given(table=tables(), data=st.data())
def test_the_order_of_rows_plays_no_part(desk, table, data):
    names, rows = table
    found = compared(desk, names, rows, data.draw(st.permutations(rows)))
    assert (found.verdict, found.differences) == ("MATCH", Differences())


@any_pair
@given(table=tables(least=1), data=st.data())
def test_any_single_cell_that_changes_is_noticed_in_its_column_alone(desk, table, data):
    names, rows = table
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(names) - 1))
    changed = [list(each) for each in rows]
    changed[row][column] = data.draw(CELLS.filter(lambda value: value != rows[row][column]))
    found = compared(desk, names, rows, changed)
    assert (found.verdict, [each.name for each in found.differences.columns]) == ("MISMATCH", [names[column]])
    assert found.sample.rows


@any_pair
@given(table=tables(least=1), data=st.data())
def test_a_row_more_is_noticed_and_a_pair_of_them_too(desk, table, data):
    names, rows = table
    again = data.draw(st.sampled_from(rows))
    times = data.draw(st.integers(1, 2))
    found = compared(desk, names, rows, [*rows, *[again] * times])
    assert (found.verdict, found.job_rows - found.service_rows) == ("MISMATCH", times)
    assert all(each.values_differ for each in found.differences.columns)
    assert len(found.differences.columns) == len(names)


@any_pair
@given(table=tables(least=2), data=st.data())
def test_two_cells_of_a_column_that_change_places_are_noticed(desk, table, data):
    names, rows = table
    column = data.draw(st.integers(0, len(names) - 1))
    swapped = [list(row) for row in rows]
    swapped[0][column], swapped[1][column] = swapped[1][column], swapped[0][column]
    assume(sorted(map(repr, swapped)) != sorted(map(repr, map(list, rows))))
    found = compared(desk, names, rows, swapped)
    assert (found.verdict, found.differences) == ("MISMATCH", Differences(rows_differ=True))


def test_twenty_thousand_rows_are_compared_and_one_of_them_is_found(desk):
    rows = [(str(number), f"text {number % 97}", None if number % 3 else "") for number in range(20_000)]
    found = compared(desk, ("id", "text", "blank"), rows, rows[::-1])
    assert (found.verdict, found.service_rows) == ("MATCH", 20_000)
    rows[12_345] = ("12345", "another", None)
    desk.shadow_loads(("id", "text", "blank"), rows)
    assert [row.key for row in desk.compare().sample.rows] == ['"12345"']
