"""Codings of a body, undone within a limit. The bytes decide: a coding that they do not have is none.

Servers name codings that were never applied (`binary`, `aws-chunked`, nothing at all), leave the name out, or compress
what is compressed already. No picture and no JSON begins like gzip, so gzip is known by its first bytes whatever the
header says. Only deflate needs its name.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator

_GZIP = b"\x1f\x8b\x08"
_START = 4096
"""So many bytes tell deflate from anything else."""
_PIECE = 64 * 1024
_MOST_LAYERS = 3


class Undecodable(ValueError):
    """The body is damaged, or ends before its coding does."""


class TooLong(ValueError):
    """The body has more bytes than the limit, as it was sent or unpacked."""


def decoded(body: Iterable[bytes], content_encoding: str | None, *, limit: int) -> Iterator[bytes]:
    """The body without its codings, piece by piece; at most `limit` bytes of it are unpacked.

    `content_encoding` is the header, None when there is none. Raises TooLong and Undecodable where the body shows it;
    what `body` itself raises passes through.
    """
    names = (content_encoding or "").lower().split(",")[-_MOST_LAYERS:]
    pieces = _within(limit, iter(body))
    for name in [*reversed(names), ""]:  # once more: a file that is stored compressed may be so on its way as well
        pieces = _within(limit, _undone(pieces, by_name="deflate" in name))
    yield from pieces


def beginning(body: bytes, content_encoding: str | None, *, limit: int) -> bytes:
    """As much of a body as can be unpacked within the limit; all of it unless it is damaged, cut short or longer."""
    found = bytearray()
    try:
        for piece in decoded([body], content_encoding, limit=limit):
            found += piece
    except (TooLong, Undecodable):
        pass
    return bytes(found)


def _undone(pieces: Iterator[bytes], *, by_name: bool) -> Iterator[bytes]:
    """One layer less, if the bytes have one; `by_name` means that it may be deflate."""
    start, wanted = b"", _START if by_name else len(_GZIP)
    while len(start) < wanted and (piece := next(pieces, b"")):
        start += piece
    whole = itertools.chain([start] if start else [], pieces)
    if start.startswith(_GZIP):
        return _inflated(whole, 16 + zlib.MAX_WBITS, members=True)
    if by_name:
        for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):  # with the header that the standard asks for, and without
            if _inflates(start, bits):
                return _inflated(whole, bits, members=False)
    return whole


def _inflates(start: bytes, bits: int) -> bool:
    inflater = zlib.decompressobj(bits)
    try:
        inflater.decompress(start[:_START])
    except zlib.error:
        return False
    # Text may pass for the first bytes of deflate, but never for an end as well.
    return inflater.eof or len(start) >= _START or (bits > 0 and len(start) > 1)


def _inflated(pieces: Iterator[bytes], bits: int, *, members: bool) -> Iterator[bytes]:
    """One stream; with `members` those that follow it. Whatever else follows is left out, as browsers do."""
    inflater, ended, has_given = zlib.decompressobj(bits), 0, False
    for given in pieces:
        data = given
        while data:
            if inflater.eof:
                if not members:
                    return
                inflater, ended, has_given = zlib.decompressobj(bits), ended + 1, False
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error as error:
                if ended and not has_given:
                    return
                raise Undecodable("the body is damaged") from error
            if piece:
                has_given = True
                yield piece
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof and (rest := inflater.flush()):
        yield rest  # the last bits may stand for more than a piece had room for
    if not inflater.eof:
        raise Undecodable("the body ends before its coding does")


def _within(limit: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > limit:
            if rest := piece[: limit - length]:
                yield rest
            raise TooLong(f"the body is longer than {limit} bytes")
        yield piece
