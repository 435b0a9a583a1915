"""The network between the bots and the exchange: latency, and whatever a fault does to a message.

The seam is the aiohttp session of the real ccxt client, so that its signing, parsing, timeouts and error
mapping run as they do in production. The far end is the venue's own ASGI application.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.simulation.calls import Answer, Call, Disturbance, Effect, kind_of
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Process
from tests.simulation.sockets import ClientSocket, Dialled

Delays = list[float]
MessageDisturbance = Callable[[ClientSocket, str], Iterable[float]]


class Network:
    """`disturbances` are asked for every request in turn; the first effect counts."""

    def __init__(self, loop: VirtualLoop, random: Random, now_ms: Callable[[], int]) -> None:
        self.loop, self._random, self._now_ms = loop, random, now_ms
        self.context: Context = copy_context()
        self.application: Any = None
        self.disturbances: list[Disturbance] = []
        self.message_disturbances: list[MessageDisturbance] = []
        self.watchers: list[Callable[[Call, str], None]] = []
        self.on_failure: Callable[[BaseException], None] = _raise
        self.is_down = False
        self.calls = 0
        self.sockets: list[ClientSocket] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def latency_s(self) -> float:
        """Return the time one way, drawn."""
        return self._random.uniform(0.002, 0.02)

    def session(self, process: Process) -> "Session":
        """Return what a ccxt client uses instead of an aiohttp session."""
        return Session(self, process)

    # --- requests ---------------------------------------------------------------------------------

    async def ask(
        self, process: Process, method: str, url: str, headers: Any, data: bytes | None, timeout_s: float
    ) -> Answer:
        """Return the reply. Raises what aiohttp raises."""
        process.check()
        call = self._call(process, method, url, headers, data)
        self._tell(call, "sent")
        process.check()
        effect = self._effect(call)
        if self.is_down or (effect and effect.kind == "no_route"):
            await asyncio.sleep(self.latency_s())
            raise aiohttp.ClientConnectorError(_key(url), socket.gaierror(-3, "name resolution failed"))
        reply: asyncio.Future[Answer] = self.loop.create_future()
        self._spawn(self._carry(call, effect, reply))
        async with asyncio.timeout(timeout_s):
            answer = await reply
        process.check()
        low = {name.lower(): value for name, value in answer.headers.items()}
        call.status, call.wait_s = answer.status, float(low.get("retry-after", 0.0))
        self._tell(call, "answered")
        process.check()
        if answer.status == 0:
            raise aiohttp.ServerDisconnectedError
        return answer

    async def _carry(self, call: Call, effect: Effect | None, reply: "asyncio.Future[Answer]") -> None:
        """Bring a request to the venue and its reply back; runs in the world, not in the bot."""
        kind = effect.kind if effect else ""
        delay_s = effect.delay_s if effect else 0.0
        await asyncio.sleep(self.latency_s() + (delay_s if kind == "slow" else 0.0))
        if kind == "lost":
            return
        if kind == "answered" and effect and effect.answer:
            answer = effect.answer
        else:
            answer = await self._arrive(call)
        if kind == "twice":
            await self._arrive(call)
        if effect is not None:
            answer = _disturbed(answer, effect)
        if kind == "reply_lost":
            return
        await asyncio.sleep(self.latency_s() + (delay_s if kind == "late" else 0.0))
        if not reply.done():
            reply.set_result(answer)

    async def _arrive(self, call: Call) -> Answer:
        self._tell(call, "arriving")
        answer = await self._served(call)
        self._tell(call, "arrived")
        return answer

    async def _served(self, call: Call) -> Answer:
        cut: list[bool] = []
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": call.method,
            "path": call.path,
            "raw_path": call.path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": call.query.encode(),
            "headers": [(k.lower().encode(), str(v).encode()) for k, v in call.headers.items()],
            "extensions": {"cut": lambda: cut.append(True)},
        }
        body = {"type": "http.request", "body": call.body.encode(), "more_body": False}

        async def receive() -> dict[str, Any]:
            return body

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        if cut or not sent:
            return Answer(0)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:]), headers)

    def _call(self, process: Process, method: str, url: str, headers: Any, data: bytes | None) -> Call:
        parts = urlsplit(url)
        body = (data or b"").decode()
        self.calls += 1
        kind = kind_of(method, parts.path, f"{parts.query}&{body}")
        sent = (method, parts.path, parts.query, body, dict(headers or {}))
        return Call(self.calls, process, *sent, kind, self._now_ms())

    def _effect(self, call: Call) -> Effect | None:
        for disturb in self.disturbances:
            effect = disturb(call)
            if effect is not None:
                return effect
        return None

    def _tell(self, call: Call, where: str) -> None:
        for watch in self.watchers:
            watch(call, where)

    def _spawn(self, work: Any) -> None:
        task = self.loop.create_task(work, context=self.context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        """Tell of a message that was lost because the world itself failed: no fault lost it."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.on_failure(error)

    # --- streams ----------------------------------------------------------------------------------

    def next_socket(self) -> int:
        """Return the number of a new connection."""
        return len(self.sockets)

    async def dial(self, process: Process, url: str) -> ClientSocket:
        """Return an open connection."""
        process.check()
        await asyncio.sleep(3.0 * self.latency_s())
        if self.is_down:
            raise aiohttp.ClientConnectorError(_key(url), socket.gaierror(-3, "name resolution failed"))
        made = ClientSocket(self, process, url)
        self.sockets.append(made)
        process.on_death.append(made.hang_up)
        self._spawn(made.talk(self.application))
        return made

    def is_reachable(self, connection: ClientSocket) -> bool:
        """Return whether a ping on this connection is answered."""
        return not self.is_down and not connection.closed

    def deliver(self, connection: ClientSocket, text: str) -> None:
        """Send a text to a client, as often and as late as the faults say."""
        if self.is_down:
            return
        delays: Iterable[float] = (0.0,)
        for disturb in self.message_disturbances:
            delays = disturb(connection, text)
        for delay_s in delays:
            connection.down.send(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, text, None), delay_s)

    def cut_streams(self) -> None:
        """Reset every connection."""
        for connection in self.sockets:
            if not connection.closed:
                connection.hang_up()


