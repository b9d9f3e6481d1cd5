"""A small hosted JourneyAPI on a loopback socket: it counts charges and misbehaves on demand.

    with FakeHosted() as api:
        client = JourneyClient(api.key, api.url)
        api.script("upscale-2x-4x", Close.AFTER_READING)    # the next such call only
        api.always("fetch", flapping)                       # or by a rule, until told otherwise
        ...
        api.charges                                         # how many orders were accepted and charged
        api.finish(task_id)                                 # or api.fail(task_id, "…"), api.hold(task_id)

A task moves one step each time it is asked about, so nothing ever sleeps. Orders are checked by the rules
of the wire. After a scripted fault that comes once the request was read, the order is accepted and charged,
which is the worst case for a client; only a `Reply` answers in place of the API and charges nothing, unless
it says `accepted=True`.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import json
import socket
import threading
import urllib.parse
import urllib.request
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from PIL import Image

GRID_ID = "85h8-grid-0b1c-finished"
SINGLE_ID = "85h8-single-0b1c-finished"
STEPS: tuple[tuple[str, str | None], ...] = (
    ("staged", None),
    ("pending", "0"),
    ("starting", "0"),
    ("processing", "0"),
    ("processing", "50"),
    ("processing", "100"),
    ("finished", None),
)
"""Status and percentage at each observation of a task."""
CREDITS_PER_ORDER = 2
_MIRRORED = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)
PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"


class Close(Enum):
    """The connection is closed before a whole answer was sent."""

    BEFORE_READING = auto()
    AFTER_READING = auto()
    HALF_ANSWER = auto()
    """The headers promise the whole answer, but only half of its JSON comes."""


@dataclass(frozen=True)
class Hang:
    """The request is read and carried out, but the answer never comes."""


@dataclass(frozen=True)
class Drip:
    """The answer comes byte by byte, with `pause` seconds after each."""

    pause: float = 0.05


@dataclass(frozen=True)
class Late:
    """The usual answer, this many `seconds` late."""

    seconds: float


@dataclass(frozen=True)
class Reply:
    """An answer of any shape instead of the usual one. A `body` that is not bytes or text is sent as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = False


@dataclass(frozen=True)
class Change:
    """The usual JSON answer (status 200), changed on its way out."""

    change: Callable[[Any], Any]


Fault = Close | Hang | Drip | Late | Reply | Change | None
"""None is the usual answer."""


def web_page(status: int = 200) -> Reply:
    """What a proxy in front of the API says."""
    return Reply(status, PAGE, {"Content-Type": "text/html"})


