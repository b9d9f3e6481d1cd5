"""A PNG that is packed anew is the same picture in fewer bytes, or is left as it is."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from journey.errors import PictureRefused, Stopped
from journey.pictures import repacking
from journey.pictures.chunks import chunks
from journey.pictures.png import SIGNATURE, write_chunk
from journey.pictures.repacking import STOP, repack
from tests.pictures.test_tiles import PROFILE

LIMIT = 10**6
AFTER = b"what another program left"
SIDES = [
    (b"gAMA", struct.pack(">I", 45455)),
    (b"iCCP", b"sRGB\x00\x00" + zlib.compress(PROFILE)),
    (b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
    (b"tEXt", b"Comment\x00koi"),
]
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def smooth(width: int, height: int, channels: int, depth: int = 8) -> np.ndarray:
    """Samples that are a little different everywhere."""
    coarse = np.random.default_rng(7).integers(0, 256, (5, 5, channels), dtype=np.uint8)
    planes = [Image.fromarray(coarse[..., each]).resize((width, height), 3) for each in range(channels)]
    big = np.stack([np.asarray(plane) for plane in planes], axis=-1)
    fine = np.random.default_rng(8).integers(0, 3, big.shape, dtype=np.uint8)
    return big // 2 + fine if depth == 8 else (big.astype(np.uint16) * 200 + fine).astype(">u2")


def png_of(samples: np.ndarray, *, extra: tuple[tuple[bytes, bytes], ...] = (), interlace: int = 0) -> bytes:
    """A PNG as the simplest program would write it: without filters, and with something of everything beside."""
    height, width, channels = samples.shape
    file = io.BytesIO()
    file.write(SIGNATURE)
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.itemsize, COLOUR_TYPES[channels], 0, 0, interlace)
    write_chunk(file, b"IHDR", header)
    for kind, data in (*SIDES[: None if channels > 2 else 1], *extra):
        write_chunk(file, kind, data)
    packed = zlib.compress(b"".join(b"\x00" + row.tobytes() for row in samples), 1)
    for start in range(0, len(packed), 5000):
        write_chunk(file, b"IDAT", packed[start : start + 5000])
    write_chunk(file, b"eXIf", b"MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
    write_chunk(file, b"IEND", b"")
    return file.getvalue() + AFTER


def unpacked(data: bytes, shape: tuple[int, int, int], itemsize: int) -> np.ndarray:
    """The samples, by the letter of the standard and with nothing of ours."""
    packed, at = b"", len(SIGNATURE)
    while data[at + 4 : at + 8] != b"IEND":
        length = int.from_bytes(data[at : at + 4])
        packed += data[at + 8 : at + 8 + length] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    step, width = shape[2] * itemsize, shape[1] * shape[2] * itemsize
    stream, rows, above = zlib.decompress(packed), [], [0] * (step + width)
    for start in range(0, len(stream), 1 + width):
        row = [0] * step
        for place, value in enumerate(stream[start + 1 : start + 1 + width], start=step):
            left, up, corner = row[place - step], above[place], above[place - step]
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda each: abs(guess - each))
            row.append((value + (0, left, up, (left + up) // 2, nearest)[stream[start]]) % 256)
        rows.append(bytes(row[step:]))
        above = row
    return np.frombuffer(b"".join(rows), f">u{itemsize}").reshape(shape)


def kinds(path: Path) -> list[tuple[bytes, int]]:
    with path.open("rb") as file:
        return [(each.kind, each.length) for each in chunks(file) if each.kind != b"IDAT"]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_nothing_but_the_size_of_a_file_changes(tmp_path: Path, channels: int, depth: int) -> None:
    """Every sample stays the same to the last bit, hidden colours as well, and so does all that stands beside them."""
    samples = smooth(90, 70, channels, depth)
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    old.write_bytes(png_of(samples))
    assert repack(old, LIMIT, new)
    assert (samples == unpacked(new.read_bytes(), samples.shape, depth // 8)).all()
    assert kinds(old) == kinds(new)
    assert new.read_bytes().endswith(AFTER)
    assert new.stat().st_size < 0.9 * old.stat().st_size


def test_a_picture_in_many_pieces_is_one(tmp_path: Path) -> None:
    """Rows refer to those of the piece before, and photographs, runs and repeated patterns may follow each other."""
    top, pattern = smooth(1500, 700, 3), np.random.default_rng(1).integers(0, 256, (1, 60, 3), dtype=np.uint8)
    samples = np.concatenate([top, np.zeros((500, 1500, 3), np.uint8), np.tile(pattern, (500, 25, 1))])
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    old.write_bytes(png_of(samples))
    assert repack(old, 10 * LIMIT, new)
    with Image.open(new) as image:
        assert (samples == np.asarray(image)).all()


def as_saved(image: Image.Image, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, **how)  # type: ignore[arg-type]  # what Pillow takes depends on the kind
    return file.getvalue()


GREY = smooth(90, 70, 1)


@pytest.mark.parametrize(
    "data",
    [
        as_saved(Image.fromarray(GREY[..., 0]), format="JPEG"),
        as_saved(Image.fromarray(GREY[..., 0]), format="WEBP", lossless=True),
        as_saved(Image.fromarray(GREY[..., 0]).convert("P"), format="PNG"),
        as_saved(Image.fromarray(GREY[..., 0]).convert("1"), format="PNG"),
        png_of(GREY, extra=((b"tRNS", b"\x00\x07"),)),
        png_of(GREY, extra=((b"iDOT", bytes(28)),)),
        png_of(GREY[:1, :1], interlace=1),
        png_of(np.random.default_rng(1).integers(0, 256, (90, 70, 3), dtype=np.uint8)),
    ],
    ids=["jpeg", "webp", "palette", "bits", "one clear colour", "places of its pixels", "interlaced", "noise"],
)
def test_other_files_stay_as_they_are(tmp_path: Path, data: bytes) -> None:
    """What is no plain PNG, says where its pixels lie, or would not become smaller, is left alone."""
    (tmp_path / "old").write_bytes(data)
    assert not repack(tmp_path / "old", LIMIT, tmp_path / "new.png")
    assert data == (tmp_path / "old").read_bytes()


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """What was packed anew is not packed again."""
    (tmp_path / "old.png").write_bytes(png_of(smooth(90, 70, 3)))
    assert repack(tmp_path / "old.png", LIMIT, tmp_path / "new.png")
    assert not repack(tmp_path / "new.png", LIMIT, tmp_path / "again.png")


def test_a_damaged_picture_is_refused(tmp_path: Path) -> None:
    """A broken picture is not made into one that looks whole."""
    data = bytearray(png_of(smooth(90, 70, 3)))
    data[data.index(b"IDAT") + 300] ^= 1
    (tmp_path / "old.png").write_bytes(data)
    with pytest.raises(PictureRefused):
        repack(tmp_path / "old.png", LIMIT, tmp_path / "new.png")


def test_a_sample_that_differs_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is read back, so that no fault in packing could ever cost a pixel."""
    filtered = repacking._filtered

    def with_a_fault(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
        made = filtered(rows, above, step)
        made[-1, -1] ^= 1
        return made

    monkeypatch.setattr(repacking, "_filtered", with_a_fault)
    (tmp_path / "old.png").write_bytes(png_of(smooth(90, 70, 3)))
    with pytest.raises(ValueError, match="not the same"):
        repack(tmp_path / "old.png", LIMIT, tmp_path / "new.png")


def test_it_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    """Packing ends at the next piece once there is other work."""
    (tmp_path / "old.png").write_bytes(png_of(smooth(90, 70, 3)))
    (tmp_path / STOP).touch()
    with pytest.raises(Stopped):
        repack(tmp_path / "old.png", LIMIT, tmp_path / "new.png")
