"""Tiles: every pixel of a stored picture in small pieces, made in the background, served like the picture itself."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms
from starlette.applications import Starlette

from journey.engine.__main__ import listener_at
from journey.errors import FileMissing
from journey.pictures.checking import Decoder, Limits
from journey.pictures.pyramid import TILE_SIDE, Pyramid, levels, write
from journey.pictures.rows import of_image
from journey.pictures.tiles import TILES, Tiles
from journey.processes import LOWEST
from journey.storage.files import Files, new_key
from journey.web.tiles import routes
from tests.harness.engines import served

SECONDS = 30
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module", params=["folder", "memory"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    url = str(folder / "files") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    files = Files(url, work_dir=folder)
    files.start()
    return files


@pytest.fixture(scope="module")
def tiles(files: Files) -> Iterator[Tiles]:
    made = Tiles(files, Decoder(Limits(10**6, 2 * 10**6), nice=LOWEST))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def web(tiles: Tiles) -> Iterator[httpx.Client]:
    listener = listener_at("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(Starlette(routes=routes(tiles)), listener), httpx.Client(base_url=origin, trust_env=False) as client:
        yield client


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture that is smooth, so that JPEG hardly changes it, and different everywhere."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    coarse = np.random.default_rng(7).integers(0, 255, (9, 9, channels), dtype=np.uint8)
    image = Image.fromarray(coarse[:, :, 0] if channels == 1 else coarse)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def keep(files: Files, image: Image.Image, *, key: str | None = None) -> str:
    with files.folder() as folder:
        image.save(folder / "hill.png", icc_profile=image.info.get("icc_profile"))
        return files.keep(folder, key=key)


def written(image: Image.Image, folder: Path) -> Tiles:
    """The tiles of a picture, made here and now."""
    files = Files(str(folder / "files"), work_dir=folder)
    key = keep(files, image)
    write(of_image(image), files.path(key, "hill.png").with_name(TILES))
    made = Tiles(files, Decoder(Limits(1, 1)))
    made.key = key  # type: ignore[attr-defined]  # for these tests only
    return made


def opened(tiles: Tiles, level: int, column: int, row: int) -> Image.Image:
    content, _ = tiles.tile(tiles.key, level, column, row)  # type: ignore[attr-defined]
    return Image.open(io.BytesIO(content))


# What tiles hold


def test_the_tiles_of_level_0_are_the_picture(tmp_path: Path) -> None:
    """Put together, the tiles of the first level are the picture, apart from what JPEG 95 changes."""
    image = noise(1100, 700)
    tiles = written(image, tmp_path)
    whole = Image.new("RGB", image.size)
    for column in range(3):
        for row in range(2):
            whole.paste(opened(tiles, 0, column, row), (column * TILE_SIDE, row * TILE_SIDE))
    difference = np.abs(np.asarray(whole).astype(int) - np.asarray(image)).max()
    assert difference <= 6, f"a pixel differs by {difference}"


@pytest.mark.parametrize("size", [(1, 1), (512, 512), (513, 3), (1100, 700), (1025, 2049)])
def test_each_level_halves_the_one_before_down_to_one_tile(tmp_path: Path, size: tuple[int, int]) -> None:
    """Every level covers the whole picture, with odd sides rounded up, and the last one is a single tile."""
    tiles = written(noise(*size), tmp_path)
    width, height = size
    for level in range(levels(*size)):
        columns, rows = -(-width // TILE_SIDE), -(-height // TILE_SIDE)
        last = opened(tiles, level, columns - 1, rows - 1)
        assert (width - (columns - 1) * TILE_SIDE, height - (rows - 1) * TILE_SIDE) == last.size
        for beyond in ((columns, 0), (0, rows)):
            with pytest.raises(FileMissing):
                opened(tiles, level, *beyond)
        width, height = -(-width // 2), -(-height // 2)
    assert (columns, rows) == (1, 1)
    with pytest.raises(FileMissing):
        opened(tiles, levels(*size), 0, 0)


def test_a_coarser_level_lies_where_the_finer_one_does(tmp_path: Path) -> None:
    """One level up, a white square is at half its position and size, even across a seam of strips."""
    image = Image.new("L", (1600, 1600))
    image.paste(255, (1008, 1008, 1040, 1040))
    tiles = written(image, tmp_path)
    before, after = opened(tiles, 1, 0, 0), opened(tiles, 1, 1, 1)
    assert [0, 255, 255, 0] == [
        round(int(grey) / 255) * 255  # type: ignore[arg-type]
        for grey in (before.getpixel((502, 502)), before.getpixel((506, 506)), after.getpixel((5, 5)),
                     after.getpixel((10, 10)))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("L", ("JPEG", "L")), ("RGB", ("JPEG", "RGB")), ("RGBA", ("PNG", "RGBA")), ("LA", ("PNG", "LA"))],
)
def test_the_kind_of_picture_is_kept(tmp_path: Path, mode: str, expected: tuple[str, str]) -> None:
    """Grey stays grey and transparency stays; a tile is a JPEG where nothing is transparent."""
    tile = opened(written(noise(600, 40, mode), tmp_path), 0, 0, 0)
    assert expected == (tile.format, tile.mode)


def test_opaque_parts_of_a_transparent_picture_are_small(tmp_path: Path) -> None:
    """A tile without a transparent pixel is a JPEG, although others of the same picture are not."""
    image = noise(1024, 40).convert("RGBA")
    image.putpixel((1000, 5), (0, 0, 0, 0))
    tiles = written(image, tmp_path)
    assert ("JPEG", "PNG") == (opened(tiles, 0, 0, 0).format, opened(tiles, 0, 1, 0).format)


def test_tiles_have_the_colours_of_the_picture(tmp_path: Path) -> None:
    """Each tile carries the picture's colour profile, which says what its numbers mean."""
    image = noise(600, 600)
    image.info["icc_profile"] = PROFILE
    tiles = written(image, tmp_path)
    assert [PROFILE] * 3 == [
        opened(tiles, *place).info.get("icc_profile") for place in ((0, 0, 0), (0, 1, 1), (1, 0, 0))
    ]


