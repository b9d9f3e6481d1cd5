"""What a server says about the coding of a body is not believed: the bytes decide, within the limit."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.outside.codings import TooLong, Undecodable, beginning, decoded
from journey.testing import picture

JSON = b'{"task_id": "85h8-1", "status": "finished"}'
PICTURES = [picture(64, 48, kind) for kind in ("PNG", "JPEG", "WEBP")]
LIMIT = 2**20


def without_header(data: bytes) -> bytes:
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflating.compress(data) + deflating.flush()


def in_members(data: bytes) -> bytes:
    return b"".join(gzip.compress(data[start : start + 7]) for start in range(0, len(data), 7))


CODED: dict[str, tuple[str | None, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "gzip in members": ("gzip", in_members),
    "gzip and zeros behind it": ("gzip", lambda data: gzip.compress(data) + bytes(900)),
    "gzip unasked": (None, gzip.compress),
    "gzip named identity": ("identity", gzip.compress),
    "gzip twice": ("gzip", lambda data: gzip.compress(gzip.compress(data))),
    "gzip named deflate": ("deflate", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("Deflate", without_header),
    "deflate, then gzip": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    **{
        f"plain, named {name!r}": (name, lambda data: data)
        for name in ("", "none", "binary", "aws-chunked", "utf-8", "gzip", "deflate", "br, ,", "\x00", ",,,;;q=")
    },
}  # fmt: skip


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


@pytest.mark.parametrize(("name", "coding"), CODED.values(), ids=CODED)
@pytest.mark.parametrize("size", [1, 4096, LIMIT])
def test_every_usual_coding_is_undone(name: str | None, coding: Callable[[bytes], bytes], size: int) -> None:
    """Whatever the header calls it, and however its pieces come, the body is what was meant."""
    for body in (JSON, b"", *PICTURES):
        coded = coding(body)
        assert body == b"".join(decoded(pieces(coded, size), name, limit=LIMIT))
        assert body == beginning(coded, name, limit=LIMIT)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_not_unpacked(layers: int) -> None:
    """What would unpack to more than the limit ends there, in whichever layer it grows."""
    body = bytes(50_000_000)
    for _ in range(layers):
        body = gzip.compress(body)
    with pytest.raises(TooLong):
        list(decoded([body], "gzip", limit=LIMIT))
    assert len(beginning(body, None, limit=LIMIT)) <= LIMIT
    with pytest.raises(TooLong):
        list(decoded([bytes(LIMIT + 1)], None, limit=LIMIT))


@pytest.mark.parametrize("coded", [gzip.compress(JSON)[:-3], gzip.compress(JSON) + gzip.compress(JSON)[:20]], ids=len)
def test_half_a_body_is_not_taken_for_all_of_it(coded: bytes) -> None:
    """A body that ends in the middle of its coding is damaged, and what came of it can still be shown."""
    with pytest.raises(Undecodable):
        list(decoded([coded], "gzip", limit=LIMIT))
    assert beginning(coded, "gzip", limit=LIMIT).startswith(JSON)


def test_an_error_of_the_connection_passes_through() -> None:
    """What reading the body raises reaches the caller unchanged, when the body is read and not before."""

    def broken() -> Iterator[bytes]:
        yield JSON
        raise ConnectionResetError

    reading = decoded(broken(), "gzip", limit=LIMIT)
    with pytest.raises(ConnectionResetError):
        list(reading)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x1f\x8b\x08", b"\x78\x9c"]), st.text(max_size=20))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_body_or_one_of_our_errors(body: bytes, start: bytes, header: str) -> None:
    """Nothing but our own two errors comes of odd bytes and odd names, and a body that is not coded stays as it is."""
    try:
        found = b"".join(decoded([start + body], header, limit=LIMIT))
    except (TooLong, Undecodable):
        return
    if not start and not body.startswith(b"\x1f\x8b") and "deflate" not in header.lower():
        assert body == found
