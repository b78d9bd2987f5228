"""`migrate.py`: what carries a team's configs from the older service to the job, and back. One file a command."""
