"""Somebody who follows a document block by block, at a terminal, in a clone of the repository."""

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pg8000.native

from local.component import answers
from local.ports import HOST
from local.prerequisites import sdk_folders
from local.system import System
from tests.deploy.cloud import Cloud
from tests.deploy.linter import find_gcloud
from tests.guide.blocks import REPOSITORY, Block

# A clone has what is tracked; what commands make there is the reader's own.
_NOT_CLONED = frozenset({".git", ".venv", "build"})
_SECONDS = 120
# What a person's own tools do where a test has to see an end: the command once, not every thirty seconds.
_WATCH = '#!/bin/sh\nshift 2\nexec sh -c "$*"\n'
_BQ = '#!/bin/sh\nexec {bq} --api={api} --oauth_access_token=anybody "$@"\n'
# Notes what the reader asks of gcloud, one JSON list a line; then the shim answers, or what is laid ready.
_GCLOUD = """#!/usr/bin/env -S python3 -SE
import json, os, sys
with open({asked!r}, "a") as asked:
    asked.write(json.dumps(["gcloud", *sys.argv[1:]]) + "\\n")
if os.environ["READS"] == "shim":
    os.execv({shim!r}, [{shim!r}, *sys.argv[1:]])
answer = os.path.join({answers!r}, "-".join(sys.argv[1:3]))
if os.path.exists(answer):
    sys.stdout.write(open(answer).read())
"""
# What it asks is deploy.sh's own affair, and judged by its own tests: so it has the shim alone.
_DEPLOY = """#!/bin/sh
PATH={bin}:$PATH BUILD_FOLDER={build} exec {deploy} "$@"
"""


