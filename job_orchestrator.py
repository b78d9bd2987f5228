"""Runs the configs that are due and waits for them: `python job_orchestrator.py --help` tells the options."""

from shared.interpreter import leave_after, use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()
    from commands.orchestrator import main

    leave_after(main)
