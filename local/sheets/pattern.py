"""Number formats: a pattern's sections and tokens, and the type that Sheets gives it.

Excel's patterns and those of Sheets (https://developers.google.com/workspace/sheets/api/guides/formats) are
read alike. No published Python library that renders them is kept up.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

_TOKEN = re.compile(
    r"""
      (?P<text>"[^"]*"?|\\.|_.)              # "text", \x; _x is as wide as x
    | (?P<fill>\*.)                          # fills the cell: no width in an answer
    | (?P<bracket>\[[^\]]*\])                # colour, condition, currency and locale, elapsed time
    | (?P<general>General)
    | (?P<meridiem>AM/PM|A/P)
    | (?P<date>y+|m+|d+|h+|s+)
    | (?P<fraction>(?<=s)\.0+|(?<=s\])\.0+)  # parts of a second
    | (?P<exponent>E[+-])
    | (?P<digit>[0\#?])
    | (?P<point>\.)
    | (?P<comma>,)
    | (?P<percent>%)
    | (?P<slash>/)
    | (?P<at>@)
    | (?P<literal>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?[0-9.]+)\]")
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_CURRENCY_SIGNS = re.compile(r"[$€£¥₹₩₽₪₫฿₴₦]")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


@dataclass(frozen=True)
class Token:
    """`kind` is a group of `_TOKEN`, or `elapsed`, or `minute` (an m that is not a month)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Section:
    """One of a pattern's parts between semicolons; `applies` is its own condition, as in `[>=100]`."""

    tokens: tuple[Token, ...]
    applies: Callable[[float], bool] | None = None

    def has(self, *kinds: str) -> bool:
        return any(token.kind in kinds for token in self.tokens)

    @cached_property
    def is_date_time(self) -> bool:
        return self.has("date", "minute", "elapsed", "meridiem")

    @cached_property
    def is_elapsed_time(self) -> bool:
        return self.has("elapsed")

    @cached_property
    def second_places(self) -> int:
        """Decimals of seconds that it shows."""
        return max((len(token.text) - 1 for token in self.tokens if token.kind == "fraction"), default=0)

    @property
    def has_day(self) -> bool:
        return any(token.kind == "date" and token.text[0] in "ymd" for token in self.tokens)

    @property
    def has_time(self) -> bool:
        return self.has("minute", "elapsed", "meridiem") or any(
            token.kind == "date" and token.text[0] in "hs" for token in self.tokens
        )


@dataclass(frozen=True)
class NumberPattern:
    """A number format: `text` as Sheets would show it, `type` as `NumberFormat.type`; General has neither."""

    text: str
    type: str
    sections: tuple[Section, ...]

    @property
    def is_general(self) -> bool:
        return not self.text

    @property
    def is_date_time(self) -> bool:
        return self.type in ("DATE", "TIME", "DATE_TIME")

    def section_for(self, value: float) -> tuple[Section, bool]:
        """The section that shows `value`, and whether the minus sign is left to it."""
        if len(self.sections) == 1:
            return self.sections[0], False
        numbers = [section for section in self.sections if not section.has("at")] or list(self.sections)
        for section in numbers:
            if section.applies is not None and section.applies(value):
                return section, False
        plain = [section for section in numbers if section.applies is None] or numbers
        if len(plain) < len(numbers):
            return plain[0], False
        if value < 0 and len(plain) > 1:
            return plain[1], True
        if value == 0 and len(plain) > 2:
            return plain[2], True
        return plain[0], False

    @property
    def text_section(self) -> Section | None:
        """The section that shows text, if the pattern has one."""
        if len(self.sections) > 3:
            return self.sections[3]
        return next((section for section in self.sections if section.has("at")), None)


@lru_cache(maxsize=4096)
def parse_pattern(text: str) -> NumberPattern:
    """Reads a number format; never fails: what is no token is shown as it stands."""
    shown = _sheets_text(text)
    sections = tuple(_section(part) for part in _split(shown))
    if shown.lower() in ("", "general"):
        return NumberPattern("", "", (Section((Token("general", "General"),)),))
    return NumberPattern(shown, _type(shown, sections), sections)


def _sheets_text(text: str) -> str:
    """Excel's pattern as Sheets shows it after an import: no locale codes, and no needless text section."""
    text = _CURRENCY.sub(lambda match: f"[${match[1]}]" if match[1] else "", text)
    return text.removesuffix(";@") if text.count(";") == 1 else text


def _split(text: str) -> list[str]:
    """Parts between semicolons, not those in quotes, in brackets or behind a backslash."""
    parts = [""]
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "literal" and match[0] == ";":
            parts.append("")
        else:
            parts[-1] += match[0]
    return parts


def _section(text: str) -> Section:
    tokens: list[Token] = []
    applies: Callable[[float], bool] | None = None
    for match in _TOKEN.finditer(text):
        kind, part = str(match.lastgroup), match[0]
        if kind == "bracket":
            condition = _CONDITION.fullmatch(part)
            if condition:
                applies = _condition(condition[1], float(condition[2]))
            tokens.extend(_bracket(part))
        elif kind == "text":
            tokens.append(Token("literal", " " if part[0] == "_" else part.lstrip("\\").strip('"')))
        elif kind == "date":
            tokens.append(Token("date", part.lower()))
        elif kind != "fill":
            tokens.append(Token(kind, part))
    return Section(tuple(_months_and_minutes(tokens)), applies)


def _condition(sign: str, bound: float) -> Callable[[float], bool]:
    compare = _COMPARISONS[sign]
    return lambda value: compare(value, bound)


def _bracket(text: str) -> list[Token]:
    """A currency sign is shown, elapsed time is a token, colours and conditions show nothing."""
    currency = _CURRENCY.fullmatch(text)
    if currency:
        return [Token("literal", currency[1])]
    elapsed = _ELAPSED.fullmatch(text)
    return [Token("elapsed", elapsed[1].lower())] if elapsed else []


def _months_and_minutes(tokens: list[Token]) -> list[Token]:
    """An m or mm behind hours or before seconds is minutes."""
    units = [index for index, token in enumerate(tokens) if token.kind in ("date", "elapsed")]
    for place, index in enumerate(units):
        if tokens[index].kind == "date" and tokens[index].text in ("m", "mm"):
            before = tokens[units[place - 1]].text[0] if place else ""
            after = tokens[units[place + 1]].text[0] if place + 1 < len(units) else ""
            if before == "h" or after == "s":
                tokens[index] = Token("minute", tokens[index].text)
    return tokens


def _type(text: str, sections: tuple[Section, ...]) -> str:
    """`NumberFormat.type` of a pattern."""
    first = sections[0]
    if first.is_date_time:
        return "DATE_TIME" if first.has_day and first.has_time else "DATE" if first.has_day else "TIME"
    if first.has("percent"):
        return "PERCENT"
    if first.has("exponent"):
        return "SCIENTIFIC"
    if _CURRENCY_SIGNS.search(text) or _CURRENCY.search(text):
        return "CURRENCY"
    return "TEXT" if first.has("at") else "NUMBER"
