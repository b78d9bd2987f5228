"""Hops that let everything pass, and note which component made which API call."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.pubsub_v1.types import PublishRequest

from local.ports import HOST
from tests.faults.hops.hops import Hops
from tests.faults.hops.http import Exchange, HttpHop, Observe
from tests.faults.hops.rules import Rules
from tests.permissions.callers import NOBODY, OLDER_SERVICE, Callers
from tests.permissions.calls import APIS, call_of

FUNCTIONS = ("dispatch", "launch", "complete", "forward")
# What answers nobody but whom Cloud Run lets through.
INVOKED = (*FUNCTIONS, "service", "console")
PUBLISHER = "/google.pubsub.v1.Publisher/"
_caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller")


class Recorder(Hops):
    """Made before the system, whose `detour` it gives; `made` has each component's calls."""

    def __init__(self) -> None:
        super().__init__(0, self._note)
        self.made: set[tuple[str, str]] = set()
        self._callers = Callers()
        self._pubsub: grpc.Server | None = None

    def detour(self, name: str, port: int) -> int:
        if name == "pubsub":
            self.ports[name] = self._serve_pubsub(port)
        elif name in APIS or name in INVOKED:
            hop = self._hops[name] = _NotingHop(name, port, self._note, self._callers)
            self.ports[name] = self.run(hop.listen())
        return self.ports.get(name, port)

    def stop(self) -> None:
        if self._pubsub:
            self._pubsub.stop(grace=0).wait()
        super().stop()

    def _note(self, exchange: Exchange) -> None:
        name, request = exchange.hop.name, exchange.request
        if request.path in ("/", "/robots.txt") and request.method == "GET":
            return  # whether it serves already
        caller = _caller.get()
        if caller == NOBODY:
            return
        if name in INVOKED:
            # The test plays Cloud Scheduler, and who looks at the console; the pushes of Pub/Sub are the emulator's.
            played = "viewer" if name == "console" else "scheduler"
            identity = {"test": played, "emulator": f"push-{name}"}.get(caller, caller)
            self.made.add((identity, f"invoke {name}"))
        elif caller not in ("test", OLDER_SERVICE):  # who sets up and looks, and what is not ours
            call = call_of(name, request.method, request.path, request.body)
            # The functions look at jobs that another identity made: for one's own, nobody needs a permission.
            others = call == "bigquery.jobs.get" and caller in (*FUNCTIONS, "migration")
            self.made.add((caller, f"settling {call}" if others else call))

    def _serve_pubsub(self, port: int) -> int:
        channel = grpc.insecure_channel(f"{HOST}:{port}")
        self._pubsub = grpc.server(ThreadPoolExecutor(8), handlers=[_Passing(channel, self._note_publisher)])
        found = self._pubsub.add_insecure_port(f"{HOST}:0")
        self._pubsub.start()
        return found

    def _note_publisher(self, method: str, request: bytes, peer: str) -> None:
        caller = self._callers.name(int(peer.rpartition(":")[2]), self.ports["pubsub"])
        if caller in ("test", NOBODY):
            return  # set up, and people's messages by hand
        rpc = method.removeprefix(PUBLISHER)
        # Every request of the publisher that we make has the topic as its first field.
        topic = PublishRequest.deserialize(request).topic if rpc == "Publish" else ""
        self.made.add((caller, f"pubsub {rpc} {topic.rpartition('/')[2]}".strip()))


class _NotingHop(HttpHop):
    def __init__(self, name: str, target: int, observe: Observe, callers: Callers) -> None:
        super().__init__(name, target, Rules(0), observe)
        self._callers = callers

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Each connection is a task of its own, and has one request. Told at once: who has its answer hangs up.
        ports = (writer.get_extra_info(end)[1] for end in ("peername", "sockname"))
        _caller.set(self._callers.name(*ports))
        await super()._serve(reader, writer)


class _Passing(grpc.GenericRpcHandler):
    """Every unary call, as bytes, to the emulator and back."""

    def __init__(self, channel: grpc.Channel, note: Any) -> None:
        self._channel = channel
        self._note = note

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        call = self._channel.unary_unary(details.method)

        def pass_on(request: bytes, context: grpc.ServicerContext) -> bytes:
            self._note(details.method, request, context.peer())
            try:
                return bytes(call(request, timeout=30))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(pass_on)
