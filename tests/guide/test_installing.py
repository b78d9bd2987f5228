"""Every way to install the pinned packages that a document, a message or a script tells works with any pip."""

import subprocess

from tests.guide.blocks import REPOSITORY

# Without the second, pip before 23.3 stops at a package that is asked for with an extra (local/install.sh).
FLAG, BESIDE = "--require-hashes", "--no-deps"


def test_packages_are_installed_by_their_hashes_without_looking_for_more() -> None:
    told = subprocess.run(
        ["git", "grep", "-nI", "-e", FLAG, "--", "*.md", "*.py", "*.sh", "Dockerfile"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert {line.partition(":")[0] for line in told} >= {"MIGRATION_GUIDE.md", "local/install.sh"}
    assert [line for line in told if BESIDE not in line] == []