def test_a_huge_profile_is_not_stored_with_each_tile(tmp_path: Path) -> None:
    """A profile of megabytes is applied to the colours once, instead of being stored with each of hundreds of tiles."""
    image = noise(600, 600)
    image.info["icc_profile"] = PROFILE + bytes(2**20)
    tiles = written(image, tmp_path)
    assert opened(tiles, 0, 0, 0).info.get("icc_profile") is None
    assert len(tiles.tile(tiles.key, 0, 0, 0)[0]) < 200_000  # type: ignore[attr-defined]


# How tiles are made


def test_looking_at_a_picture_makes_its_tiles(tiles: Tiles, files: Files) -> None:
    """The first look gives nothing and starts the work; a later one tells which tiles there are."""
    key = keep(files, noise(1100, 700))
    assert tiles.look(key, "hill.png") is None
    tiles.wait(SECONDS)
    assert Pyramid(1100, 700, 3) == tiles.look(key, "hill.png")
    assert tiles.problem(key) is None
    assert [] == [*files._scratch.iterdir(), *files._incoming.iterdir()]


def test_what_is_looked_at_last_comes_first(files: Files) -> None:
    """The picture that was looked at last is prepared before those that others are through with."""
    order: list[str] = []

    class Patient(Tiles):
        def _make(self, key: str, file: str) -> None:
            order.append(key)

    tiles = Patient(files, Decoder(Limits(1, 1)))
    keys = [keep(files, noise(8, 8)) for _ in range(4)]
    with tiles._changed:  # nothing is begun while this is held
        for key in keys:
            tiles.look(key, "hill.png")
        tiles.look(keys[2], "hill.png")
    tiles.wait(SECONDS)
    tiles.stop()
    assert sorted(keys) == sorted(order)
    assert order.index(keys[2]) < order.index(keys[0])


