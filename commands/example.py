"""`job_helper.py example`: a config file to begin with."""

import sys

import msgspec

from commands.config_file import EXAMPLE
from commands.exits import SUCCEEDED
from commands.screen import Screen


def example(screen: Screen) -> int:
    """Prints the file on standard output, and on standard error what to do with it."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(EXAMPLE), indent=2).decode() + "\n")
    screen.note(
        "Save it as test_config.json, put your own spreadsheet and table in, and run:\n"
        "  python job_helper.py execute --config-file test_config.json\n"
        'For types of your own: "schema_handling": "custom",'
        ' "custom_schema": [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, …]'
    )
    return SUCCEEDED
