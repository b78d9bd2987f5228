"""What can happen to an HTTP exchange."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable

from tests.faults.hops.http import Act, Answer, Exchange


def refuse(status: int, reason: str = "backendError", name: str = "UNAVAILABLE") -> Act:
    """An error in place of forwarding, in Google's shape."""
    return _with(_error(status, reason, name), forwards=False)


def refuse_late(status: int, reason: str = "backendError", name: str = "UNAVAILABLE") -> Act:
    """An error although the server did what it was asked."""
    return _with(_error(status, reason, name), forwards=True)


def swallow(status: int = 200) -> Act:
    """Thanks in place of forwarding: what was sent is lost for ever."""
    return _with(Answer.made(status, b"OK"), forwards=False)


async def lose_request(_: Exchange) -> None:
    """The connection breaks before the server hears of it."""


async def lose_reply(exchange: Exchange) -> None:
    """The connection breaks after the server did what it was asked."""
    await exchange.forward()


def delay(seconds: float) -> Act:
    async def act(exchange: Exchange) -> Answer | None:
        await asyncio.sleep(seconds)
        return await exchange.forward()

    return act


def hang(seconds: float) -> Act:
    """Silence, then a broken connection; the server heard nothing."""

    async def act(_: Exchange) -> None:
        await asyncio.sleep(seconds)

    return act


def repeat(times: int) -> Act:
    """The server hears it so many times at once; the last answer counts."""

    async def act(exchange: Exchange) -> Answer | None:
        return (await asyncio.gather(*(exchange.forward() for _ in range(times))))[-1]

    return act


def altered(change: Callable[[bytes], bytes]) -> Act:
    """The server gets another body than was sent."""

    async def act(exchange: Exchange) -> Answer | None:
        exchange.request = dataclasses.replace(exchange.request, body=change(exchange.request.body))
        return await exchange.forward()

    return act


async def truncate(exchange: Exchange) -> Answer | None:
    """Half of the body, under a head that promises all of it."""
    answer = await exchange.forward()
    return answer and Answer(answer.raw[: len(answer.raw) - len(answer.body) // 2])


def before(happens: Callable[[Exchange], Awaitable[None]]) -> Act:
    """Something happens elsewhere before the server hears of it."""

    async def act(exchange: Exchange) -> Answer | None:
        await happens(exchange)
        return await exchange.forward()

    return act


def after(happens: Callable[[Exchange], Awaitable[None]]) -> Act:
    """Something happens elsewhere before the answer arrives."""

    async def act(exchange: Exchange) -> Answer | None:
        answer = await exchange.forward()
        await happens(exchange)
        return answer

    return act


def _with(answer: Answer, *, forwards: bool) -> Act:
    async def act(exchange: Exchange) -> Answer:
        if forwards:
            await exchange.forward()
        return answer

    return act


def _error(status: int, reason: str, name: str) -> Answer:
    error = {
        "code": status,
        "message": "injected",
        "status": name,
        "errors": [{"reason": reason, "message": "injected", "domain": "global"}],
    }
    return Answer.made(status, json.dumps({"error": error}).encode())
