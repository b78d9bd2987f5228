"""multipart/related bodies: the job first, then the data, which goes to a file as it arrives."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

from local.bigquery.errors import invalid

LONGEST_JOB = 8 * 1024 * 1024


async def split_related(chunks: AsyncIterator[bytes], content_type: str, path: Path) -> bytes:
    """Write the second part's content to `path`; the answer is the first part's. Raises invalid."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.lower().startswith("multipart/related") or found is None:
        raise invalid("A multipart upload needs the content type multipart/related with a boundary")
    delimiter = b"--" + found[1].encode()
    head = b""
    async for chunk in chunks:
        head += chunk
        parts = _parts(head, delimiter)
        if parts is not None:
            break
        if len(head) > LONGEST_JOB:
            raise invalid("The job in a multipart upload is too long")
    else:
        raise invalid("A multipart upload needs two parts: the job and the data")
    with path.open("wb") as file:
        file.write(parts[1])
        async for chunk in chunks:
            file.write(chunk)
    _cut_end(path, delimiter)
    return parts[0]


def _parts(head: bytes, delimiter: bytes) -> tuple[bytes, bytes] | None:
    """The job, and what has arrived of the data; None until both have begun."""
    pieces = head.split(delimiter, 2)
    if len(pieces) < 3:
        return None
    _, separator, data = pieces[2].partition(b"\r\n\r\n")
    if not separator:
        return None
    return pieces[1].partition(b"\r\n\r\n")[2].strip(), data


def _cut_end(path: Path, delimiter: bytes) -> None:
    """Take away the closing delimiter (and the line break before it) that follows the data."""
    longest = len(delimiter) + 16
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - longest))
        tail = file.read()
        position = tail.rfind(b"\r\n" + delimiter + b"--")
        if position < 0:
            raise invalid("A multipart upload ends without its closing boundary")
        file.truncate(size - len(tail) + position)
