"""What a file says about its colours, in whatever way it says it, as one value.

PNG has five ways, of which the first that is there and makes sense counts: cICP, iCCP, sRGB, gAMA with cHRM (PNG, third
edition, 4.3), and EXIF. JPEG and WebP have a profile and EXIF.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from journey.errors import PictureRefused
from journey.pictures import profiles
from journey.pictures.profiles import ADOBE_RGB, BT2020, D65, DISPLAY_P3, SRGB, Curve, Primaries

ADOBE_GAMMA = 563 / 256
_SRGB_GAMMA = 1 / 2.2
"""What files mean by gAMA 45455: sRGB, as every program reads it."""

_PRIMARIES = {
    1: SRGB,
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: BT2020,
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: DISPLAY_P3,
}
"""ITU-T H.273, table 2."""
_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 13, 14, 15), profiles.srgb_curve),  # those of television are shown as sRGB, as browsers do
    4: profiles.gamma(2.2),
    5: profiles.gamma(2.8),
    8: profiles.gamma(1.0),
}
"""ITU-T H.273, table 3."""
_HDR = {16: "PQ", 18: "HLG"}

Way = Literal["cICP", "ICC", "sRGB", "gAMA", "EXIF"]


@dataclass(frozen=True)
class Colours:
    """`profile` describes the pixels; None means sRGB. Where `levels` is given, pixels are converted on the way in:
    it holds what each of 256 values is in sRGB.

    `notes` are sentences about what was left out or changed. `said_by` is the way in which the file said it; None when
    it said nothing that could be used.
    """

    profile: bytes | None = None
    levels: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    said_by: Way | None = None
    stored_profile: bytes | None = None
    """What describes the pixels as they are stored, where that is another profile."""

    @property
    def of_a_copy(self) -> bytes | None:
        """The profile for pixels that are copied and not converted; None means sRGB."""
        return self.stored_profile or self.profile


@dataclass(frozen=True)
class Said:
    """What was found in a file. Gamma is that of gAMA: from light to values. `exif_space` is EXIF's ColorSpace, 2 for
    Adobe RGB.
    """

    cicp: bytes | None = None
    profile: bytes | None = None
    has_profile: bool = False
    is_srgb: bool = False
    gamma: float | None = None
    primaries: Primaries | None = None
    exif_space: int | None = None


def colours_of(said: Said, channels: int) -> Colours:
    """What the pixels mean, for so many colour channels (1, 3 or 4). Raises PictureRefused for HDR."""
    notes: tuple[str, ...] = ()
    if said.cicp is not None and channels < 4 and (found := _of_cicp(said.cicp, channels)):
        return replace(found, said_by="cICP")
    if profiles.is_usable(said.profile, channels):
        return Colours(said.profile, said_by="ICC")
    if said.has_profile:
        notes = ("Its colour profile is broken or for other colours, so it was left out.",)
    if channels == 4:
        return Colours(notes=notes)
    if said.is_srgb:
        return Colours(notes=notes, said_by="sRGB")
    if said.gamma is not None or said.primaries is not None:
        found = _of_gamma(said.gamma or _SRGB_GAMMA, said.primaries or SRGB, channels)
        return replace(found, notes=(*notes, *found.notes), said_by="gAMA")
    if said.exif_space == 2 and channels == 3:
        return Colours(_adobe_rgb(), notes=notes, said_by="EXIF")
    return Colours(notes=notes)


def _of_cicp(cicp: bytes, channels: int) -> Colours | None:
    """None for what is not RGB in its full range, or is not known."""
    if len(cicp) != 4 or cicp[2] != 0 or cicp[3] != 1:
        return None
    if name := _HDR.get(cicp[1]):
        raise PictureRefused(f"The picture is HDR ({name}), which prints cannot show. Save it as an ordinary picture.")
    primaries, curve = _PRIMARIES.get(cicp[0]), _CURVES.get(cicp[1])
    return None if primaries is None or curve is None else _described(primaries, curve, channels)


def _of_gamma(said: float, primaries: Primaries, channels: int) -> Colours:
    curve = profiles.srgb_curve if abs(said - _SRGB_GAMMA) < 0.01 else profiles.gamma(1 / said)
    return _described(primaries, curve, channels)


def _described(primaries: Primaries, curve: Curve, channels: int) -> Colours:
    """Other primaries are kept, as a profile; where only the curve is another one, the pixels become sRGB."""
    if channels == 3 and not primaries.is_near(SRGB):
        name = "Display P3" if primaries.is_near(DISPLAY_P3) else "As the file says"
        return Colours(profiles.rgb_profile(name, primaries, curve))
    if curve is profiles.srgb_curve:
        return Colours()
    light = curve(np.arange(256) / 255)
    levels = np.round(255 * profiles.srgb_values(light)).astype(np.uint8)
    name = "As the file says"
    stored = profiles.grey_profile(name, curve) if channels == 1 else profiles.rgb_profile(name, primaries, curve)
    return Colours(levels=levels, stored_profile=stored)


def _adobe_rgb() -> bytes:
    return profiles.rgb_profile("Adobe RGB (1998)", ADOBE_RGB, profiles.gamma(ADOBE_GAMMA))


def primaries_of(chrm: bytes) -> Primaries | None:
    """The primaries in a cHRM chunk: eight whole numbers, in 1/100,000. None when they cannot be."""
    if len(chrm) != 32:
        return None
    white, red, green, blue = (
        (int.from_bytes(chrm[at : at + 4]) / 1e5, int.from_bytes(chrm[at + 4 : at + 8]) / 1e5) for at in range(0, 32, 8)
    )
    if any(not (0 <= x < 1 and 0 < y <= 1 and x + y <= 1) for x, y in (white, red, green, blue)):
        return None
    found = Primaries(red, green, blue, white)
    area = (green[0] - red[0]) * (blue[1] - red[1]) - (blue[0] - red[0]) * (green[1] - red[1])
    return found if abs(area) > 1e-3 and abs(white[0] - D65[0]) < 0.2 else None
