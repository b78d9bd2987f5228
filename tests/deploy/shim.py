#!/usr/bin/env -S python3 -ES
"""Plays `gcloud` and `bq` of one Google Cloud project, whose state is a JSON file; standard library only.

As `gcloud` or `bq` on PATH (`tests/deploy/cloud.py` puts it there), with GCLOUD_SHIM naming a folder that has

- `state.json`: the project's resources by kind and name, and its IAM policies;
- `calls.jsonl`: every call, as `{"argv": […], "changed": true}`, and what came on its standard input;
- `stop_after`, if somebody wrote a number there: so many more changes work, every later one fails as if the power
  were cut; with `stop_late` there, the change after them happens, and its caller hears of a failure all the same;
- `fail_look`: after so many calls that only look, one fails;
- `refuse_once`: the message with which the next change is refused.

It refuses what the project's state forbids (a subscription to a topic that is not there, a grant to an identity that
is not there, an API that is not enabled), and every command that it does not know.
"""

import os
import sys
from pathlib import Path

from played.call import play


def main() -> int:
    text = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    argv = [Path(sys.argv[0]).name, *sys.argv[1:]]
    code, out, errors = play(Path(os.environ["GCLOUD_SHIM"]), argv, text, Path.cwd())
    sys.stdout.write(out)
    sys.stderr.write(errors)
    return code


if __name__ == "__main__":
    sys.exit(main())
