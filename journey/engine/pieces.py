"""Pieces of pictures, enlarged before anything is ordered: a look at what each network makes of one place."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

from PIL import Image

from journey.background import Latest
from journey.engine.networks.network import DETAIL, Network
from journey.engine.networks.recipes import Recipe, decided, recipe
from journey.engine.upscaler import Box, piece, tile_around
from journey.errors import Stopped
from journey.pictures.checking import Decoder
from journey.pictures.detail import most_detailed
from journey.pictures.previews import PREVIEW
from journey.pictures.rows import Rows, to_image
from journey.storage.files import Files
from journey.storage.stored import StoredPicture

_KEPT = 2
"""Decoded pictures that are kept, so that a second piece of one does not decode it again."""
_PLACES_KEPT = 200


@dataclass(frozen=True)
class Piece:
    """What a network makes of `box`, a part of the source in its pixels: `png` are the bytes of a file."""

    box: Box
    png: bytes


class Pieces:
    """Makes pieces one after the other, in a thread of its own. `workers` gives None while there are none."""

    def __init__(
        self,
        decoder: Decoder,
        files: Files,
        networks: Mapping[str, Network],
        workers: Callable[[], Executor | None],
    ) -> None:
        self._decoder = decoder
        self._files = files
        self._networks = networks
        self._workers = workers
        self._thread = ThreadPoolExecutor(1, "engine-pieces")
        self._open: OrderedDict[str, _Opened] = OrderedDict()
        self._places: Latest[str, tuple[float, float]] = Latest(_PLACES_KEPT)

    def box(self, size: tuple[int, int], x: float, y: float) -> Box:
        """The part that a piece covers: one tile, around a place that is given as fractions of the sides."""
        width, height = size
        across, down = min(width - 1, int(x * width)), min(height - 1, int(y * height))
        return tile_around(across, down, width, height, Recipe(self._networks.get(DETAIL.name, DETAIL)))

    def most_detailed(self, picture: StoredPicture) -> tuple[float, float]:
        """The place with the most to see, as fractions of the sides. Raises FileMissing."""
        if picture.key not in self._places:
            box = self.box(picture.size, 0.5, 0.5)
            window = (box.right - box.left) / picture.width, (box.bottom - box.top) / picture.height
            with Image.open(self._files.path(picture.key, PREVIEW)) as preview:
                self._places[picture.key] = most_detailed(preview, *window)
        return self._places[picture.key]

    def make(self, picture: StoredPicture, name: str, scale: int, box: Box) -> Future[Piece]:
        """What the network makes of this part of the picture, exactly as the whole upscale will.

        The future raises FileMissing, PictureRefused, InvalidRequest, or Stopped where no workers run.
        """
        return self._thread.submit(self._make, picture, name, scale, box)

    def original(self, picture: StoredPicture, scale: int, box: Box) -> Future[Piece]:
        """The same part, enlarged without a network: Lanczos."""
        return self._thread.submit(self._original, picture, scale, box)

    def stop(self) -> None:
        """Forget what was asked for, and the decoded pictures."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = ThreadPoolExecutor(1, "engine-pieces")
        while self._open:
            self._open.popitem()[1].close()

    def _make(self, picture: StoredPicture, name: str, scale: int, box: Box) -> Piece:
        workers = self._workers()
        if workers is None:
            raise Stopped("Pieces are made by the server that does the work, and this one does not.")
        opened = self._opened(picture)
        made = piece(opened.rows, opened.decided(recipe(name, self._networks)), scale, box, workers=workers)
        return Piece(box, _png(to_image(made)))

    def _original(self, picture: StoredPicture, scale: int, box: Box) -> Piece:
        rows = self._opened(picture).rows
        part = to_image(rows.read(box.top, box.bottom)[:, box.left : box.right])
        large = part.resize((scale * part.width, scale * part.height), Image.Resampling.LANCZOS)
        return Piece(box, _png(large))

    def _opened(self, picture: StoredPicture) -> _Opened:
        if picture.key not in self._open:
            self._open[picture.key] = _Opened(self._decoder, self._files, picture)
        self._open.move_to_end(picture.key)
        while len(self._open) > _KEPT:
            self._open.popitem(last=False)[1].close()
        return self._open[picture.key]


class _Opened:
    """A decoded picture, and what was decided for the whole of it."""

    def __init__(self, decoder: Decoder, files: Files, picture: StoredPicture) -> None:
        self._stack = ExitStack()
        scratch = self._stack.enter_context(files.folder())
        try:
            self.rows: Rows = decoder.rows(files.path(picture.key, picture.file), scratch)
        except BaseException:
            self.close()
            raise
        self._decisions: dict[tuple[str, ...], Recipe] = {}

    def decided(self, chosen: Recipe) -> Recipe:
        """The recipe with what this picture needs. Networks of the same kind share what was decided once."""
        names = tuple(network.name for network in chosen.networks)
        if names not in self._decisions:
            self._decisions[names] = decided(chosen, self.rows)
        known = self._decisions[names]
        return replace(chosen, cleaner=known.cleaner, is_neutral=known.is_neutral)

    def close(self) -> None:
        self._stack.close()


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
