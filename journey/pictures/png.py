"""Writes PNG files quickly and row by row, and the chunks that such files are made of."""

from __future__ import annotations

import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from journey.processes import usable_cores

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_SUB = 1
_PIECE_BYTES = 1 << 20
_ZLIB_HEADER = b"\x78\x01"
LAST_BLOCK = b"\x03\x00"
"""An empty final block of a deflate stream."""
_ADLER = 65521
"""Both halves of an Adler-32 checksum are counted modulo this prime."""


class Writer:
    """Writes uint8 rows of 1 to 4 channels (grey, grey and alpha, RGB or RGBA), from top to bottom.

    Each pixel is predicted by its left neighbour, and what remains is packed as runs and Huffman codes only.
    For the smooth, enlarged pictures written here that takes 40 % of the time of Pillow's fastest setting and
    makes files 10 % smaller (4096 × 4096 RGB: 0.8 s against 1.9 s on the same processor). Pieces of about 1 MiB are
    packed in parallel on all cores: runs reach back only one byte, so nothing is lost between pieces.

    The file is complete at the end of the `with`. After an error, what was written so far is left to the caller.
    """

    def __init__(self, path: Path, width: int, height: int, channels: int, *, icc: bytes | None = None) -> None:
        self._missing = height
        self._piece_rows = max(1, _PIECE_BYTES // (width * channels))
        self._checksum = 1
        workers = usable_cores()
        self._most_packing = workers + 2
        self._packing: deque[Future[tuple[bytes, int, int]]] = deque()
        self._file = path.open("wb")
        self._pool = ThreadPoolExecutor(workers)
        self._file.write(SIGNATURE)
        write_chunk(self._file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0))
        if icc:
            write_chunk(self._file, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(icc))
        write_chunk(self._file, b"IDAT", _ZLIB_HEADER)

    def add(self, rows: np.ndarray) -> None:
        """Write the next rows, of shape (any, width, channels). They are packed later, so do not change them.

        Waits only while many pieces are being packed. Raises OSError when the disk is full.
        """
        if len(rows) > self._missing:
            raise ValueError("the picture has fewer rows")
        self._missing -= len(rows)
        for top in range(0, len(rows), self._piece_rows):
            if len(self._packing) == self._most_packing:
                self._write_oldest()
            self._packing.append(self._pool.submit(_packed, rows[top : top + self._piece_rows]))

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            try:
                if kind is None:
                    self._finish()
            finally:
                self._pool.shutdown(cancel_futures=True)

    def _finish(self) -> None:
        if self._missing:
            raise ValueError(f"{self._missing} rows of the picture are missing")
        while self._packing:
            self._write_oldest()
        write_chunk(self._file, b"IDAT", LAST_BLOCK + struct.pack(">I", self._checksum))
        write_chunk(self._file, b"IEND", b"")

    def _write_oldest(self) -> None:
        packed, checksum, length = self._packing.popleft().result()
        self._checksum = _joined(self._checksum, checksum, length)
        write_chunk(self._file, b"IDAT", packed)


def write(path: Path, array: np.ndarray, *, icc: bytes | None = None) -> None:
    """Write uint8 pixels of shape (height, width, 1 to 4)."""
    with Writer(path, array.shape[1], array.shape[0], array.shape[2], icc=icc) as writer:
        writer.add(array)


def write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    """One chunk: length, kind, data and checksum."""
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def _packed(rows: np.ndarray) -> tuple[bytes, int, int]:
    """The rows as complete blocks of a deflate stream, which more can follow; their checksum and unpacked length."""
    filtered = _predicted(rows)
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
    packed = deflate.compress(filtered.data) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return packed, zlib.adler32(filtered.data), filtered.size


def _joined(first: int, second: int, length: int) -> int:
    """The Adler-32 checksum of two pieces, from the checksums of both and the length of the second in bytes."""
    low = (first & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + low * length
    return high % _ADLER << 16 | (low + (second & 0xFFFF)) % _ADLER


def _predicted(rows: np.ndarray) -> np.ndarray:
    """The rows with the filter's number in front, and each pixel as its difference from its left neighbour."""
    height, width, channels = rows.shape
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = _SUB
    filtered[:, 1 : 1 + channels] = rows[:, 0]
    differences = filtered[:, 1 + channels :].reshape(height, width - 1, channels) if width > 1 else None
    if differences is not None:
        np.subtract(rows[:, 1:], rows[:, :-1], out=differences)
    return filtered
