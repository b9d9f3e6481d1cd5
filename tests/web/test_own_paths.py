"""A path of ours that does not exist is said to be missing, and is never answered by a page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import httpx
import pytest

from tests.harness.navigation import pages
from tests.harness.studios import Studio, free_port


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(tmp_path_factory.mktemp("studio"), free_port(), {})
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/fetch", "POST"),
        ("GET", "/api/v1/upscale-2x-4x", "POST"),
        ("PUT", "/api/v1/fetch-many", "POST"),
        ("POST", "/api/v1/account", "GET, HEAD"),
        ("GET", "/webhooks/abc", "POST"),
        ("POST", "/exports/tasks.csv", "GET, HEAD"),
        ("DELETE", "/files/key/name.png", "GET, HEAD"),
        ("POST", "/tiles/key/0/0_0", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_refused(studio: Studio, method: str, path: str, allowed: str) -> None:
    """A path of ours that is asked by another method says which it takes."""
    answer = httpx.request(method, studio.url + path)
    assert (405, allowed) == (answer.status_code, answer.headers["Allow"])
    assert "text/html" not in answer.headers["Content-Type"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    ["/api", "/api/v1", "/api/v1/", "/api/v1/fetch/", "/api/v1/imagine", "/api/v2/fetch", "/files", "/files/",
     "/files/a", "/files/a/b/c", "/tiles/a", "/webhooks", "/webhooks/a/b", "/exports", "/batches/a", "/ends/a/b",
     "/healthz/a"],
)  # fmt: skip
def test_an_unknown_path_is_missing(studio: Studio, method: str, path: str) -> None:
    """Whatever begins like a path of ours and is none is missing, in the form that its callers read."""
    answer = httpx.request(method, studio.url + path)
    assert 404 == answer.status_code
    said = answer.json()["errors"][0]["msg"] if path.startswith("/api/") else answer.text
    assert "There is nothing at this path." == said


def test_what_passes_by_itself_is_told(studio: Studio) -> None:
    """A database that is away is no fault of the server: callers are told to come back, in one line of the log."""
    said_before = (studio.data_dir / "log").read_text()
    database = sqlite3.connect(studio.data_dir / "journey.db")
    database.execute("ALTER TABLE engine_tasks RENAME TO away")
    try:
        answer = httpx.post(f"{studio.url}/api/v1/fetch", headers={"Authorization": studio.key}, json={"task_id": "x"})
    finally:
        database.execute("ALTER TABLE away RENAME TO engine_tasks")
        database.close()
    assert (503, "10") == (answer.status_code, answer.headers["Retry-After"])
    assert answer.json()["errors"][0]["msg"].startswith("The database does not answer.")
    lines = (studio.data_dir / "log").read_text().removeprefix(said_before).splitlines()
    told = "a request could not be answered: no such table: engine_tasks"
    assert 1 == sum(line.endswith(told) for line in lines)
    assert [] == [line for line in lines if "Traceback" in line or not line.startswith("20")]


def test_pages_are_still_pages(studio: Studio) -> None:
    """Every page of the navigation answers with the page."""
    for path in pages().values():
        answer = httpx.get(studio.url + path)
        assert (200, True) == (answer.status_code, "text/html" in answer.headers["Content-Type"])
