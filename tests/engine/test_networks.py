"""The networks: found by name or in a folder, run by either backend, and exact at every tile edge."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image, ImageDraw

from journey.engine.networks import backends, bundled
from journey.engine.networks.backends import HardwareMissing, backend_for, describe
from journey.engine.networks.finding import Found, find_networks
from journey.engine.networks.ncnn_backend import Ncnn, vulkan_devices
from journey.engine.networks.network import CLEANERS, DETAIL, FAITHFUL, FAST, BackendName, Hardware, Network
from journey.engine.networks.running import run
from journey.engine.tiles import reduced
from journey.errors import CannotStart, InvalidRequest, JourneyError

ON_CPU = Hardware("cpu")


def soft_noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    """Blobs of a few pixels: structure everywhere, as in a picture."""
    rough = np.random.default_rng(seed).integers(0, 256, (height // 4 + 2, width // 4 + 2, 3))
    grown = rough.repeat(4, 0).repeat(4, 1)
    mixed = (grown[2 : 2 + height, 1 : 1 + width] + grown[:height, :width]) // 2
    return mixed.astype(np.uint8)


def difference(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def run_by(backend: BackendName, network: Network, scale: int, tile: np.ndarray) -> np.ndarray:
    return reduced(run(replace(network, hardware=ON_CPU, backend=backend), tile), network, scale)


# One picture whatever runs the network


@pytest.mark.parametrize(
    ("network", "scale"), [(FAST, 4), (FAST, 2), (DETAIL, 4)], ids=lambda value: getattr(value, "name", value)
)
def test_both_backends_make_the_same_picture(network: Network, scale: int) -> None:
    """OpenVINO in float32 and ncnn differ by at most two levels."""
    tile = soft_noise(64, 52)
    by_openvino = run_by("openvino", network, scale, tile)
    assert 2 >= difference(by_openvino, run_by("ncnn", network, scale, tile))


@pytest.mark.parametrize("cleaner", CLEANERS, ids=lambda cleaner: cleaner.name)
def test_both_backends_clean_alike(cleaner: Network) -> None:
    """What takes out the traces of JPEG does so alike, and takes its overlap off each side."""
    tile = soft_noise(2 * cleaner.overlap + 40, 2 * cleaner.overlap + 24)
    by_openvino, by_ncnn = (run(replace(cleaner, hardware=ON_CPU, backend=each), tile) for each in ("openvino", "ncnn"))
    assert (40, 24, 3) == by_openvino.shape
    assert 2 >= difference(by_openvino, by_ncnn)


def test_faithful_gives_the_picture_back_larger() -> None:
    """faithful makes a picture 4x as large whose blocks of 4 × 4 have the colours they came from, and edges are sharper
    than by Lanczos."""
    disc = Image.new("RGB", (64, 64), (30, 60, 120))
    ImageDraw.Draw(disc).ellipse((14, 14, 49, 49), (220, 180, 90))
    made = run(replace(FAITHFUL, hardware=ON_CPU), np.asarray(disc))
    assert (256, 256, 3) == made.shape
    small = np.asarray(Image.fromarray(made).reduce(4))
    assert 2 > np.abs(small.astype(float) - np.asarray(disc)).mean()
    smooth = np.asarray(disc.resize((256, 256), Image.Resampling.LANCZOS))
    steepest = [int(np.abs(np.diff(each[128].astype(int), axis=0)).max()) for each in (made, smooth)]
    assert steepest[0] > steepest[1]


def test_a_vulkan_device_makes_the_same_picture() -> None:
    """ncnn on a Vulkan device differs from OpenVINO by at most two levels."""
    devices = vulkan_devices(software=True)
    if not devices and "CI" not in os.environ:
        pytest.skip("needs a software Vulkan driver (Debian: libvulkan1 and mesa-vulkan-drivers)")
    tile = soft_noise(64, 48)
    by_vulkan = Ncnn("GPU", 1, devices[0]).load(bundled.folder() / FAST.file, 64, 48)(tile)
    by_openvino = backend_for(Hardware("cpu", "f32"), "openvino").load(bundled.folder() / FAST.file, 64, 48)(tile)
    assert 2 >= difference(by_openvino, by_vulkan)


def test_a_software_device_is_no_graphics_card() -> None:
    """A Vulkan driver that only emulates a card is never chosen: the processor itself is faster."""
    assert not set(vulkan_devices()) & set(vulkan_devices(software=True))
    assert "CPU" == backend_for(Hardware()).unit


@pytest.mark.parametrize("processor", ["AVX2", "SSE41"])
def test_an_older_processor_computes_in_float32(processor: str) -> None:
    """Where the processor refuses bfloat16, whatever its list of abilities says, the engine works in float32."""
    program = (
        "import numpy as np\n"
        "from journey.engine.networks.network import FAST\n"
        "from journey.engine.networks.running import how_it_runs, run\n"
        "made = run(FAST, np.full((48, 48, 3), 90, np.uint8))\n"
        "print(how_it_runs(FAST), made.shape, abs(int(made.mean()) - 90) < 5)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": processor},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "OpenVINO, float32 (192, 192, 3) True\n" == said.stdout


def test_bfloat16_moves_few_pixels() -> None:
    """Where the processor computes in bfloat16, fast stays within 55 dB of float32."""
    try:
        quick = backend_for(Hardware("cpu", "bf16"), "openvino")
    except HardwareMissing:
        pytest.skip("this processor has no bfloat16")
    slow = backend_for(Hardware("cpu", "f32"), "openvino")
    tile = np.asarray(soft_noise(96, 96)).astype(np.float32)
    smooth = ((tile + np.roll(tile, 1, 0) + np.roll(tile, 1, 1) + np.roll(tile, 2, 0)) / 4).astype(np.uint8)
    made = [each.load(bundled.folder() / FAST.file, 96, 96)(smooth).astype(float) for each in (quick, slow)]
    assert 55 <= 10 * np.log10(255**2 / np.mean((made[0] - made[1]) ** 2))


# What is demanded and not there


def test_a_graphics_chip_that_is_not_there_is_said() -> None:
    """`gpu` on a machine without one stops with a sentence that names the setting."""
    with pytest.raises(HardwareMissing, match="JOURNEY_ENGINE_DEVICE"):
        find_networks(hardware=Hardware("gpu"))


def test_the_extra_for_other_cards_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ncnn, the sentence names the extra that brings it."""
    installed = backends.is_installed
    monkeypatch.setattr(backends, "is_installed", lambda name: name != "ncnn" and installed(name))
    with pytest.raises(HardwareMissing, match="EXTRAS=ncnn"):
        backend_for(Hardware("gpu", share=7))


