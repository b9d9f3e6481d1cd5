"""Streamlit's scripts and styles leave compressed for whoever can read that, and as they are for everybody else."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_assets_routes

from journey.web import static_files
from journey.web.static_files import StaticFiles, prefers_gzip
from tests.harness.engines import served

FOLDER = Path(streamlit.__file__).parent / "static"
SCRIPT = next(path for path in sorted((FOLDER / "static/js").glob("index.*.js")) if path.stat().st_size > 100_000)
SCRIPT_URL = f"/static/js/{SCRIPT.name}"
FONT_URL = f"/static/media/{next((FOLDER / 'static/media').glob('SourceSansVF-Upright*')).name}"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """Streamlit's own handler of static files, behind ours."""
    application = Starlette(
        routes=create_streamlit_static_assets_routes(base_url=""),
        middleware=[Middleware(StaticFiles, folder=FOLDER)],
    )
    listener = socket.create_server(("127.0.0.1", 0))
    with (
        served(application, listener),
        httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=20) as client,
    ):
        yield client


def ask(server: httpx.Client, path: str, method: str = "GET", **headers: str) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it came over the wire."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with server.stream(method, path, headers=sent) as answer:
        return answer, b"".join(answer.iter_raw())


def test_a_script_is_a_third_of_its_size_and_the_same(server: httpx.Client) -> None:
    """A browser that takes gzip gets the very bytes of the file, in less than a third of them."""
    answer, body = ask(server, SCRIPT_URL, **GZIP)
    assert (200, "gzip") == (answer.status_code, answer.headers["content-encoding"])
    assert SCRIPT.read_bytes() == gzip.decompress(body)
    assert str(len(body)) == answer.headers["content-length"]
    assert len(body) < SCRIPT.stat().st_size / 3


@pytest.mark.parametrize("path", [SCRIPT_URL, "/", "/manifest.json"])
def test_only_what_has_to_differs_from_the_uncompressed_answer(server: httpx.Client, path: str) -> None:
    """Type, caching and Vary are those of Streamlit's own answer; only the ETag is another, as the bytes are."""
    packed, _ = ask(server, path, **GZIP)
    plain, _ = ask(server, path, **PLAIN)
    for name in ("cache-control", "vary"):
        assert plain.headers[name] == packed.headers[name]
    assert plain.headers["content-type"].split(";")[0] == packed.headers["content-type"].split(";")[0]
    assert packed.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != packed.headers["etag"]
    assert "content-encoding" not in plain.headers


def test_every_page_has_the_same_compressed_document(server: httpx.Client) -> None:
    """Each address that Streamlit answers with its document gets it compressed, without a font before the scripts."""
    documents = {path: ask(server, path, **GZIP) for path in ("/", "/index.html", "/history", "/print_size?w=1024")}
    assert {200} == {answer.status_code for answer, _ in documents.values()}
    assert 1 == len({body for _, body in documents.values()})
    html = gzip.decompress(documents["/"][1])
    assert b'as="font"' not in html
    assert html.count(b"modulepreload") == (FOLDER / "index.html").read_bytes().count(b"modulepreload")


def test_words_are_shown_before_their_font_is_there(server: httpx.Client) -> None:
    """The style sheet has the font of text swapped in when it comes, and is otherwise as it was."""
    style = next((FOLDER / "static/css").glob("index.*.css"))
    _, body = ask(server, f"/static/css/{style.name}", **GZIP)
    changed = gzip.decompress(body)
    assert b"font-display:swap;font-family:Source Sans" in changed
    assert style.read_bytes() == changed.replace(b"font-display:swap;", b"")


def test_what_is_known_is_not_sent_again(server: httpx.Client) -> None:
    """A known ETag, alone, weak or among others, is answered with 304 and no body; another one is not."""
    etag = ask(server, SCRIPT_URL, **GZIP)[0].headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer, body = ask(server, SCRIPT_URL, If_None_Match=known, **GZIP)
        assert (304, b"", etag) == (answer.status_code, body, answer.headers["etag"]), known
    assert 200 == ask(server, SCRIPT_URL, If_None_Match='"other"', **GZIP)[0].status_code
    document = ask(server, "/history", **GZIP)[0].headers["etag"]
    assert 304 == ask(server, "/history", If_None_Match=document, **GZIP)[0].status_code


def test_head_has_the_headers_of_get(server: httpx.Client) -> None:
    """HEAD tells the same as GET, length included, and sends nothing."""
    for path in (SCRIPT_URL, "/batch"):
        got, _ = ask(server, path, **GZIP)
        head, body = ask(server, path, "HEAD", **GZIP)
        assert b"" == body
        for name in ("content-length", "content-encoding", "etag", "vary", "cache-control", "content-type"):
            assert got.headers[name] == head.headers[name]


def test_a_part_is_one_of_the_uncompressed_file(server: httpx.Client) -> None:
    """A Range counts in the file as it lies there."""
    answer, body = ask(server, SCRIPT_URL, Range="bytes=10-19", **GZIP)
    assert (206, SCRIPT.read_bytes()[10:20]) == (answer.status_code, body)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("GZIP;Q=0.5", True),
        ("x-gzip", True),
        ("br, gzip;q=0.001", True),
        ("*", True),
        ("identity;q=0.5, gzip;q=1.0", True),
        ("gzip, *;q=0", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=much", False),
        ("identity, gzip;q=0.5", False),
        (",;,", False),
    ],
)
def test_only_what_is_accepted_is_sent(server: httpx.Client, accepted: str, *, taken: bool) -> None:
    """Whoever refuses gzip, or would rather not have it, gets the file as it is."""
    assert taken == prefers_gzip(accepted)
    answer, body = ask(server, SCRIPT_URL, Accept_Encoding=accepted)
    assert taken == ("content-encoding" in answer.headers)
    assert taken == (SCRIPT.read_bytes() != body)


def test_what_is_compressed_already_is_passed_on(server: httpx.Client) -> None:
    """A font leaves as it is, and what changes nothing or is missing is Streamlit's to answer."""
    answer, body = ask(server, FONT_URL, **GZIP)
    assert (FOLDER / FONT_URL.lstrip("/")).read_bytes() == body
    assert "vary" not in answer.headers
    assert 405 == ask(server, SCRIPT_URL, "POST", **GZIP)[0].status_code
    for path in ("/static/../../pyproject.toml", "/static/js/%2e%2e/%2e%2e/%2e%2e/config.py"):
        assert b"[project]" not in ask(server, path, **GZIP)[1]


def test_a_file_is_compressed_once(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty visitors at the same time cost one compression, and twenty more cost none."""
    compressed: list[Path] = []
    pack = static_files._packed
    monkeypatch.setattr(static_files, "_packed", lambda path: (compressed.append(path), pack(path))[1])
    other = f"/static/js/{next((FOLDER / 'static/js').glob('protobuf.*')).name}"
    with ThreadPoolExecutor(20) as visitors:
        for _ in range(2):
            bodies = set(visitors.map(lambda _: ask(server, other, **GZIP)[1], range(20)))
            assert 1 == len(bodies)
    assert 1 == len(compressed)
