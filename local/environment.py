"""What the processes of one local system are told: addresses, credentials, settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.credentials import address_of
from local.ports import HOST
from local.postgres import Postgres
from local.pubsub import COMPLETIONS, PORTAL, REQUESTS, PubSub

PROJECT = "local-project"
REGION = "us-central1"
JOB = "sheettobigquery-job"
CONSOLE_USER = "you@local.test"


@dataclass(frozen=True)
class Environment:
    """One system's addresses and settings; `extra_settings` are the functions' own, and win.

    `detours` has the ports at which the product reaches components in place of their own; `job_settings` adds to
    what the deployed job is told. With `faulty`, servers take orders to fail; `with_service`, the older service is
    there, and the function that forwards to it.
    """

    folder: Path
    ports: Mapping[str, int]
    postgres: Postgres
    pubsub: PubSub
    extra_settings: Mapping[str, str] = field(default_factory=dict)
    detours: Mapping[str, int] = field(default_factory=dict)
    job_settings: Mapping[str, str] = field(default_factory=dict)
    faulty: bool = False
    with_service: bool = False

    def url(self, name: str) -> str:
        """A component's base URL."""
        return f"http://{HOST}:{self.ports[name]}"

    def reached(self, name: str) -> str:
        """A component's address, as `HOST:PORT`, for those that call it."""
        return f"{HOST}:{self.detours.get(name, self.ports[name])}"

    @property
    def service_url(self) -> str:
        """Where the older service is called."""
        return f"http://{self.reached('service')}"

    @property
    def key_file(self) -> Path:
        """The throw-away service account's key."""
        return self.folder / "service-account.json"

    @property
    def process(self) -> Mapping[str, str]:
        """What any process needs; nothing of the caller's environment but PATH."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            # Java's temporary files end with the folder.
            "TMPDIR": str(self.folder / "home"),
        }

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where each of Google's services is called, and as whom."""
        return {
            "PUBSUB_EMULATOR_HOST": self.reached("pubsub"),
            "BIGQUERY_EMULATOR_HOST": f"http://{self.reached('bigquery')}",
            "SHEETS_API_ENDPOINT": f"http://{self.reached('sheets')}",
            "DRIVE_API_ENDPOINT": f"http://{self.reached('sheets')}",
            "RUN_API_ENDPOINT": f"http://{self.reached('run')}",
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.key_file),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }

    @property
    def settings(self) -> Mapping[str, str]:
        """Every setting that a deployment gives its functions, and a person their commands."""
        return {
            **self.endpoints,
            **self.postgres.settings,
            "POSTGRES_PORT": self.reached("postgres").rpartition(":")[2],
            "REGION": REGION,
            "JOB_NAME": JOB,
            "REQUEST_TOPIC": REQUESTS,
            "COMPLETION_TOPIC": COMPLETIONS,
            **({"PORTAL_TOPIC": PORTAL, "SERVICE_URL": self.service_url} if self.with_service else {}),
            "BIGQUERY_LOCATION": "US",
            # The local Sheets server has no quota unless it is given one.
            "SHEETS_READS_PER_MINUTE": "100000",
            # Nobody else reaches this machine's console.
            "CONSOLE_USER": CONSOLE_USER,
            "SHARE_WITH": address_of(PROJECT),
            **self.extra_settings,
        }

    @property
    def job(self) -> Mapping[str, str]:
        """What the deployed job is told; all else reaches it as a run's overrides."""
        return {**self.endpoints, "COMPLETION_TOPIC": COMPLETIONS, **self.job_settings}
