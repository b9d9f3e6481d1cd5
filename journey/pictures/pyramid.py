"""All tiles of a picture in one file: how it is written, and where each tile lies in it.

Level 0 holds the pixels as they are, each further level has half as many across and down, and the last one fits into
one tile. They share one file because many small files are slow in object storage.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms

from journey.pictures.profiles import grey_in_srgb
from journey.pictures.rows import MODES, Stream, Strips, to_array, to_image

TILE_SIDE = 512
_QUALITY = 95
_ICC_LIMIT = 16 * 1024
"""The longest colour profile, in bytes, that each tile carries. With a longer one, colours are converted to sRGB."""
_ABOUT = "about.json"


@dataclass(frozen=True)
class Pyramid:
    """The tiles of one picture: its size in pixels, and how many levels there are."""

    width: int
    height: int
    levels: int


@dataclass(frozen=True)
class Directory:
    """Where each tile lies in one version of a file of tiles: `places` is {name: (offset, size)}."""

    version: tuple[int, ...]
    pyramid: Pyramid
    places: dict[str, tuple[int, int]]


def levels(width: int, height: int) -> int:
    """How many levels a picture of this size in pixels has."""
    count = 1
    while max(width, height) > TILE_SIDE:
        width, height, count = -(-width // 2), -(-height // 2), count + 1
    return count


class Writer:
    """Writes all tiles of an upright 8-bit picture that comes row by row, from top to bottom.

    Tiles are JPEG of quality 95 at full colour resolution, or PNG where something is transparent; grey stays grey.
    Of each level no more than the rows of one tile are held: twice that of the first, as each has half as many pixels
    across as the one before. The file is complete at the end of the `with`.
    """

    def __init__(self, target: Path, width: int, height: int, channels: int, *, icc: bytes | None = None) -> None:
        about = Pyramid(width, height, levels(width, height))
        self._encode = _Encoder(icc, MODES[channels])
        self._strips = [
            Strips(-(-width >> level), -(-height >> level), channels, TILE_SIDE) for level in range(about.levels)
        ]
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._archive.writestr(_ABOUT, json.dumps(asdict(about)))

    def add(self, rows: np.ndarray) -> None:
        """Take the next uint8 rows, of shape (any, width, channels)."""
        self._add(0, rows)

    def _add(self, level: int, rows: np.ndarray) -> None:
        for row, strip in self._strips[level].of(rows):
            half = self._write_strip(level, row, strip)
            if level + 1 < len(self._strips):
                self._add(level + 1, half)

    def _write_strip(self, level: int, row: int, strip: np.ndarray) -> np.ndarray:
        """Write one row of tiles, and return the same pixels at half the size."""
        height, width, channels = strip.shape
        half = np.empty((-(-height // 2), -(-width // 2), channels), np.uint8)
        for column, left in enumerate(range(0, width, TILE_SIDE)):
            tile = to_image(strip[:, left : left + TILE_SIDE])
            half[:, left // 2 : (left + TILE_SIDE) // 2] = to_array(tile.reduce(2))
            extension, content = self._encode(tile)
            self._archive.writestr(tile_name(level, column, row) + extension, content)
        return half

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()
        if kind is None:
            self._strips[0].check()


def write(picture: Stream, target: Path) -> None:
    """Write all tiles of a picture."""
    with Writer(target, picture.width, picture.height, picture.channels, icc=picture.icc) as writer:
        for rows in picture.bands:
            writer.add(rows)


class _Encoder:
    """Encodes tiles as (extension, bytes), with the colour profile of the whole picture."""

    def __init__(self, icc: bytes | None, mode: str) -> None:
        # What it says of grey is put into the tiles.
        self._grey = icc if mode in ("L", "LA") else None
        self._icc = icc if self._grey is None else None
        self._transform: ImageCms.ImageCmsTransform | None = None
        if self._icc is not None and len(self._icc) > _ICC_LIMIT:
            try:
                source = ImageCms.ImageCmsProfile(io.BytesIO(self._icc))
                self._transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, mode)
            except (ImageCms.PyCMSError, OSError):
                pass  # a broken profile describes no colours
            self._icc = None

    def __call__(self, tile: Image.Image) -> tuple[str, bytes]:
        tile.info = {}
        tile = grey_in_srgb(tile, self._grey) if self._grey else tile
        if self._transform is not None:
            tile = ImageCms.applyTransform(tile, self._transform) or tile
        buffer = io.BytesIO()
        if tile.mode in ("LA", "RGBA"):
            if tile.getchannel("A").getextrema() != (255, 255):
                tile.save(buffer, "PNG", compress_level=1, icc_profile=self._icc)
                return ".png", buffer.getvalue()
            tile = tile.convert(tile.mode[:-1])
        tile.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=self._icc)
        return ".jpg", buffer.getvalue()


def tile_name(level: int, column: int, row: int) -> str:
    return f"{level}/{column}_{row}"


def version_of(status: os.stat_result) -> tuple[int, ...]:
    """The version of a file, which changes whenever the file is replaced."""
    return status.st_ino, status.st_mtime_ns, status.st_size


def read_directory(content: BinaryIO, version: tuple[int, ...]) -> Directory:
    with zipfile.ZipFile(content) as archive:
        about = Pyramid(**json.loads(archive.read(_ABOUT)))
        # Each tile follows a local header of 30 bytes and its name: these archives have no extra fields.
        places = {
            each.filename: (each.header_offset + 30 + len(each.filename), each.file_size) for each in archive.infolist()
        }
    return Directory(version, about, places)
