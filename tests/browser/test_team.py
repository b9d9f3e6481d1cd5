"""What docs/how-to/team.md describes, with the real things: pictures in object storage, nginx before the studio."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from journey.storage.files import Files
from tests.harness.proxies import nginx
from tests.harness.servers import ObjectStorage
from tests.harness.studios import Studio, free_port, hang_samples

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]

MIB = 1024 * 1024
WIDTH, HEIGHT = 300, 200
RESULT = 4 * WIDTH, 4 * HEIGHT
PRINT_FILE = "hill_A6_300dpi.tif"
PRINT_SIZE = 1748, 1240
"""A6 at 300 DPI, turned as the picture is."""


def write_picture(path: Path, *, size: int = 0) -> None:
    """A PNG of noise; with `size`, what an editor left in it makes the file that large."""
    noise = np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    png, start = buffer.getvalue(), 33  # right after the header
    left = bytes(max(0, size - len(png) - 12))
    chunk = b"edIt" + left
    extra = struct.pack(">I", len(left)) + chunk + struct.pack(">I", zlib.crc32(chunk)) if left else b""
    path.write_bytes(png[:start] + extra + png[start:])


def upload(page: Page, address: str, picture: Path) -> None:
    page.goto(address)
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_text(f"hill.png · {WIDTH} × {HEIGHT} px")).to_be_visible()


def enlarge_and_print(page: Page, address: str, picture: Path, folder: Path) -> None:
    """The way of a picture: uploaded, enlarged, seen, downloaded, and made into a file for the print shop."""
    upload(page, address, picture)
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_role("img", name="hill.png, 4x · fast")).to_be_visible(timeout=120_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PNG").first.click()
    download.value.save_as(folder / "result.png")
    with Image.open(folder / "result.png") as result:
        result.load()
        assert ("PNG", RESULT) == (result.format, result.size)

    page.get_by_role("link", name="Print-ready file").click()
    expect(page.get_by_text(f"hill.png · {RESULT[0]} × {RESULT[1]} px")).to_be_visible()
    paper = page.get_by_role("combobox", name="Paper or screen")
    paper.fill("A6")
    paper.press("Enter")
    page.get_by_role("button", name="Make the file").click()
    link = page.get_by_role("link", name=f"Download {PRINT_FILE}")
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(folder / "print.tif")
    with Image.open(folder / "print.tif") as made:
        made.load()
        assert ("TIFF", PRINT_SIZE, (300, 300)) == (made.format, made.size, made.info["dpi"])


def test_pictures_live_in_object_storage(
    s3_here: ObjectStorage, make_studio: MakeStudio, page: Page, tmp_path: Path
) -> None:
    """With an S3 bucket for the pictures, the way from an upload to a print file is the same, and what was made is in
    the bucket, not in the data folder."""
    address = s3_here.address()
    hang_samples(Files(address, work_dir=tmp_path / "work"))
    studio = make_studio(JOURNEY_FILES_URL=address, **s3_here.environment)
    write_picture(tmp_path / "hill.png")
    enlarge_and_print(page, studio.url, tmp_path / "hill.png", tmp_path)
    stored = s3_here.bucket / Path(address).name
    for name, downloaded in (("hill_4x.png", "result.png"), (PRINT_FILE, "print.tif")):
        (kept,) = stored.rglob(name)
        assert kept.read_bytes() == (tmp_path / downloaded).read_bytes()
    assert [] == list((studio.data_dir / "files").rglob("hill*"))


def test_everything_works_behind_the_documented_proxy(make_studio: MakeStudio, page: Page, tmp_path: Path) -> None:
    """Behind nginx as docs/how-to/team.md shows it, the largest picture that the studio takes can be uploaded, enlarged
    and printed, and the browser talks to the proxy alone; uploads also pass a proxy that percent-encodes cookies."""
    # A name that browsers look for on this machine, and that the studio knows from the proxy only.
    port = free_port()
    proxy = f"studio.localhost:{port}"
    studio = make_studio(JOURNEY_PUBLIC_URL=f"http://{proxy}")
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.on("websocket", lambda socket: asked.add(urlsplit(socket.url).netloc))
    write_picture(tmp_path / "hill.png", size=250 * MIB - 1024)
    with nginx(port, studio.url):
        enlarge_and_print(page, f"http://{proxy}", tmp_path / "hill.png", tmp_path)
    page.context.clear_cookies()
    write_picture(tmp_path / "hill.png")
    with nginx(port, studio.url, encodes_cookies=True):
        upload(page, f"http://{proxy}", tmp_path / "hill.png")
        assert ["%7C" in each.get("value", "") for each in page.context.cookies()] == [True]
    assert {proxy} == asked - {""}