class Reader:
    """Follows blocks in their order. `words` are what the reader writes in place of the document's examples.

    `cloud` is what gcloud acts on where a block says so; `variables` are set in the terminal from the beginning;
    `ready` has what gcloud prints where it is only linted, by the words of its command (`logging-read`).
    """

    def __init__(
        self,
        folder: Path,
        system: System,
        words: Mapping[str, str],
        cloud: Cloud,
        variables: Mapping[str, str] | None = None,
        ready: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder / "clone"
        self._system = system
        self._words = words
        self._cloud = cloud
        self._tools = folder / "tools"
        self._asked = folder / "asked.jsonl"
        self._answers = folder / "answers"
        self._session = folder / "session"
        self._machine = folder / "machine"
        self._beside: list[subprocess.Popen[bytes]] = []
        self._clone()
        self._lay_out_tools()
        self._answers.mkdir()
        for name, answer in (ready or {}).items():
            (self._answers / name).write_text(answer)
        self._begin_session(variables or {})

    def follow(self, block: Block) -> str:
        """Does what the block says, and gives what was to be seen. An AssertionError tells the block's place."""
        if not block.is_followed:
            return ""
        text = self._in_own_words(block.text)
        match block.language:
            case "sql":
                seen, code = self._ask_database(text), 0
            case "yaml" | "json":
                (self.folder / block.file).write_text(text)
                seen, code = "", 0
            case _ if block.runs == "beside":
                seen, code = self._leave_running(text), 0
            case "crontab":
                seen, code = self._type(text.split(maxsplit=5)[5], block.runs, by_cron=True)
            case _:
                seen, code = self._type(text, block.runs)
        assert code == block.exits, f"{block.place} ended with {code}:\n{seen}"
        for expected in block.prints:
            assert self._in_own_words(expected) in seen, f"{block.place} does not print {expected!r}:\n{seen}"
        return seen

    def follow_all(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self.follow(block)

    @property
    def asked_gcloud(self) -> list[str]:
        """Every command of a linted block, once each, as one line with its variables expanded."""
        if not self._asked.exists():
            return []
        lines = [shlex.join(json.loads(line)) for line in self._asked.read_text().splitlines()]
        return list(dict.fromkeys(lines))

    def _in_own_words(self, text: str) -> str:
        # At once, the longest first: what a reader writes is no example any more.
        examples = "|".join(re.escape(each) for each in sorted(self._words, key=len, reverse=True))
        return re.sub(examples, lambda found: self._words[found[0]], text)

    def _ask_database(self, text: str) -> str:
        """Each statement by itself, as psql sends them; rows as psql shows them unaligned."""
        settings = self._system.settings
        connection = pg8000.native.Connection(
            settings["POSTGRES_USER"],
            host=settings["POSTGRES_HOST"],
            port=int(settings["POSTGRES_PORT"]),
            database=settings["POSTGRES_DB"],
            password=settings["POSTGRES_PASSWORD"],
            timeout=30,
        )
        try:
            rows = [row for statement in statements(text) for row in connection.run(statement) or []]
        finally:
            connection.close()
        return "\n".join("|".join("" if value is None else str(value) for value in row) for row in rows)

    def _type(self, text: str, runs: str, by_cron: bool = False) -> tuple[str, int]:
        """What is shown, and the last exit code. A terminal keeps its variables for the next block; cron has none."""
        tools = [self._tools / "gcloud"] if runs in ("shim", "lint") else []
        path = os.pathsep.join(map(str, [*tools, self._tools / "all", "$PATH"]))
        session = self._machine if by_cron else self._session
        begin = f'source {session}\nexport READS={shlex.quote(runs)} OWN_PATH=$PATH PATH="{path}"\nset -eo pipefail\n'
        end = "" if by_cron else f"\nPATH=$OWN_PATH; export -p > {self._session}\n"
        done = subprocess.run(
            ["bash", "-c", begin + text + end],
            env={},
            cwd=self._tools if by_cron else self.folder,
            input=f"{self._system.settings['POSTGRES_PASSWORD']}\n",  # whenever the reader is asked for something
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return done.stdout, done.returncode

    def _leave_running(self, text: str) -> str:
        """Types it into another terminal, and waits until what it starts answers at the port that the line names."""
        [port] = re.findall(r"--port (\d+)", text)
        self._beside.append(
            subprocess.Popen(
                ["bash", "-c", f"source {self._session}\nexec {text}"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        deadline = time.monotonic() + 30
        while not answers(f"http://{HOST}:{port}/"):
            assert time.monotonic() < deadline, f"nothing answers at {port}: {text}"
            time.sleep(0.1)
        return ""

    def leave(self) -> None:
        """Ends what was left running."""
        for process in self._beside:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
        self._beside.clear()

    def _begin_session(self, variables: Mapping[str, str]) -> None:
        """The machine's endpoints, and `variables`; what else a reader sets, the document has to say."""
        environment = dict(self._system.environment)
        for name in ("GOOGLE_CLOUD_PROJECT", "REGION", "JOB_NAME", "REQUEST_TOPIC", "COMPLETION_TOPIC"):
            del environment[name]
        for name in ("PORTAL_TOPIC", "SERVICE_URL"):  # forward's alone
            environment.pop(name, None)
        for name in ("HOST", "PORT", "DB", "USER", "PASSWORD"):
            del environment[f"POSTGRES_{name}"]
        environment["PATH"] = os.pathsep.join([str(Path(sys.prefix, "bin")), environment["PATH"]])
        environment |= {
            **variables,
            "GCLOUD_SHIM": str(self._cloud.folder),
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CONFIG": str(self._tools / "gcloud-config"),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{self._system.settings['PUBSUB_EMULATOR_HOST']}/",
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        for file in (self._machine, self._session):
            file.write_text("\n".join(lines) + "\n")

    def _clone(self) -> None:
        self.folder.mkdir(parents=True)
        for entry in REPOSITORY.iterdir():
            if entry.name not in (*_NOT_CLONED, "deploy.sh"):
                (self.folder / entry.name).symlink_to(entry)
        (self.folder / ".venv").symlink_to(sys.prefix)

    def _lay_out_tools(self) -> None:
        bq = shutil.which("bq") or find_gcloud(sdk_folders(os.environ)).with_name("bq")
        api = self._system.settings["BIGQUERY_EMULATOR_HOST"]
        _write_tool(self._tools / "all" / "bq", _BQ.format(bq=bq, api=api))
        _write_tool(self._tools / "all" / "watch", _WATCH)
        shim = str(self._cloud.bin / "gcloud")
        recorder = _GCLOUD.format(asked=str(self._asked), answers=str(self._answers), shim=shim)
        _write_tool(self._tools / "gcloud" / "gcloud", recorder)
        build, script = str(self.folder / "build"), str(REPOSITORY / "deploy.sh")
        deploy = _DEPLOY.format(
            bin=shlex.quote(str(self._cloud.bin)), build=shlex.quote(build), deploy=shlex.quote(script)
        )
        _write_tool(self.folder / "deploy.sh", deploy)


def apply_migrations(system: System) -> None:
    """`python -m sql up`: the view that a document has its reader drop is there again for others."""
    command = [sys.executable, "-m", "sql", "up"]
    subprocess.run(command, cwd=REPOSITORY, env=dict(system.environment), stdout=subprocess.DEVNULL, check=True)


def statements(script: str) -> list[str]:
    """The statements of a script that has no semicolon but between them."""
    parts = ["\n".join(line for line in part.splitlines() if line.strip()) for part in script.split(";")]
    return [part for part in parts if any(not line.lstrip().startswith("--") for line in part.splitlines())]


def _write_tool(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