def test_precision_that_is_not_there_is_said() -> None:
    """bf16 on a processor without it stops with a sentence that names the setting."""
    if "bfloat16" in describe(backend_for(ON_CPU)):
        pytest.skip("this processor computes in bfloat16")
    with pytest.raises(HardwareMissing, match="JOURNEY_ENGINE_PRECISION"):
        find_networks(hardware=Hardware(precision="bf16"))


# Finding


def copied(folder: Path, name: str) -> tuple[Path, Path]:
    files = folder / f"{name}.param", folder / f"{name}.bin"
    for file in files:
        shutil.copy((bundled.folder() / FAST.file).with_suffix(file.suffix), file)
    return files


def exported(file: Path, scale: int, *, channels: int = 3, gain: float = 1.0) -> None:
    """Write an ONNX network that repeats each pixel `scale` times across and down, `gain` times as bright."""
    weights = np.zeros((channels * scale**2, channels, 1, 1), np.float32)
    for out in range(channels * scale**2):
        weights[out, out // scale**2] = gain
    colours = ["n", channels, "h", "w"]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["colours", "weights"], ["wide"], kernel_shape=[1, 1]),
            helper.make_node("DepthToSpace", ["wide"], ["large"], blocksize=scale, mode="CRD"),
        ],
        "repeat",
        [helper.make_tensor_value_info("colours", TensorProto.FLOAT, colours)],
        [helper.make_tensor_value_info("large", TensorProto.FLOAT, ["n", channels, "H", "W"])],
        [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel())],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)


