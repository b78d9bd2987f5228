"""`python -m local.bench.dispatch`: measure dispatch beside procrastinate, print the rates, append to the history."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from local.bench.dispatch.report import append_history, table
from local.bench.dispatch.rounds import Load, measure, ways
from local.bench.packages import NotInstalled, installed_python
from local.bench.process import ProgramFailed
from local.component import ComponentFailed
from local.ending import end_in_order
from local.postgres import server_version

DUE = (1_000, 10_000, 100_000)
HISTORY = Path(__file__).with_name("history.jsonl")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    end_in_order()
    try:
        for due in options.due or DUE:
            _measure(Load(max(due, options.configs), due), options.rounds, options.history)
    except (ComponentFailed, NotInstalled, ProgramFailed) as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure dispatch beside procrastinate's batch_defer")
    parser.add_argument("--due", type=int, action="append", help="another number of due configs")
    parser.add_argument("--configs", type=int, default=0, help="so many configs in all, where more than are due")
    parser.add_argument("--rounds", type=int, default=3, help="measured runs of each way")
    parser.add_argument("--history", type=Path, default=HISTORY, help="file that gets a line a measurement")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or any(due < 1 for due in options.due or ()):
        parser.error("--rounds and --due must be at least 1")
    return options


def _measure(load: Load, rounds: int, history: Path) -> None:
    console = Console()
    python = installed_python()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(str(load), total=len(ways(python, load.due)) * (rounds + 1))
        medians = measure(load, python, rounds, lambda: progress.advance(task))
    console.print(table(load, medians))
    append_history(history, load, rounds, server_version(), medians)


if __name__ == "__main__":
    main()
