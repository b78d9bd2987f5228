"""Downloading the next block while this one is converted."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """The same items; each following one is made in a thread of its own while the caller works on this one.

    Who stops before the end closes it: then nothing is being made any more.
    """
    with ThreadPoolExecutor(max_workers=1) as worker:
        following = worker.submit(next, items, None)
        while (item := following.result()) is not None:
            following = worker.submit(next, items, None)
            yield item
