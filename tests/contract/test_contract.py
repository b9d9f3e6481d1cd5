"""One suite of promises for all servers, checked through the client and, below it, as raw JSON."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from journey import InvalidRequest, JourneyClient, Task, TaskFailed, TaskNotFound, TaskStatus
from tests.contract.conftest import Server

WAIT_SECONDS = 60
WORDS = ["staged", "pending", "starting", "processing", "finished"]


def short(value: object) -> str:
    return repr(value)[:20]


def connected(server: Server) -> JourneyClient:
    """A client that polls ten times as often as usual."""
    return JourneyClient(server.api_key, server.base_url, sleep=lambda seconds: time.sleep(seconds / 10))


@pytest.fixture
def client(server: Server) -> Iterator[JourneyClient]:
    with connected(server) as client:
        yield client


@pytest.fixture(scope="module")
def finished(server: Server) -> Task:
    """A finished 2x task of a 64 × 48 picture."""
    with connected(server) as client:
        return client.wait(client.upscale(image_url=server.picture_url, type="2x"), WAIT_SECONDS)


def call(server: Server, path: str, body: Any = None, *, method: str = "POST", **options: Any) -> httpx.Response:
    """One raw request, with the right key unless `headers` are given."""
    options.setdefault("headers", {"Authorization": server.api_key})
    if body is not None:
        options["json"] = body
    with httpx.Client(trust_env=False, verify=False, timeout=10) as http:
        return http.request(method, f"{server.base_url}/{path}", **options)


def picture_size(url: str | None) -> tuple[int, int]:
    assert url is not None
    with httpx.Client(trust_env=False, verify=False, timeout=10) as http:
        answer = http.get(url)
    assert 200 == answer.status_code
    with Image.open(io.BytesIO(answer.content)) as image:
        return image.size


def problems(answer: httpx.Response) -> list[str]:
    """The sentences of a 400, which must have the documented shape."""
    assert 400 == answer.status_code, answer.text[:300]
    return [error["msg"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(("scale", "size"), [("2x", (128, 96)), ("4x", (256, 192))])
def test_result_has_exactly_n_times_the_pixels(
    client: JourneyClient, server: Server, scale: str, size: tuple[int, int]
) -> None:
    """A finished upscale names its type and links to a picture of exactly n times the source's width and height."""
    task = client.wait(client.upscale(image_url=server.picture_url, type=scale), WAIT_SECONDS)
    assert (f"upscale-{scale}", TaskStatus.FINISHED) == (task.task_type, task.status)
    assert size == picture_size(task.image_url)


def test_progress_never_goes_back(client: JourneyClient, server: Server) -> None:
    """Status words and percentages only ever move forward."""
    seen: list[Task] = []
    client.wait(client.upscale(image_url=server.picture_url, type="2x"), WAIT_SECONDS, seen.append)
    places = [WORDS.index(task.status) for task in seen]
    percentages = [task.percentage for task in seen if task.percentage is not None]
    assert sorted(places) == places
    assert sorted(percentages) == percentages
    assert 100 == percentages[-1]


def test_fetch_speaks_documented_types(server: Server, finished: Task) -> None:
    """A finished single task carries the documented fields, each as the documented type."""
    answer = call(server, "fetch", {"task_id": finished.task_id})
    task = answer.json()
    assert (200, finished.task_id, "upscale-2x", "finished") == (
        answer.status_code, task["task_id"], task["task_type"], task["status"],
    )  # fmt: skip
    assert "100" == task.get("percentage", "100")
    assert isinstance(task["model"], str)
    assert task["image_url"].startswith("http")
    assert "error" not in task or task["error"] is None


def test_picture_that_is_none_fails_with_plain_text(client: JourneyClient, server: Server) -> None:
    """A task whose picture turns out to be a web page fails, with an error that is a plain string."""
    task_id = client.upscale(image_url=server.page_url, type="2x")
    with pytest.raises(TaskFailed):
        client.wait(task_id, WAIT_SECONDS)
    raw = call(server, "fetch", {"task_id": task_id}).json()
    assert "failed" == raw["status"]
    assert isinstance(raw["error"], str)
    assert raw["error"]


def test_grid_has_four_pictures_and_index_picks_one(client: JourneyClient, server: Server) -> None:
    """A grid lists four pictures, and an index is enough to upscale one of them."""
    grid = client.fetch(server.grid_id)
    assert (True, 4, TaskStatus.FINISHED) == (grid.is_grid, len(grid.image_urls), grid.status)
    width, height = picture_size(grid.picture("3"))
    task_id = client.upscale(parent_task_id=server.grid_id, index="3", type="2x")
    if width * height > 100_000:  # half a minute of real work: it is enough that the order is accepted
        client.cancel(task_id)
        with pytest.raises(TaskFailed):
            client.wait(task_id, WAIT_SECONDS)
    else:
        assert (2 * width, 2 * height) == picture_size(client.wait(task_id, WAIT_SECONDS).image_url)


def test_result_can_be_a_parent(client: JourneyClient, finished: Task) -> None:
    """A finished upscale can be upscaled again by its id."""
    task = client.wait(client.upscale(parent_task_id=finished.task_id, type="2x"), WAIT_SECONDS)
    assert (256, 192) == picture_size(task.image_url)


