"""A PNG in fewer bytes: the same samples packed anew, and everything else in its file as it was."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np

from journey.errors import Stopped
from journey.pictures.chunks import chunks, data_of, is_whole
from journey.pictures.decoding import refuse_broken
from journey.pictures.png import LAST_BLOCK, SIGNATURE, write_chunk
from journey.pictures.reading import Reading, read
from journey.pictures.streaming import FaultFound, samples

STOP = "stop"
"""A file of this name beside the target ends the work."""
WORTH = 0.99
"""A file that would not be smaller than this part of the old one stays as it is."""
_PIECE_BYTES = 1 << 20
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""By PNG's colour type. Palettes are left alone: their pictures are small."""
_KEPT = frozenset(b"IHDR IDAT IEND cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST sPLT tIME".split())
"""What stays true when the same pixels are packed otherwise. Of chunks that are not listed, their own names tell."""
_ZLIB_HEADER = b"\x78\xda"
_BITS = np.log2(1 + np.abs(np.arange(256).astype(np.uint8).view(np.int8).astype(np.float32))).astype(np.float32)
"""About how many bits a byte takes when it is a difference: few near zero, on either side."""


def repack(path: Path, max_pixels: int, target: Path) -> bool:
    """Write the PNG at `path` to `target` in fewer bytes. False when it is none, or would hardly become smaller.

    Every chunk but the pixels is copied, and the pixels are read back and compared before this returns True; then the
    file has reached the disk. It takes about 0.2 s of a processor for a megapixel, and little memory. Raises
    PictureRefused for a damaged picture, Stopped when STOP appears beside the target, and OSError when the disk is
    full.
    """
    reading = read(path, max_pixels)
    if not _can_be_packed(path, reading):
        return False
    refuse_broken(path, reading)
    stop = target.with_name(STOP)
    try:
        _write(path, reading, target, stop)
        if target.stat().st_size > WORTH * path.stat().st_size:
            return False
        if not is_whole(target) or _beside(path) != _beside(target) or not _same_samples(path, target, reading, stop):
            raise ValueError("a picture that was packed anew is not the same")
    except FaultFound:
        return False
    return True


def _can_be_packed(path: Path, reading: Reading) -> bool:
    if reading.kind != "PNG" or reading.loader is None:
        return False
    with path.open("rb") as file:
        for chunk in chunks(file):
            if chunk.kind == b"IHDR":
                depth, colour_type = struct.unpack(">8xBB3x", data_of(file, chunk) or bytes(13))
                if depth < 8 or _CHANNELS.get(colour_type) != len(reading.mode):
                    return False
            # A small last letter says that a chunk may be copied whatever becomes of the others.
            if chunk.kind not in _KEPT and not chunk.kind[3:].islower():
                return False
    return True


def _write(path: Path, reading: Reading, target: Path, stop: Path) -> None:
    is_packed = False
    with path.open("rb") as old, target.open("wb") as new:
        new.write(SIGNATURE)
        for chunk in chunks(old):
            if chunk.kind != b"IDAT":
                old.seek(chunk.at - 8)
                new.write(old.read(chunk.length + 12))
            elif not is_packed:
                is_packed = True
                for piece in _packed(path, reading, stop):
                    write_chunk(new, b"IDAT", piece)
        shutil.copyfileobj(old, new)  # whatever follows the picture
        new.flush()
        os.fsync(new.fileno())


def _packed(path: Path, reading: Reading, stop: Path) -> Iterator[bytes]:
    """The pixels as a stream of zlib, in pieces."""
    checksum = 1
    above: np.ndarray | None = None
    yield _ZLIB_HEADER
    for band in samples(path, reading):
        step = band.shape[2] * band.itemsize
        rows = np.ascontiguousarray(band).astype(band.dtype.newbyteorder(">")).view(np.uint8).reshape(len(band), -1)
        above = np.zeros(rows.shape[1], np.uint8) if above is None else above
        some = max(1, _PIECE_BYTES // rows.shape[1])
        for top in range(0, len(rows), some):
            _go_on_unless(stop)
            piece = rows[top : top + some]
            filtered = _filtered(piece, above, step)
            above = piece[-1]
            checksum = zlib.adler32(filtered.data, checksum)
            yield _deflated(filtered)
    yield LAST_BLOCK + struct.pack(">I", checksum)


def _filtered(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """Rows of bytes, each as differences from the neighbours that tell most of it, after the number of that filter.

    `above` is the row before the first, and `step` the bytes of a pixel.
    """
    here = rows.astype(np.int16)
    up = np.concatenate([above[np.newaxis], rows[:-1]]).astype(np.int16)
    left, corner = np.zeros_like(here), np.zeros_like(here)
    left[:, step:], corner[:, step:] = here[:, :-step], up[:, :-step]
    by_left, by_up = np.abs(up - corner), np.abs(left - corner)
    by_both = np.abs(left + up - 2 * corner)
    paeth = np.where((by_left <= by_up) & (by_left <= by_both), left, np.where(by_up <= by_both, up, corner))
    predicted = (np.int16(0), left, up, (left + up) >> 1, paeth)
    ways = np.stack([(here - each).astype(np.uint8) for each in predicted])
    best = np.stack([_BITS[way].sum(axis=1) for way in ways]).argmin(axis=0)
    return np.concatenate([best.astype(np.uint8)[:, np.newaxis], ways[best, np.arange(len(rows))]], axis=1)


def _deflated(filtered: np.ndarray) -> bytes:
    """Complete blocks of a deflate stream, which more can follow.

    Photographs repeat nothing, so that looking for repetitions only costs time; what is drawn has runs.
    """
    plain = _by(filtered, 1, zlib.Z_HUFFMAN_ONLY)
    runs = _by(filtered, 1, zlib.Z_RLE)
    return plain if len(plain) <= len(runs) else min(runs, _by(filtered, 9, zlib.Z_DEFAULT_STRATEGY), key=len)


def _by(filtered: np.ndarray, level: int, strategy: int) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return deflate.compress(filtered.data) + deflate.flush(zlib.Z_SYNC_FLUSH)


def _beside(path: Path) -> list[tuple[bytes, bytes | None]]:
    """All chunks but the pixels."""
    with path.open("rb") as file:
        return [(chunk.kind, data_of(file, chunk)) for chunk in chunks(file) if chunk.kind != b"IDAT"]


def _same_samples(first: Path, second: Path, reading: Reading, stop: Path) -> bool:
    for one, other in zip_longest(samples(first, reading), samples(second, reading)):
        _go_on_unless(stop)
        if one is None or other is None or not np.array_equal(one, other):
            return False
    return True


def _go_on_unless(stop: Path) -> None:
    if stop.exists():
        raise Stopped("There is other work.")
