"""Where the product can be made to die or to sleep."""

# Each has a line of its own in the product: what comes there first, dies or sleeps there once.
FAILPOINTS = (
    "dispatch.after_record",
    "admit.before_commit",
    "admit.after_queue",
    "admit.after_publish",
    "launch.after_claim",
    "launch.after_run_job",
    "launch.after_note",
    "launch.before_admit",
    "job.after_read",
    "job.before_insert",
    "job.after_insert",
    "job.after_stage",
    "job.after_load",
    "job.after_publish",
    "complete.before_admit",
    "settle.after_look",
    "settle.before_burn",
    "settle.after_burn",
    "sweep.after_settle",
    "sweep.before_publish",
    "clean.after_runs",
    "notify.before_send",
    "notify.after_send",
)
# The hunts have no older service: tests/e2e/test_forward.py tries these.
OF_FORWARD = ("forward.after_begin", "forward.after_answer", "forward.after_end", "forward.before_admit")
# Nor do people ask for plans there: tests/e2e/test_plans.py tries these.
OF_PLANS = ("launch.after_plan_claim", "launch.after_plan_start", "job.after_plan")
# Nor does anybody act on a page there: tests/e2e/test_console_killed.py and tests/integration/console try these.
OF_CONSOLE = ("console.before_note", "console.after_act")
# Marks are changed by people: tests/integration/migrate and tests/migration try this.
OF_MIGRATION = ("migrate.after_mark",)
