"""The client of the JourneyAPI wire, for the hosted service and for the embedded engine alike."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, cast

import httpx

from journey.api.answers import ANSWER_LIMIT, Answer, error_in
from journey.api.arguments import UpscaleFields, check_ids, check_seconds, checked_key, chunks, order
from journey.api.errors import (
    GatewayRefused,
    NotSent,
    RateLimited,
    ServerError,
    TaskFailed,
    TaskNotFound,
    Untrusted,
    WaitTimeout,
    WrongAddress,
)
from journey.api.models import HOSTED_URL, Account, Task, TaskStatus, UpscaleRequest, usable_id
from journey.errors import InvalidRequest, JourneyError, one_line
from journey.outside.addresses import is_loopback
from journey.outside.agent import user_agent

if TYPE_CHECKING:
    from journey.outside.proxies import Proxy

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
LONGEST_TIMEOUT = 86_400.0
"""Seconds. Operating systems cannot count much more."""
_FAULTY_POLLS = 10  # in a row, before wait() gives up
_USUAL_PATH = httpx.URL(HOSTED_URL).path

T = TypeVar("T")


class JourneyClient:
    """Talks to one API with one key. Can be used from several threads, and as a context manager.

    `base_url` is the hosted JourneyAPI or an embedded engine. A call is tried up to `attempts` times
    within `retry_for` seconds: an upscale is repeated only when it is proven that nothing was accepted,
    any other call after any passing fault. One exchange with the server takes at most `timeout` seconds in all.
    `contact` is added to the User-Agent. `transport`, `clock` (monotonic seconds) and `sleep` can be replaced.
    Assigning `api_key` changes the key from the next call on. With `proxies` a server beyond this machine is reached
    through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name when the client is made.

    Every method may raise AuthenticationFailed, RateLimited, NotSent, Untrusted and ServerError, and
    InvalidRequest when an argument or the key cannot be right; nothing is sent then.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = HOSTED_URL,
        *,
        contact: str | None = None,
        proxies: bool = True,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 30.0,
        attempts: int = 3,
        retry_for: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if not isinstance(attempts, int) or attempts < 1:
            raise InvalidRequest("attempts: must be a whole number, at least 1")
        check_seconds("timeout", timeout, least=0.001, most=LONGEST_TIMEOUT)
        check_seconds("retry_for", retry_for)
        self.api_key = api_key
        self.base_url = _checked_base(base_url)
        self._proxy: Proxy | None = None
        self._attempts = attempts
        self._retry_for = retry_for
        self._clock = clock
        self._sleep = sleep
        if transport is None:
            # Only here: httpx as well imports httpcore no sooner than a client is made.
            from journey.outside.proxies import proxy_for
            from journey.outside.transport import Transport

            self._proxy = proxy_for(self.base_url) if proxies else None
            transport = Transport(deadline_seconds=timeout, connect_timeout=CONNECT_SECONDS, proxy=self._proxy)
        self._http = _http_client(transport, timeout, user_agent(contact))

    def __repr__(self) -> str:
        return f"JourneyClient(base_url={self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections. The client cannot be used afterwards."""
        self._http.close()

    def upscale(self, request: UpscaleRequest | None = None, /, **fields: Unpack[UpscaleFields]) -> str:
        """Order an upscale (2 credits on the hosted API) and return its task id.

        Takes the fields of the wire, or a ready `UpscaleRequest`. Raises InvalidRequest when the API
        refuses the order, InsufficientCredits when the account cannot pay, WrongAddress when the server does
        not know this call, and Ambiguous when the order may have been accepted although no task id came back:
        the client never sends such an order again.
        """
        request = order(request, fields)
        return self._call("POST", "upscale-2x-4x", request.wire(), _task_id, paid=True)

    def fetch(self, task_id: str) -> Task:
        """Ask for one task. Raises TaskNotFound when the API does not know it."""
        return self._fetch(task_id, self._attempts)

    def _fetch(self, task_id: str, attempts: int) -> Task:
        check_ids([task_id])

        def read(answer: object) -> Task:
            task = Task.from_wire(answer)
            if task.task_id != task_id:
                raise ValueError("the answer is about another task")
            return task

        return self._call("POST", "fetch", {"task_id": task_id}, read, by_id=True, attempts=attempts)

    def fetch_many(self, task_ids: Iterable[str]) -> list[Task]:
        """Ask for any number of tasks. Each is listed once, in the order asked for; unknown ones are left out."""
        wanted = list(dict.fromkeys([task_ids] if isinstance(task_ids, str) else task_ids))
        check_ids(wanted)
        found: dict[str, Task] = {}
        for ids in chunks(wanted):
            if len(ids) == 1:
                try:
                    tasks = [self.fetch(ids[0])]
                except TaskNotFound:
                    tasks = []
            else:
                tasks = self._call("POST", "fetch-many", {"task_ids": ids}, _tasks)
            found.update((task.task_id, task) for task in tasks)
        return [found[task_id] for task_id in wanted if task_id in found]

    def account(self) -> Account:
        """Ask who the key belongs to and how many credits are left."""
        return self._call("GET", "account", None, Account.from_wire)

    def cancel(self, task_id: str) -> None:
        """Stop a task of the embedded engine; it ends as failed. The hosted API cannot do this."""
        check_ids([task_id])
        self._call("POST", "cancel", {"task_id": task_id}, lambda _: None, by_id=True)

    def wait(self, task_id: str, timeout: float = 600, on_progress: Callable[[Task], object] | None = None) -> Task:
        """Poll until the task is finished, and return it.

        `on_progress` is called with the task whenever it has changed. Raises TaskFailed when the task ends
        as failed, and WaitTimeout after `timeout` seconds, though the task itself goes on. Passing faults are
        waited out; after ten failed polls in a row the last fault is raised.
        """
        check_seconds("timeout", timeout)
        deadline = self._clock() + timeout
        pauses = _poll_pauses(self.base_url)
        task: Task | None = None
        faults = 0
        while True:
            fault: JourneyError | None = None
            pause = pauses()
            try:
                seen = self._fetch(task_id, 1)  # this loop retries: retries inside a poll could overrun the deadline
            except Untrusted:
                raise
            except (NotSent, RateLimited, ServerError, GatewayRefused, WrongAddress) as error:
                faults += 1
                # An address that has been right is so again when the server is back.
                if faults >= _FAULTY_POLLS or (isinstance(error, WrongAddress) and task is None):
                    raise
                fault = error
                pause = max(pause, _pause(faults, error))
            else:
                faults = 0
                if seen != task and on_progress is not None:
                    on_progress(seen)
                task = seen
                if task.status is TaskStatus.FAILED:
                    raise TaskFailed(task)
                if task.status is TaskStatus.FINISHED:
                    return task
            left = deadline - self._clock()
            if left <= 0:
                raise WaitTimeout(task, timeout) from fault
            self._sleep(min(pause, left))

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        read: Callable[[object], T],
        *,
        paid: bool = False,
        by_id: bool = False,
        attempts: int | None = None,
    ) -> T:
        """Send until there is a readable answer, as often as this kind of call allows."""
        retried = (NotSent, RateLimited) if paid else (NotSent, RateLimited, ServerError, GatewayRefused)
        started = self._clock()
        attempt = 1
        while True:
            try:
                return self._send(method, path, body, read, paid=paid, by_id=by_id)
            except Untrusted:
                raise
            except retried as error:
                pause = _pause(attempt, error)
                if attempt >= (attempts or self._attempts) or self._clock() - started + pause > self._retry_for:
                    raise
                logger.info("%s is tried again in %.1f s: %s", path, pause, error)
            self._sleep(pause)
            attempt += 1

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        read: Callable[[object], T],
        *,
        paid: bool,
        by_id: bool,
    ) -> T:
        """The only place that sends: one exchange, whose answer is read or turned into an error."""
        key = checked_key(self.api_key)
        status, headers, received, fault = 0, httpx.Headers(), bytearray(), ""
        try:
            with self._http.stream(
                method, f"{self.base_url}/{path}", json=body, headers={"Authorization": key}
            ) as response:
                status, headers = response.status_code, response.headers
                # Not iter_raw(): it refuses an answer that the transport has already read.
                for chunk in cast("httpx.SyncByteStream", response.stream):
                    received += chunk
                    if len(received) > ANSWER_LIMIT:
                        fault = "its answer is too long"
                        break
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _not_sent(error, self.base_url, self._proxy) from error
        except httpx.TimeoutException:
            fault = "its answer did not come in time"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            fault = "the connection broke before its answer was complete"
        answer = Answer(status, headers, bytes(received), fault)
        # An answer that reads as JSON is whole, even when the connection broke right after it.
        if 200 <= status < 300:
            try:
                return read(answer.parsed())
            except ValueError:
                logger.debug("the answer to %s cannot be read", path)
        secrets = [key, *([str(body["webhook_secret"])] if body and "webhook_secret" in body else [])]
        at_usual_path = self.base_url.endswith(_USUAL_PATH)
        raise error_in(answer, paid=paid, by_id=by_id, secrets=secrets, at_usual_path=at_usual_path)


