"""The bodies of the guide's commands: `job_helper.py` and `job_orchestrator.py` only start them."""
