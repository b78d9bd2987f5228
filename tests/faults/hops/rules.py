"""Which exchange of a hop is struck by which fault, and how often each fault struck."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Rule:
    """A fault that strikes what `matches`, with a chance, at most `most` times.

    `act` is an HTTP hop's or a stream hop's way of acting; `fault` is the name under which it is counted.
    """

    fault: str
    act: Any
    matches: Callable[[Any], bool]
    chance: float = 1.0
    most: int | None = None


class Rules:
    """The rules of one hop, asked by its thread and set by others."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self.struck: Counter[str] = Counter()
        # When, by the machine's clock.
        self.times: list[float] = []

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def waits(self) -> bool:
        """Whether a rule has not struck yet at all."""
        with self._lock:
            return any(self.struck[rule.fault] == 0 for rule in self._rules)

    def take(self, subject: Any) -> Rule | None:
        """The first rule that strikes this exchange."""
        with self._lock:
            for rule in self._rules:
                if rule.most == 0 or not rule.matches(subject) or self._random.random() >= rule.chance:
                    continue
                if rule.most is not None:
                    rule.most -= 1
                self.struck[rule.fault] += 1
                self.times.append(time.time())
                return rule
        return None
