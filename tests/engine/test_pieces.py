"""Pieces: what a network makes of one place is what the whole upscale has there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from journey.engine.networks.network import DETAIL, FAITHFUL, FAST
from journey.engine.networks.recipes import decided, recipe
from journey.engine.pieces import Pieces
from journey.engine.upscaler import upscale
from journey.errors import FileMissing, InvalidRequest, Stopped
from journey.pictures import samples
from journey.pictures.checking import Decoder, Limits
from journey.pictures.previews import write_previews
from journey.pictures.rows import ArrayRows
from journey.storage.files import Files
from journey.storage.stored import StoredPicture
from tests.harness.standing import Inline

NETWORKS = {each.name: each for each in (FAST, DETAIL, FAITHFUL)}
WAIT = 300


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    made = Files(str(folder), work_dir=folder)
    made.start()
    return made


@pytest.fixture(scope="module")
def pieces(files: Files) -> Iterator[Pieces]:
    decoder = Decoder(Limits(10**7, 10**8))
    decoder.start()
    made = Pieces(decoder, files, NETWORKS, Inline)
    yield made
    made.stop()
    decoder.stop()


def kept(files: Files, picture: Image.Image, kind: str) -> StoredPicture:
    name = f"picture.{kind}"
    with files.folder() as folder:
        picture.save(folder / name, **({"quality": 80} if kind == "jpg" else {}))
        write_previews(picture, folder)
        return StoredPicture(files.keep(folder), name, *picture.size)


def whole(path: Path, name: str, scale: int) -> np.ndarray:
    rows = ArrayRows(np.asarray(Image.open(path).convert("RGB")))
    chosen = decided(recipe(name, NETWORKS), rows)
    bands = upscale(
        rows, chosen, scale, workers=Inline(), on_progress=lambda done, total: None, should_stop=lambda: False
    )
    return np.concatenate(list(bands))


@pytest.mark.parametrize(
    ("name", "kind", "size", "places"),
    [
        ("fast", "png", (300, 270), [(0.1, 0.1), (0.99, 0.5), (0.6, 1.0)]),
        ("faithful", "jpg", (210, 80), [(0.1, 0.1), (0.99, 0.5)]),
        ("detail-40", "png", (132, 40), [(0.99, 0.5)]),
    ],
)
def test_a_piece_is_what_the_whole_has_there(
    files: Files, pieces: Pieces, name: str, kind: str, size: tuple[int, int], places: list[tuple[float, float]]
) -> None:
    """Pixel for pixel, with what was decided for the whole picture, wherever the piece lies."""
    stored = kept(files, samples.draw("fjord").crop((300, 500, 300 + size[0], 500 + size[1])), kind)
    made = whole(files.path(stored.key, stored.file), name, 2)
    for place in places:
        box = pieces.box(stored.size, *place)
        piece = np.asarray(Image.open(io.BytesIO(pieces.make(stored, name, 2, box).result(WAIT).png)))
        expected = made[2 * box.top : 2 * box.bottom, 2 * box.left : 2 * box.right]
        assert np.array_equal(expected, piece)


def test_a_piece_is_one_tile_around_the_place(pieces: Pieces) -> None:
    """The piece holds the place that was chosen, also at the very edge, and lies inside the picture."""
    for size in ((1024, 1536), (500, 40), (1, 1), (9000, 130)):
        for x, y in ((0, 0), (0.5, 0.5), (1, 1), (0.999, 0.001)):
            box = pieces.box(size, x, y)
            across, down = min(size[0] - 1, int(x * size[0])), min(size[1] - 1, int(y * size[1]))
            assert box.left <= across < box.right <= size[0]
            assert box.top <= down < box.bottom <= size[1]
            assert 128 >= box.right - box.left


def test_the_most_detailed_place_is_found(files: Files, pieces: Pieces) -> None:
    """Without a choice, the piece lies where there is most to see."""
    picture = Image.new("RGB", (600, 600), "grey")
    noise = np.random.default_rng(2).integers(0, 256, (90, 90, 3), np.uint8)
    picture.paste(Image.fromarray(noise).reduce(3).resize((90, 90)), (420, 120))
    x, y = pieces.most_detailed(kept(files, picture, "png"))
    assert 420 <= 600 * x <= 510
    assert 120 <= 600 * y <= 210


def test_the_place_without_a_network_is_the_source_enlarged(files: Files, pieces: Pieces) -> None:
    """What a piece is compared with has its size, and the source's colours."""
    stored = kept(files, Image.new("RGB", (200, 200), (10, 90, 200)), "png")
    box = pieces.box(stored.size, 0.2, 0.2)
    plain = Image.open(io.BytesIO(pieces.original(stored, 4, box).result(WAIT).png))
    assert (4 * (box.right - box.left), 4 * (box.bottom - box.top)) == plain.size
    assert (10, 90, 200) == plain.getpixel((50, 50))


def test_what_stands_in_the_way_is_said(files: Files, pieces: Pieces) -> None:
    """A picture that is gone, a network that is not there, and a server without workers each raise their own error."""
    gone = StoredPicture("0" * 32, "gone.png", 50, 50)
    with pytest.raises(FileMissing):
        pieces.make(gone, "fast", 4, pieces.box(gone.size, 0, 0)).result(WAIT)
    stored = kept(files, Image.new("RGB", (20, 20)), "png")
    with pytest.raises(InvalidRequest):
        pieces.make(stored, "best", 4, pieces.box(stored.size, 0, 0)).result(WAIT)
    idle = Pieces(Decoder(Limits(10, 10)), files, NETWORKS, lambda: None)
    with pytest.raises(Stopped, match="Pieces are made by the server that does the work"):
        idle.make(stored, "fast", 4, idle.box(stored.size, 0, 0)).result(WAIT)
    idle.stop()