class Session:
    """The part of aiohttp's client session that ccxt uses."""

    closed = False

    def __init__(self, network: Network, process: Process) -> None:
        self._network, self._process = network, process
        self.headers: dict[str, str] = {}

    def get(self, url: Any, **options: Any) -> "_Request":
        return _Request(self._network, self._process, "GET", str(url), options)

    def post(self, url: Any, **options: Any) -> "_Request":
        return _Request(self._network, self._process, "POST", str(url), options)

    def put(self, url: Any, **options: Any) -> "_Request":
        return _Request(self._network, self._process, "PUT", str(url), options)

    def delete(self, url: Any, **options: Any) -> "_Request":
        return _Request(self._network, self._process, "DELETE", str(url), options)

    def ws_connect(self, url: str, **_: Any) -> Dialled:
        return Dialled(self._network, self._process, url)

    async def close(self) -> None:
        """Nothing is held."""


class _Request(AbstractAsyncContextManager["_Response"]):
    def __init__(
        self, network: Network, process: Process, method: str, url: str, options: dict[str, Any]
    ) -> None:
        self._network, self._process = network, process
        self._method, self._url, self._options = method, url, options

    async def __aenter__(self) -> "_Response":
        options = self._options
        total = options["timeout"].total
        answer = await self._network.ask(
            self._process, self._method, self._url, options["headers"], options["data"], total
        )
        return _Response(answer)

    async def __aexit__(self, *_: object) -> None:
        """The reply was read whole."""


class _Response:
    def __init__(self, answer: Answer) -> None:
        self.status, self.headers, self.content = answer.status, answer.headers, answer.body
        self.reason = ""

    async def text(self, errors: str = "strict") -> str:
        return self.content.decode(errors=errors)


def _disturbed(answer: Answer, effect: Effect) -> Answer:
    if effect.kind == "cut":
        return Answer(0)
    if effect.kind == "answered_after" and effect.answer:
        return effect.answer
    if effect.kind == "truncated":
        return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
    if effect.kind == "changed" and effect.change:
        return effect.change(answer)
    return answer


def _raise(error: BaseException) -> None:
    raise error


def _key(url: str) -> Any:
    from aiohttp.client_reqrep import ConnectionKey

    parts = urlsplit(url)
    return ConnectionKey(parts.hostname or "", parts.port, False, True, None, None, None)
