"""Which field of a config mends what a run failed with."""

# By the error's class (shared/errors.py, job/errors.py): the field that its remedy speaks of.
_FIELDS = {
    "InvalidConfig": "google_sheet_url",
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


def mending(config_id: int | None, error_class: str | None) -> str | None:
    """Where the config is edited, at that field; None where no field of it mends that."""
    field = _FIELDS.get(error_class or "")
    if config_id is None or field is None:
        return None
    return f"/configs/{config_id}/edit?field={field}#field-{field}"
