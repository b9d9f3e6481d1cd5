"""Many pictures at once, as a person does it: pasted or dropped, judged, run, stopped and tried again."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.harness.studios import Studio

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]


def picture(number: int) -> bytes:
    """A tiny PNG, a different one for each number."""
    canvas = Image.new("RGB", (32, 24), (20 * number % 256, 90, 160))
    ImageDraw.Draw(canvas).ellipse((number, 4, number + 8, 12), fill="white")
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    return buffer.getvalue()


class Gallery(BaseHTTPRequestHandler):
    """`/1.png` and so on are pictures, `/page` is a web page, and nothing else is there."""

    def do_GET(self) -> None:
        numbered = re.fullmatch(r"/(\d+)\.png", self.path)
        kind, body = ("image/png", picture(int(numbered[1]))) if numbered else ("text/html", b"<!doctype html><p>Hi")
        self.send_response(200 if numbered or self.path == "/page" else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


@contextmanager
def gallery() -> Iterator[str]:
    """The `host:port` of a running picture server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gallery)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_twelve_addresses_of_which_three_are_bad(make_studio: MakeStudio, page: Page) -> None:
    """Nine of twelve pasted addresses are enlarged and come as one ZIP; the form says what is wrong with the rest."""
    with gallery() as place:
        studio = make_studio(JOURNEY_FETCH_ALLOW=place)
        good = [f"http://{place}/{number}.png" for number in range(9)]
        bad = [f"http://{place}/not-there", f"http://{place}/page", "http://10.1.2.3/private.png"]
        page.goto(f"{studio.url}/batch")
        box = page.get_by_role("textbox", name="Addresses or task IDs")
        box.fill("\n".join([*good[:4], *bad, *good[4:]]))
        box.press("Control+Enter")
        expect(page.get_by_text("9 pictures to enlarge · 3 cannot be used")).to_be_visible()
        for sentence in ("There is no file at this address", "the address of a web page", "cannot be reached"):
            expect(page.get_by_text(sentence).first).to_be_attached()
        page.get_by_role("button", name="Upscale 9 pictures · free").dblclick()
        expect(page.get_by_text("9 of 9 finished")).to_be_visible(timeout=90_000)
        page.reload()
        expect(page.get_by_text("9 of 9 finished")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download 9 results as ZIP").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert archive.testzip() is None
            sizes = {Image.open(archive.open(name)).size for name in archive.namelist()}
            assert (9, {(128, 96)}) == (len(archive.namelist()), sizes)
        page.get_by_role("button", name="New batch").click()
        expect(page.get_by_text("9 finished", exact=False)).to_have_count(1)


def test_five_files_paused_resumed_and_stopped(make_studio: MakeStudio, page: Page) -> None:
    """Five dropped files wait while paused, even through a restart, and finish once resumed; a batch can be stopped."""
    studio = make_studio()
    page.goto(f"{studio.url}/batch")
    drop(page, range(5))
    expect(page.get_by_text("5 pictures to enlarge")).to_be_visible()
    page.get_by_role("textbox", name="Name of the batch").fill("Five of <b>mine</b>")
    page.get_by_role("button", name="Upscale 5 pictures · free").click()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d of 5 done, paused$"))).to_be_visible()
    before = page.get_by_text(re.compile(r"\d of 5 done")).inner_text()
    studio.stop()
    studio.start()
    page.goto(page.url)
    expect(page.get_by_text("Five of <b>mine</b>")).to_be_visible()
    expect(page.get_by_text(before)).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("5 of 5 finished")).to_be_visible(timeout=90_000)

    page.get_by_role("button", name="New batch").click()
    drop(page, range(10, 18))
    page.get_by_role("button", name="Upscale 8 pictures · free").click()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Stop…").click()
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_text("stopped or cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)


def drop(page: Page, numbers: range) -> None:
    files: list[FilePayload] = [
        {"name": f"koi {number}.png", "mimeType": "image/png", "buffer": picture(number)} for number in numbers
    ]
    page.locator("input[type=file]").set_input_files(files)


def test_dropped_lists_are_read_like_pasted_ones(make_studio: MakeStudio, page: Page) -> None:
    """A dropped table brings one picture of a grid, a dropped text three addresses of a line, a spreadsheet's own file
    a sentence, and a list that may mean two things a question before anything can be queued."""
    with gallery() as place:
        studio = make_studio(JOURNEY_FETCH_ALLOW=place)
        addresses = ",".join(f"http://{place}/{number}.png" for number in range(3))
        page.goto(f"{studio.url}/batch")
        files: list[FilePayload] = [
            {"name": "tasks.csv", "mimeType": "text/csv", "buffer": b"task_id;index\r\nsample-grid;3\r\n"},
            {"name": "links.txt", "mimeType": "text/plain", "buffer": addresses.encode("utf-16")},
            {"name": "list.xlsx", "mimeType": "application/zip", "buffer": b"PK\x03\x04"},
        ]
        page.locator("input[type=file]").set_input_files(files)
        expect(page.get_by_text("4 pictures to enlarge · 1 cannot be used")).to_be_visible()
        expect(page.get_by_text("Save the sheet as CSV").first).to_be_attached()
        box = page.get_by_role("textbox", name="Addresses or task IDs")
        box.fill(f"http://{place}/x,1\nhttp://{place}/7.png")
        box.press("Control+Enter")
        expect(page.get_by_text("can be read in 2 ways")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^Upscale"))).to_have_count(0)
        page.get_by_role("radio", name=re.compile("^One after the other: 2 pictures")).check(force=True)
        expect(page.get_by_text("5 pictures to enlarge · 2 cannot be used")).to_be_visible()
