"""Which parts of an error or a warning become links, and that nothing else of it is HTML."""

import pytest

from console.linked import coded, linked
from shared.links import NamedCell

SHEET = "https://docs.google.com/spreadsheets/d/abcdefghij/edit"
C1, C17 = (NamedCell(f"Q4!{cell}", f"{SHEET}#range={cell}") for cell in ("C1", "C17"))


def test_a_cells_name_is_the_link_in_place_of_the_address_behind_it() -> None:
    told = linked(f"no number: Q4!C17 ({SHEET}#range=C17): correct it", [C17])
    assert told == f'no number: <a href="{SHEET}#range=C17">Q4!C17</a>: correct it'


def test_a_cell_that_begins_another_ones_name_is_not_that_one() -> None:
    told = linked("Q4!C17, Q4!C1, Q4!C171", [C1, C17])
    link = '<a href="{}">{}</a>'
    assert told == f"{link.format(C17.link, C17.cell)}, {link.format(C1.link, C1.cell)}, Q4!C171"


def test_a_quoted_tab_is_one_name() -> None:
    cell = NamedCell("'It''s'!A1", f"{SHEET}#range=A1")
    assert linked("'It''s'!A1!", [cell]) == f'<a href="{SHEET}#range=A1">&#39;It&#39;&#39;s&#39;!A1</a>!'


def test_a_spreadsheets_address_alone_is_a_link_too() -> None:
    assert linked(f"share {SHEET} with me", []) == f'share <a href="{SHEET}">the sheet</a> with me'


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://evil.example/", "http://docs.google.com/x", None])
def test_other_addresses_never_become_links(link: str | None) -> None:
    assert linked(f"Q4!C17 ({link}) <b>", [NamedCell("Q4!C17", link)]) == f"Q4!C17 ({link}) &lt;b&gt;"


def test_all_of_a_text_is_escaped_around_its_links() -> None:
    cell = NamedCell('"><i>!A1', f'{SHEET}#"><i>')
    told = linked('<b> "><i>!A1 <script>', [cell])
    assert told == f'&lt;b&gt; <a href="{SHEET}#&#34;&gt;&lt;i&gt;">&#34;&gt;&lt;i&gt;!A1</a> &lt;script&gt;'


def test_a_text_without_cells_stays_as_it_is() -> None:
    assert linked("nothing here", [C17]) == "nothing here"
    assert linked("", []) == ""


def test_a_command_between_backticks_is_code_and_no_more_html_than_that() -> None:
    assert linked("`migrate.py compare <b>`, then Q4!C17", [C17]) == (
        f'<code>migrate.py compare &lt;b&gt;</code>, then <a href="{C17.link}">Q4!C17</a>'
    )
    assert coded("one ` alone") == "one ` alone"
    assert coded("`a` and `b`") == "<code>a</code> and <code>b</code>"
