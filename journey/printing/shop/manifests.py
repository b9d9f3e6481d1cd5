"""What a print set holds, for spreadsheets and for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

from journey.errors import one_line
from journey.printing.shop.specs import PrintFile
from journey.storage.spreadsheets import MARK, csv_lines


def _manifest_row(made: PrintFile) -> dict[str, str]:
    spec, crop = made.spec, made.crop
    assert spec is not None and crop is not None and made.effective_dpi is not None  # noqa: S101, PT018 - files of a set have a paper
    return {
        "file": made.path.name,
        "paper": spec.paper.label,
        "width_px": str(made.width),
        "height_px": str(made.height),
        "dpi": f"{spec.dpi:g}",
        "effective_dpi": f"{math.floor(made.effective_dpi * 10) / 10:.1f}",
        "grade": made.grade or "",
        "fit": spec.fit,
        "crop_left_top_right_bottom_px": " ".join(map(str, crop)),
        "bleed_mm": f"{spec.bleed_mm:g}",
        "profile": made.profile,
        "bytes": str(made.size),
        "notes": " ".join(made.notes),
    }


def manifest_csv(files: Sequence[PrintFile]) -> bytes:
    """A line of column names, and a line for each file."""
    rows = [_manifest_row(made) for made in files]
    return MARK + csv_lines([rows[0], *(row.values() for row in rows)])


def manifest_text(title: str, size: tuple[int, int], files: Sequence[PrintFile]) -> str:
    shown = one_line(title, 200) or "picture"
    lines = [f"Print set of {shown}, a picture of {size[0]} × {size[1]} px", ""]
    for made in files:
        row = _manifest_row(made)
        bleed = f", bleed {row['bleed_mm']} mm on each side" if row["bleed_mm"] != "0" else ""
        lines += [
            row["file"],
            f"  {row['paper']}{bleed}: {made.width} × {made.height} px at {row['dpi']} DPI, {made.size / 1e6:.1f} MB",
            f"  the picture's own {row['effective_dpi']} DPI: {row['grade']}; {row['fit']}; "
            + ("its own colour profile" if made.profile == "source" else "sRGB"),
            *(f"  {note}" for note in made.notes),
            "",
        ]
    return "\n".join(lines)
