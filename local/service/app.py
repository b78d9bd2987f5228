"""The older service's endpoint, behind Cloud Run's check of who calls."""

import asyncio
import logging

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.http import google_app
from local.service.faults import Faults
from local.service.identity import Gate
from local.service.message import Failed, Refused, Wanted, read_push
from local.service.sync import Syncs

SECONDS_BETWEEN_LOOKS = 0.1

log = logging.getLogger("local.service")


class Service:
    """One service; `faulty` lets it take orders to fail."""

    def __init__(self, gate: Gate, syncs: Syncs, *, faulty: bool) -> None:
        self._gate = gate
        self._syncs = syncs
        self._faulty = faulty
        self._faults = Faults()

    def application(self) -> Starlette:
        routes = [Route("/sheet-to-bigquery", self._push, methods=["POST"])]
        if self._faulty:
            routes.append(Route("/faults", self._order, methods=["POST"]))
        return google_app(routes)

    async def _push(self, request: Request) -> Response:
        if refusal := self._gate.refusal(request):
            return refusal
        try:
            message_id, wanted = read_push(await request.body())
        except Refused as error:
            return PlainTextResponse(str(error), status_code=400)
        log.info("message %s began", message_id)
        answer = await self._answer(request, wanted)
        log.info("message %s ended with %s", message_id, answer.status_code)
        return answer

    async def _answer(self, request: Request, wanted: Wanted) -> Response:
        faults = self._faults
        await asyncio.sleep(faults.seconds)
        if faults.takes("failing"):
            return PlainTextResponse("Error processing message", status_code=faults.status)
        if faults.takes("hanging"):
            return await _until_nobody_waits(request)
        try:
            await run_in_threadpool(self._syncs.run, wanted)
        except Failed as error:
            log.warning("%s", error)
            return PlainTextResponse("Error processing message", status_code=500)
        if faults.takes("silent"):
            return await _until_nobody_waits(request)
        return PlainTextResponse("Data successfully loaded to BigQuery")

    async def _order(self, request: Request) -> Response:
        """Replaces what was ordered before."""
        try:
            self._faults = msgspec.json.decode(await request.body(), type=Faults)
        except msgspec.DecodeError as error:
            return PlainTextResponse(str(error), status_code=400)
        return JSONResponse(msgspec.to_builtins(self._faults))


async def _until_nobody_waits(request: Request) -> Response:
    while not await request.is_disconnected():
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    return PlainTextResponse("", status_code=499)
