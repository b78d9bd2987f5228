"""What a cell shows: `formattedValue`, in the locale en_US."""

import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from local.sheets.pattern import NumberPattern, Section, Token
from local.sheets.spreadsheet import CellError, Value

# https://developers.google.com/workspace/sheets/api/guides/formats#about_date_time_values
EPOCH = datetime.date(1899, 12, 30)
SECONDS_PER_DAY = 86_400
# Automatic format: digits of a number with decimals, and from where on a number is shown with an exponent.
GENERAL_DIGITS = 10
GENERAL_LARGE = 1e15
GENERAL_SMALL = 1e-9


def display(value: Value, pattern: NumberPattern) -> str:
    """The text that Sheets shows for a value in a number format; an empty cell is the empty text."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _display_number(value, pattern)
    if isinstance(value, CellError):
        return value.code
    return "" if value is None else _text(value, pattern.text_section)


def _display_number(value: float, pattern: NumberPattern) -> str:
    if pattern.is_general:
        return general(value)
    section, signed = pattern.section_for(value)
    if section.is_date_time:
        try:
            return _date_time(section, value)
        except OverflowError:  # no such date
            return general(value)
    sign = "-" if value < 0 and not signed else ""
    return sign + _number(section, abs(value))


def general(value: float) -> str:
    """A number without a number format: whole as it is, else ten digits."""
    if value == int(value) and abs(value) < GENERAL_LARGE:
        return str(int(value))
    shortest = repr(value)
    if len(shortest) <= GENERAL_DIGITS and "e" not in shortest:
        return shortest
    if GENERAL_SMALL <= abs(value) < GENERAL_LARGE:
        places = max(0, GENERAL_DIGITS - max(1, len(str(int(abs(value))))))
        if abs(value) < 1:
            places = GENERAL_DIGITS
        text = f"{_rounded(Decimal(repr(value)), places):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = f"{value:.5E}".split("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{int(exponent):+03d}"


def _text(value: str, section: Section | None) -> str:
    if section is None:
        return value
    return "".join(value if token.kind == "at" else token.text for token in section.tokens)


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _number(section: Section, value: float) -> str:
    tokens = section.tokens
    if section.has("general", "at"):
        return "".join(general(value) if t.kind in ("general", "at") else t.text for t in tokens)
    if not section.has("digit"):
        return "".join(token.text for token in tokens)
    number = Decimal(repr(value)) * 100 ** sum(token.kind == "percent" for token in tokens)
    if section.has("slash"):
        return _fraction(tokens, number)
    point = next((i for i, token in enumerate(tokens) if token.kind == "point"), None)
    power = next((i for i, token in enumerate(tokens) if token.kind == "exponent"), len(tokens))
    whole_end = power if point is None or point > power else point
    whole, decimals, tail = tokens[:whole_end], tokens[whole_end:power], tokens[power:]
    whole, thousands = _without_scaling(whole)
    decimals, more_thousands = _without_scaling(decimals)
    number /= 1000 ** (thousands + more_thousands)
    exponent = 0
    if tail:
        number, exponent = _normalised(number, whole, decimals)
    places = sum(token.kind == "digit" for token in decimals)
    digits, _, rest = f"{_rounded(number, places):f}".partition(".")
    return _whole(whole, digits) + _decimals(decimals, rest) + _exponent(tail, exponent)


def _without_scaling(tokens: tuple[Token, ...]) -> tuple[tuple[Token, ...], int]:
    """Commas behind the last digit divide by a thousand each: the other tokens, and how many these are."""
    first = max((i for i, token in enumerate(tokens) if token.kind == "digit"), default=len(tokens)) + 1
    end = first
    while end < len(tokens) and tokens[end].kind == "comma":
        end += 1
    return tokens[:first] + tokens[end:], max(0, end - first)


def _whole(tokens: tuple[Token, ...], digits: str) -> str:
    """Digits into placeholders from the right; what is left over goes to the leftmost one."""
    placeholders = [i for i, token in enumerate(tokens) if token.kind == "digit"]
    grouped = any(t.kind == "comma" and placeholders and i > placeholders[0] for i, t in enumerate(tokens))
    left = list(digits.lstrip("0"))
    shown: list[str] = []
    count = 0

    def emit(character: str) -> None:
        nonlocal count
        if grouped and count and count % 3 == 0:
            shown.append(",")
        shown.append(character)
        count += 1

    for index in reversed(range(len(tokens))):
        token = tokens[index]
        if token.kind == "digit":
            if left:
                emit(left.pop())
            elif token.text != "#":
                emit("0" if token.text == "0" else " ")
            while left and index == placeholders[0]:
                emit(left.pop())
        elif token.kind != "comma":
            shown.append(token.text[::-1])
    return "".join(shown)[::-1]


def _decimals(tokens: tuple[Token, ...], digits: str) -> str:
    """Digits into placeholders from the left; zeros at the end are kept by a 0 only."""
    places = [token.text for token in tokens if token.kind == "digit"]
    shown = list(digits)
    for index in reversed(range(len(shown))):
        if shown[index] != "0" or places[index] == "0":
            break
        shown[index] = " " if places[index] == "?" else ""
    rest = iter(shown)
    return "".join(next(rest, "") if token.kind == "digit" else token.text for token in tokens)


def _normalised(number: Decimal, whole: tuple[Token, ...], decimals: tuple[Token, ...]) -> tuple[Decimal, int]:
    """Mantissa and exponent, rounded to what the pattern shows (9.996 as 0.00E+00 is 1.00E+01)."""
    width = max(1, sum(token.kind == "digit" for token in whole))
    places = sum(token.kind == "digit" for token in decimals)
    if not number:
        return number, 0
    exponent = number.adjusted() // width * width if width > 1 else number.adjusted()
    mantissa = _rounded(number.scaleb(-exponent), places)
    if mantissa >= 10**width:
        exponent += width
        mantissa = _rounded(number.scaleb(-exponent), places)
    return mantissa, exponent


def _exponent(tokens: tuple[Token, ...], exponent: int) -> str:
    if not tokens:
        return ""
    sign = "-" if exponent < 0 else "+" if tokens[0].text.endswith("+") else ""
    return tokens[0].text[0] + sign + _whole(tokens[1:], str(abs(exponent)) if exponent else "0")


def _fraction(tokens: tuple[Token, ...], number: Decimal) -> str:
    """`# ?/?`, `# ??/??` or with a denominator of one's own, as in `# ?/8`."""
    slash = next(i for i, token in enumerate(tokens) if token.kind == "slash")
    below = "".join(token.text for token in tokens[slash + 1 :]).strip()
    exact = Fraction(number)
    if below.isdigit() and int(below):
        denominator = int(below)
        numerator = round(exact * denominator)
    else:
        nearest = exact.limit_denominator(10 ** max(1, len(below)) - 1)
        numerator, denominator = nearest.numerator, nearest.denominator
    if any(token.kind == "literal" and token.text == " " for token in tokens[:slash]):
        whole, numerator = divmod(numerator, denominator)
        if not numerator:
            return str(whole)
        return (f"{whole} " if whole else "") + f"{numerator}/{denominator}"
    return f"{numerator}/{denominator}"


