"""gcloud's linter judges commands: what passes it, and what must not."""

from pathlib import Path

import pytest

from tests.deploy.linter import GcloudMissing, find_gcloud, lint

GOOD = (
    "gcloud run jobs describe sheettobigquery-job --region us-central1 --format=json",
    'gcloud logging read \'resource.type="cloud_run_revision" AND textPayload:"a # b"\' --limit=3 --project=p',
    'gcloud pubsub topics publish requests --project=p --message=\'{"name": "sales"}\'  # by hand',
)
WRONG = {
    "gcloud logs read x": "Invalid choice: 'logs'",
    "gcloud run jobs describe x --regoin=us-central1": "unrecognized arguments: --regoin",
    "gcloud pubsub subscriptions create s": "--topic",
    "gcloud run jobs update j --max-retries=many": "max-retries",
}


def test_commands_that_gcloud_takes_pass() -> None:
    assert lint(GOOD) == []


def test_each_command_that_gcloud_refuses_is_told_with_its_reason() -> None:
    told = lint([*GOOD, *WRONG])
    assert len(told) == len(WRONG)
    for command, reason in WRONG.items():
        assert any(line.startswith(f"{command}: ") and reason in line for line in told), (command, told)


def test_nothing_is_linted_without_gcloud() -> None:
    assert lint([]) == []


def test_a_machine_without_gcloud_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(GcloudMissing, match=f"no gcloud in {tmp_path}: .* install google-cloud-cli"):
        find_gcloud([tmp_path])
