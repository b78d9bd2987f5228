"""What `make up` tells a person to do: all of it is in the README too, and works."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.ports import reserve_port
from tests.guide.blocks import read_blocks
from tests.local.system.test_ending import REPOSITORY, UP, Running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with subprocess.Popen(UP, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.send_signal(signal.SIGINT)


def typed(up: Running, command: str) -> subprocess.CompletedProcess[str]:
    """What another terminal shows after `source` and the command."""
    line = f"source {shlex.quote(str(up.folder.with_suffix('.env')))} && {command}"
    return subprocess.run(
        ["bash", "-c", line], cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_the_readmes_steps_are_told(up: Running) -> None:
    steps = next(block for block in read_blocks("README.md") if block.section == "Use it")
    listed = [line.partition("  #")[0].strip() for line in steps.text.splitlines()]
    # Another system that runs here has taken the first name.
    told = [re.sub(r"build/local-\d+\.env", "build/local.env", line.strip()) for line in up.told.splitlines()]
    first = told.index(listed[0])
    assert told[first : first + len(listed)] == listed


def test_the_address_of_a_spreadsheet_is_told_and_can_be_added(up: Running) -> None:
    assert "NAME.xlsx is https://docs.google.com/spreadsheets/d/NAME/edit" in up.told
    told = re.search(r"\.venv/bin/python (job_helper\.py add .*\n.*)", up.told)
    assert told
    added = typed(up, f"{shlex.quote(UP[0])} {told[1].replace('NAME', 'inventory')} --table stock --name stock")
    assert (added.returncode, "added config" in added.stdout) == (0, True), added.stderr


def test_a_table_that_is_not_there_is_answered_with_those_that_are(up: Running) -> None:
    looked = typed(up, f"{shlex.quote(UP[0])} -m local.look nope --dataset nowhere")
    assert looked.returncode == 1
    assert looked.stdout == "✘ there is no dataset nowhere: nothing has been loaded into it yet\n"
    run = typed(up, f"{shlex.quote(UP[0])} job_helper.py run inventory")
    assert run.returncode == 0, run.stderr
    looked = typed(up, f"{shlex.quote(UP[0])} -m local.look nope")
    assert looked.returncode == 1
    assert looked.stdout.startswith("✘ there is no table demo.nope; there are: ")
    assert "inventory" in looked.stdout
    looked = typed(up, f"{shlex.quote(UP[0])} -m local.look local-project.demo.inventory")
    assert (looked.returncode, "sku" in looked.stdout) == (0, True), looked.stderr


def test_a_system_that_is_gone_is_told_at_once() -> None:
    environment = {**os.environ, "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{reserve_port()}"}
    command = [sys.executable, "-m", "local.look"]
    looked = subprocess.run(
        command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False
    )
    assert (looked.returncode, "is `make up` still running?" in looked.stdout) == (1, True), looked.stderr
