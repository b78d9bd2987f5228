"""The settings file: what YAML says of flat settings, and nothing beyond."""

import pytest

from commands.settings_file import read_settings_file
from shared.errors import InvalidSettings


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", {}),
        ("---\n# comment\n\n  # indented comment\n", {}),
        ("A: plain", {"A": "plain"}),
        ("A: two words  # comment", {"A": "two words"}),
        ("A: not#comment", {"A": "not#comment"}),
        ("A: # comment", {"A": ""}),
        ("A:", {"A": ""}),
        ("A: 'it''s'", {"A": "it's"}),
        ("A: '# no comment' # comment", {"A": "# no comment"}),
        (r'A: "a\"b\\c" # comment', {"A": r'a"b\c'}),
        ("A: 5432\nB: true", {"A": "5432", "B": "true"}),
        ("A: host:5432", {"A": "host:5432"}),
        ("A: x\r\nB: y\r\n", {"A": "x", "B": "y"}),
        ('\n {"A": "x", "B": 5432, "C": true, "D": null}', {"A": "x", "B": "5432", "C": "true"}),
    ],
)
def test_settings_are_read_as_yaml_and_json_have_them(text, settings, tmp_path) -> None:
    path = tmp_path / "settings"
    path.write_bytes(text.encode())
    assert read_settings_file(path) == settings


@pytest.mark.parametrize(
    "text",
    ["A", "A:x", "- A", "A: [1]", "A: {b: 1}", "A: *x", "A: 'x", 'A: "x', "A: b: c", "A: 'x' y", '{"A": {}}',
     '{"A": 1'],
)  # fmt: skip
def test_anything_more_is_refused_with_the_files_name(text, tmp_path) -> None:
    path = tmp_path / "settings"
    path.write_text(text)
    with pytest.raises(InvalidSettings, match=str(path)):
        read_settings_file(path)


def test_the_line_that_is_wrong_is_told_by_its_number(tmp_path) -> None:
    path = tmp_path / "settings"
    path.write_text("A: x\n\nsecret\n")
    with pytest.raises(InvalidSettings, match="line 3") as refused:
        read_settings_file(path)
    assert "secret" not in str(refused.value)