def rate_limited(retry_after: str | None = None) -> Reply:
    """A 429, with a Retry-After header when one is given."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(429, {"errors": [{"msg": "Too many requests"}]}, headers)


def redirect(location: str, status: int = 302) -> Reply:
    """An answer that points elsewhere."""
    return Reply(status, b"", {"Location": location})


@functools.cache
def picture(width: int, height: int, image_format: str = "PNG") -> bytes:
    """A picture of exactly this size, with a different colour at every corner."""
    corners = Image.new("RGB", (2, 2))
    corners.putdata([(220, 60, 40), (40, 160, 90), (50, 80, 200), (240, 200, 60)])
    return _encoded(corners.resize((width, height), Image.Resampling.BILINEAR), image_format)


REFUSALS: dict[str, Reply] = {
    "empty object": Reply(400, {}),
    "errors": Reply(400, {"errors": [{"msg": "type is required"}, {"msg": "image_url is not reachable"}]}),
    "error": Reply(400, {"error": "image_url is not reachable"}),
    "message": Reply(400, {"message": "image_url is not reachable"}),
    "html": web_page(400),
    "empty": Reply(400, b""),
    "plain": Reply(400, "image_url is not reachable"),
    "array": Reply(400, [1, 2]),
    "null": Reply(400, "null"),
    "wrong types": Reply(400, {"errors": {"msg": 3}, "error": [None, {}], "message": 7}),
    "binary": Reply(400, bytes(range(256)) * 40),
    "deep": Reply(400, "[" * 200_000),
    "long": Reply(400, {"error": "x" * 200_000}),
}
"""Bodies that a 400 may have."""

NO_TASK_ID: dict[str, Reply] = {
    "missing": Reply(200, {}, accepted=True),
    "null": Reply(200, {"task_id": None}, accepted=True),
    "empty": Reply(200, {"task_id": ""}, accepted=True),
    "number": Reply(200, {"task_id": 17}, accepted=True),
    "10 KB": Reply(200, {"task_id": "a" * 10_240}, accepted=True),
    "list": Reply(200, ["994c2844"], accepted=True),
    "no body": Reply(200, b"", accepted=True),
    "204": Reply(204, b"", accepted=True),
    "web page": Reply(200, PAGE, {"Content-Type": "text/html"}, accepted=True),
}
"""Answers to an accepted order that do not tell a usable task id."""


def without(*names: str) -> Change:
    """The answer with these fields left out."""
    return Change(lambda answer: {name: value for name, value in answer.items() if name not in names})


def with_fields(**fields: Any) -> Change:
    """The answer with these fields replaced."""
    return Change(lambda answer: {**answer, **fields})


def each_task(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """An answer about one task or about many, with each task changed on its way out."""

    def changed(answer: dict[str, Any]) -> dict[str, Any]:
        if "tasks" in answer:
            return {"tasks": [change(task) for task in answer["tasks"]]}
        return change(answer)

    return Change(changed)


ODD_TASKS: dict[str, Change] = {
    "task_type of a 1x": with_fields(task_type="upscale#1"),
    "other task_type of a 1x": with_fields(task_type="upscale-1x"),
    "no percentage": without("percentage"),
    "percentage 100": with_fields(percentage="100"),
    "percentage as a number": with_fields(percentage=42),
    "percentage with a sign": with_fields(percentage="42%"),
    "senseless percentage": with_fields(percentage="soon"),
    "no model": without("model"),
    "no model, no task_type": without("model", "task_type"),
    "nulls": with_fields(model=None, percentage=None, error=None, image_urls=None),
    "more than is known": with_fields(eta=3, nested={"a": [1]}),
    "status in capitals": Change(lambda answer: {**answer, "status": str(answer["status"]).upper()}),
}
"""Harmless variants of a task answer: none of them changes what the task's status means."""


@dataclass
class FakeTask:
    """A task as the fake knows it. `scale` is 1 for a task that upscales nothing."""

    task_id: str
    task_type: str
    key: str = ""
    order: Mapping[str, Any] = field(default_factory=dict)
    source: bytes = b""
    scale: int = 1
    grid: bool = False
    step: int = 0
    held: bool = False
    error: str | None = None
    size: tuple[int, int] | None = None
    """Width and height of the result in pixels, when they are not `scale` times the source's."""
    holes: Mapping[str, Any] = field(default_factory=dict)
    """What stands in a grid's places that have no picture, by their index."""


@dataclass(frozen=True)
class Call:
    """One request that was read. `body` is the JSON, or None."""

    method: str
    endpoint: str
    headers: Mapping[str, str]
    body: Any


