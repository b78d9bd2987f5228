"""The folder that one running system keeps its state in."""

import subprocess
import sys
from pathlib import Path

from local.folder import claimed_folder

REPOSITORY = Path(__file__).resolve().parents[3]


def test_a_second_system_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    with claimed_folder(tmp_path, "demo") as first, claimed_folder(tmp_path, "demo") as second:
        assert first == tmp_path / "demo"
        assert second == tmp_path / "demo-2"


def test_what_a_former_system_left_behind_is_removed(tmp_path: Path) -> None:
    with claimed_folder(tmp_path, "demo") as folder:
        (folder / "logs").mkdir()
    assert (tmp_path / "demo" / "logs").exists()
    with claimed_folder(tmp_path, "demo") as folder:
        assert list(folder.iterdir()) == []


def test_a_system_that_was_killed_gives_up_its_folder(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from local.folder import claimed_folder
with claimed_folder(Path(sys.argv[1]), "demo") as folder:
    print(folder, flush=True)
    time.sleep(1000)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == str(tmp_path / "demo")
        with claimed_folder(tmp_path, "demo") as beside:
            assert beside.name == "demo-2"
        holder.kill()
    with claimed_folder(tmp_path, "demo") as folder:
        assert folder.name == "demo"
