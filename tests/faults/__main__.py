"""`python -m tests.faults --seed N [--rounds K]`: hunt for a broken promise, and tell what was injected."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local.ports import forget_proxies
from tests.faults.arena import Arena
from tests.faults.components import LIMITS
from tests.faults.crowd import gather
from tests.faults.nemesis.fault import Fault
from tests.faults.nemesis.plan import chosen, plan
from tests.faults.round import play, tally

# So many rounds have every fault once, and end in less than twenty minutes on two slow cores.
ROUNDS = 10
# For the faults that nothing came to: each waits for something that happens in some rounds only.
ROUNDS_MORE = 3
# Configs that come due at once, and how many of their executions are the real job.
CROWD = (300, 20)


def main() -> int:
    """1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats what a seed did")
    parser.add_argument("--rounds", type=int, default=1, help="how often every fault strikes")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="faults whose names have this")
    parser.add_argument("--times", type=int, default=1, help="how often each of those strikes in a round")
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=VALUE", help="a setting of the functions")
    options = parser.parse_args()
    limits = LIMITS | dict(each.split("=", 1) for each in options.limit)
    forget_proxies()
    print(f"seed {options.seed}", flush=True)
    broken = 0
    for again in range(options.rounds):
        seed = options.seed + again
        plans = chosen(seed, options.only, options.times) if options.only else plan(seed, ROUNDS)
        broken += hunt(seed, plans, limits)
        if not options.only:
            broken += gather(*CROWD)
    return 1 if broken else 0


def hunt(seed: int, plans: Sequence[Sequence[Fault]], limits: Mapping[str, str]) -> int:
    """Let the faults strike, round after round; how many promises were broken."""
    began = time.monotonic()
    violations = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, Arena(Path(folder), seed, limits) as arena:
        for number, faults in enumerate(_rounds(plans, arena)):
            violations += play(arena, faults, seed, number)
            if violations:
                break
        struck = tally(arena)
        runs = arena.sql("SELECT state, count(*) FROM sheet_to_bigquery_runs GROUP BY state ORDER BY state")
    print(f"\nseed {seed}, {time.monotonic() - began:.0f} s\n")
    print("\n".join(f"{count:5}  {name}" for name, count in sorted(struck.items())))
    missed = sorted(str(fault) for fault in _missed(plans, struck))
    print(f"\nstruck nothing: {', '.join(missed) or 'none'}")
    print(f"runs: {', '.join(f'{count} {state}' for state, count in runs)}")
    print(f"promises broken: {len(violations)}")
    for violation in violations:
        print(f"  {violation}")
    return len(violations)


def _rounds(plans: Sequence[Sequence[Fault]], arena: Arena) -> Iterator[Sequence[Fault]]:
    yield from plans
    for _ in range(ROUNDS_MORE):
        if missed := _missed(plans, tally(arena)):
            yield missed


def _missed(plans: Sequence[Sequence[Fault]], struck: Mapping[str, int]) -> list[Fault]:
    """Each once, also where it was to strike several times."""
    planned = {str(fault): fault for faults in plans for fault in faults}
    return [fault for told, fault in planned.items() if told not in struck]


if __name__ == "__main__":
    sys.exit(main())
