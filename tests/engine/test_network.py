"""The networks: found by name, and exact at every tile edge."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from journey.engine.networks import ncnn_networks
from journey.engine.networks.finding import find_networks
from journey.engine.networks.ncnn_networks import run, unavailable_reason
from journey.engine.networks.network import DETAIL, FAST, Network, Variant
from journey.errors import CannotStart, InvalidRequest, JourneyError

reason = unavailable_reason()
pytestmark = pytest.mark.skipif(reason is not None, reason=str(reason))


def soft_noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    """Blobs of a few pixels: structure everywhere, as in a picture."""
    rough = np.random.default_rng(seed).integers(0, 256, (height // 4 + 2, width // 4 + 2, 3))
    grown = rough.repeat(4, 0).repeat(4, 1)
    mixed = (grown[2 : 2 + height, 1 : 1 + width] + grown[:height, :width]) // 2
    return mixed.astype(np.uint8)


def carrier() -> Path:
    folder = ncnn_networks.carrier()
    assert folder is not None
    return folder


def plain_ncnn(stem: str, tile: np.ndarray) -> np.ndarray:
    """The network as it was published, run over the whole tile at once."""
    import ncnn

    net = ncnn.Net()
    assert 0 == net.load_param(str(carrier() / f"{stem}.param"))
    assert 0 == net.load_model(str(carrier() / f"{stem}.bin"))
    height, width, _ = tile.shape
    mat = ncnn.Mat.from_pixels(np.ascontiguousarray(tile), ncnn.Mat.PixelType.PIXEL_RGB, width, height)
    mat.substract_mean_normalize([0.0] * 3, [1 / 255] * 3)
    extractor = net.create_extractor()
    extractor.input("data", mat)
    code, result = extractor.extract("output")
    assert 0 == code
    return np.clip(np.rint(np.array(result) * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def difference(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("scale", [2, 4])
def test_strips_give_the_same_picture_as_the_plain_network(scale: int) -> None:
    """Running fast strip by strip changes no pixel by more than one level."""
    tile = soft_noise(90, 77)
    inner = run(FAST, scale, tile)
    edge = FAST.overlap * scale
    expected = plain_ncnn(FAST.variant(scale).stem, tile)[edge:-edge, edge:-edge]
    assert expected.shape == inner.shape
    assert 1 >= difference(expected, inner)


def test_detail_in_pieces_is_the_plain_network() -> None:
    """Running the enlarging layers of detail piece by piece changes no pixel by more than one level."""
    tile = soft_noise(2 * DETAIL.overlap + 36, 2 * DETAIL.overlap + 5)
    edge = DETAIL.overlap * 4
    expected = plain_ncnn("realesrgan-x4plus", tile)[edge:-edge, edge:-edge]
    assert 1 >= difference(expected, run(DETAIL, 4, tile))


def test_networks_are_found_by_name() -> None:
    """fast and detail are always there, under the model names of the wire."""
    found = find_networks()
    assert {"fast": "realesr-animevideov3", "detail": "realesrgan-x4plus"} == {n: one.model for n, one in found.items()}
    assert 4 == found["detail"].variant(2).scale
    assert "cpu" == find_networks(device="cpu")["fast"].device


def test_networks_of_a_folder_are_offered(tmp_path: Path) -> None:
    """A pair of files in the models folder is a network of that name, and its scale is measured."""
    for ending in ("param", "bin"):
        shutil.copy(carrier() / f"realesr-animevideov3-x3.{ending}", tmp_path / f"my own.{ending}")
    mine = find_networks(tmp_path)["my own"]
    assert (Variant(3, "my own"),) == mine.variants
    with pytest.raises(InvalidRequest, match="3x"):
        mine.variant(4)


@pytest.mark.parametrize("fault", ["missing bin", "short bin", "no param text", "foreign param", "taken name"])
def test_a_damaged_network_is_named(tmp_path: Path, fault: str) -> None:
    """A network file that cannot be used stops the start, and the error names it."""
    name = "fast" if fault == "taken name" else "broken"
    param, weights = tmp_path / f"{name}.param", tmp_path / f"{name}.bin"
    shutil.copy(carrier() / "realesr-animevideov3-x4.param", param)
    shutil.copy(carrier() / "realesr-animevideov3-x4.bin", weights)
    match fault:
        case "missing bin":
            weights.unlink()
        case "short bin":
            weights.write_bytes(weights.read_bytes()[:5000])
        case "no param text":
            param.write_bytes(b"\xff\x00" * 200)
        case "foreign param":
            param.write_text("7767517\n2 2\nInput in 0 1 x\nReLU r 1 1 x y\n")
    with pytest.raises(CannotStart, match=name):
        find_networks(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A models folder that does not exist stops the start, and the error names the setting."""
    with pytest.raises(CannotStart, match="JOURNEY_ENGINE_MODELS_DIR"):
        find_networks(tmp_path / "nowhere")


def test_missing_files_are_a_sentence(tmp_path: Path) -> None:
    """Network files that vanish after the start fail the tile, and the error names them."""
    gone = Network("gone", "gone", 4, (64, 64), (Variant(4, "gone"),), tmp_path)
    with pytest.raises(JourneyError, match=r"gone\.param is missing"):
        run(gone, 4, np.zeros((16, 16, 3), np.uint8))
