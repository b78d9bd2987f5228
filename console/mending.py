"""Which field of a config mends what a run failed with."""

import re

from console.config_fields import ALL_OPTIONS, DESCRIBED, EACH_OPTION, OPTIONS, TYPED

# By the error's class (shared/errors.py, job/errors.py): the field that its remedy speaks of.
_FIELDS = {
    "TableConflict": "bigquery_table_id",
    "SheetNotFound": "google_sheet_url",
    "NotAGoogleSheet": "google_sheet_url",
    "TabNotFound": "google_sheet_tab_name",
    "NotAGrid": "google_sheet_tab_name",
    "RangeNotFound": "range",
    "HeaderRefused": "header_row",
    "EmptySheet": "on_empty",
    "SchemaViolated": "custom_schema",
    "SchemaDrifted": "schema_drift",
    "SheetShrank": "max_shrink",
    "TooManyErrors": "max_error_cells",
    "KeysViolated": "merge_keys",
    "OptionRefused": "load_mode",
}
_NAMES = "|".join(field.name for field in (*DESCRIBED, *TYPED, *EACH_OPTION, ALL_OPTIONS))
# As columns, or as the job's variables of the same names. An option that there is none of has no field of its own.
_FIELD = rf"(?:{OPTIONS}: )?({_NAMES})\b"
_SENTENCE = re.compile(rf"(?:^|; ){_FIELD}", re.IGNORECASE)
# The parser's sentences of a config, each of which begins with its field, stand behind whose config it is. Its name is
# any text, this one say; none of the sentences has a quotation mark's end before a field.
_SUBJECT = re.compile(rf'^config(?: \d+)?(?: ".*")?: (?={_FIELD})', re.DOTALL | re.IGNORECASE)


def mending(config_id: int | None, error_class: str | None, error: str) -> str | None:
    """Where the config is edited, at that field; None where no field of it mends that."""
    field = _first_wrong(error) if error_class == "InvalidConfig" else _FIELDS.get(error_class or "")
    if config_id is None or field is None:
        return None
    return f"/configs/{config_id}/edit?field={field}#field-{field}"


def _first_wrong(error: str) -> str:
    """The field that the parser of configs tells of first."""
    found = _SENTENCE.search(_SUBJECT.sub("", error))
    return found[1].lower() if found else DESCRIBED[0].name