def test_grid_without_index_is_refused(client: JourneyClient, server: Server) -> None:
    """A grid as parent without an index is refused, and the answer names the field."""
    with pytest.raises(InvalidRequest, match="index"):
        client.upscale(parent_task_id=server.grid_id, type="2x")


def test_unknown_parent_is_refused(client: JourneyClient) -> None:
    """A parent that nobody knows is refused at once, not accepted to fail later."""
    with pytest.raises(InvalidRequest):
        client.upscale(parent_task_id="85h8-nobody-knows", type="2x")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"type": None}, "type"),
        ({"type": "8x"}, "type"),
        ({"type": 2}, "type"),
        ({"type": ["2x"]}, "type"),
        ({"image_url": None}, "image_url"),
        ({"image_url": ""}, "image_url"),
        ({"image_url": 7}, "image_url"),
        ({"parent_task_id": "sample-grid"}, "parent_task_id"),
        ({"index": "0"}, "index"),
        ({"index": "5"}, "index"),
        ({"index": 1}, "index"),
    ],
    ids=str,
)
def test_broken_order_is_refused_by_field(server: Server, change: dict[str, Any], named: str) -> None:
    """An order that breaks a rule is a 400 whose sentences name the field, and costs nothing."""
    before = call(server, "account", method="GET").json()["credits"]
    body = {"image_url": server.picture_url, "type": "2x"} | change
    answer = call(server, "upscale-2x-4x", {name: value for name, value in body.items() if value is not None})
    assert any(named in problem for problem in problems(answer))
    assert before == call(server, "account", method="GET").json()["credits"]


def test_every_problem_is_named_at_once(server: Server) -> None:
    """Two broken rules give two sentences."""
    answer = call(server, "upscale-2x-4x", {"image_url": server.picture_url, "type": "3x", "index": "9"})
    assert {"type", "index"} == {name for name in ("type", "index") for text in problems(answer) if name in text}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"17", b'"x"', b"null", b"\xff\xfe", b"[" * 50_000], ids=short)
@pytest.mark.parametrize("path", ["upscale-2x-4x", "fetch", "fetch-many"])
def test_body_that_is_no_object_is_the_callers_fault(server: Server, path: str, content: bytes) -> None:
    """A body that is not a JSON object is answered with 400, never with a server error."""
    headers = {"Authorization": server.api_key, "Content-Type": "application/json"}
    assert 400 == call(server, path, content=content, headers=headers).status_code


@pytest.mark.parametrize("path", ["upscale-2x-4x", "fetch", "fetch-many", "account"])
@pytest.mark.parametrize("key", [None, "", "wrong", "Bearer {key}", "{key}x"], ids=str)
def test_wrong_key_is_401_with_an_empty_object(server: Server, path: str, key: str | None) -> None:
    """A missing, malformed or unknown key is a 401 with the body {} on every route, whatever else is wrong."""
    headers = {} if key is None else {"Authorization": key.format(key=server.api_key)}
    method = "GET" if path == "account" else "POST"
    answer = call(server, path, None if path == "account" else {}, method=method, headers=headers)
    assert (401, {}) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "upscale-2x-4x"), ("GET", "fetch"), ("PUT", "fetch-many"), ("POST", "account")]
)
def test_wrong_method_is_405(server: Server, method: str, path: str) -> None:
    """A route called with the wrong method answers 405."""
    assert 405 == call(server, path, method=method).status_code


def test_unknown_task_is_not_found(client: JourneyClient) -> None:
    """A task that nobody knows is not found."""
    with pytest.raises(TaskNotFound):
        client.fetch("85h8-nobody-knows")


@pytest.mark.parametrize("count", [0, 1, 21])
def test_fetch_many_takes_2_to_20(server: Server, count: int) -> None:
    """Fewer than 2 or more than 20 ids are refused, as documented."""
    assert problems(call(server, "fetch-many", {"task_ids": [f"task-{number}" for number in range(count)]}))


@pytest.mark.parametrize("ids", [None, "ab", 3, {"a": 1}, [1, 2], ["a", None], [["a"], "b"]], ids=str)
def test_fetch_many_refuses_other_types(server: Server, ids: Any) -> None:
    """Ids of the wrong type are refused, not looked up."""
    assert problems(call(server, "fetch-many", {"task_ids": ids}))


@pytest.mark.parametrize("task_id", [None, "", 3, ["a"], {"a": 1}], ids=str)
def test_fetch_refuses_other_types(server: Server, task_id: Any) -> None:
    """An id of the wrong type is refused, not looked up."""
    assert problems(call(server, "fetch", {"task_id": task_id}))


def test_fetch_many_leaves_out_what_it_does_not_know(client: JourneyClient, server: Server, finished: Task) -> None:
    """Known tasks come in the order asked, however many unknown ones stand between them."""
    strangers = [f"85h8-nobody-{number}" for number in range(19)]
    asked = [server.grid_id, *strangers, finished.task_id, server.grid_id]
    assert [server.grid_id, finished.task_id] == [task.task_id for task in client.fetch_many(asked)]
    assert [finished] == client.fetch_many([finished.task_id])
    assert [] == client.fetch_many(strangers)


def test_account_tells_who_and_how_much(client: JourneyClient) -> None:
    """The account has an e-mail address, credits, a number of pictures and a plan."""
    account = client.account()
    assert all((account.email, account.plan))
    assert account.credits is not None
    assert account.total_images is not None
