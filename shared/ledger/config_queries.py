"""The ledger's queries of configs: finding, adding, removing, pausing and resuming them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.config import Config
from shared.errors import AmbiguousName, InvalidInput, NameTaken, PermissionMissing, TableConflict, UnknownConfig
from shared.ledger import config_statements, owner_statements, statements
from shared.ledger.queries import Queries, array, to_json
from shared.messages import ManualRequest
from shared.options import encode_options

_DESTINATION = {"google_cloud_project_id", "bigquery_dataset_id", "bigquery_table_id"}
_JSON = ("custom_schema", "options")
_MOST_DATASETS = 20


class Removed(msgspec.Struct, frozen=True):
    """What a removed config's row said of itself; `name` is None in a row that a portal wrote without one."""

    id: int
    name: str | None
    table: str


class ConfigQueries(Queries):
    """Rows of the owner's table."""

    def find_config(self, request: ManualRequest) -> dict[str, Any]:
        """The row that a request names by id or by name. Raises `UnknownConfig` or `AmbiguousName`."""
        if request.wanted_id is not None:
            rows = self._run(config_statements.FIND_CONFIG, id=request.wanted_id)
            if not rows:
                raise UnknownConfig(f"there is no config {request.wanted_id}", "`job_helper.py configs` lists them")
            return rows[0][0]
        rows = self._run(config_statements.FIND_CONFIGS_NAMED, name=request.name)
        if not rows:
            raise UnknownConfig(f'there is no config named "{request.name}"', "`job_helper.py configs` lists them")
        if len(rows) > 1:
            ids = ", ".join(str(row["id"]) for (row,) in rows)
            raise AmbiguousName(f'more than one config is named "{request.name}": {ids}', "use the id of one")
        return rows[0][0]

    def known_names(self, names: Sequence[str]) -> set[str]:
        """Those of the names that a config has."""
        return {name for (name,) in self._run(config_statements.KNOWN_NAMES, names=array(names))}

    def list_configs(self) -> list[dict[str, Any]]:
        """All configs' rows, by id."""
        return [row for (row,) in self._run(config_statements.LIST_CONFIGS)]

    def datasets_in_use(self) -> list[tuple[str, str]]:
        """Projects, each with a dataset into which configs load, the most usual first."""
        rows = self._run(config_statements.DATASETS_IN_USE, most=_MOST_DATASETS)
        return [(project, dataset) for project, dataset in rows]

    def active_of_table(self, config: Config, but: int | None = None) -> list[str]:
        """The active configs, as `7 "sales"`, that replace the table which `config` does, but for that of an id."""
        place = {name: getattr(config, name) for name in _DESTINATION}
        return [told for (told,) in self._run(config_statements.FIND_ACTIVE_OF_TABLE, but=but, **place)]

    def configs_of_table(self, config: Config, table: str) -> list[str]:
        """The configs, paused ones too, as `7 "sales"`, whose own table has this name in `config`'s dataset."""
        place = {"project": config.google_cloud_project_id, "dataset": config.bigquery_dataset_id, "name": table}
        return [told for (told,) in self._run(config_statements.OF_TABLE, **place)]

    def add_config(self, config: Config, run_frequency_hours: int | None) -> int:
        """Adds an active config, owned by the job, and tells its id.

        Raises, with nothing added, `TableConflict` where an active config replaces the same table, and
        `NameTaken` where any has the name.
        """
        schema = to_json(config.custom_schema) if config.custom_schema else None
        values = {name: getattr(config, name) for name in config.__struct_fields__ if name != "id"}
        values |= {"custom_schema": schema, "options": encode_options(config.options) or None}
        values["run_frequency_hours"] = run_frequency_hours
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)  # so that of two at the same moment one finds the other
            self.refuse_taken_table(config)
            self.refuse_taken_name(config)
            tracked = self._run(config_statements.IS_TRACKED) == [[True]]
            add = config_statements.ADD_OWNED_CONFIG if tracked else config_statements.ADD_CONFIG
            ((config_id,),) = self._run(add, **values)
        return config_id

    def refuse_taken_table(self, config: Config) -> None:
        """Raises `TableConflict` where another active config replaces the same table."""
        if others := self.active_of_table(config, but=config.id):
            raise TableConflict(
                f"{config.destination} is replaced by config {others[0]} already",
                "choose another table, or pause that config",
            )

    def refuse_anothers_table(self, shadow: Config) -> None:
        """Raises `TableConflict` where what a shadow run would replace is a config's own table, a paused one's too."""
        for own in self.configs_of_table(shadow, shadow.bigquery_table_id):
            raise TableConflict(
                f'the shadow of config {shadow.id} "{shadow.name}" would be {shadow.destination}, which is the table of'
                f" config {own}",
                "set SHADOW_SUFFIX to something else, here and in the deployment",
            )

    def refuse_taken_name(self, config: Config) -> None:
        """Raises `NameTaken` where any other config has the name: a request by name could then mean either."""
        found = self._run(config_statements.FIND_CONFIGS_NAMED, name=config.name)
        if namesakes := [row for (row,) in found if row["id"] != config.id]:
            raise NameTaken(
                f'a config named "{config.name}" exists already (config {namesakes[0]["id"]})',
                "give this one another name (--name, or `name` in a config file)",
            )

    def remove_config(self, config_id: int) -> Removed:
        """The config's row goes, and is told; its runs stay, as history.

        Raises `InvalidInput` while one of them is open, `UnknownConfig` where the row is gone already, and
        `PermissionMissing` with the one grant that nothing else needs.
        """
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)  # so that no run is recorded at the same moment
            try:
                rows = self._run(config_statements.REMOVE, id=config_id)
            except PermissionMissing as error:
                raise PermissionMissing(error.what, self._removal_grant) from None
            for row in rows:
                return Removed(*row)
            for run_id, state in self._run(config_statements.OLDEST_OPEN_RUN, id=config_id):
                raise InvalidInput(
                    f"config {config_id} has a run that is {state}: {run_id}",
                    f"wait for its end, or `python job_helper.py cancel {run_id[:8]}`, and remove it then",
                )
        raise UnknownConfig(f"config {config_id} is gone already", "`job_helper.py configs` lists those there are")

    @property
    def _removal_grant(self) -> str:
        """What a removal needs; `python -m sql grant` leaves the DELETE out, which functions never use."""
        return (
            f"as the tables' owner, GRANT SELECT, DELETE ON {self._configs} TO it, and SELECT ON sheet_to_bigquery_runs"
        )

    def pause_config(self, config_id: int, reason: str | None, now: datetime) -> None:
        """Nothing new of the config begins; an open attempt ends as it does."""
        self._run(config_statements.PAUSE, id=config_id, reason=reason, now=now)

    def resume_config(self, config_id: int) -> bool:
        """The config is active again; tells whether it was paused.

        Raises `TableConflict`, with nothing changed, where another has its table.
        """
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)  # so that of two at the same moment one finds the other
            if rivals := self._run(config_statements.FIND_RIVALS, id=config_id):
                raise TableConflict(
                    f"the table of config {config_id} is replaced by config {rivals[0][0]}",
                    "pause that one first, or give one of them another table",
                )
            return bool(self._run(config_statements.RESUME, id=config_id))

    def set_frequency(self, config_id: int, shown: str | None, hours: int) -> bool:
        """Sets the hours between the config's runs. False, with nothing changed, where they are not as shown (as JSON
        writes them; None is NULL) any more.
        """
        asked = {"id": config_id, "shown": shown, "hours": hours}
        return bool(self._run(config_statements.SET_FREQUENCY, **asked))

    def edit_config(
        self,
        config: Config,
        row: Mapping[str, Any],
        changes: Mapping[str, Any],
        actor: str,
        shadow: Config | None = None,
    ) -> bool:
        """Sets the columns in `changes` (of `EDITABLE`), which make `config` of a `row` as it was read, and `shadow` of
        one that is loaded in shadow.

        False, with nothing changed, where any editable column, or whose the table is, is another by now. Raises, with
        nothing changed, `TableConflict` and `NameTaken` where a new table, or a new name, is another config's.
        """
        as_json = {name: to_json(value) for name, value in changes.items() if name in _JSON and value is not None}
        shown = to_json({name: row.get(name) for name in config_statements.SHOWN})
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)  # so that of two at the same moment one finds the other
            if changes.keys() & _DESTINATION:
                self.refuse_taken_table(config)
                if shadow:
                    self.refuse_anothers_table(shadow)
            if "name" in changes:
                self.refuse_taken_name(config)
            self._run(owner_statements.TELL_ACTOR, actor=actor, reason=None)
            return bool(self._run(config_statements.edit(changes), id=config.id, shown=shown, **{**changes, **as_json}))
