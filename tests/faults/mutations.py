"""Takes each guard of the product away in turn, in a copy, and hunts: a guard that nobody misses is untested.

python -m tests.faults.mutations [NAME ...]
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.guards import MUTATIONS, Mutation

REPOSITORY = Path(__file__).resolve().parents[2]
# So many seeds are tried before a guard counts as not missed.
SEEDS = (11, 12, 13)
# A broken product may never recover; a hunt with few faults takes a minute.
SECONDS = 400


def main() -> int:
    """1 if a guard was taken away and nothing noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutations", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only mutations whose names have one of these texts")
    wanted = parser.parse_args().names
    chosen = [each for each in MUTATIONS if not wanted or any(text in each.name for text in wanted)]
    missed = [mutation for mutation in chosen if not hunted(mutation)]
    print(f"\n{len(chosen) - len(missed)} of {len(chosen)} guards are missed where they are taken away", flush=True)
    for mutation in missed:
        print(f"  nothing noticed: {mutation.name}")
    return 1 if missed else 0


def hunted(mutation: Mutation) -> bool:
    """Whether a seed is found that breaks a promise without the guard."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        take_away(tree, mutation)
        for seed in SEEDS:
            began = time.monotonic()
            broken = hunt(tree, mutation, seed)
            if broken:
                took = time.monotonic() - began
                print(f"{mutation.name}: missed, seed {seed}, {took:.0f} s: {broken}", flush=True)
                return True
    print(f"{mutation.name}: NOTHING NOTICED with seeds {SEEDS}", flush=True)
    return False


def copy_tree(tree: Path) -> None:
    """The repository's files as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, tree / name)


def take_away(tree: Path, mutation: Mutation) -> None:
    """Raises `ValueError` where the guard's text is not there: it has moved, and the table has to follow."""
    path = tree / mutation.file
    text = path.read_text()
    if mutation.guard not in text:
        raise ValueError(f"{mutation.name}: {mutation.file} does not have {mutation.guard!r}")
    path.write_text(text.replace(mutation.guard, mutation.instead))


def hunt(tree: Path, mutation: Mutation, seed: int) -> str | None:
    """The first broken promise that the copy's own hunt tells, or the test that fails; None where there is none."""
    if mutation.test:
        tested = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutation.test]
        return mutation.test if subprocess.run(tested, cwd=tree, check=False, timeout=SECONDS).returncode == 1 else None
    command = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--times", str(mutation.times)]
    command += [part for text in mutation.faults for part in ("--only", text)]
    command += [part for limit in mutation.limits for part in ("--limit", limit)]
    ended = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=SECONDS)
    found = re.search(r"^  ([A-Z]\w*: .*)$", ended.stdout, re.MULTILINE)
    if ended.returncode and not found:
        raise RuntimeError(f"{mutation.name}: the hunt itself failed:\n{ended.stderr[-2000:]}")
    return found[1] if found else None


if __name__ == "__main__":
    sys.exit(main())
