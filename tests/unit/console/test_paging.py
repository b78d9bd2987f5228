"""Which part of a long list a page shows."""

import pytest

from console.paging import AskedPage, Paged, pages_of


@pytest.mark.parametrize(("found", "pages"), [(0, 1), (1, 1), (50, 1), (51, 2), (10_000, 200)])
def test_fifty_make_a_page(found: int, pages: int) -> None:
    assert pages_of(found) == pages


@pytest.mark.parametrize(
    ("page", "found", "shown"),
    [(1, 0, (0, 0)), (1, 7, (1, 7)), (1, 50, (1, 50)), (2, 51, (51, 51)), (2, 120, (51, 100)), (3, 51, (0, 0))],
)
def test_a_page_knows_its_first_and_its_last(page: int, found: int, shown: tuple[int, int]) -> None:
    paged = Paged(page=page, pages=pages_of(found), found=found)
    assert (paged.first, paged.last) == shown


def test_what_comes_before_a_page_is_skipped() -> None:
    assert [AskedPage(page=page).skipped for page in (1, 2, 200)] == [0, 50, 9_950]