def _date_time(section: Section, value: float) -> str:
    """A serial number as date, time of day or elapsed time, rounded to seconds or the shown parts."""
    ticks = 10**section.second_places
    # A day is 86,400 s: a double is exact enough for microseconds of any date.
    total = round(value * SECONDS_PER_DAY * ticks)
    elapsed = section.is_elapsed_time
    sign = "-" if elapsed and total < 0 else ""
    seconds, part = divmod(abs(total) if elapsed else total, ticks)
    days, second = divmod(seconds, SECONDS_PER_DAY)
    moment = _Moment(days, second, seconds, part, section.has("meridiem"))
    return sign + "".join(moment.show(token) for token in section.tokens)


class _Moment:
    """A point in time, taken apart: days since the epoch, seconds of the day and in all, its part."""

    def __init__(self, days: int, second: int, total: int, part: int, twelve_hours: bool) -> None:
        self.date = EPOCH + datetime.timedelta(days)
        self.hour, rest = divmod(second, 3600)
        self.minute, self.second = divmod(rest, 60)
        self.total = total
        self.part = part
        self.shown_hour = (self.hour % 12 or 12) if twelve_hours else self.hour

    def show(self, token: Token) -> str:
        if token.kind == "date":
            return self._unit(token.text)
        if token.kind == "minute":
            return f"{self.minute:0{len(token.text)}d}"
        if token.kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[token.text[0]]
            return f"{self.total // unit:0{len(token.text)}d}"
        if token.kind == "meridiem":
            name = "PM" if self.hour >= 12 else "AM"
            return name if len(token.text) > 3 else name[0]
        if token.kind == "fraction":
            return f".{self.part:0{len(token.text) - 1}d}"
        return token.text

    def _unit(self, unit: str) -> str:
        width = min(len(unit), 2)
        if unit[0] == "y":
            return f"{self.date.year:04d}" if len(unit) > 2 else f"{self.date.year % 100:02d}"
        if unit[0] == "m":
            if len(unit) > 2:
                name = self.date.strftime("%b" if len(unit) == 3 else "%B")
                return name[0] if len(unit) == 5 else name
            return f"{self.date.month:0{width}d}"
        if unit[0] == "d":
            if len(unit) > 2:
                return self.date.strftime("%a" if len(unit) == 3 else "%A")
            return f"{self.date.day:0{width}d}"
        return f"{self.shown_hour if unit[0] == 'h' else self.second:0{width}d}"
