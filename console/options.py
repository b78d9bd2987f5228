"""What a config says beside where its sheet and its table are, in words."""

from collections.abc import Iterator

from shared.config import Config
from shared.counted import counted
from shared.options import Options

_MODES = {
    "append": "each load appends the sheet's rows to the table",
    "snapshot": "each load replaces the partition of its day, in a table of a snapshot a day",
}
_DRIFT = {
    "keep": "the table keeps its columns, whatever the sheet's are",
    "fail": "where the sheet has other columns than the table, the run fails",
}
_EMPTY = {
    "keep": "where the sheet has no rows, the table is kept as it is",
    "empty": "where the sheet has no rows, the table is emptied",
}


def in_words(config: Config) -> list[str]:
    """A sentence for each; what is the default goes without saying, but for the types and the way of loading."""
    return [_types(config), _mode(config.options), *_reading(config.options), *_guards(config.options)]


def _types(config: Config) -> str:
    if config.options.parity:
        return "columns as the older service makes them: all STRING as shown, headers as they stand (parity)"
    match config.schema_handling:
        case "custom":
            return (
                f"types by a custom schema of {counted(len(config.custom_schema), 'column')}, the others by the cells"
            )
        case "string":
            return "every column is a STRING of what the sheet shows"
        case _:
            return "types by what the cells hold"


def _mode(options: Options) -> str:
    if options.load_mode == "merge":
        return f"each load merges the sheet's rows into the table, by {_list(options.merge_keys)}"
    return _MODES.get(options.load_mode, "each load replaces the table's rows")


def _reading(options: Options) -> Iterator[str]:
    if options.range is not None:
        yield f"only the range {options.range} is read"
    if options.header_row is not None:
        yield f"row {options.header_row:,} names the columns"
    if options.on_empty in _EMPTY:
        yield _EMPTY[options.on_empty]
    if options.max_error_cells is not None:
        yield f"at most {counted(options.max_error_cells, 'cell')} in error may be loaded as NULL"


def _guards(options: Options) -> Iterator[str]:
    if options.max_shrink is not None:
        yield f"a load that would take more than {options.max_shrink * 100:g} % of the table's rows fails"
    if options.schema_drift in _DRIFT:
        yield _DRIFT[options.schema_drift]
    if options.partition_by is not None:
        yield f"partitioned by {options.partition_by}, a partition for each {options.partition_type.lower()}"
    if options.cluster_by:
        yield f"clustered by {_list(options.cluster_by)}"
    if options.skip_unchanged:
        yield "nothing is loaded where the table has this very content already"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