def test_networks_are_found_by_name() -> None:
    """fast, detail and faithful are always there, under the model names of the wire."""
    found = find_networks(hardware=ON_CPU).networks
    models = {"fast": "realesr-animevideov3", "detail": "realesrgan-x4plus", "faithful": "dat-light"}
    assert models == {name: network.model for name, network in found.items()}
    assert 2 == found["detail"].divisor(2)
    assert "cpu" == found["fast"].hardware.device


def test_networks_of_a_folder_are_offered(tmp_path: Path) -> None:
    """A pair of ncnn files or an ONNX file in the models folder is a network of that name that enlarges pictures."""
    copied(tmp_path, "my own")
    exported(tmp_path / "blocks.onnx", 2)
    found = find_networks(tmp_path)
    assert not found.problems
    picture = soft_noise(64, 80)
    assert np.array_equal(run(FAST, picture), run(found.networks["my own"], picture))
    blocks = found.networks["blocks"]
    assert np.array_equal(picture.repeat(2, 0).repeat(2, 1), run(blocks, picture))
    with pytest.raises(InvalidRequest, match="2x and cannot be used for 4x"):
        blocks.divisor(4)


def test_a_network_for_grey_is_run_on_each_channel(tmp_path: Path) -> None:
    """An ONNX network with one channel enlarges colours one by one."""
    exported(tmp_path / "grey.onnx", 4, channels=1)
    grey = find_networks(tmp_path).networks["grey"]
    picture = soft_noise(64, 64)
    assert np.array_equal(picture.repeat(4, 0).repeat(4, 1), run(grey, picture))


def test_what_openvino_cannot_build_runs_on_ncnn(tmp_path: Path) -> None:
    """A network with a layer that only ncnn knows is run by ncnn."""
    param, _ = copied(tmp_path, "special")
    lines = param.read_text().splitlines()
    counts = lines[1].split()
    lines[1] = f"{int(counts[0]) + 1} {int(counts[1]) + 1}"
    lines[-1] = lines[-1].replace(" output", " almost")
    param.write_text("\n".join([*lines, "Power last 1 1 almost output 0=1.0 1=1.0 2=0.0", ""]))
    found = find_networks(tmp_path, ON_CPU)
    assert "ncnn" == found.networks["special"].backend
    picture = soft_noise(100, 100)
    assert 2 >= difference(run(FAST, picture), run(found.networks["special"], picture))


def spoil_onnx(file: Path, fault: str) -> None:
    match fault:
        case "onnx garbage":
            file.write_bytes(b"no network at all" * 50)
        case "onnx cut short":
            exported(file, 2)
            file.write_bytes(file.read_bytes()[:100])
        case "onnx of four channels":
            exported(file, 2, channels=4)
        case "onnx of 1x" | "onnx of 3x":
            exported(file, int(fault[-2]))
        case "onnx of other numbers":
            exported(file, 2, gain=255)
        case "onnx of unknown layers":
            exported(file, 2)
            model = onnx.load(file)
            model.graph.node[1].CopyFrom(helper.make_node("Sorcery", ["wide"], ["large"], domain="elsewhere"))
            model.opset_import.append(helper.make_opsetid("elsewhere", 1))
            onnx.save(model, file)


def spoil_ncnn(param: Path, weights: Path, fault: str) -> None:
    match fault:
        case "missing bin":
            weights.unlink()
        case "missing param":
            param.unlink()
        case "short bin":
            weights.write_bytes(weights.read_bytes()[:5000])
        case "long bin":
            weights.write_bytes(weights.read_bytes() + bytes(64))
        case "no param text":
            param.write_bytes(b"\xff\x00" * 200)
        case "empty param":
            param.write_bytes(b"")
        case "foreign param":
            param.write_text("7767517\n2 2\nInput in 0 1 x\nReLU r 1 1 x y\n")


