"""So many of something, as people write it."""


def counted(count: int, noun: str) -> str:
    """`1 row`, `12,345 rows`: for nouns that take an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
