"""Which networks there are: the bundled ones, and those of a folder, each tried once in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from journey.api.networks import strength_of
from journey.engine.networks import bundled
from journey.engine.networks.backends import Enlarge, HardwareMissing, backend_for, is_installed, unavailable_reason
from journey.engine.networks.network import DETAIL, FAITHFUL, FAST, BackendName, Hardware, Network
from journey.engine.networks.recipes import Recipe, recipe
from journey.errors import CannotStart, InvalidRequest, JourneyError
from journey.processes import WorkerDied, Workers

SCALES = (2, 4)
_BACKENDS: tuple[BackendName, ...] = ("openvino", "ncnn")
_SUFFIXES = (".param", ".bin", ".onnx")
_PROBE_SIDE = 64
_FURTHEST = 32
"""The largest overlap for a network of a folder: more would cost more than its seams are worth."""
_NEAREST = 8
_CUSTOM_TILE = (128, 128)
_MULTIPLE = 64
"""Networks that work in windows want sides that are multiples of up to 64."""


@dataclass(frozen=True)
class Found:
    """The networks that can be used, by name, and for each other one of the folder why it cannot, as a sentence."""

    networks: Mapping[str, Network]
    problems: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, name: str) -> Recipe:
        """What this name stands for. Raises CannotStart, which says what is wrong with it or which names there are."""
        if name in self.problems:
            raise CannotStart(f"JOURNEY_ENGINE_MODEL: {self.problems[name]}")
        try:
            return recipe(name, self.networks)
        except InvalidRequest as error:
            raise CannotStart(f"JOURNEY_ENGINE_MODEL: {str(error).removeprefix('model: ')}.") from error


def find_networks(models_dir: Path | None = None, hardware: Hardware | None = None) -> Found:
    """The bundled networks, and those of `models_dir`: `<name>.onnx`, or `<name>.param` with `<name>.bin`.

    Raises CannotStart when the folder does not exist, and HardwareMissing when this machine lacks what is demanded.
    """
    hardware = hardware or Hardware()
    if models_dir is not None and not models_dir.is_dir():
        raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: {models_dir} is not a folder.")
    files = _files(models_dir) if models_dir else []
    found: dict[str, Network] = {}
    if unavailable_reason() is None:
        found = {each.name: replace(each, hardware=hardware) for each in (FAST, DETAIL)}
    problems: dict[str, str] = {}
    if found and (missing := _faithful_missing()):
        problems[FAITHFUL.name] = missing
    elif found:
        # A graphics card that only ncnn knows is no reason to do without faithful: the processor runs it.
        device = "auto" if hardware.device == "gpu" else hardware.device
        found[FAITHFUL.name] = replace(FAITHFUL, hardware=replace(hardware, device=device))
    demanding = hardware.device == "gpu" or hardware.precision == "bf16"
    if not found or not (files or demanding):
        return Found(found, problems)
    # Libraries that load broken files, or drivers that do not work, can bring down their process.
    probe = Workers(1)
    try:
        if demanding:
            _settled(probe, hardware)
        for file in files:
            try:
                network = _probed(probe, file, hardware)
            except JourneyError as error:
                problems[file.stem] = str(error)
            else:
                found[network.name] = network
    finally:
        probe.stop()
    return Found(found, problems)


def _faithful_missing() -> str | None:
    """Why faithful is not offered, as a sentence; None when it is."""
    if not is_installed("openvino"):
        return "The network faithful is not offered here: it needs OpenVINO, which does not exist for this system."
    if not bundled.has(FAITHFUL):
        return "The network faithful is not offered here: its file is not installed. Run make run once more."
    return None


def _files(folder: Path) -> list[Path]:
    """One file for each network of the folder. A `.bin` alone stands for a `.param` that is missing."""
    endings: dict[str, set[str]] = {}
    for file in folder.iterdir():
        if file.suffix in _SUFFIXES:
            endings.setdefault(file.stem, set()).add(file.suffix)
    return [folder / f"{stem}{'.onnx' if endings[stem] == {'.onnx'} else '.param'}" for stem in sorted(endings)]


def _settled(probe: Workers, hardware: Hardware) -> None:
    probe.start()
    try:
        probe.submit(_try_hardware, hardware).result()
    except WorkerDied as error:
        raise HardwareMissing(
            "JOURNEY_ENGINE_DEVICE: the driver of the graphics chip brought down the process that tried it; use cpu."
        ) from error


def _try_hardware(hardware: Hardware) -> None:
    backend_for(hardware)


def _probed(probe: Workers, file: Path, hardware: Hardware) -> Network:
    """Raises JourneyError, which names the network and says why it cannot be used."""
    if file.stem in (FAST.name, DETAIL.name, FAITHFUL.name) or strength_of(file.stem):
        raise JourneyError(f"The network {file.stem} cannot be used: the name is taken. Rename its files.")
    probe.start()
    try:
        tried = probe.submit(_tried, file, hardware).result()
    except WorkerDied as error:
        raise JourneyError(
            f"The network {file.stem} cannot be used: its files brought down the process that tried them."
        ) from error
    if all(tried.scale % scale for scale in SCALES):
        raise JourneyError(
            f"The network {file.stem} cannot be used: it enlarges {tried.scale}x, and pictures are enlarged 2x or 4x."
        )
    return Network(
        name=file.stem,
        model=file.stem,
        file=file.name,
        scale=tried.scale,
        overlap=tried.overlap,
        tile=_CUSTOM_TILE,
        multiple=_MULTIPLE,
        folder=file.parent,
        backend=tried.backend,
        hardware=hardware,
    )


@dataclass(frozen=True)
class _Tried:
    scale: int
    overlap: int
    backend: BackendName | None


def _tried(file: Path, hardware: Hardware) -> _Tried:
    """Run the network on a grey picture and on one with a white spot, in the process that tries it."""
    enlarge, backend = _loaded(file, hardware)
    grey = np.full((_PROBE_SIDE, _PROBE_SIDE, 3), 128, np.uint8)
    spotted = grey.copy()
    middle = _PROBE_SIDE // 2
    spotted[middle, middle] = 255
    try:
        plain, changed = enlarge(grey), enlarge(spotted)
    except RuntimeError as error:
        raise JourneyError(f"The network {file.stem} cannot be used: it does not run on a small picture.") from error
    scale, rest = divmod(plain.shape[0], _PROBE_SIDE)
    if rest or scale < 1 or plain.shape != (scale * _PROBE_SIDE, scale * _PROBE_SIDE, 3):
        raise JourneyError(f"The network {file.stem} cannot be used: it does not enlarge by a whole factor.")
    inner = plain[plain.shape[0] // 4 : -plain.shape[0] // 4, plain.shape[1] // 4 : -plain.shape[1] // 4]
    if abs(float(inner.mean()) - 128) > 64:
        raise JourneyError(f"The network {file.stem} cannot be used: grey does not stay grey.")
    rows, columns = (np.flatnonzero((plain != changed).any(axis)) for axis in ((1, 2), (0, 2)))
    edges = [*rows[[0, -1]], *columns[[0, -1]]] if rows.size else [scale * middle]
    reach = max(abs(int(edge) // scale - middle) for edge in edges)
    # What is still one level of a white spot may be more of a stronger contrast, so a half is added.
    return _Tried(scale, min(_FURTHEST, max(_NEAREST, reach + reach // 2)), backend)


def _loaded(file: Path, hardware: Hardware) -> tuple[Enlarge, BackendName | None]:
    """The network made ready by the usual backend, or else by the only one that can run its kind."""
    reasons = []
    for only in (None, *_BACKENDS):
        if only and not is_installed(only):
            continue
        try:
            return backend_for(hardware, only).load(file, _PROBE_SIDE, _PROBE_SIDE), only
        except (NotImplementedError, HardwareMissing) as error:
            reasons.append(str(error).rstrip("."))
        except RuntimeError:
            reasons.append("its layers do not fit together")
    hint = "" if is_installed("ncnn") or file.suffix == ".onnx" else " ncnn may run it (make run EXTRAS=ncnn)."
    raise JourneyError(f"The network {file.stem} cannot be used: {reasons[0]}.{hint}")
