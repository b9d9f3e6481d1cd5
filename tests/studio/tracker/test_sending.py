"""What is sent to a service elsewhere holds the picture and its colours, and nothing else of its file."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from journey.errors import FileMissing
from journey.pictures.checking import Limits, inspect
from journey.pictures.decoding import decoded
from journey.storage.files import Files
from journey.storage.stored import StoredFile
from journey.studio.tracker.sending import Sendable, sendable
from tests.harness.standing import DecoderHere

FIELD = Path(__file__).parents[2] / "pictures" / "field"
LIMIT = 10**7
PLAIN = {"File", "SourceFile", "ExifTool", "JFIF", "PNG", "ICC_Profile", "Composite", "APP14"}
"""Groups of exiftool that say how a picture is stored and what its colours are."""


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path / "files", work_dir=tmp_path)
    made.start()
    return made


@pytest.fixture
def of(files: Files) -> Sendable:
    return sendable(files, DecoderHere(Limits(LIMIT, LIMIT)))


def kept(files: Files, source: Path) -> StoredFile:
    with files.folder() as folder:
        name = f"picture{source.suffix if source.suffix != '.jfif' else '.jpg'}"
        shutil.copy(source, folder / name)
        return StoredFile(files.keep(folder), name)


def told_by(path: Path) -> dict[str, object]:
    """What exiftool finds in a file, by group and name."""
    found = subprocess.run(["exiftool", "-json", "-G0", "-a", "-u", str(path)], capture_output=True, check=True)
    (facts,) = json.loads(found.stdout)
    return dict(facts)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in FIELD.iterdir() if path.name not in ("12_12bit.jpg", "32_no_iend.png"))
)
def test_only_the_picture_is_sent(files: Files, of: Sendable, name: str) -> None:
    """Upright in its pixels, with its colours, and without place, camera, second pictures and what hangs behind."""
    stored = kept(files, FIELD / name)
    sent = of(stored)
    path = files.path(sent.key, sent.file)
    assert inspect(FIELD / name, max_pixels=LIMIT).width == inspect(path, max_pixels=LIMIT).width
    before, after = decoded(FIELD / name, LIMIT), decoded(path, LIMIT)
    assert np.abs(np.asarray(before).astype(int) - np.asarray(after)).mean() < 1.5
    groups = {key.split(":")[0] for key in told_by(path)}
    assert groups <= PLAIN, told_by(path)
    with Image.open(path) as image:
        assert not image.getexif()
    assert sent == of(stored)


def test_where_a_photo_was_taken_stays_here(files: Files, of: Sendable, tmp_path: Path) -> None:
    """GPS, the camera, a comment and a film behind the end of a photo are not in what is sent; the original is."""
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    Image.new("RGB", (64, 48), (10, 120, 200)).save(tmp_path / "a.jpg", exif=exif, comment=b"my secret")
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(b"\x00\x00\x00\x18ftypmp42 a film")
    stored = kept(files, tmp_path / "a.jpg")
    sendable_file = of(stored)
    sent = files.path(sendable_file.key, sendable_file.file).read_bytes()
    assert [] == [secret for secret in (b"A camera", b"Exif", b"my secret", b"ftyp") if secret in sent]
    assert b"my secret" in files.path(stored.key, stored.file).read_bytes()


def test_what_is_gone_is_not_sent(files: Files, of: Sendable) -> None:
    """A picture that is no longer stored is said to be missing."""
    with pytest.raises(FileMissing):
        of(StoredFile("0" * 32, "a.png"))
