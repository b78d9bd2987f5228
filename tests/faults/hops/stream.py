"""A hop for protocols that are streams of bytes: PostgreSQL's, and gRPC."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Literal

from local.ports import HOST
from tests.faults.hops.rules import Rule, Rules

CHUNK = 1 << 18


@dataclass(frozen=True)
class StreamFault:
    """`cut`: the connection breaks before the server hears it; `lose_reply`: after it did what it was asked."""

    kind: Literal["cut", "lose_reply", "delay"]
    seconds: float = 0.0


class StreamHop:
    """Listens in front of a server; rules match what a client sends at once. With `is_open` off, nobody gets in.

    A statement's text goes to PostgreSQL in one message (Parse) and is executed by a later one (Bind): what
    matches the first is struck at the second.
    """

    def __init__(self, name: str, target: int, rules: Rules, executed_by: bytes | None = None) -> None:
        self.name = name
        self.rules = rules
        self.is_open = True
        self._target = target
        self._executed_by = executed_by
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut_all(self) -> None:
        """Break every connection; in the loop's thread."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, server_writer}
        self._writers |= both
        link = _Link(self, reader, writer, server_reader, server_writer)
        try:
            await link.run()
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()


class _Link:
    """One client's connection through the hop."""

    def __init__(
        self,
        hop: StreamHop,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        self._hop = hop
        self._reader, self._writer = reader, writer
        self._server_reader, self._server_writer = server_reader, server_writer
        self._awaited: Rule | None = None
        self._loses_reply = False

    async def run(self) -> None:
        """Until either side, or a fault, ends it."""
        pumps = [asyncio.create_task(self._to_server()), asyncio.create_task(self._to_client())]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        with contextlib.suppress(OSError):
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _to_server(self) -> None:
        while chunk := await self._reader.read(CHUNK):
            fault = self._fault(chunk)
            if fault and fault.kind == "cut":
                return
            if fault and fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            self._loses_reply = fault is not None and fault.kind == "lose_reply"
            self._server_writer.write(chunk)
            await self._server_writer.drain()

    async def _to_client(self) -> None:
        while chunk := await self._server_reader.read(CHUNK):
            if self._loses_reply:
                return
            self._writer.write(chunk)
            await self._writer.drain()

    def _fault(self, chunk: bytes) -> StreamFault | None:
        if self._awaited is not None and chunk[:1] == self._hop._executed_by:
            rule, self._awaited = self._awaited, None
            return rule.act
        rule = self._hop.rules.take(chunk)
        if rule and self._hop._executed_by and chunk[:1] == b"P":
            self._awaited = rule
            return None
        return rule.act if rule else None
