"""Colour profiles: judged before they are used, and made where a file says its colours in another way.

Profiles that are made here are ICC version 2, which old print software reads: a matrix and a curve, or a curve alone
for grey.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageCms

Chromaticity = tuple[float, float]
"""x and y of the CIE diagram of 1931."""

_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
"""Kinds of profile that describe pixels. A device link, an abstract or a named profile does not."""
_SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"CMYK"}
"""What a profile has to be for, by the number of colour channels; alpha is none."""
_HEADER = 128

D65: Chromaticity = (0.3127, 0.3290)
_D50_XYZ = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_CURVE_POINTS = 1024


@dataclass(frozen=True)
class Primaries:
    """The colours of red, green, blue and white."""

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity = D65

    def is_near(self, other: Primaries) -> bool:
        """True when no eye sees the difference: files round their numbers differently."""
        ours, theirs = (np.array((each.red, each.green, each.blue, each.white)) for each in (self, other))
        return bool(np.abs(ours - theirs).max() < 0.004)


SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
ADOBE_RGB = Primaries((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))

Curve = Callable[[np.ndarray], np.ndarray]
"""From the values of a file to light, both from 0 to 1."""


def srgb_curve(values: np.ndarray) -> np.ndarray:
    """The curve of sRGB (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_values(light: np.ndarray) -> np.ndarray:
    """The other way: from light to the values of sRGB."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def gamma(exponent: float) -> Curve:
    """A curve that is a power."""
    return lambda values: values**exponent


def is_usable(profile: bytes | None, channels: int) -> bool:
    """True when the profile is complete, describes pixels, is for so many colour channels (1, 3 or 4), and opens."""
    if profile is None or len(profile) <= _HEADER:
        return False
    if int.from_bytes(profile[:4]) > len(profile) or profile[12:16] not in _CLASSES:
        return False
    if profile[16:20] != _SPACES[channels] or not _is_complete(profile):
        return False
    return _opens(profile, {1: "L", 3: "RGB", 4: "CMYK"}[channels])


def _is_complete(profile: bytes) -> bool:
    """Whether every part that its table names lies inside of it."""
    count = int.from_bytes(profile[_HEADER : _HEADER + 4])
    table = profile[_HEADER + 4 : _HEADER + 4 + 12 * count]
    if not count or len(table) < 12 * count:
        return False
    parts = struct.iter_unpack(">4sII", table)
    return all(at + length <= len(profile) for _, at, length in parts)


@lru_cache(maxsize=16)
def _opens(profile: bytes, mode: str) -> bool:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    return True


def grey_in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A grey picture (L or LA) as browsers show it, which take grey for sRGB whatever its profile says."""
    if not is_usable(profile, 1):
        return image
    grey, *alpha = image.split()
    return Image.merge(image.mode, [grey.point(grey_levels(profile or b"").tolist()), *alpha])


@lru_cache(maxsize=16)
def grey_levels(profile: bytes) -> np.ndarray:
    """What the 256 values of a grey profile are in sRGB: uint8 of shape (256,). The profile has to be usable."""
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[np.newaxis])
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(ramp, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert made is not None  # noqa: S101  only a change in place gives nothing back
    return np.asarray(made)[0, :, 1]


@cache
def srgb() -> bytes:
    """sRGB as ICC version 2, the same bytes each time."""
    return rgb_profile("sRGB", SRGB, srgb_curve)


def rgb_profile(name: str, primaries: Primaries, curve: Curve) -> bytes:
    """A profile for pixels with these primaries and this curve."""
    matrix = _to_d50(primaries)
    tags = [(tag, _xyz(matrix[:, column])) for column, tag in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    table = _table(curve)
    return _profile(name, b"RGB ", [*tags, *((tag, table) for tag in (b"rTRC", b"gTRC", b"bTRC"))])


def grey_profile(name: str, curve: Curve) -> bytes:
    """A profile for grey pixels with this curve."""
    return _profile(name, b"GRAY", [(b"kTRC", _table(curve))])


def _to_d50(primaries: Primaries) -> np.ndarray:
    """XYZ of red, green and blue as columns, seen under the light of ICC profiles (Bradford)."""
    colours = np.array([_xyz_of(each) for each in (primaries.red, primaries.green, primaries.blue)]).T
    white = _xyz_of(primaries.white)
    scaled = colours * np.linalg.solve(colours, white)
    cones = (_BRADFORD @ _D50_XYZ) / (_BRADFORD @ white)
    adapted: np.ndarray = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ scaled
    return adapted


def _xyz_of(colour: Chromaticity) -> np.ndarray:
    x, y = colour
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \x00\x00\x00\x00" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _table(curve: Curve) -> bytes:
    light = np.clip(curve(np.linspace(0, 1, _CURVE_POINTS)), 0, 1)
    points = np.round(light * 65535).astype(">u2").tobytes()
    return b"curv\x00\x00\x00\x00" + struct.pack(">I", _CURVE_POINTS) + points


def _profile(name: str, space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    text = name.encode("ascii") + b"\x00"
    description = b"desc\x00\x00\x00\x00" + struct.pack(">I", len(text)) + text + bytes(78)
    everything = [
        (b"desc", description),
        (b"cprt", b"text\x00\x00\x00\x00" + b"No rights reserved\x00"),
        (b"wtpt", _xyz(_D50_XYZ)),
        *tags,
    ]
    at = _HEADER + 4 + 12 * len(everything)
    table, body, places = b"", b"", dict[bytes, int]()
    for tag, data in everything:
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", tag, places[data], len(data))
    size = at + len(body)
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI4s4s8sI3i4s",
        size, b"\x00" * 4, 0x02400000, b"mntr", space, b"XYZ ", 2000, 1, 1, 0, 0, 0, b"acsp", b"\x00" * 4, 0,
        b"\x00" * 4, b"\x00" * 4, b"\x00" * 8, 0, *(round(float(value) * 65536) for value in _D50_XYZ), b"\x00" * 4,
    )  # fmt: skip
    return header + bytes(_HEADER - len(header)) + struct.pack(">I", len(everything)) + table + body
