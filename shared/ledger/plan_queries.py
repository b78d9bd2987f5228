"""The ledger's queries of plans: asked for by people, launched once, ended once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from shared.errors import ExecutionFailed, SyncError
from shared.ledger import plan_statements
from shared.ledger.queries import Queries, to_json
from shared.plan import Plan, RequestedPlan


class PlanQueries(Queries):
    """Plans, and who may still say what became of them."""

    def request_plan(
        self,
        config: Mapping[str, Any],
        config_id: int | None,
        by: str,
        now: datetime,
        edited_from: Mapping[str, Any] | None = None,
    ) -> str:
        """Notes that a person wants to see what a run of `config` (a config's row, or a candidate's) would do; its id.

        Of an edit that is not saved, `edited_from` are the columns as the person was shown them.
        Nothing is started by that: `shared.planning.request_plan` publishes the message as well.
        """
        before = to_json(edited_from) if edited_from is not None else None
        asked = {"config": to_json(config), "config_id": config_id, "edited_from": before, "requested_by": by}
        return str(self._run(plan_statements.REQUEST, now=now, **asked)[0][0])

    def find_plan(self, plan_id: str) -> RequestedPlan | None:
        """A plan as it is now; None for an id that is nobody's."""
        rows = self._run(plan_statements.FIND, plan_id=plan_id)
        if not rows:
            return None
        present = {key: value for key, value in rows[0][0].items() if value is not None}
        return msgspec.convert(present, RequestedPlan, strict=False)

    def claim_plan(self, plan_id: str, now: datetime) -> bool:
        """Takes a plan that was asked for, to start its one execution. False where it is not to be had any more."""
        return bool(self._run(plan_statements.CLAIM, plan_id=plan_id, now=now))

    def note_plan_execution(self, plan_id: str, execution: str) -> None:
        """Its execution is known, unless that has told so itself."""
        self._run(plan_statements.NOTE_EXECUTION, plan_id=plan_id, execution=execution)

    def close_plan(self, plan_id: str, execution: str, plan: Plan, now: datetime) -> bool:
        """Ends a plan by its execution's word. False where it ended before, or is another execution's."""
        error = plan.errors[0] if plan.errors else None
        closed = self._run(
            plan_statements.CLOSE,
            plan_id=plan_id,
            execution=execution,
            state="failed" if error else "done",
            plan=to_json(plan),
            error_class=error.error_class if error else None,
            error=error.told if error else None,
            remedy=(error.remedy or None) if error else None,
            silent=ExecutionFailed.__name__,
            now=now,
        )
        return bool(closed)

    def fail_plan(self, plan_id: str, error: SyncError, now: datetime, execution: str | None = None) -> bool:
        """Ends a plan that nobody made; False where it ended before, or `execution` is not the plan's own."""
        told = {"error_class": error.name, "error": str(error), "remedy": error.remedy or None}
        return bool(self._run(plan_statements.FAIL, plan_id=plan_id, execution=execution, now=now, **told))

    def fail_unanswered_plans(self, error: SyncError, before: datetime, now: datetime) -> list[str]:
        """Ends the plans that were asked for, and launched, before then and are not answered; their ids."""
        told = {"error_class": error.name, "error": str(error), "remedy": error.remedy or None}
        failed = self._run(plan_statements.FAIL_UNANSWERED, before=before, now=now, **told)
        return [str(plan_id) for (plan_id,) in failed]
