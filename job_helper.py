"""Runs and looks after Sheet to BigQuery by hand: `python job_helper.py --help` lists the commands."""

from shared.interpreter import leave_after, use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()
    from commands.helper import main

    leave_after(main)
