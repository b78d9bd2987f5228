"""What cells show, as a table of what Google Sheets shows in the locale en_US."""

import pytest

from local.sheets.display import display
from local.sheets.pattern import parse_pattern
from local.sheets.spreadsheet import CellError, Value

# 2024-03-09 is 45360 days after 1899-12-30.
NOON = 45360.5
JUST_BEFORE_TEN = 45360 + (9 * 3600 + 59 * 60 + 59.9996) / 86_400
QUARTER_SECOND = (9 * 3600 + 59 * 60 + 59.2501) / 86_400


@pytest.mark.parametrize(
    ("value", "pattern", "shown"),
    [
        # No format
        (0, "General", "0"),
        (42, "", "42"),
        (-7, "", "-7"),
        (1 / 3, "General", "0.3333333333"),
        (0.1 + 0.2, "General", "0.3"),
        (3.141592653589793, "General", "3.141592654"),
        (12345678.12345678, "General", "12345678.12"),
        (4006381333931, "General", "4006381333931"),
        (1e20, "General", "1E+20"),
        (1234567890123456789, "General", "1.23457E+18"),
        (1.5e-12, "General", "1.5E-12"),
        (True, "General", "TRUE"),
        (False, "0.00", "FALSE"),
        ("text", "General", "text"),
        ("00042", "@", "00042"),
        (None, "0.00", ""),
        (CellError("#N/A"), "0.00", "#N/A"),
        # Numbers
        (5.5, "0", "6"),
        (2.345, "0.00", "2.35"),
        (1234567.891, "#,##0", "1,234,568"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (999.999, "#,##0.00", "1,000.00"),
        (0.5, "#.##", ".5"),
        (0, "#,###", ""),
        (12, "00000", "00012"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (12.5, "0.0##", "12.5"),
        (12.125, "0.0##", "12.125"),
        (7, "0 \"pcs\"", "7 pcs"),
        (7, r"0\ \k\g", "7 kg"),
        (1234567, "0,", "1235"),
        (1234567, '0.0,,"M"', "1.2M"),
        (1234567, "#,##0,.0", "1,234.6"),
        (42, "@", "42"),
        # Money, in the sections' own signs
        (1234.5, "$#,##0.00", "$1,234.50"),
        (-1234.5, "$#,##0.00", "-$1,234.50"),
        (-1234.5, "$#,##0.00;[Red]($#,##0.00)", "($1,234.50)"),
        (-1234.5, '"$"#,##0.00_);[Red]("$"#,##0.00)', "($1,234.50)"),
        (0, '#,##0;-#,##0;"-"', "-"),
        (12.5, "[$€-407] #,##0.00", "€ 12.50"),
        (12.5, "#,##0.00 [$kr-41D]", "12.50 kr"),
        ("n/a", '0;-0;0;"<"@">"', "<n/a>"),
        # Conditions
        (50, '[<100]"low";[>=100]"high"', "low"),
        (150, '[<100]"low";[>=100]"high"', "high"),
        # Percent, scientific, fractions
        (0.501, "0.0%", "50.1%"),
        (0.125, "0%", "13%"),
        (-0.05, "0.00%", "-5.00%"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (0.000123, "0.0E+0", "1.2E-4"),
        (9.996, "0.00E+00", "1.00E+01"),
        (12345, "##0.0E+0", "12.3E+3"),
        (2.5, "# ?/?", "2 1/2"),
        (0.333, "# ??/??", "1/3"),
        (3, "# ?/?", "3"),
        (0.5, "# ?/8", "4/8"),
        # Dates and times
        (45360, "m/d/yyyy", "3/9/2024"),
        (45360, "yyyy-mm-dd", "2024-03-09"),
        (45360, "dd.mm.yy", "09.03.24"),
        (45360, "dddd, mmmm d, yyyy", "Saturday, March 9, 2024"),
        (45360, "ddd d-mmm-yy", "Sat 9-Mar-24"),
        (45360, "[$-409]mmm yyyy;@", "Mar 2024"),
        (45360, "mmmmm", "M"),
        (1, "yyyy-mm-dd", "1899-12-31"),
        (NOON, "m/d/yyyy h:mm:ss", "3/9/2024 12:00:00"),
        (NOON, "yyyy-mm-dd hh:mm AM/PM", "2024-03-09 12:00 PM"),
        (45360, "h:mm AM/PM", "12:00 AM"),
        (0.75, "h:mm", "18:00"),
        (0.75, "h:mm a/p", "6:00 P"),
        (JUST_BEFORE_TEN, "h:mm:ss", "10:00:00"),
        (JUST_BEFORE_TEN, "h:mm", "10:00"),
        (QUARTER_SECOND, "h:mm:ss.000", "9:59:59.250"),
        (QUARTER_SECOND, "mm:ss.0", "59:59.3"),
        # Durations
        (83 / 24, "[h]:mm:ss", "83:00:00"),
        (-1.5 / 24, "[h]:mm:ss", "-1:30:00"),
        (1.5 / 24, "[mm]:ss", "90:00"),
        (90 / 86_400, "[ss]", "90"),
        # No such date
        (-700_000, "yyyy-mm-dd", "-700000"),
        (10_000_000, "yyyy-mm-dd", "10000000"),
    ],
)  # fmt: skip
def test_a_cell_shows_what_sheets_shows(value: Value, pattern: str, shown: str) -> None:
    assert display(value, parse_pattern(pattern)) == shown
