"""Cloud Logging's filters, for the forms that our metrics have: comparisons with `=`, `:` and `!=`, AND, OR, NOT.

By cloud.google.com/logging/docs/view/logging-query-language: OR binds closer than AND, comparisons that stand side by
side are joined by AND, texts are compared without regard to case, `:` means "has in it", and a field that is not there
is equal to nothing. Anything else is an error, so that no filter is judged by half.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Entry = Mapping[str, Any]
Filter = Callable[[Entry], bool]

_TOKEN = re.compile(r'\s*(?:(?P<sign>!=|[()=:])|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>[A-Za-z0-9_./@*-]+))')


def parse_filter(text: str) -> Filter:
    """What the filter says of an entry. Raises `ValueError` for what is not one of these forms."""
    reader = _Reader(text)
    found = reader.conjunction()
    if reader.tokens:
        raise ValueError(f"the filter goes on with {reader.tokens[0]!r}")
    return found


class _Reader:
    """A recursive descent over tokens; a quoted text is told from a word by its first character."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            token = _TOKEN.match(text, position)
            if token is None:
                raise ValueError(f"the filter has {text[position : position + 20]!r} in it")
            self.tokens.append(f'"{token["text"]}' if token["text"] is not None else token["sign"] or token["word"])
            position = token.end()

    def conjunction(self) -> Filter:
        parts = [self._disjunction()]
        while self.tokens and self.tokens[0] != ")":
            if self.tokens[0] == "AND":
                self._take()
            parts.append(self._disjunction())
        return lambda entry: all(part(entry) for part in parts)

    def _disjunction(self) -> Filter:
        parts = [self._negation()]
        while self.tokens and self.tokens[0] == "OR":
            self._take()
            parts.append(self._negation())
        return lambda entry: any(part(entry) for part in parts)

    def _negation(self) -> Filter:
        if self.tokens and self.tokens[0] == "NOT":
            self._take()
            negated = self._negation()
            return lambda entry: not negated(entry)
        if self.tokens and self.tokens[0] == "(":
            self._take()
            inner = self.conjunction()
            if self._take() != ")":
                raise ValueError("a bracket is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        field, sign, value = self._take(), self._take(), self._take()
        if sign not in ("=", ":", "!=") or field[0] in '"()=:!' or value in ("(", ")", "AND", "OR"):
            raise ValueError(f"{field} {sign} {value} is no comparison that is known here")
        wanted = value.removeprefix('"').replace('\\"', '"').casefold()
        path = field.split(".")

        def holds(entry: Entry) -> bool:
            there = _value(entry, path)
            told = None if there is None else str(there).casefold()
            if sign == "!=":
                return told != wanted
            return told is not None and (wanted in told if sign == ":" else wanted == told)

        return holds

    def _take(self) -> str:
        if not self.tokens:
            raise ValueError("the filter ends too soon")
        return self.tokens.pop(0)


def _value(entry: Any, path: list[str]) -> Any:
    for name in path:
        entry = entry.get(name) if isinstance(entry, Mapping) else None
    return entry
