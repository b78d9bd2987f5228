"""Moves configs from the older service to the job, one by one, and back: `python migrate.py --help`."""

import sys

from shared.interpreter import use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()
    from commands.migration.command import main

    sys.exit(main())
