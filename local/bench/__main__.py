"""`python -m local.bench`: measure the job beside the limit and the habitual way, print and keep the ratios."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from local.bench.packages import NotInstalled, installed_python
from local.bench.process import ProgramFailed
from local.bench.report import append_history, table
from local.bench.rounds import measure, ways
from local.bench.tab import Size
from local.component import ComponentFailed
from local.ending import end_in_order

SMALL = (Size(1_000, 10), Size(100_000, 10))
# Ten million cells, as many as a spreadsheet can have.
LARGEST = Size(500_000, 20)
HISTORY = Path(__file__).with_name("history.jsonl")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    end_in_order()
    try:
        for size in options.tab or _sizes(options.size):
            _measure(size, options.rounds, options.history)
    except (ComponentFailed, NotInstalled, ProgramFailed) as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the job beside the limit and the habitual way")
    parser.add_argument("--size", choices=("small", "all"), default="small", help="all adds 500,000 × 20 cells")
    parser.add_argument("--tab", type=Size.parse, action="append", help="another size, as ROWSxCOLUMNS")
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each way")
    parser.add_argument("--history", type=Path, default=HISTORY, help="file that gets a line a measurement")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _sizes(name: str) -> Sequence[Size]:
    return (*SMALL, LARGEST) if name == "all" else SMALL


def _measure(size: Size, rounds: int, history: Path) -> None:
    console = Console()
    contenders = ways(installed_python())
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{size} cells", total=len(contenders) * (rounds + 1))
        medians = measure(size, contenders, rounds, lambda: progress.advance(task))
    console.print(table(size, medians))
    append_history(history, size, rounds, medians)


if __name__ == "__main__":
    main()
