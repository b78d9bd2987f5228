"""The benchmark of the console measures pages of the ledger that it filled. No timed test."""

import json
import subprocess
import sys
from pathlib import Path

from local.bench.packages import REPOSITORY


def test_every_page_is_measured_and_the_numbers_are_kept(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    options = ["--configs", "300", "--runs", "3", "--long", "200", "--rounds", "2", "--history", str(history)]
    command = [sys.executable, "-m", "local.bench.console", *options]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=280)
    assert ended.returncode == 0, ended.stderr
    assert "300 configs, due every hour, and 1,100 runs" in ended.stdout
    [line] = history.read_text().splitlines()
    pages = json.loads(line)["pages"]
    assert len(pages) >= 10
    assert all(page["first_byte_ms"] <= page["worst_ms"] for page in pages.values())
    # Fifty configs make a page; that of the search has some, that of the last page's number none.
    assert pages["overview"]["bytes"] > pages["a search"]["bytes"] > pages["the last page"]["bytes"] > 1000
    # So do fifty runs, wherever in a history.
    assert pages["amid its runs"]["bytes"] > pages["a config"]["bytes"]
