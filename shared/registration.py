"""What people say of a config that is to be added, beside the config itself: at a terminal and on a page alike."""

import re
from typing import Any

from shared.errors import InvalidConfig
from shared.parse import shape

# NULL in the table means a day as well, but says so to nobody who reads it.
DAILY = 24
_MOST_HOURS = 876_000
# BigQuery's are longer; the owner's column is varchar(255).
_TABLE_LENGTH = 255


def parse_frequency(value: Any) -> int | None:
    """Hours between a config's runs: 0 is manual only, None leaves the table's default of a day."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_HOURS):
        return value
    raise InvalidConfig(
        f"run_frequency_hours is {shape(value)}", f"give a whole number of hours, 0 (manual only) to {_MOST_HOURS}"
    )


def table_name(title: str) -> str:
    """A table's name made of a title: `Sales by Quarter` is `sales_by_quarter`; blank where the title has no letter."""
    return re.sub(r"\W+", "_", title).strip("_").lower()[:_TABLE_LENGTH]
