"""The documents are served read-only beside the pages, with nothing let in from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from journey.engine.__main__ import listener_at
from journey.views import documents as where
from journey.web import documents, own_paths
from tests.harness.engines import served

PAGE = b"<!doctype html><title>Documents</title><script>document.body.dataset.theme = 1</script>"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A small site, with a secret beside it."""
    made = tmp_path / "site"
    (made / "how-to").mkdir(parents=True)
    (made / "index.html").write_bytes(PAGE)
    (made / "how-to" / "team.html").write_bytes(b"<title>A team</title>")
    (made / "search.js").write_bytes(b"1")
    (made / "objects.inv").write_bytes(b"2")
    (made / "drawing.svg").write_bytes(b"<svg/>")
    (tmp_path / "secret.html").write_bytes(b"secret")
    return made


@pytest.fixture
def get(site: Path) -> Iterator[httpx.Client]:
    listener = listener_at("127.0.0.1", 0)
    routes = documents.routes(lambda: site if (site / "index.html").is_file() else None)
    application = Starlette(routes=own_paths.closed(routes))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(application, listener), httpx.Client(base_url=address, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/docs/", "text/html; charset=utf-8"),
        ("/docs/index.html", "text/html; charset=utf-8"),
        ("/docs/how-to/team.html", "text/html; charset=utf-8"),
        ("/docs/search.js", "text/javascript; charset=utf-8"),
        ("/docs/drawing.svg", "image/svg+xml"),
    ],
)
def test_a_document_comes_as_what_it_is(
    get: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str, media_type: str
) -> None:
    """A page, a script and a drawing have their media types whatever the system has registered, and no browser guesses
    another."""
    monkeypatch.setattr("starlette.responses.guess_type", lambda *_: ("text/plain", None))
    answer = get.get(path)
    assert (200, media_type) == (answer.status_code, answer.headers["Content-Type"])
    assert "nosniff" == answer.headers["X-Content-Type-Options"]


def test_the_name_alone_leads_to_the_first_page(get: httpx.Client) -> None:
    """Links within the site are relative, so it begins with a slash."""
    assert "/docs/" == get.get("/docs").headers["Location"]


def test_what_has_not_changed_is_not_sent_again(get: httpx.Client) -> None:
    """A browser that has a document asks whether it is still the same, and gets no second copy."""
    tag = get.get("/docs/").headers["ETag"]
    answer = get.get("/docs/", headers={"If-None-Match": tag})
    assert (304, b"") == (answer.status_code, answer.content)
    assert 200 == get.get("/docs/", headers={"If-None-Match": '"another"'}).status_code


def test_only_the_scripts_of_the_page_run(get: httpx.Client) -> None:
    """Nothing is loaded from elsewhere, and of scripts written in a page only those that were built into it run."""
    policy = get.get("/docs/").headers["Content-Security-Policy"]
    (script,) = re.findall(rb"<script>(.*?)</script>", PAGE)
    own = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert f"script-src 'self' 'sha256-{own}';" in policy
    assert {"default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'self'"} <= set(
        policy.split("; ")
    )
    assert not re.search(r"https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline", policy)
    assert "sha256" not in get.get("/docs/how-to/team.html").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/docs/none.html", "/docs/how-to", "/docs/how-to/", "/docs/objects.inv", "/docs/..%2fsecret.html",
     "/docs/a%00.html", "/docs/%2e%2e/secret.html", "/docs//etc/passwd.html", "/docs/" + "a" * 300 + ".html",
     "/docs/link.html"],
)  # fmt: skip
def test_nothing_else_is_served(get: httpx.Client, site: Path, path: str) -> None:
    """A path that is no document of the site is missing, with a sentence, wherever it may lead."""
    (site / "link.html").symlink_to(site.parent / "secret.html")
    answer = get.get(path)
    assert (404, documents.MISSING) == (answer.status_code, answer.text)


def test_nobody_writes(get: httpx.Client) -> None:
    """The documents can be read, and nothing else."""
    answer = get.post("/docs/index.html")
    assert (405, "GET, HEAD") == (answer.status_code, answer.headers["Allow"])


def test_documents_that_are_not_built_are_said_to_be_missing(get: httpx.Client, site: Path) -> None:
    """Without the site there is a sentence, and once it is built it is there, without a restart."""
    (site / "index.html").unlink()
    answer = get.get("/docs/")
    assert (404, documents.NOT_BUILT) == (answer.status_code, answer.text)
    (site / "index.html").write_bytes(PAGE)
    assert 200 == get.get("/docs/").status_code


def test_help_is_offered_only_where_there_is_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page links to its document if the documents are built: in the package, or in the folder of a checkout."""
    package = tmp_path / "journey"
    monkeypatch.setattr(where, "folder", lambda real=where.folder: real(package))
    (tmp_path / "build" / "docs").mkdir(parents=True)
    (tmp_path / "build" / "docs" / "index.html").touch()
    assert where.help_for("Batch") is None  # a folder of that name beside an installed package is somebody else's
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "conf.py").touch()
    assert "/docs/how-to/spreadsheet.html" == where.help_for("Batch")
    assert tmp_path / "build" / "docs" == where.folder()
    (package / "_docs").mkdir(parents=True)
    (package / "_docs" / "index.html").touch()
    assert package / "_docs" == where.folder()
    assert "/docs/" == where.help_for("Some new page")
