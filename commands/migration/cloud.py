"""What a rollback of everything does outside of the database: steps of `deploy.sh`, which may fail and undo nothing."""

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from commands.screen import Screen
from shared.settings import Settings, read_migrating

_DEPLOY = Path(__file__).resolve().parents[2] / "deploy.sh"
# Each is a few calls of gcloud, of seconds each.
_SECONDS = 300


class Step(msgspec.Struct, frozen=True):
    """A command line, and whether it was done; `told` is the last that it said where it was not."""

    purpose: str
    command: list[str]
    done: bool = False
    told: str = ""


def deployment_steps(settings: Settings, environ: Mapping[str, str], env_file: Path | None) -> list[Step]:
    """The schedule is paused first, so that nothing is recorded while the service takes over."""
    place = [str(_DEPLOY), f"--project={settings.google_cloud_project}", f"--region={settings.region}"]
    if env_file is not None:
        place.append(f"--env-file={env_file.resolve()}")
    service = [f"--service={read_migrating(environ).service}"] if env_file is None else []
    return [
        Step("pause the schedule", [*place, "pause"]),
        Step("return the service's traffic", [*place, *service, "service-traffic", "100"]),
    ]


def take(step: Step, dry_run: bool, environ: Mapping[str, str], screen: Screen) -> Step:
    """Takes a step, or only tells it; a failure is told with the command that repeats it, and raised nowhere."""
    line = shlex.join(step.command)
    if dry_run:
        screen.say(f"would {step.purpose}: {line}")
        return step
    screen.note(f"to {step.purpose}: {line}")
    try:
        ended = subprocess.run(
            step.command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        done, told = ended.returncode == 0, ended.stdout + ended.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        done, told = False, f"{type(error).__name__} after {_SECONDS} s at most"
    for each in told.splitlines():
        screen.note(f"  {each}")
    if not done:
        screen.trouble(f"could not {step.purpose}; the marks stand. When it can be: {line}")
    last = told.splitlines()[-1] if told.strip() and not done else ""
    return Step(step.purpose, step.command, done, last)