def _http_client(transport: httpx.BaseTransport, timeout: float, agent: str) -> httpx.Client:
    """The only place that builds an HTTP client."""
    return httpx.Client(
        transport=transport,
        timeout=timeout,
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": agent},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def _checked_base(base_url: str) -> str:
    """The address without a trailing slash. Raises InvalidRequest when no call could be made to it."""
    try:
        url = httpx.URL(base_url)
        url.host.encode("idna")  # a label over 63 characters would fail in the middle of a call
    except (httpx.InvalidURL, TypeError, ValueError):
        raise InvalidRequest("base_url: is not an address") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidRequest("base_url: must begin with https:// or http:// and name a server")
    if url.port is not None and not 0 < url.port < 65536:
        raise InvalidRequest("base_url: there is no such port")
    if url.userinfo or url.query or url.fragment:
        raise InvalidRequest("base_url: must not hold a user name, a password, a query or a fragment")
    return str(url).rstrip("/")


def _task_id(answer: object) -> str:
    task_id = answer.get("task_id") if isinstance(answer, Mapping) else None
    if not usable_id(task_id):
        raise ValueError("no usable task_id")
    return str(task_id)


def _tasks(answer: object) -> list[Task]:
    """The readable tasks of a /fetch-many answer; an unreadable one counts as left out."""
    listed = answer.get("tasks") if isinstance(answer, Mapping) else answer
    if not isinstance(listed, list):
        raise ValueError("no list of tasks")
    tasks = []
    for item in listed:
        try:
            tasks.append(Task.from_wire(item))
        except ValueError:
            logger.debug("a listed task cannot be read")
    return tasks


def _poll_pauses(base_url: str) -> Callable[[], float]:
    """Gives the seconds until the next poll: 0.5 on this machine; elsewhere 2, growing to 15."""
    if is_loopback(httpx.URL(base_url).host):
        return lambda: 0.5
    growing = iter((2.0, 3.0, 4.5, 6.75, 10.0))
    return lambda: next(growing, 15.0)


def _pause(attempt: int, error: JourneyError) -> float:
    """Seconds before the next attempt: 0.5 doubling to 8, half of it random, or what the server asked for if longer."""
    backoff = min(8.0, 0.5 * 2.0 ** (attempt - 1)) * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
    asked = error.retry_after if isinstance(error, RateLimited) else None
    return max(backoff, asked or 0.0)


def _not_sent(error: Exception, base_url: str, proxy: Proxy | None) -> NotSent:
    from journey.outside.transport import tls_failure

    host = httpx.URL(base_url).host
    if wrong := tls_failure(error):
        reason = getattr(wrong, "verify_message", "") or "it does not speak TLS as it should"
        return Untrusted(f"{host} could not prove that it is the right server: {reason}. Nothing was sent.")
    if proxy:
        return NotSent(
            f"{host} cannot be reached through the proxy {proxy.host} ({one_line(str(error), 100)}). "
            "Nothing was sent; check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        )
    return NotSent(f"{host} cannot be reached. Nothing was sent; check the address and the network, then try again.")
