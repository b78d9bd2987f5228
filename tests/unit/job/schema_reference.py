"""What a custom schema makes of cells, written slowly and plainly from the rules, apart from the product's code."""

import json
import math
import string
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from typing import Any

from shared.column import Column
from tests.unit.job.grid import Cell, Moment, Rows
from tests.unit.job.reference import DAY, MIDNIGHT, is_blank, is_error, shown

POINTS = {"en_US": (".", ","), "de_DE": (",", ".")}
ZONES = {"Etc/GMT": timezone.utc, "Etc/GMT-3": timezone(timedelta(hours=3))}  # noqa: UP017 (as its neighbour)
BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
DECIMAL_DIGITS = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}
EXAMPLES = {"DATE": "0000-00-00", "TIME": "00:00:00", "DATETIME": "0000-00-00 00:00:00"}


class Violation(Exception):
    """The cell cannot be what is asked for."""


class Sheet:
    """A grid with its ways, as the schema is held against it."""

    def __init__(self, rows: Rows, locale: str, zone: str) -> None:
        width = max(map(len, rows))
        wide = [[*row, *[None] * (width - len(row))] for row in rows]
        self.kept = [(number, row) for number, row in enumerate(wide[1:], 2) if not all(map(is_blank, row))]
        self.point, self.group = POINTS[locale]
        self.zone = ZONES[zone]

    def violations(self, asked: dict[int, Column]) -> list[tuple[int, int]]:
        """Row and column of each cell that is not as its column's schema asks, in the sheet's order."""
        return [
            (number, index)
            for number, row in self.kept
            for index, cell in enumerate(row)
            if index in asked and not self._allowed(cell, asked[index])
        ]

    def values(self, index: int, asked: Column) -> list[Any]:
        return [self.value(row[index], asked) for _, row in self.kept]

    def _allowed(self, cell: Cell, asked: Column) -> bool:
        try:
            return self.value(cell, asked) is not None or asked.mode == "NULLABLE"
        except Violation:
            return False

    def value(self, cell: Cell, asked: Column) -> Any:
        """Decimals as fractions, JSON as what it means. Raises `Violation`."""
        if is_blank(cell) or is_error(cell):
            return None
        match asked.type:
            case "STRING":
                return limited(shown(cell), asked)
            case "BYTES":
                return limited(from_base64(text_of(cell)), asked)
            case "BOOL":
                return boolean(cell)
            case "INT64":
                return int64(self.number(cell))
            case "FLOAT64":
                return float64(self.number(cell))
            case "NUMERIC" | "BIGNUMERIC":
                return decimal(self.number(cell), asked)
            case "DATE" | "TIME" | "DATETIME":
                return moment(cell, asked.type)
            case "TIMESTAMP":
                return self.timestamp(cell)
            case "JSON":
                return json_value(cell)
        return geography(cell)

    def number(self, cell: Cell) -> Fraction:
        if isinstance(cell, bool | Moment):
            raise Violation
        return self.number_in(cell.strip()) if isinstance(cell, str) else Fraction(repr(cell))

    def number_in(self, text: str) -> Fraction:
        mantissa, _, exponent = text.replace("E", "e").partition("e")
        if "e" in text.lower() and not is_whole(exponent.removeprefix("-").removeprefix("+")):
            raise Violation
        sign = -1 if mantissa.startswith("-") else 1
        whole, point, rest = mantissa[mantissa.startswith(("-", "+")) :].partition(self.point)
        first, *groups = whole.split(self.group)
        if groups and not (1 <= len(first) <= 3 and all(len(group) == 3 for group in groups)):
            raise Violation
        digits = "".join([first, *groups])
        if not is_whole(digits + rest) or (point and not rest) or (groups and not first):
            raise Violation
        return sign * Fraction(int(digits + rest), 10 ** len(rest)) * Fraction(10) ** int(exponent or 0)

    def timestamp(self, cell: Cell) -> datetime:
        """A text's own offset counts, else the sheet's zone does."""
        offset: timezone = self.zone
        if isinstance(cell, str) and cell.endswith("+02:00"):
            cell, offset = cell.removesuffix("+02:00"), timezone(timedelta(hours=2))
        local = moment(cell, "DATETIME")
        try:
            return (local - offset.utcoffset(None)).replace(tzinfo=UTC)
        except OverflowError:
            raise Violation from None


