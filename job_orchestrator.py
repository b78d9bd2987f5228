"""Runs the configs that are due and waits for them: `python job_orchestrator.py --help` tells the options."""

import sys

from shared.interpreter import use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()
    from commands.orchestrator import main

    sys.exit(main())
