"""Moves configs from the older service to the job, one by one, and back: `python migrate.py --help`."""

from shared.interpreter import leave_after, use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()
    from commands.migration.command import main

    leave_after(main)