def geography(cell: Cell) -> str:
    """The tests write no other text that is right."""
    if cell != "POINT(1 2)":
        raise Violation
    return str(cell)


def text_of(cell: Cell) -> str:
    if not isinstance(cell, str):
        raise Violation
    return cell


def is_whole(digits: str) -> bool:
    return digits != "" and all(digit in string.digits for digit in digits)


def limited(value: Any, asked: Column) -> Any:
    if asked.max_length is not None and len(value) > asked.max_length:
        raise Violation
    return value


def from_base64(text: str) -> bytes:
    """Four characters are three bytes; `=` at the end stands for a byte that is not there."""
    body = text.rstrip("=")
    padding = len(text) - len(body)
    if len(text) % 4 or padding > 2 or any(character not in BASE64 for character in body):
        raise Violation
    bits = "".join(f"{BASE64.index(character):06b}" for character in body)
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits) - 7, 8))


def boolean(cell: Cell) -> bool:
    if isinstance(cell, str) and cell.strip().lower() in ("true", "false"):
        return cell.strip().lower() == "true"
    if not isinstance(cell, bool):
        raise Violation
    return cell


def int64(number: Fraction) -> int:
    if number.denominator != 1 or not -(2**63) <= number < 2**63:
        raise Violation
    return int(number)


def float64(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        raise Violation from None


def decimal(number: Fraction, asked: Column) -> Fraction:
    before, behind = DECIMAL_DIGITS[asked.type]
    if asked.precision is not None:
        behind = asked.scale or 0
        before = asked.precision - behind
    rounded = Fraction(math.floor(abs(number) * 10**behind + Fraction(1, 2)), 10**behind)
    if rounded >= 10**before:
        raise Violation
    return rounded if number > 0 else -rounded


def moment(cell: Cell, asked: str) -> Any:
    if isinstance(cell, str):
        return moment_in(cell, asked)
    if not isinstance(cell, Moment):
        raise Violation
    since = timedelta(milliseconds=round(cell.serial * 86_400_000))
    try:
        found = MIDNIGHT + since
    except OverflowError:
        raise Violation from None
    if asked == "DATE" and not since % DAY:
        return found.date()
    if asked == "TIME" and timedelta() <= since < DAY:
        return found.time()
    if asked != "DATETIME":
        raise Violation
    return found


def moment_in(text: str, asked: str) -> Any:
    """The texts of `EXAMPLES` alone: the tests write no other that is right."""
    shape = "".join("0" if character in string.digits else character for character in text)
    if shape not in (EXAMPLES[asked], EXAMPLES["DATE"] if asked == "DATETIME" else ""):
        raise Violation
    numbers = [int(part) for part in text.replace("-", " ").replace(":", " ").split()]
    try:
        return {"DATE": date, "TIME": time, "DATETIME": datetime}[asked](*numbers)
    except ValueError:
        raise Violation from None


def json_value(cell: Cell) -> Any:
    if isinstance(cell, Moment):
        raise Violation
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell, parse_constant=refuse, parse_float=finite)
    except ValueError:
        raise Violation from None


def finite(number: str) -> float:
    """BigQuery's JSON has no number beyond a FLOAT64."""
    if math.isinf(float(number)):
        raise ValueError(f"{number} is out of range")
    return float(number)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is JavaScript, not JSON")


def comparable(values: Sequence[Any], asked: Column) -> list[Any]:
    """Loaded values as `Sheet.values` tells them."""
    if asked.type == "JSON":
        return [None if each is None else json.loads(each) for each in values]
    return [Fraction(each) if asked.type in DECIMAL_DIGITS and each is not None else each for each in values]
