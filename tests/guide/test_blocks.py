"""No block of a document is unaccounted for: it is followed, or it is said why not."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.guide.blocks import DOCUMENTS, HOW, LANGUAGES, REPOSITORY, Block, parse_blocks, read_blocks


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_says_how_it_is_followed(document: str) -> None:
    blocks = read_blocks(document)
    assert blocks
    assert [block.place for block in blocks if why_not(block)] == []


def why_not(block: Block) -> str:
    """What keeps a block from being followed, though nothing says that it is not."""
    if block.language not in LANGUAGES:
        return f"language {block.language!r}"
    if block.runs.startswith("not here"):
        return "" if block.runs.startswith("not here, because ") else "no reason"
    if block.runs not in HOW:
        return f"runs {block.runs!r}"
    return "no file" if block.language in ("yaml", "json") and not block.file else ""


def test_what_is_not_followed_is_little_and_has_a_reason() -> None:
    left_out = [block.runs for document in DOCUMENTS for block in read_blocks(document) if "not here" in block.runs]
    assert len(left_out) <= 3


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("```\nls\n```", "language ''"),
        ("```python\n1\n```", "language 'python'"),
        ("<!-- runs: not here -->\n```bash\nls\n```", "no reason"),
        ("<!-- runs: never -->\n```bash\nls\n```", "runs 'never'"),
        ("```yaml\nA: b\n```", "no file"),
        ("```bash\nls\n```", ""),
    ],
)
def test_a_block_that_nobody_could_follow_is_found(text: str, wrong: str) -> None:
    [block] = parse_blocks("X.md", text)
    assert why_not(block) == wrong


def test_a_block_has_its_place_its_section_and_what_it_prints() -> None:
    text = "# A\n\n## B\n\n<!-- runs: shim; prints: one; prints: two; exits: 1 -->\n```bash\n# no heading\nls\n```\n"
    assert parse_blocks("X.md", text) == [
        Block("X.md", 6, "B", "bash", "# no heading\nls\n", "shim", "", ("one", "two"), 1)
    ]


def test_a_comment_that_says_something_else_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match=r"X\.md:2"):
        parse_blocks("X.md", "<!-- run: shim -->\n```bash\nls\n```")


def test_no_file_that_a_document_has_people_write_gets_into_git(tmp_path: Path) -> None:
    """They have passwords in them, and what people call their sheets."""
    blocks = [block for document in DOCUMENTS for block in read_blocks(document)]
    written = {block.file for block in blocks if block.file}
    written |= {name for block in blocks for name in re.findall(r" > ([\w-]+\.(?:json|yaml))\b", block.text)}
    assert written >= {"config.json", "orchestrator-env.yaml", "service-logs.json", "test_config.json"}
    shutil.copy(REPOSITORY / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    told = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", *written], capture_output=True, text=True, check=False
    ).stdout
    assert set(told.split()) == written
