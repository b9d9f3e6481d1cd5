"""Everything that a file says about its picture, found once and without decoding a pixel.

Side matter that is broken is left out. What decides the pixels has to be whole, as their decoding finds out.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from PIL import Image
from PIL.ImageFile import ImageFile

from journey.errors import PictureRefused
from journey.pictures import chunks, riff, segments
from journey.pictures.colours import Colours, Said, Way, colours_of, primaries_of
from journey.pictures.kinds import KINDS, FormatName, sniff

DAMAGED = "The picture is damaged or cut short. Save or download it again and try once more."
_HEAD_BYTES = (1 << 13, 1 << 17, 16 << 20)
"""How much of a JPEG is looked through for what comes before its pixels: mostly little is enough."""
_ORIENTATION, _EXIF_PART, _COLOR_SPACE, _INTEROP_PART, _INTEROP_INDEX = 0x0112, 0x8769, 0xA001, 0xA005, 1
_PNG_MODES = {0: "L", 2: "RGB", 3: "RGB", 4: "LA", 6: "RGBA"}
"""What comes out of each colour type."""
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_GAIN_MAP = (b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1", b"HDRGainMap")


@dataclass(frozen=True)
class Reading:
    """Width and height are in pixels, as stored; `orientation` is EXIF's, 1 (upright) to 8.

    `mode` is what the pixels become: L, LA, RGB or RGBA, 8 bits each; `colours` says what they mean. `loader` is what
    libvips calls the reader that gives the rows one after the other; None where they do not lie so in the file. `notes`
    are sentences about what is converted or left out.
    """

    kind: FormatName
    width: int
    height: int
    mode: str
    colours: Colours
    orientation: int = 1
    depth: int = 8
    is_cmyk: bool = False
    loader: Literal["jpegload", "pngload"] | None = None
    notes: tuple[str, ...] = ()

    @property
    def profile(self) -> bytes | None:
        """What describes the pixels that come out; None means sRGB, to which CMYK is converted by its own profile."""
        return self.colours.profile if not self.is_cmyk else None

    @property
    def said_by(self) -> Way | None:
        """The way in which the file says its colours; None when it says nothing that can be used."""
        return self.colours.said_by

    @property
    def is_upright(self) -> bool:
        """Whether the picture is shown as it is stored, neither turned nor mirrored."""
        return self.orientation == 1

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as the picture is shown."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read(path: Path, max_pixels: int) -> Reading:
    """Read a picture's header and side matter. Raises PictureRefused."""
    with path.open("rb") as file, broken_is_refused():
        kind = sniff(file.read(32))
        if claimed_size := KINDS[kind].claimed_size:
            file.seek(0)
            refuse_too_many(claimed_size(file), max_pixels)
        file.seek(0)
        return {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp}[kind](file, max_pixels)


