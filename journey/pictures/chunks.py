"""The chunks of a PNG, found without decoding a pixel. What nobody needs may be broken, if the pixels are not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from journey.pictures.png import SIGNATURE, write_chunk

LARGEST = 8 << 20
"""Bytes of the largest chunk beside the pixels that is read, packed or not: profiles of printers have 3 MB."""
_PIECE = 1 << 20
_NEEDED = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
"""What decides the pixels."""


@dataclass(frozen=True)
class Chunk:
    """`at` is where its data begins in the file."""

    kind: bytes
    at: int
    length: int


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Every chunk up to IEND or the end of the file. The caller may read and seek in the file between two of them."""
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        length, kind = struct.unpack(">I4s", header)
        yield Chunk(kind, at + 8, length)
        if kind == b"IEND":
            return
        at += 12 + length


def data_of(file: BinaryIO, chunk: Chunk) -> bytes | None:
    """What a chunk holds; None when it is very large, cut short, or its checksum is wrong."""
    if chunk.length > LARGEST:
        return None
    file.seek(chunk.at)
    data, said = file.read(chunk.length), file.read(4)
    return data if said == struct.pack(">I", zlib.crc32(data, zlib.crc32(chunk.kind))) else None


def is_whole(path: Path) -> bool:
    """Whether everything that decides the pixels has its right checksum. Reads the whole file."""
    with path.open("rb") as file:
        for chunk in chunks(file):
            if chunk.kind not in _NEEDED:
                continue
            file.seek(chunk.at - 4)
            checksum, left = 0, chunk.length + 4
            while left:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    return False
                checksum = zlib.crc32(piece, checksum)
                left -= len(piece)
            if file.read(4) != struct.pack(">I", checksum):
                return False
    return True


def unpacked(data: bytes) -> bytes | None:
    """What zlib packed; None when that is broken or very large."""
    unpacking = zlib.decompressobj()
    try:
        whole = unpacking.decompress(data, LARGEST)
    except zlib.error:
        return None
    return whole if unpacking.eof else None


def bare(path: Path) -> io.BytesIO | None:
    """The same PNG with nothing but what decides its pixels, for a reader that stumbles over anything else.

    None when a checksum of that is wrong.
    """
    made = io.BytesIO()
    made.write(SIGNATURE)
    ended = False
    with path.open("rb") as file:
        for chunk in chunks(file):
            if chunk.kind in _NEEDED:
                file.seek(chunk.at - 8)
                whole = file.read(chunk.length + 12)
                if whole[-4:] != struct.pack(">I", zlib.crc32(memoryview(whole)[4:-4])):
                    return None
                made.write(whole)
                ended = chunk.kind == b"IEND"
    if not ended:
        write_chunk(made, b"IEND", b"")
    made.seek(0)
    return made
