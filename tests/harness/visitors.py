"""People who look at pages, as sockets without a browser: cheap enough for fifty of them beside what they look at."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

ANSWER_SECONDS = 60.0
"""A page that has not been drawn by then counts as unanswered."""
_AGAIN_SECONDS = 0.5
_ROUND = ("", "history", "compare", "history", "spend")
"""The pages that a visitor goes through, again and again."""


@dataclass(frozen=True)
class Run:
    """One page that somebody asked for: when (monotonic), and how many seconds passed until it was drawn."""

    page: str
    asked_at: float
    seconds: float
    attempts: int
    """How often it was asked for: more than once when the connection broke meanwhile."""


@dataclass
class Crowd:
    """`number` visitors at `url`, each of whom has a page run every `every` seconds, from `with` to its end.

    Each has a browser's cookies, and comes back when the connection breaks. `runs` are the pages that were drawn;
    `problems` counts what was drawn in place of one, and `unanswered` the pages that were not drawn in time.
    """

    url: str
    number: int
    every: float = 2.0
    runs: list[Run] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(default_factory=list)
    at: Counter[str] = field(default_factory=Counter)
    """How often a connection was made with each value of the cookie that holds a browser at its replica."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._all(),), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(ANSWER_SECONDS)
        self._loop.close()

    async def _all(self) -> None:
        visits = [asyncio.create_task(self._visit(place)) for place in range(self.number)]
        await self._done.wait()
        for visit in visits:
            visit.cancel()
        for ended in await asyncio.gather(*visits, return_exceptions=True):
            if isinstance(ended, Exception):
                self.problems[repr(ended)] += 1

    async def _visit(self, place: int) -> None:
        await asyncio.sleep(self.every * place / self.number)
        socket = None
        async with (
            httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10) as browser,
            AsyncExitStack() as stack,
        ):
            for number in itertools.count(place):
                page, asked_at = _ROUND[number % len(_ROUND)], time.monotonic()
                for attempt in itertools.count(1):
                    try:
                        async with asyncio.timeout(ANSWER_SECONDS):
                            if socket is None:
                                socket = await connected(browser)
                                self.at[browser.cookies.get("journey_replica", "")] += 1
                                stack.push_async_callback(socket.close)
                            self.problems.update(await drawn(socket, page))
                    except (OSError, httpx.HTTPError, WebSocketException):
                        socket = None
                        await stack.aclose()
                        if time.monotonic() > asked_at + ANSWER_SECONDS:
                            self.unanswered.append(page)
                            break
                        await asyncio.sleep(_AGAIN_SECONDS)
                    else:
                        self.runs.append(Run(page, asked_at, time.monotonic() - asked_at, attempt))
                        break
                await asyncio.sleep(max(0.0, asked_at + self.every - time.monotonic()))


async def connected(browser: httpx.AsyncClient) -> ClientConnection:
    """Load the page, and open its socket with the cookies that came with it, as a browser does."""
    (await browser.get("/")).raise_for_status()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return await connect(
        str(browser.base_url.copy_with(scheme="ws", path="/_stcore/stream")),
        origin=str(browser.base_url).rstrip("/"),  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Cookie": cookies},
        max_size=None,
        proxy=None,
        ping_interval=None,
    )


async def drawn(socket: ClientConnection, page: str, query: str = "") -> list[str]:
    """Ask for a page, with this query in its address, wait until all of it has come, and return what was wrong."""
    wish = BackMsg()
    wish.rerun_script.page_name = page
    wish.rerun_script.query_string = query
    wish.rerun_script.context_info.timezone = "UTC"
    await socket.send(wish.SerializeToString())
    problems = []
    while True:
        message = ForwardMsg.FromString(await socket.recv(decode=False))
        match message.WhichOneof("type"):
            case "delta" if message.delta.new_element.WhichOneof("type") == "exception":
                shown = message.delta.new_element.exception
                problems.append(f"{page}: {shown.type}: {shown.message}")
            case "delta" if "report the number" in message.delta.new_element.alert.body:
                problems.append(f"{page}: an error of ours")
            case "script_finished" if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return problems
            case "script_finished" if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                return [*problems, f"{page}: does not compile"]
