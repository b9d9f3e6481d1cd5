"""The stand-in for the hosted JourneyAPI: tasks, an account that is charged, and faults."""

from __future__ import annotations

import io
import random
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from journey.errors import JourneyError
from journey.outside.door import Door
from journey.testing import named_faults
from journey.testing.calls import Call, is_here, problems, refusal
from journey.testing.faults import Fault, Late, Reply, rate_limited
from journey.testing.named_faults import CALLS, HEADER, Named, TooMany
from journey.testing.pictures import enlarged, picture, problem
from journey.testing.server import Server
from journey.testing.tasks import GRID_ID, SINGLE_ID, STEPS, Fate, StandInTask, Steps
from journey.testing.webhooks import Delivery, Webhook, Webhooks, send

CREDITS_PER_ORDER = 2
_MOST_BYTES = 50_000_000
_MOST_CALLS = 10_000
_SECONDS_PER_TASK = (4.0, 12.0)
"""The shortest and the longest 2x at speed 1; a 4x takes twice as long. Documented is only that it is slower."""


class StandIn:
    """A small JourneyAPI on a loopback port, with an account that is charged, and with faults.

        with StandIn() as api:
            client = JourneyClient(api.key, api.url)
            api.script("upscale-2x-4x", Close.AFTER_READING)    # the next such call only
            api.always("fetch", rate_limited("1"))              # or by a rule, until told otherwise
            ...
            api.charges                                         # how many orders were accepted and charged
            api.finish(task_id)                                 # or api.fail(task_id, "…"), api.hold(task_id)

    Without a `speed` nothing moves by itself: a task goes one step on each time it is asked about, and `deliver` sends
    its webhook. With one a task takes seconds by the `clock` (monotonic), 4 to 12 at speed 1 and half of that at
    speed 2, and webhooks are sent and tried again as documented, that much faster too. With a `seed` the ids and the
    times are the same every time.

    Orders are checked by the rules of the wire, and each takes 2 of the `credits`; 402 when they are used up. Pictures
    and receivers of webhooks are looked for on this machine only: any other address stands for a picture of 64 × 48
    pixels, or for a receiver that does not answer. After a scripted fault that comes once the request was read,
    the order is accepted and charged, which is the worst case for a client; only a `Reply` charges nothing, unless it
    says `accepted=True`.

    `key` may be changed while it runs. `steps` is the life of a task; `STEPS[-1:]` finishes at once.
    """

    def __init__(
        self,
        *,
        key: str = "test-key-0123456789",
        credits: int = 12_000,  # noqa: A002 - the word of the wire
        steps: Steps = STEPS,
        port: int = 0,
        seed: int | None = None,
        speed: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed is not None and not 0 < speed < float("inf"):
            raise ValueError("speed: must be above 0")
        self.key = key
        self.credits = credits
        self.steps = steps
        self.charges = 0
        self.calls: list[Call] = []
        self.connections = 0
        self.closing = threading.Event()
        self.tasks: dict[str, StandInTask] = {
            GRID_ID: StandInTask(GRID_ID, "imagine", key, source=picture(64, 48), grid=True, step=len(steps)),
            SINGLE_ID: StandInTask(SINGLE_ID, "upscale-1x", key, source=picture(64, 48), step=len(steps)),
        }
        self._speed = speed
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - ids and times, no secrets
        self._door = Door(["127.0.0.0/8", "::1"])
        self._scripts: dict[str, deque[Fault]] = defaultdict(deque)
        self._rules: dict[str, Callable[[int], Fault]] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self._refused: dict[Named, int] = defaultdict(int)
        self._lock = threading.RLock()
        self._owed: dict[str, StandInTask] = {}
        self.webhooks = Webhooks(self._door, clock, speed=speed or 1.0, ended=self._plan_webhooks)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; after a `stop`, on the same port as before. Raises OSError when the port is taken."""
        self.closing.clear()
        self._server = Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        if self._speed:
            self.webhooks.start()

    def stop(self) -> None:
        """Refuse connections from now on, and end the open ones. Tasks and counts are kept."""
        self.closing.set()
        self.webhooks.stop()
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

    @property
    def spent(self) -> int:
        """Credits that were charged so far."""
        return CREDITS_PER_ORDER * self.charges

    @property
    def deliveries(self) -> list[Delivery]:
        """The webhooks that it sent by itself so far, and how each was answered."""
        return list(self.webhooks.deliveries)

    def picture_url(self, width: int = 64, height: int = 48) -> str:
        """The URL of a picture of this size in pixels, served by the stand-in itself."""
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

        The header x-webhook-secret is the order's secret unless another one is given. Raises JourneyError when no
        answer came.
        """
        with self._lock:
            webhook = self._webhook(self.tasks[task_id])
        return send(self._door, webhook if secret is None else replace(webhook, secret=secret))

    # What the server's threads call.

    def next_fault(self, endpoint: str) -> Fault:
        """What the next call of this endpoint meets, by script or rule."""
        with self._lock:
            self._counts[endpoint] += 1
            if self._scripts[endpoint]:
                return self._scripts[endpoint].popleft()
            rule = self._rules.get(endpoint)
            return rule(self._counts[endpoint]) if rule else None

    def fault_asked_for(self, call: Call) -> Fault:
        """What this call meets because its header or its key asks for it."""
        named = self._named(call)
        words = call.headers.get(HEADER)
        if words and call.endpoint in CALLS and named is None:
            return refusal(named_faults.problem(words))
        if named is None or named.call != call.endpoint or isinstance(named.meaning, Fate):
            return None
        match named.meaning:
            case TooMany(calls):
                with self._lock:
                    self._refused[named] += 1
                    is_refused = self._refused[named] % (calls + 1) > 0
                return rate_limited(str(round(1 / (self._speed or 1.0)))) if is_refused else None
            case Late(seconds):
                return Late(seconds / (self._speed or 1.0))
            case fault:
                return fault

    def _named(self, call: Call) -> Named | None:
        if words := call.headers.get(HEADER):
            return named_faults.read(words)
        return named_faults.read_key(call.headers.get("authorization", ""))

    def _is_known(self, key: str) -> bool:
        return key == self.key or named_faults.read_key(key) is not None

    def answer(self, call: Call) -> Reply:
        """The usual answer to a call of the API."""
        if call.endpoint not in CALLS:
            return Reply(404, {})
        if call.method != CALLS[call.endpoint]:
            return Reply(405, {})
        with self._lock:
            if not self._is_known(call.headers.get("authorization", "")):
                return Reply(401, {})
            if call.endpoint == "account":
                done = sum(self._moved(task).is_finished(self.steps) for task in self.tasks.values())
                account = {"email": "a@example.com", "credits": self.credits, "total_images": done, "plan": "starter"}
                return Reply(200, account)
        if not isinstance(call.body, dict):
            return refusal("The body must be a JSON object")
        if call.endpoint == "upscale-2x-4x":
            named = self._named(call)
            return self._order(call.body, named.meaning if named and isinstance(named.meaning, Fate) else Fate())
        return self._fetch(call.body) if call.endpoint == "fetch" else self._fetch_many(call.body)

    def _order(self, body: dict[str, Any], fate: Fate) -> Reply:
        if found := problems(body):
            return refusal(*found)
        if reference := body.get("reference"):  # as the engine does, where a test has the stand-in in its place
            with self._lock:
                for task in self.tasks.values():
                    if task.order.get("reference") == reference:
                        return Reply(200, {"task_id": task.task_id}, accepted=True)
        if body.get("parent_task_id") is None:
            source = self._source(body["image_url"])
        else:
            with self._lock:
                picked = self._picture_of_parent(body["parent_task_id"], body.get("index"))
            if isinstance(picked, Reply):
                return picked
            source = picked
        with self._lock:
            if self.credits < CREDITS_PER_ORDER:
                return Reply(402, {"error": "Not enough credits"})
            self.credits -= CREDITS_PER_ORDER
            self.charges += 1
            scale = int(body["type"][0])
            task = StandInTask(
                f"85h8-{self._random.randrange(16**12):012x}",
                f"upscale-{scale}x",
                self.key,
                order=dict(body),
                source=source,
                scale=scale,
                error=problem(source, scale),
                fate=fate,
                begun=self._clock(),
                seconds=self._random.uniform(*_SECONDS_PER_TASK) * (scale // 2) / (self._speed or 1.0),
            )
            self.tasks[task.task_id] = task
            if body.get("webhook_url") and self._speed:
                self._owed[task.task_id] = task
        return Reply(200, {"task_id": task.task_id}, accepted=True)

    def _picture_of_parent(self, parent_id: str, index: str | None) -> bytes | Reply:
        parent = self.tasks.get(parent_id)
        if parent is None:
            return refusal("parent_task_id: no such task")
        if not self._moved(parent).is_finished(self.steps):
            return refusal("parent_task_id: the task is not finished")
        if parent.grid and index is None:
            return refusal("index: the parent is a grid, so say which picture")
        if parent.grid and index in parent.holes:
            return refusal(f"index: there is no picture {index}")
        return self.result(parent, place=int(index) - 1 if parent.grid and index else 0) or b""

    def _source(self, url: str) -> bytes:
        """The picture at an address of this machine. Any other stands for 64 × 48 pixels and is never asked for."""
        if not is_here(url):
            return picture(64, 48)
        into = io.BytesIO()
        try:
            self._door.get(url, max_bytes=_MOST_BYTES, into=into)
        except JourneyError:
            return b""
        return into.getvalue()

    def _fetch(self, body: dict[str, Any]) -> Reply:
        task_id = body.get("task_id")
        if not isinstance(task_id, str) or not task_id:
            return refusal("task_id: is required")
        with self._lock:
            if task_id not in self.tasks:
                return Reply(404, {"errors": [{"msg": "Task not found"}]})
            return Reply(200, self._observed(self.tasks[task_id]))

    def _fetch_many(self, body: dict[str, Any]) -> Reply:
        ids = body.get("task_ids")
        if not isinstance(ids, list) or not all(isinstance(task_id, str) for task_id in ids) or not 2 <= len(ids) <= 20:
            return refusal("task_ids: 2 to 20 ids are required")
        with self._lock:
            known = [self.tasks[task_id] for task_id in ids if task_id in self.tasks]
            return Reply(200, {"tasks": [self._observed(task) for task in known if not task.fate.is_omitted]})

    def _moved(self, task: StandInTask) -> StandInTask:
        """The task, as far as the clock has brought it."""
        if self._speed and task.seconds and not task.held:
            last = len(self.steps) - 1
            by_now = min(last, int(last * (self._clock() - task.begun) / task.seconds))
            task.step = max(task.step, by_now)
        return task

    def _observed(self, task: StandInTask) -> dict[str, Any]:
        said = self._moved(task).said(self.steps, self.origin)
        if not self._speed and not task.held and task.error is None:
            task.step += 1
        return said

    def _webhook(self, task: StandInTask) -> Webhook:
        said = self._moved(task).said(self.steps, self.origin)
        said.pop("model", None)
        return Webhook(task.task_id, task.order["webhook_url"], task.order.get("webhook_secret"), said)

    def _plan_webhooks(self) -> None:
        """Plan the webhooks of the tasks that have ended since the last look."""
        with self._lock:
            ended = [task for task in self._owed.values() if self._moved(task).is_over(self.steps)]
            for task in ended:
                del self._owed[task.task_id]
                for _ in range(task.fate.webhook_copies):
                    self.webhooks.plan(self._webhook(task), delay=task.fate.webhook_delay)

    def result(self, task: StandInTask, place: int = 0) -> bytes | None:
        """The result picture, or that of a place of a grid; None when the source is no picture."""
        return enlarged(task.source, task.scale, size=task.size, place=place)

    def stored_picture(self, path: str) -> bytes | None:
        """The bytes behind /source/… and /cdn/…; None when there are none."""
        folder, _, name = path.strip("/").partition("/")
        stem = name.removesuffix(".png")
        if folder == "source":
            width, _, height = stem.partition("x")
            is_size = re.fullmatch(r"[1-9]\d{0,3}x[1-9]\d{0,3}", stem)
            return picture(int(width), int(height)) if is_size else None
        with self._lock:
            if task := self.tasks.get(stem):
                return self.result(task)
            task_id, _, place = stem.rpartition("_")
            is_place = task_id in self.tasks and place in ("0", "1", "2", "3")
            return self.result(self.tasks[task_id], int(place)) if is_place else None

    def has_expired(self, path: str) -> bool:
        """True when the result address with this path was asked to answer no more."""
        with self._lock:
            task = self.tasks.get(path.rpartition("/")[2].removesuffix(".png"))
            return task is not None and task.fate.is_expired

    def note(self, call: Call) -> None:
        """Remember a call that was read."""
        with self._lock:
            self.calls.append(call)
            del self.calls[:-_MOST_CALLS]