def test_a_picture_that_cannot_be_read_has_a_reason(tiles: Tiles, files: Files) -> None:
    """A damaged, missing or too large picture gets a sentence and is not tried again and again."""
    with files.folder() as folder:
        (folder / "hill.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        broken = files.keep(folder)
    large = keep(files, Image.new("L", (2000, 1001)))
    for key, said in ((broken, "damaged"), (large, "megapixels"), (new_key(), "no such file")):
        assert tiles.look(key, "hill.png") is None
        tiles.wait(SECONDS)
        assert said in str(tiles.problem(key))
        assert tiles.look(key, "hill.png") is None
        assert not tiles._waiting


def test_deleting_and_replacing_a_picture_takes_its_tiles_away(tiles: Tiles, files: Files) -> None:
    """Tiles live exactly as long as the picture that they were made from, and never stay beside another one."""
    key = keep(files, noise(600, 40))
    tiles.look(key, "hill.png")
    tiles.wait(SECONDS)
    keep(files, noise(40, 600), key=key)
    assert tiles.look(key, "hill.png") is None
    tiles.wait(SECONDS)
    assert Pyramid(40, 600, 2) == tiles.look(key, "hill.png")
    files.delete(key)
    assert not files.has(key, TILES)
    with pytest.raises(FileMissing):
        tiles.tile(key, 0, 0, 0)


def test_nothing_is_added_to_a_picture_that_is_gone(files: Files) -> None:
    """A file made from a picture that was deleted meanwhile is refused and leaves no trace."""
    key = keep(files, noise(8, 8))
    files.delete(key)
    with files.scratch() as folder:
        (folder / TILES).write_bytes(b"tiles")
        with pytest.raises(FileMissing):
            files.add(key, folder / TILES, beside="hill.png")
    assert not files.has(key, TILES)


def test_tiles_are_found_again_by_another_process(tiles: Tiles, files: Files) -> None:
    """Tiles are made once: another process reads what is stored."""
    key = keep(files, noise(600, 40))
    tiles.look(key, "hill.png")
    tiles.wait(SECONDS)
    later = Tiles(files, Decoder(Limits(1, 1)))
    assert Pyramid(600, 40, 2) == later.look(key, "hill.png")
    later.stop()


def test_a_stop_in_the_middle_ends_soon(files: Files) -> None:
    """Stopping does not wait for a large picture, and leaves nothing half-made."""
    tiles = Tiles(files, Decoder(Limits(10**6, 50 * 10**6), nice=LOWEST))
    key = keep(files, Image.new("RGB", (7000, 7000)))
    tiles.look(key, "hill.png")
    tiles.stop()
    tiles.stop()
    assert not tiles._loop.is_alive
    assert not files.has(key, TILES)
    assert [] == list(files._scratch.iterdir())


# How tiles are served


def test_a_tile_is_served_as_a_picture_and_nothing_else(web: httpx.Client, tiles: Tiles, files: Files) -> None:
    """A tile has the same protective headers as a whole picture, and the browser keeps it for good."""
    key = keep(files, noise(600, 40))
    tiles.look(key, "hill.png")
    tiles.wait(SECONDS)
    answer = web.get(f"/tiles/{key}/0/1_0")
    assert (200, "image/jpeg") == (answer.status_code, answer.headers["content-type"])
    assert (88, 40) == Image.open(io.BytesIO(answer.content)).size
    assert ("nosniff", "default-src 'none'; sandbox", "same-origin") == tuple(
        answer.headers[name]
        for name in ("x-content-type-options", "content-security-policy", "cross-origin-resource-policy")
    )
    assert "immutable" in answer.headers["cache-control"]
    assert b"" == web.head(f"/tiles/{key}/0/1_0").content


@pytest.mark.parametrize(
    "path",
    ["{key}/0/9_0", "{key}/9/0_0", "{key}/0/-1_0", "{key}/0/x_0", "{key}/0/0_0_0", "{key}/1e1/0_0", "{key}/0/٣_0",
     "{other}/0/0_0", "..%2f/0/0_0", "{key}/0/" + "9" * 400 + "_0"],
)  # fmt: skip
def test_there_is_nothing_else(web: httpx.Client, tiles: Tiles, files: Files, path: str) -> None:
    """Anything that is not a tile is a plain 404."""
    key = keep(files, noise(8, 8))
    tiles.look(key, "hill.png")
    tiles.wait(SECONDS)
    assert 200 == web.get(f"/tiles/{key}/0/0_0").status_code
    answer = web.get("/tiles/" + path.format(key=key, other=new_key()))
    assert 404 == answer.status_code
    assert "immutable" not in answer.headers.get("cache-control", "")
