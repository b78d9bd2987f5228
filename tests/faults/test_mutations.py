"""The guards that the mutation run takes away are still where its table says."""

from pathlib import Path

import pytest

from tests.faults.guards import MUTATIONS, Mutation
from tests.faults.mutations import REPOSITORY, take_away
from tests.faults.nemesis.plan import ALL


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_product_has_the_guard_and_the_nemesis_its_faults(mutation: Mutation, tmp_path: Path) -> None:
    copy = tmp_path / mutation.file
    copy.parent.mkdir(parents=True)
    copy.write_text((REPOSITORY / mutation.file).read_text())
    take_away(tmp_path, mutation)
    assert copy.read_text() != (REPOSITORY / mutation.file).read_text()
    for text in mutation.faults:
        assert any(text in str(fault) for fault in ALL), text


def test_a_guard_that_has_moved_is_told(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "settle.py").write_text("")
    with pytest.raises(ValueError, match=r"does not have"):
        take_away(tmp_path, next(each for each in MUTATIONS if each.file == "shared/settle.py"))
