"""`journey print`: a file for the print shop, with the right pixels, DPI, colour profile and bleed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journey.commands.showing import say
from journey.errors import InvalidRequest

if TYPE_CHECKING:
    from journey.printing import Fit, Orientation, Paper
    from journey.printing.shop import FileFormat, PrintSpec


@click.command("print", short_help="Make a file for the print shop.")
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--paper", required=True, help="A3, 24x36, 30x40cm, one of your own.")
@click.option("--dpi", type=float, help="Else what the product says, or 300.")
@click.option("--fit", type=click.Choice(["crop", "contain"]), default="crop", show_default=True)
@click.option("--bleed", help="3mm, 0.125in; else what the product says, or none.")
@click.option("--orientation", type=click.Choice(["auto", "portrait", "landscape"]), default="auto", show_default=True)
@click.option(
    "--position", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of a crop: 0 is left or top."
)
@click.option("--flatten", is_flag=True, help="White instead of transparency, for shops that take none.")
@click.option("--at-most", metavar="MB", help="20MB: a JPEG of the highest quality that fits.")
@click.option("--format", "file_format", help="TIFF, JPEG, PNG or PDF; else the ending of -o says it, or the product.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file or a folder.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@click.option("--dry-run", is_flag=True, help="Say how large the file would be, and make none.")
@click.option("--json", "as_json", is_flag=True)
def print_file(
    picture: Path,
    paper: str,
    dpi: float | None,
    fit: Fit,
    bleed: str | None,
    orientation: Orientation,
    position: float,
    flatten: bool,
    at_most: str | None,
    file_format: str | None,
    output: Path | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a file for the print shop from a picture, which is neither enlarged by AI nor changed in its colours."""
    from journey.commands import amounts
    from journey.printing.shop import PrintSpec, exact_size

    sheet = amounts.paper(paper)
    dpi, bleed_mm = amounts.asked(sheet, dpi, bleed, fit)
    spec = PrintSpec(
        sheet,
        dpi,
        _format(file_format, output, sheet),
        fit,
        bleed_mm,
        orientation,
        position,
        flatten,
    )
    spec = replace(spec, at_most_mb=_most(at_most, spec))
    if dry_run:
        _tell(picture, spec, as_json=as_json)
        return
    folder = output if output and output.is_dir() else output.parent if output else Path()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".journey-") as scratch:
        made = exact_size(picture, Path(scratch), spec, title=picture.stem)
        target = folder / made.path.name if output is None or output.is_dir() else output
        if target.exists() and not overwrite:
            raise InvalidRequest(f"{target} is there already. Choose another name, or add --overwrite.")
        made.path.replace(target)
    facts = {
        "file": str(target),
        "format": made.format,
        "width": made.width,
        "height": made.height,
        "dpi": made.dpi,
        "bytes": made.size,
        "effective_dpi": round(made.effective_dpi, 2) if made.effective_dpi else None,
        "grade": made.grade,
        "quality": made.quality,
        "profile": made.profile,
        "notes": list(made.notes),
    }
    say(facts, [f"{target} · {made.width} × {made.height} px · {made.dpi:g} DPI", *made.notes], as_json=as_json)


def _tell(picture: Path, spec: PrintSpec, *, as_json: bool) -> None:
    """Say what would be made."""
    from journey.pictures.checking import inspect
    from journey.printing.shop import file_name, told_sizes
    from journey.printing.shop.specs import MAX_SOURCE_PIXELS, product_warnings

    looked = inspect(picture, max_pixels=MAX_SOURCE_PIXELS)
    with tempfile.TemporaryDirectory() as scratch:
        (told,) = told_sizes(picture, Path(scratch), [spec])
    if told.problem:
        raise InvalidRequest(told.problem)
    (width, height), name = spec.on(looked.width, looked.height).needed, file_name(picture.stem, spec)
    facts = {
        "file": name,
        "format": spec.format,
        "width": width,
        "height": height,
        "dpi": spec.dpi,
        "bytes": told.size,
        "quality": told.quality,
    }
    about = f"{name} · {width} × {height} px · {spec.dpi:g} DPI · about {told.size / 1e6:.3g} MB"
    say(facts, [about, *product_warnings(told.size, spec)], as_json=as_json)


def _most(typed: str | None, spec: PrintSpec) -> float | None:
    """The most MB: as typed, else what the product says of a JPEG. Raises InvalidRequest."""
    from journey.printing.inputs import megabytes

    if typed is None:
        return spec.paper.product.largest_mb if spec.paper.product and spec.format == "JPEG" else None
    try:
        return megabytes(typed)
    except ValueError as error:
        raise InvalidRequest(f"--at-most: {error}") from None


def _format(wanted: str | None, output: Path | None, sheet: Paper) -> FileFormat:
    """The format that was named, else the one that the name of the file ends in, else the product's, else TIFF."""
    from journey.printing.shop import FORMATS

    ending = output.suffix if output and not output.is_dir() else ""
    usual = sheet.product.format if sheet.product else None
    named = (wanted or ending or usual or "TIFF").lower().lstrip(".")
    for name, each in FORMATS.items():
        if named in (name.lower(), each.extension.lstrip(".")):
            return name
    raise InvalidRequest(f"{wanted or ending!r} is no format that can be made. Use {', '.join(FORMATS)}.")