class FakeHosted:
    """The fake. Its listener is open between `start` and `stop`, or within `with`.

    `key` is accepted and may be changed while it runs. `credits` go down by 2 with every order; an order
    that they do not cover is answered 402. `steps` is the life of a task; `STEPS[-1:]` finishes at once.
    """

    def __init__(
        self,
        *,
        key: str = "test-key-0123456789",
        credits: int = 12_000,  # noqa: A002 - the word of the wire
        steps: tuple[tuple[str, str | None], ...] = STEPS,
        port: int = 0,
    ) -> None:
        self.key = key
        self.credits = credits
        self.steps = steps
        self.charges = 0
        self.calls: list[Call] = []
        self.connections = 0
        self.tasks: dict[str, FakeTask] = {
            GRID_ID: FakeTask(GRID_ID, "imagine", key, source=picture(64, 48), grid=True, step=len(steps)),
            SINGLE_ID: FakeTask(SINGLE_ID, "upscale-1x", key, source=picture(64, 48), step=len(steps)),
        }
        self._scripts: dict[str, deque[Fault]] = defaultdict(deque)
        self._rules: dict[str, Callable[[int], Fault]] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        self._closing.clear()
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on, and end the open ones. Tasks and counts are kept."""
        self._closing.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.end_connections()
            self._server.server_close()
            self._server = None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"{self.origin}/api/v1"

    def picture_url(self, width: int = 64, height: int = 48) -> str:
        """The URL of a picture of this size, served by the fake itself."""
        return f"{self.origin}/source/{width}x{height}.png"

    def script(self, endpoint: str, *faults: Fault) -> None:
        """Set what happens to the next calls of an endpoint, one fault for each. Pictures are the endpoint "cdn"."""
        with self._lock:
            self._scripts[endpoint].extend(faults)

    def unscript(self) -> None:
        """Forget the faults that no call has met."""
        with self._lock:
            self._scripts.clear()

    def always(self, endpoint: str, rule: Fault | Callable[[int], Fault]) -> None:
        """Set what happens to every call without a script: a fault, or a function of the call's number (from 1)."""
        with self._lock:
            self._rules[endpoint] = rule if callable(rule) else lambda _: rule

    def finish(self, task_id: str, *, size: tuple[int, int] | None = None) -> None:
        """Let the task be finished from now on, with a result of `size` in pixels if it is given."""
        with self._lock:
            task = self.tasks[task_id]
            task.step, task.held, task.size, task.error = len(self.steps), False, size, None

    def fail(self, task_id: str, error: str = "Internal error") -> None:
        """Let the task be failed from now on."""
        with self._lock:
            self.tasks[task_id].error = error

    def hold(self, task_id: str, step: int = 0) -> None:
        """Keep the task at a step, however often it is asked about."""
        with self._lock:
            self.tasks[task_id].step, self.tasks[task_id].held = step, True

    def leave_out(self, task_id: str, **holes: Any) -> None:
        """Let places of a grid have no picture but this: `leave_out(GRID_ID, _2=None)`."""
        with self._lock:
            self.tasks[task_id].holes = {index.removeprefix("_"): hole for index, hole in holes.items()}

    def calls_to(self, endpoint: str) -> list[Call]:
        """The calls of one endpoint so far."""
        with self._lock:
            return [call for call in self.calls if call.endpoint == endpoint]

    def deliver(self, task_id: str, *, secret: str | None = None) -> int:
        """POST the task's state to the webhook_url of its order, once. Returns the status of the answer.

        The header x-webhook-secret is the order's secret unless another one is given.
        """
        with self._lock:
            task = self.tasks[task_id]
            payload = self._state(task)
            payload.pop("model", None)
        url = urllib.parse.urlsplit(task.order["webhook_url"])
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=10)
        sent = secret if secret is not None else task.order.get("webhook_secret")
        try:
            connection.request(
                "POST",
                f"{url.path or '/'}{'?' + url.query if url.query else ''}",
                json.dumps(payload),
                {"Content-Type": "application/json"} | ({} if sent is None else {"x-webhook-secret": sent}),
            )
            return connection.getresponse().status
        finally:
            connection.close()

    # What the server's threads call.

    def next_fault(self, endpoint: str) -> Fault:
        with self._lock:
            self._counts[endpoint] += 1
            if self._scripts[endpoint]:
                return self._scripts[endpoint].popleft()
            rule = self._rules.get(endpoint)
            return rule(self._counts[endpoint]) if rule else None

    def answer(self, call: Call) -> Reply:
        """The usual answer to a call of the API."""
        methods = {"upscale-2x-4x": "POST", "fetch": "POST", "fetch-many": "POST", "account": "GET"}
        if call.endpoint not in methods:
            return Reply(404, {})
        if call.method != methods[call.endpoint]:
            return Reply(405, {})
        with self._lock:
            if call.headers.get("authorization") != self.key:
                return Reply(401, {})
        if call.endpoint == "account":
            with self._lock:
                done = sum(task.step >= len(self.steps) for task in self.tasks.values())
                account = {"email": "a@example.com", "credits": self.credits, "total_images": done, "plan": "starter"}
            return Reply(200, account)
        if not isinstance(call.body, dict):
            return _refusal("The body must be a JSON object")
        if call.endpoint == "upscale-2x-4x":
            return self._order(call.body)
        return self._fetch(call.body) if call.endpoint == "fetch" else self._fetch_many(call.body)

    def _order(self, body: dict[str, Any]) -> Reply:
        if problems := _problems(body):
            return _refusal(*problems)
        if reference := body.get("reference"):  # as the engine does, where the fake stands for it
            with self._lock:
                for task in self.tasks.values():
                    if task.order.get("reference") == reference:
                        return Reply(200, {"task_id": task.task_id}, accepted=True)
        parent_id, index = body.get("parent_task_id"), body.get("index")
        if parent_id is not None:
            with self._lock:
                parent = self.tasks.get(parent_id)
                if parent is None:
                    return _refusal("parent_task_id: no such task")
                if parent.error is not None or parent.step < len(self.steps) - 1:
                    return _refusal("parent_task_id: the task is not finished")
                if parent.grid and index is None:
                    return _refusal("index: the parent is a grid, so say which picture")
                if parent.grid and index in parent.holes:
                    return _refusal(f"index: there is no picture {index}")
                source = self.result(parent, place=int(index) - 1 if parent.grid and index else 0) or b""
        else:
            source = _source(body["image_url"])
        with self._lock:
            if self.credits < CREDITS_PER_ORDER:
                return Reply(402, {"error": "Not enough credits"})
            self.credits -= CREDITS_PER_ORDER
            self.charges += 1
            task_id = f"85h8-{uuid.uuid4().hex[:12]}"
            scale = int(body["type"][0])
            self.tasks[task_id] = FakeTask(
                task_id, f"upscale-{scale}x", self.key, order=dict(body), source=source, scale=scale
            )
            if not _is_picture(source):
                self.tasks[task_id].error = "The picture at image_url cannot be read"
        return Reply(200, {"task_id": task_id}, accepted=True)

    def _fetch(self, body: dict[str, Any]) -> Reply:
        task_id = body.get("task_id")
        if not isinstance(task_id, str) or not task_id:
            return _refusal("task_id: is required")
        with self._lock:
            if task_id not in self.tasks:
                return Reply(404, {"errors": [{"msg": "Task not found"}]})
            return Reply(200, self._observed(self.tasks[task_id]))

    def _fetch_many(self, body: dict[str, Any]) -> Reply:
        ids = body.get("task_ids")
        if not isinstance(ids, list) or not all(isinstance(task_id, str) for task_id in ids) or not 2 <= len(ids) <= 20:
            return _refusal("task_ids: 2 to 20 ids are required")
        with self._lock:
            known = [self.tasks[task_id] for task_id in ids if task_id in self.tasks]
            return Reply(200, {"tasks": [self._observed(task) for task in known]})

    def _observed(self, task: FakeTask) -> dict[str, Any]:
        state = self._state(task)
        if not task.held and task.error is None:
            task.step += 1
        return state

    def _state(self, task: FakeTask) -> dict[str, Any]:
        """The documented answer about a task."""
        status, percentage = self.steps[min(task.step, len(self.steps) - 1)]
        common = {"task_id": task.task_id, "task_type": task.task_type, "model": "midjourney"}
        if task.error is not None:
            return {**common, "status": "failed", "error": task.error}
        if status != "finished":
            return {**common, "status": status} | ({} if percentage is None else {"percentage": percentage})
        cdn = f"{self.origin}/cdn/{task.task_id}"
        if task.grid:
            return {
                **common,
                "status": status,
                "percentage": "100",
                "original_image_url": f"{cdn}.png",
                "image_urls": [task.holes.get(str(place + 1), f"{cdn}_{place}.png") for place in range(4)],
            }
        return {**common, "status": status, "image_url": f"{cdn}.png"}

    def result(self, task: FakeTask, place: int = 0) -> bytes | None:
        """The result picture: the source enlarged by nearest neighbour, to `scale` times its size or to `size`.

        In the other places of a grid it is mirrored, each time in another way.
        """
        try:
            source = Image.open(io.BytesIO(task.source)).convert("RGB")
        except OSError:
            return None
        size = task.size or (source.width * task.scale, source.height * task.scale)
        if place:
            source = source.transpose(_MIRRORED[place - 1])
        return _encoded(source.resize(size, Image.Resampling.NEAREST), "PNG")

    def stored_picture(self, path: str) -> bytes | None:
        """The bytes behind /source/… and /cdn/…"""
        folder, _, name = path.strip("/").partition("/")
        stem = name.removesuffix(".png")
        if folder == "source":
            width, _, height = stem.partition("x")
            return picture(int(width), int(height)) if width.isdigit() and height.isdigit() else None
        with self._lock:
            if task := self.tasks.get(stem):
                return self.result(task)
            task_id, _, place = stem.rpartition("_")
            return self.result(self.tasks[task_id], int(place)) if task_id in self.tasks else None

    def note(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    @property
    def closing(self) -> threading.Event:
        return self._closing


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: FakeHosted) -> None:
        self.api = api
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
            self.api.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: a client that went away is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        # Only peek at the request: closing before reading must leave it unread.
        start = self.connection.recv(200, socket.MSG_PEEK)
        words = start.split(b" ", 2)
        self._fault = self.server.api.next_fault(_endpoint(words[1].decode("latin-1"))) if len(words) > 2 else None
        if self._fault is Close.BEFORE_READING:
            self._abort()
            return
        super().handle_one_request()

    def do_POST(self) -> None:
        self._serve()

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - the names are the base class's

    def _serve(self) -> None:
        api, fault = self.server.api, self._fault
        endpoint = _endpoint(self.path)
        call = Call(self.command, endpoint, {k.lower(): v for k, v in self.headers.items()}, self._body())
        api.note(call)
        if isinstance(fault, Reply):
            if fault.accepted:
                api.answer(call)
            self._send(fault)
            return
        reply = self._picture() if endpoint == "cdn" else api.answer(call)
        match fault:
            case Close.AFTER_READING:
                self._abort()
            case Close.HALF_ANSWER:
                self._send(reply, part=0.5)
                self._abort()
            case Hang():
                self._until_gone()
            case Drip(pause):
                self._send(reply, pause=pause)
            case Late(seconds):
                api.closing.wait(seconds)
                self._send(reply)
            case Change(change) if reply.status == 200:
                self._send(Reply(200, change(reply.body)))
            case _:
                self._send(reply)

    def _body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None

    def _picture(self) -> Reply:
        data = self.server.api.stored_picture(urllib.parse.urlsplit(self.path).path)
        return Reply(404, PAGE) if data is None else Reply(200, data, {"Content-Type": "image/png"})

    def _send(self, reply: Reply, *, part: float = 1.0, pause: float = 0.0) -> None:
        body = reply.body
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers}
        headers.setdefault("Date", self.date_time_string())
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not pause:
            self.wfile.write(body[: int(len(body) * part)])
            return
        for position in range(len(body)):
            self.wfile.write(body[position : position + 1])
            if self.server.api.closing.wait(pause):
                break

    def _until_gone(self) -> None:
        """Wait until the client or the fake gives up; nothing more is expected to come."""
        with contextlib.suppress(OSError):
            while self.connection.recv(1024):
                pass
        self.close_connection = True

    def _abort(self) -> None:
        """Close the connection; the system resets it by itself when bytes are unread."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Tests read `calls` instead."""


