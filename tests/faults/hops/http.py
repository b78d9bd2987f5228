"""A hop that speaks HTTP/1.1: it forwards every exchange, unless a rule does something else with it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from local.ports import HOST
from tests.faults.hops.rules import Rules

LONGEST_HEAD = 256 * 1024


@dataclass(frozen=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def encode(self) -> bytes:
        kept = {name: value for name, value in self.headers.items() if name not in ("connection", "transfer-encoding")}
        kept |= {"connection": "close", "content-length": str(len(self.body))}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in kept.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire, head and all."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @classmethod
    def made(cls, status: int, body: bytes) -> "Answer":
        head = f"HTTP/1.1 {status} Injected\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return cls(f"{head}connection: close\r\n\r\n".encode() + body)


@dataclass
class Exchange:
    """A request, and what the server behind the hop answered to each time that it was forwarded."""

    hop: "HttpHop"
    request: Request
    began: float
    answers: list[Answer] = field(default_factory=list)
    answered: Answer | None = None
    fault: str | None = None

    async def forward(self) -> Answer | None:
        """The server's answer; None where it gave none."""
        answer = await self.hop.ask(self.request)
        if answer is not None:
            self.answers.append(answer)
        return answer


Act = Callable[[Exchange], Awaitable[Answer | None]]
Observe = Callable[[Exchange], None]


class HttpHop:
    """Listens in front of a server; an exchange's answer None ends the connection with a reset."""

    def __init__(self, name: str, target: int, rules: Rules, observe: Observe) -> None:
        self.name = name
        self.rules = rules
        self._target = target
        self._observe = observe

    async def listen(self) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._serve, HOST, 0, limit=LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def ask(self, request: Request) -> Answer | None:
        try:
            reader, writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            return None
        try:
            writer.write(request.encode())
            await writer.drain()
            raw = await reader.read()
            while more := await reader.read():
                raw += more
        except OSError:
            return None
        finally:
            writer.close()
        return Answer(raw) if raw.startswith(b"HTTP/") else None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            answer = await self._answer(request)
            if answer is None:
                writer.transport.abort()
                return
            writer.write(answer.raw)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    async def _answer(self, request: Request) -> Answer | None:
        exchange = Exchange(self, request, time.time())
        rule = self.rules.take(request)
        try:
            if rule is None:
                exchange.answered = await exchange.forward()
            else:
                exchange.fault = rule.fault
                exchange.answered = await rule.act(exchange)
        finally:
            self._observe(exchange)
        return exchange.answered


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body