@pytest.mark.parametrize(
    "fault",
    [
        "missing bin", "missing param", "short bin", "long bin", "no param text", "empty param", "foreign param",
        "taken name", "onnx of 3x", "onnx garbage", "onnx cut short", "onnx of four channels", "onnx of 1x",
        "onnx of other numbers", "onnx of unknown layers",
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_used_is_named(tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A network that cannot be used is named with a reason, and the others still work.

    Nothing of what its file holds is printed, nor where it lies.
    """
    copied(tmp_path, "sound")
    name = "fast" if fault == "taken name" else "broken"
    if fault.startswith("onnx"):
        spoil_onnx(tmp_path / "broken.onnx", fault)
    else:
        spoil_ncnn(*copied(tmp_path, name), fault)
    found = find_networks(tmp_path, ON_CPU)
    assert {"fast", "detail", "faithful", "sound"} == set(found.networks)
    assert [name] == list(found.problems)
    assert found.problems[name].startswith(f"The network {name} cannot be ")
    assert found.problems[name].endswith((".", ")"))
    assert str(tmp_path) not in found.problems[name]
    assert ("Sorcery" in found.problems[name]) is (fault == "onnx of unknown layers")
    assert "" == "".join(capfd.readouterr())


def test_a_chosen_network_that_cannot_be_used_stops_the_start() -> None:
    """When the default network is one that cannot be used, the start stops with the reason, else with the names."""
    found = Found({"fast": FAST}, {"mine": "The network mine cannot be used: it has a layer of the kind Gemm."})
    with pytest.raises(CannotStart, match=r"JOURNEY_ENGINE_MODEL: The network mine .* Gemm"):
        found.chosen("mine")
    with pytest.raises(CannotStart, match="must be one of fast"):
        found.chosen("nothing")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A models folder that does not exist stops the start, and the error names the setting."""
    with pytest.raises(CannotStart, match="JOURNEY_ENGINE_MODELS_DIR"):
        find_networks(tmp_path / "nowhere")


def test_without_its_file_faithful_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file of faithful is missing, the other networks work, and a sentence says why it does not."""
    shutil.copytree(bundled.folder(), tmp_path / "networks")
    (tmp_path / "networks" / FAITHFUL.file).unlink()
    monkeypatch.setattr(bundled, "default_folder", lambda: tmp_path / "networks")
    found = find_networks(hardware=ON_CPU)
    assert ["fast", "detail"] == list(found.networks)
    assert "The network faithful is not offered here: its file is not installed" in found.problems["faithful"]
    with pytest.raises(CannotStart, match="JOURNEY_ENGINE_MODEL: The network faithful is not offered"):
        found.chosen("faithful")


def test_a_damaged_file_of_faithful_is_a_sentence(tmp_path: Path) -> None:
    """Weights that are cut short fail the tile, and the error names the file."""
    (tmp_path / "faithful.npz").write_bytes((bundled.folder() / FAITHFUL.file).read_bytes()[:5000])
    cut = replace(FAITHFUL, file="faithful.npz", folder=tmp_path, hardware=ON_CPU)
    with pytest.raises(JourneyError, match=r"faithful\.npz is missing or damaged"):
        run(cut, np.zeros((64, 64, 3), np.uint8))


def test_missing_files_are_a_sentence(tmp_path: Path) -> None:
    """Network files that vanish after the start fail the tile, and the error names them."""
    gone = replace(FAST, name="gone", file="gone.param", folder=tmp_path)
    with pytest.raises(JourneyError, match=r"gone\.param is missing"):
        run(gone, np.zeros((48, 48, 3), np.uint8))


# Shapes


@pytest.mark.parametrize("length", [1, 17, 255, 256, 257, 512, 700, 1024, 5000])
def test_tiles_share_a_picture_evenly(length: int) -> None:
    """All tiles of a picture have one shape, they cover it, and only a few pixels lie beyond it."""
    for network in (FAST, DETAIL):
        down, across = (side - 2 * network.overlap for side in network.window(length, 40))
        count = -(-length // down)
        assert network.tile[0] + network.multiple > down
        assert count * down - length < count + network.multiple * count
        assert across >= 40