def _endpoint(path: str) -> str:
    path = urllib.parse.urlsplit(path).path
    return path.removeprefix("/api/v1/") if path.startswith("/api/v1/") else "cdn"


def _problems(body: Mapping[str, Any]) -> list[str]:
    """One sentence for each rule of the wire that an order breaks."""
    problems = [
        f"{name}: must be a string"
        for name in ("parent_task_id", "image_url", "webhook_url", "webhook_secret")
        if body.get(name) is not None and (not isinstance(body[name], str) or not body[name])
    ]
    if (body.get("parent_task_id") is None) == (body.get("image_url") is None):
        problems.append("parent_task_id, image_url: exactly one is required")
    if body.get("type") not in ("2x", "4x"):
        problems.append('type: must be "2x" or "4x"')
    if body.get("index") not in (None, "1", "2", "3", "4"):
        problems.append('index: must be "1" to "4"')
    return problems


def _refusal(*problems: str) -> Reply:
    return Reply(400, {"errors": [{"msg": problem} for problem in problems]})


def _source(url: str) -> bytes:
    """The picture at a loopback URL. Any other URL stands for 64 × 48 pixels and is never asked for."""
    host = urllib.parse.urlsplit(url).hostname or ""
    if not host.startswith("127.") and host != "localhost":
        return picture(64, 48)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


def _is_picture(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).verify()
    except (OSError, SyntaxError):
        return False
    return True


def _encoded(image: Image.Image, image_format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format)
    return file.getvalue()
