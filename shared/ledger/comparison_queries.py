"""The ledger's queries of comparisons between the service's tables and the job's."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.comparison import Compared, Load, ShadowRun
from shared.ledger import comparison_statements
from shared.ledger.queries import Queries, to_json


class ComparisonQueries(Queries):
    """What was compared, and what came of it."""

    def newest_shadow(self, config_id: int, destination: str) -> ShadowRun | None:
        """The newest shadow run that loaded the table `destination` (project.dataset.table), or is about to."""
        rows = self._run(comparison_statements.NEWEST_SHADOW, config_id=config_id, destination=destination)
        return ShadowRun(str(rows[0][0]), *rows[0][1:]) if rows else None

    def forwarded_at(self, config_id: int, written: datetime) -> datetime | None:
        """When the service was handed the message that it answered by writing its table then, if that is known."""
        return self._run(comparison_statements.FORWARDED, config_id=config_id, written=written)[0][0]

    def forwarded_before(self, config_id: int, written: datetime) -> bool:
        """Whether any message of the config's had been handed to the service by then: else the portal pushes to it."""
        return bool(self._run(comparison_statements.FORWARDED_BEFORE, config_id=config_id, written=written)[0][0])

    def record_comparison(self, compared: Compared) -> bool:
        """Keeps it; False where these two loads were compared before, and that says as much or more. `compared_at` is
        the database's own."""
        values = {name: getattr(compared, name) for name in compared.__struct_fields__ if name != "compared_at"}
        values["differences"] = to_json(compared.differences)
        return bool(self._run(comparison_statements.RECORD_COMPARISON, **values))

    def newest_comparisons(self, config_ids: Sequence[int] | None = None) -> dict[int, Compared]:
        """Each config's newest, by the config's id; of all configs without `config_ids`."""
        wanted = list(config_ids) if config_ids is not None else None
        rows = self._run(comparison_statements.NEWEST_COMPARISONS, config_ids=wanted)
        found = (msgspec.convert(row, Compared, strict=False) for (row,) in rows)
        return {each.config_id: each for each in found}

    def consecutive_matches(self, config_id: int, service_table: str) -> int:
        """How many loads of the service matched since the newest mismatch, and since the config became a shadow.

        A comparison that proves nothing (`SHEET_CHANGED`, `SHADOW_OLDER`) neither counts nor breaks the row: with a
        sheet that is edited all day, hardly two in a row would count otherwise, though none ever differed.
        """
        asked = {"config_id": config_id, "service_table": service_table}
        return self._run(comparison_statements.CONSECUTIVE_MATCHES, **asked)[0][0]

    def newest_load(self, config_id: int, destination: str) -> Load | None:
        """The attempt of the config's that last loaded the table `destination` (project.dataset.table)."""
        rows = self._run(comparison_statements.NEWEST_LOAD, config_id=config_id, destination=destination)
        return Load(str(rows[0][0]), *rows[0][1:]) if rows else None

    def owned_since(self, config_id: int) -> datetime | None:
        """When the job last got the config's table from the service; None for one that it did not get so."""
        return self._run(comparison_statements.OWNED_SINCE, config_id=config_id)[0][0]
