"""What other pages in somebody's browser can do to their studio: nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from journey.testing import StandIn
from tests.harness.engines import WebServer
from tests.harness.studios import Shelf, Studio

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]

OPEN_SOCKET = """address => new Promise(done => {
    const socket = new WebSocket(address, ["streamlit"])
    socket.onopen = () => done("open")
    socket.onerror = () => done("refused")
})"""
SEND = """async ([address, method, body, headers]) => {
    try { return (await fetch(address, {method, body, headers, mode: "no-cors", credentials: "include"})).type }
    catch { return "failed" }
}"""
FORM = """<!doctype html><form method="post" enctype="text/plain" action="{url}/api/v1/upscale-2x-4x">
<input name='{{"image_url":"{picture}","type":"2x","x":"' value='"}}'><button>Win</button></form>"""


def test_no_other_page_gets_into_the_studio(make_studio: MakeStudio, page: Page) -> None:
    """A name pointed at this machine, an invisible frame, another port and a form of another site cause nothing."""
    with StandIn() as api, WebServer() as site:
        studio = make_studio(
            JOURNEY_API_KEY=api.key,
            JOURNEY_API_URL=api.url,
            JOURNEY_FETCH_ALLOW="127.0.0.0/8",
            JOURNEY_ENGINE_WORKERS="1",
        )
        files = sorted((studio.data_dir / "files").rglob("*"))
        site.pages["/frame"] = f'<!doctype html><iframe src="{studio.url}" style="opacity: 0.01"></iframe>'.encode()
        site.pages["/form"] = FORM.format(url=studio.url, picture=api.picture_url()).encode()
        socket = studio.url.replace("http", "ws") + "/_stcore/stream"

        page.goto(f"http://rebound.example:{studio.port}/")
        expect(page.get_by_text("This server does not answer to that name")).to_be_visible()

        for attacker in (site.url, site.url.replace("127.0.0.1", "evil.example")):
            page.goto(f"{attacker}/frame")
            page.wait_for_load_state("networkidle")
            assert "chrome-error://chromewebdata/" == page.frames[1].url
            for address in (socket, socket.replace("127.0.0.1", "rebound.example")):
                assert "refused" == page.evaluate(OPEN_SOCKET, address)
            for address, method in (("/api/v1/upscale-2x-4x", "POST"), ("/_stcore/upload_file/a/b", "PUT")):
                page.evaluate(SEND, [studio.url + address, method, "{}", {}])
            page.goto(f"{attacker}/form")
            page.get_by_role("button").click()
            expect(page.get_by_text("A page of another site asked for this")).to_be_visible()

        assert 0 == api.charges
        with Shelf(studio.data_dir) as shelf:
            assert 0 == shelf.history.lists.count()
        assert files == sorted((studio.data_dir / "files").rglob("*"))
        page.goto(studio.url)
        expect(page.get_by_role("heading", name="Upscale")).to_be_visible()
