"""The ledger's queries of who owns configs' tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import Overtaken, TableBusy
from shared.ledger import owner_statements
from shared.ledger.config_statements import EDITABLE
from shared.ledger.queries import Queries, to_json, to_run
from shared.owner import Owned, Owner, OwnerChange, Tracking
from shared.run import Run

# So many are listed by one statement, in a second or two of the twenty that it has.
_LISTED = 20_000


class OwnerQueries(Queries):
    """Owners, the audit of their changes, and what the migration leaves behind."""

    def tracking(self) -> Tracking:
        """How far `migrate.py start` has been here."""
        return Tracking(*self._run(owner_statements.TRACKING, configs=self._configs)[0])

    def owns_configs(self) -> bool:
        """Whether our role is the configs table's owner, or acts for it."""
        return bool(self._run(owner_statements.OWNS_CONFIGS, configs=self._configs)[0][0])

    def list_owned(self, config_ids: Sequence[int] | None = None) -> list[Owned]:
        """All configs, or those of these ids, with the owners of their tables; by id."""
        found: list[Owned] = []
        while True:  # of a million in one statement, PostgreSQL would run out of the time that it has
            after = found[-1].id if found else 0
            rows = self._run(owner_statements.LIST_OWNED, ids=_array(config_ids), after=after, most=_LISTED)
            found += (Owned(**dict(zip(Owned.__struct_fields__, row, strict=True))) for row in rows)
            if len(rows) < _LISTED:
                return found

    def page_of_owned(
        self, search: str | None, owner: Owner | None, most: int, skipped: int
    ) -> tuple[dict[Owner, int], list[Owned]]:
        """How many of the configs that `search` finds (in name and table, or as an id) are whose, and a page of those
        of `owner`: in shadow first, then the service's, then the job's. Where configs are marked.
        """
        asked = {"search": search, "owner": owner, "most": most, "skipped": skipped}
        ((counts, ids),) = self._run(owner_statements.OWNED_PAGE, **asked)
        found = {owned.id: owned for owned in self.list_owned(ids)} if ids else {}
        return counts, [found[config_id] for config_id in ids if config_id in found]

    def shadow_ids(self) -> list[int]:
        """The configs that the job loads beside the service, paused ones too."""
        return [each for (each,) in self._run(owner_statements.SHADOW_IDS)]

    def not_moved(self, most: int) -> tuple[int, list[str]]:
        """How many active configs are not the job's, the tests' own apart; and some, as `7 "sales" (service)`."""
        rows = self._run(owner_statements.NOT_MOVED, most=most)
        told = [f'{config_id} "{name}" ({owner})' for _, config_id, name, owner in rows]
        return (rows[0][0] if rows else 0), told

    def count_paused_not_moved(self) -> int:
        """How many paused configs are not the job's, the tests' own apart."""
        return int(self._run(owner_statements.PAUSED_NOT_MOVED)[0][0])

    def open_leftover(self) -> Run | None:
        """An open run of a shadow's, or of a config that the tests made."""
        rows = self._run(owner_statements.OPEN_LEFTOVERS)
        return to_run(rows[0][0]) if rows else None

    def datasets(self) -> list[str]:
        """The datasets of the configs' own tables, as `project.dataset`."""
        return [each for (each,) in self._run(owner_statements.DATASETS)]

    def set_owner(
        self,
        config_ids: Sequence[int],
        expected: Sequence[Owner],
        new: Owner,
        actor: str,
        reason: str | None,
        examined: Sequence[Mapping[str, Any]] = (),
    ) -> list[int]:
        """Marks the configs, all or none, and tells which had another mark before.

        Raises, with nothing changed, `Overtaken` where one has a mark that is neither expected nor the new one, is
        gone, or is another by now than the row of it that was `examined`, and `TableBusy` where one is to be the job's
        while the older service is at work on it.
        """
        with self._transaction():
            self._run(owner_statements.LOCK_OWNED, ids=list(config_ids))
            rows = self._run(owner_statements.LIST_LOCKED, ids=list(config_ids))
            if len(rows) < len(set(config_ids)):
                raise Overtaken("a config was removed at this moment", "look at `migrate.py status` and try again")
            for config_id, name, owner, is_forwarded in rows:
                if owner != new and owner not in expected:
                    raise Overtaken(
                        f'config {config_id} "{name}" was marked {owner} at this moment',
                        "nothing is changed; look at `migrate.py status` and try again",
                    )
                if new == "job_ready" and owner != new and is_forwarded:
                    raise TableBusy(
                        f'the older service got a message for config {config_id} "{name}" at this moment',
                        "nothing is changed; try again",
                    )
            unmarked = {config_id for config_id, _, owner, _ in rows if owner != new}
            self._refuse_changed([row for row in examined if row["id"] in unmarked])
            self._run(owner_statements.TELL_ACTOR, actor=actor, reason=reason)
            return sorted(each for (each,) in self._run(owner_statements.SET_OWNER, ids=list(config_ids), owner=new))

    def _refuse_changed(self, examined: Sequence[Mapping[str, Any]]) -> None:
        """Raises `Overtaken` where anything that people edit of a locked row is not as it was examined."""
        if not examined:
            return
        ids = [row["id"] for row in examined]
        now = {row["id"]: row for (row,) in self._run(owner_statements.ROWS_LOCKED, ids=ids)}
        for row in examined:
            if any(row.get(column) != now[row["id"]].get(column) for column in EDITABLE):
                raise Overtaken(
                    f'somebody changed config {row["id"]} "{row.get("name") or ""}" at this moment',
                    "nothing is changed; look at it, and try again",
                )

    def drop_parity(self, config_id: int, expected: Any, actor: str, reason: str | None) -> bool:
        """Takes `parity` out of the config's options: its next run loads real types. The audit's trigger tells of it.

        `expected` are the row's options as they were read; False, with nothing changed, where they are others by now,
        or have no parity.
        """
        with self._transaction():
            self._run(owner_statements.TELL_ACTOR, actor=actor, reason=reason)
            return bool(self._run(owner_statements.DROP_PARITY, id=config_id, expected=to_json(expected)))

    def taken_ids(self) -> list[int]:
        """The configs that are not the older service's."""
        return [each for (each,) in self._run(owner_statements.TAKEN_IDS)]

    def services_with_open_runs(self) -> list[int]:
        """Configs of the service's with a run that has not ended: messages of theirs may be held back."""
        return [each for (each,) in self._run(owner_statements.SERVICES_WITH_OPEN_RUNS)]

    def open_runs(self, config_ids: Sequence[int]) -> list[Run]:
        """The open runs of configs, those in flight last."""
        return [to_run(row) for (row,) in self._run(owner_statements.OPEN_RUNS, ids=list(config_ids))]

    def shadow_began(self, config_id: int, destination: str) -> bool:
        """Whether a shadow run of the config ever loaded the table `destination`, or tried to."""
        asked = {"config_id": config_id, "destination": destination}
        return bool(self._run(owner_statements.SHADOW_BEGAN, **asked)[0][0])

    def owner_changes(self, config_ids: Sequence[int] | None, most: int) -> list[OwnerChange]:
        """The audit of all configs, or of those, newest first."""
        return [OwnerChange(*row) for row in self._run(owner_statements.CHANGES, ids=_array(config_ids), most=most)]

    def shadow_tables(self) -> list[str]:
        """The tables that shadow runs loaded, as `project.dataset.table`; none that is a config's own."""
        return [table for (table,) in self._run(owner_statements.SHADOW_TABLES)]

    def list_test_configs(self) -> list[tuple[int, str]]:
        """The configs named `migration_test%`, by id."""
        return [(config_id, name) for config_id, name in self._run(owner_statements.TEST_CONFIGS)]


def _array(config_ids: Sequence[int] | None) -> list[int] | None:
    return list(config_ids) if config_ids is not None else None
