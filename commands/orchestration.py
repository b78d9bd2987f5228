"""One dispatch with somebody waiting for it: what runs, what does not and why, and how the runs ended."""

from collections import Counter
from collections.abc import Mapping, Sequence

from commands.exits import FAILED, INTERRUPTED, SUCCEEDED
from commands.ledger import Ledger
from commands.moments import shown
from commands.progress import follow
from commands.runs import draw_runs, step_of
from commands.screen import Screen
from shared.asking import asking
from shared.dispatch import Dispatched, DispatchRequest, dispatch
from shared.run import Run
from shared.wiring import Wiring

# A person has to mend these; that the others are not due is as it should be.
_WRONG = frozenset({"table_conflict", "bad_frequency"})


def orchestrate(request: DispatchRequest, environ: Mapping[str, str], screen: Screen) -> int:
    """Dispatches as the function does, and waits for all of this call's runs, or only tells, for a dry run."""
    wiring = Wiring(environ)
    # What Pub/Sub refuses, publishing translates; what keeps us from asking it at all comes from the library.
    remedy = "check REQUEST_TOPIC and GOOGLE_CLOUD_PROJECT; what was recorded is published by the next sweep"
    with wiring.store() as store, asking("Pub/Sub", missing=remedy, refused=remedy):
        done = dispatch(request, store, wiring.publish, wiring.settings)
    for name in done.unknown:
        screen.trouble(f'there is no config named "{name}": `python job_helper.py configs` lists them')
    if done.dry_run:
        _tell_plan(done, screen)
        screen.json({"dispatched": done.answer(), "runs": []})
        return FAILED if done.unknown else SUCCEEDED
    _tell_skipped(done, screen)
    if not done.recorded and not done.shadows:
        screen.say("nothing is due")
        screen.json({"dispatched": done.answer(), "runs": []})
        return FAILED if done.unknown else SUCCEEDED
    beside = f", {done.shadows} shadow runs beside them" if done.shadows else ""
    screen.note(f"{done.recorded} due, {done.admitted} admitted{beside}")
    code = _wait(done, wiring, screen)
    return FAILED if done.unknown and code == SUCCEEDED else code


def _wait(done: Dispatched, wiring: Wiring, screen: Screen) -> int:
    with Ledger(wiring.store, screen) as ledger:

        def runs() -> list[Run]:
            return ledger.ask(lambda store: store.list_batch(done.batch))

        try:
            follow(lambda: [step_of(run) for run in runs()], screen)
        except KeyboardInterrupt:
            screen.trouble("no longer waiting; the runs go on: `python job_helper.py runs` shows them")
            return INTERRUPTED
        return _report(done, runs(), screen)


def _report(done: Dispatched, runs: Sequence[Run], screen: Screen) -> int:
    draw_runs(runs, screen)
    screen.json({"dispatched": done.answer(), "runs": runs})
    counts = Counter(run.state for run in runs)
    screen.say(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    return SUCCEEDED if counts["succeeded"] == len(runs) else FAILED


def _tell_plan(done: Dispatched, screen: Screen) -> None:
    """Per config what would be done, and why not."""
    screen.say(f"dry run at {shown(done.at)} UTC: {done.counts.get('due', 0)} would run, nothing was recorded")
    rows = [(str(each.config_id), each.name, each.destination, f"would run ({each.why})") for each in done.due]
    rows += [(str(each.config_id), each.name, each.destination, each.reason) for each in done.skipped]
    if rows:
        screen.table(("ID", "NAME", "TABLE", "WHAT WOULD BE DONE"), rows)
    _tell_unnamed(done, screen)
    if done.shadows:
        screen.say(f"and {done.shadows} shadow runs would be recorded")


def _tell_unnamed(done: Dispatched, screen: Screen) -> None:
    """Configs beyond the numbers that dispatch names are counted only."""
    due = done.counts.get("due", 0)
    if due > len(done.due):
        screen.say(f"and {due - len(done.due)} more would run")
    unnamed = sum(done.counts.values()) - due - len(done.skipped)
    if unnamed > 0:
        screen.say(f"and {unnamed} more: {_counted(done)}")


def _tell_skipped(done: Dispatched, screen: Screen) -> None:
    if sum(done.counts.values()) > done.counts.get("due", 0):
        screen.note(f"not run: {_counted(done)}")
    for each in done.skipped:
        if each.verdict in _WRONG:
            screen.trouble(f"{each.config_id} {each.name}: {each.reason}")


def _counted(done: Dispatched) -> str:
    counts = [(verdict, count) for verdict, count in sorted(done.counts.items()) if verdict != "due"]
    return ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts) or "none"