@contextmanager
def broken_is_refused() -> Iterator[None]:
    """Any error while a picture is read, except MemoryError, becomes PictureRefused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; the limit on size is our own
            yield
    except (PictureRefused, MemoryError):
        raise
    except Exception as error:
        # Broken bytes make readers raise all kinds of errors; none of them is a fault of this program.
        raise PictureRefused(DAMAGED) from error


def too_many_pixels(width: int, height: int, max_pixels: int) -> str | None:
    """The sentence to show when a picture is over the limit, else None."""
    if width * height <= max_pixels:
        return None
    return (
        f"The picture has {width} × {height} = {width * height / 1e6:.1f} megapixels; "
        f"the limit is {max_pixels / 1e6:g}. Make it smaller first."
    )


def refuse_too_many(size: tuple[int, int], max_pixels: int) -> None:
    if problem := too_many_pixels(*size, max_pixels):
        raise PictureRefused(problem)


def _png(file: BinaryIO, max_pixels: int) -> Reading:
    found = chunks.chunks(file)
    header = chunks.data_of(file, next(found))
    if header is None or len(header) != 13:
        raise PictureRefused(DAMAGED)
    width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if not width or not height or depth not in _PNG_DEPTHS.get(colour_type, ()):
        raise PictureRefused(DAMAGED)
    refuse_too_many((width, height), max_pixels)
    beside = _beside_the_pixels(file, found)
    if int.from_bytes((beside.get(b"acTL") or b"")[:4]) > 1:
        raise PictureRefused("The picture is animated. Save one frame of it and use that.")
    mode = _PNG_MODES[colour_type]
    if b"tRNS" in beside and mode in ("L", "RGB"):
        mode += "A"
    exif = _exif(beside.get(b"eXIf"))
    channels = 1 if mode in ("L", "LA") else 3
    colours = colours_of(_said_in_png(beside, exif), channels)
    kept = "grey" if channels == 1 else "colour"
    converted = [f"16-bit {kept} was reduced to 8 bits."] if depth == 16 else []
    if colours.levels is not None:
        converted.append("Its brightness was stored along another curve, and was converted to that of sRGB.")
    return Reading(
        "PNG",
        width,
        height,
        mode,
        colours,
        orientation=_orientation(exif),
        depth=depth,
        loader=None if interlace else "pngload",
        notes=(*converted, *colours.notes),
    )


def _beside_the_pixels(file: BinaryIO, found: Iterator[chunks.Chunk]) -> dict[bytes, bytes | None]:
    """What the chunks beside the pixels hold, each the first time; None where it cannot be used. EXIF may come last."""
    wanted = {b"acTL", b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}
    beside: dict[bytes, bytes | None] = {}
    for chunk in found:
        if chunk.kind == b"IDAT":
            wanted = set()
        if (chunk.kind in wanted or chunk.kind == b"eXIf") and chunk.kind not in beside:
            beside[chunk.kind] = chunks.data_of(file, chunk)
    return beside


def _said_in_png(beside: dict[bytes, bytes | None], exif: Image.Exif) -> Said:
    packed = beside.get(b"iCCP") or b""
    name, _, rest = packed.partition(b"\x00")
    gamma = beside.get(b"gAMA") or b""
    return Said(
        cicp=beside.get(b"cICP"),
        profile=chunks.unpacked(rest[1:]) if name and rest[:1] == b"\x00" else None,
        has_profile=b"iCCP" in beside,
        is_srgb=bool(beside.get(b"sRGB")),
        gamma=int.from_bytes(gamma) / 1e5 if len(gamma) == 4 and any(gamma) else None,
        primaries=primaries_of(beside.get(b"cHRM") or b""),
        exif_space=_exif_space(exif),
    )


def _jpeg(file: BinaryIO, max_pixels: int) -> Reading:
    head = _before_the_pixels(file)
    frame = next((each for each in head if each.marker in segments.FRAMES and len(each.data) >= 6), None)
    if frame is None:
        raise PictureRefused(DAMAGED)
    if frame.data[0] != 8:
        raise PictureRefused(
            f"This JPEG has {frame.data[0]} bits a colour, and only the usual 8 can be read here. Save it as a PNG, or "
            "as an 8-bit JPEG."
        )
    height, width, channels = struct.unpack(">HHB", frame.data[1:6])
    refuse_too_many((width, height), max_pixels)
    if not width or not height or channels not in (1, 3, 4):
        raise PictureRefused(DAMAGED)
    exif = _exif(next((each.data for each in head if each.marker == segments.APP1 and _is_exif(each.data)), None))
    is_cmyk = channels == 4
    mode = "L" if channels == 1 else "RGB"
    profile = segments.profile_in(head)
    has_profile = any(each.marker == segments.APP2 and each.data.startswith(segments.ICC_MARK) for each in head)
    said = Said(profile=profile, has_profile=has_profile, exif_space=_exif_space(exif))
    colours = colours_of(said, channels)
    notes = ["CMYK colours were converted to sRGB."] if is_cmyk else []
    side_matter = (each.data for each in head if each.marker in (segments.APP1, segments.APP2))
    if any(mark in data for data in side_matter for mark in _GAIN_MAP):
        notes.append("Its HDR part is left out: prints cannot show it.")
    is_by_rows = not (is_cmyk or frame.marker in segments.PROGRESSIVE)
    return Reading(
        "JPEG",
        width,
        height,
        mode,
        colours,
        orientation=_orientation(exif),
        is_cmyk=is_cmyk,
        loader="jpegload" if is_by_rows else None,
        notes=(*notes, *colours.notes),
    )


def _before_the_pixels(file: BinaryIO) -> list[segments.Segment]:
    """The segments of a JPEG before its first scan."""
    found: list[segments.Segment] = []
    for most in _HEAD_BYTES:
        file.seek(0)
        data = file.read(most)
        try:
            found = list(segments.segments(data, with_scans=False))
        except PictureRefused:
            if len(data) < most:
                raise
            continue
        if len(data) < most or (found and found[-1].marker == segments.SOS):
            break
    return [each for each in found if each.marker != segments.SOS]


def _webp(file: BinaryIO, max_pixels: int) -> Reading:
    bare = riff.bare(file)
    if claimed_size := KINDS["WEBP"].claimed_size:
        refuse_too_many(claimed_size(bare), max_pixels)
    image = opened(bare, "WEBP", max_pixels)
    if getattr(image, "n_frames", 1) > 1:
        raise PictureRefused("The picture is animated. Save one frame of it and use that.")
    exif = _exif(image.info.get("exif"))
    profile = image.info.get("icc_profile")
    colours = colours_of(Said(profile=profile, has_profile=bool(profile), exif_space=_exif_space(exif)), 3)
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    return Reading("WEBP", *image.size, mode, colours, orientation=_orientation(exif), notes=colours.notes)


def opened(file: BinaryIO, kind: FormatName, max_pixels: int) -> ImageFile:
    """The picture as Pillow opens it, its pixels not decoded yet. Raises PictureRefused for too many of them."""
    image = KINDS[kind].reader(file)
    refuse_too_many(image.size, max_pixels)
    return image


def _is_exif(data: bytes) -> bool:
    return data.startswith(b"Exif\x00")


def _exif(data: bytes | None) -> Image.Exif:
    """EXIF as a mapping, empty when there is none or when it cannot be read."""
    exif = Image.Exif()
    try:
        exif.load(data or b"")
    except Exception:  # noqa: BLE001  any program may have written the EXIF, and it is often wrong
        return Image.Exif()
    return exif


def _orientation(exif: Image.Exif) -> int:
    try:
        found = int(exif.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  see above: values are read when they are asked for
        return 1
    return found if found in range(1, 9) else 1


def _exif_space(exif: Image.Exif) -> int | None:
    """1 for sRGB, 2 for Adobe RGB, which most cameras say by leaving the space open and naming the rules R03."""
    try:
        part = exif.get_ifd(_EXIF_PART)
        space = part.get(_COLOR_SPACE)
        index = exif.get_ifd(_INTEROP_PART).get(_INTEROP_INDEX) or part.get(_INTEROP_PART, {}).get(_INTEROP_INDEX)
    except Exception:  # noqa: BLE001  see above
        return None
    if str(index).strip("\x00 ") == "R03" and space != 1:
        return 2
    return space if space in (1, 2) else None
