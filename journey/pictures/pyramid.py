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
from typing import BinaryIO

from PIL import Image, ImageCms

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


def write(picture: Image.Image, target: Path) -> None:
    """Write all tiles of an upright 8-bit picture (L, LA, RGB or RGBA).

    Tiles are JPEG of quality 95 at full colour resolution, or PNG where something is transparent; grey stays grey.
    This needs a third of the picture's memory on top of the picture itself.
    """
    encode = _Encoder(picture.info.get("icc_profile"), picture.mode)
    about = Pyramid(picture.width, picture.height, levels(*picture.size))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_ABOUT, json.dumps(asdict(about)))
        for level in range(about.levels):
            half = Image.new(picture.mode, (-(-picture.width // 2), -(-picture.height // 2)))
            # In strips: an operation on the whole picture at once could need its memory twice.
            for row in range(-(-picture.height // TILE_SIDE)):
                top = row * TILE_SIDE
                strip = picture.crop((0, top, picture.width, min(top + TILE_SIDE, picture.height)))
                for column in range(-(-picture.width // TILE_SIDE)):
                    left = column * TILE_SIDE
                    tile = strip.crop((left, 0, min(left + TILE_SIDE, picture.width), strip.height))
                    extension, content = encode(tile)
                    archive.writestr(tile_name(level, column, row) + extension, content)
                half.paste(strip.reduce(2), (0, top // 2))
            picture = half


class _Encoder:
    """Encodes tiles as (extension, bytes), with the colour profile of the whole picture."""

    def __init__(self, icc: bytes | None, mode: str) -> None:
        self._icc = icc
        self._transform: ImageCms.ImageCmsTransform | None = None
        if icc is not None and len(icc) > _ICC_LIMIT:
            self._icc = None
            if mode in ("RGB", "RGBA"):
                try:
                    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
                    self._transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, mode)
                except (ImageCms.PyCMSError, OSError):
                    pass  # a broken profile describes no colours

    def __call__(self, tile: Image.Image) -> tuple[str, bytes]:
        tile.info = {}
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
