"""The ledger's queries of what both systems did in a span of time."""

from datetime import datetime

from shared.ledger import usage_statements
from shared.ledger.queries import Queries
from shared.usage import JobUse, ServiceUse


class UsageQueries(Queries):
    """Counts and durations; they read all runs that ended in the span, for a person who waits."""

    def job_use(self, since: datetime, until: datetime) -> list[JobUse]:
        """The job's ended runs, those of shadows apart; a kind that had none is left out."""
        return [JobUse(*row) for row in self._run(usage_statements.JOB_USE, since=since, until=until)]

    def service_use(self, since: datetime, until: datetime) -> ServiceUse:
        """The messages that were handed to the service."""
        return ServiceUse(*self._run(usage_statements.SERVICE_USE, since=since, until=until)[0])
