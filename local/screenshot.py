"""`make screenshot`: the README's picture of the console, which is its real page after a demo's runs.

    python -m local.screenshot [FILE]

So that the picture shows more than success, one spreadsheet is then taken away, all configs run once more, and one of
them is paused.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from local.browsing import ChromiumMissing, chromium, take_picture
from local.component import ComponentFailed
from local.demo import load
from local.ending import end_in_order
from local.folder import claimed_folder
from local.ports import forget_proxies
from local.postgres import PostgresUnavailable
from local.progress import RunsUnfinished, open_console
from local.sample_files import copy_samples
from local.system import REPOSITORY, System

PICTURE = REPOSITORY / "docs" / "console.png"
TAKEN_AWAY, PAUSED = "roster", "signups"


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the picture; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make screenshot", description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=PICTURE, help="the PNG file to write")
    file: Path = parser.parse_args(arguments).file
    console = open_console()
    end_in_order()
    forget_proxies()
    try:
        with claimed_folder(REPOSITORY / "build", "screenshot") as folder:
            _take(console, folder, file)
    except (ChromiumMissing, ComponentFailed, PostgresUnavailable, RunsUnfinished) as error:
        console.print(f"✘ {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    console.print(f"{file}: {file.stat().st_size / 1000:.0f} kB", markup=False)
    return 0


def _take(console: Console, folder: Path, file: Path) -> None:
    samples = folder / "samples"
    copy_samples(samples)
    # First, so that nothing is started for a browser that is not there.
    with chromium() as browser, System(folder, samples, with_console=True) as system:
        names = [result.tab.name for result in load(console, system)]
        (samples / f"{TAKEN_AWAY}.xlsx").unlink()
        _command(system, "run", *names, fails=True)
        _command(system, "pause", PAUSED, "--reason", "the form is closed until spring")
        file.parent.mkdir(exist_ok=True)
        take_picture(browser, f"{system.addresses['console']}/", file)


def _command(system: System, *words: str, fails: bool = False) -> None:
    """The product's own; raises `ComponentFailed` with what it said unless it ends as it is to."""
    done = subprocess.run(
        [sys.executable, "job_helper.py", *words],
        cwd=REPOSITORY,
        env=dict(system.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != int(fails):
        raise ComponentFailed(f"job_helper.py {words[0]} ended with {done.returncode}: {done.stderr or done.stdout}")


if __name__ == "__main__":
    sys.exit(main())
