"""`journey print`: a file for the print shop, with the right pixels, DPI, colour profile and bleed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from journey.commands.showing import say
from journey.errors import InvalidRequest

if TYPE_CHECKING:
    from journey.printing import Fit, Orientation, Paper
    from journey.printing.shop import FileFormat, PrintFile, PrintSpec


@click.command("print", short_help="Make a file for the print shop.")
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--paper", help="A3, 24x36, 30x40cm, one of your own.")
@click.option("--set", "by_ratio", is_flag=True, help="Instead of --paper: a ZIP with the largest paper of each ratio.")
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
    paper: str | None,
    by_ratio: bool,
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
    from journey.printing import PAPERS
    from journey.printing.shop import PrintSpec

    if (paper is not None) == by_ratio:
        raise InvalidRequest("Say which --paper, or --set for the largest paper of each ratio.")
    sheet = amounts.paper(paper) if paper else PAPERS["A4"]
    dpi, bleed_mm = amounts.asked(sheet, dpi, bleed, fit)
    spec = PrintSpec(
        sheet,
        dpi,
        _format(file_format, None if by_ratio else output, sheet),
        fit,
        bleed_mm,
        orientation,
        position,
        flatten,
    )
    spec = replace(spec, at_most_mb=_most(at_most, spec))
    specs = _by_ratio(picture, spec) if by_ratio else [spec]
    if dry_run:
        _tell(picture, specs, as_json=as_json)
        return
    folder = output if output and output.is_dir() else output.parent if output else Path()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".journey-") as scratch:
        made, facts, lines = _made(picture, Path(scratch), specs, by_ratio=by_ratio)
        target = folder / made.name if output is None or output.is_dir() else output
        if target.exists() and not overwrite:
            raise InvalidRequest(f"{target} is there already. Choose another name, or add --overwrite.")
        made.replace(target)
    say({"file": str(target), **facts}, [f"{target}{lines[0]}", *lines[1:]], as_json=as_json)


def _made(
    picture: Path, scratch: Path, specs: list[PrintSpec], *, by_ratio: bool
) -> tuple[Path, dict[str, Any], list[str]]:
    """A file, or a set in a ZIP: where it is, and what to say of it to programs and to people."""
    from journey.printing.shop import exact_size, print_set

    if not by_ratio:
        made = exact_size(picture, scratch, specs[0], title=picture.stem)
        return made.path, _facts(made), [f" · {_line(made)}", *made.notes]
    several = print_set(picture, scratch, specs, title=picture.stem)
    files = [{"name": each.path.name, **_facts(each)} for each in several.files]
    lines = [f" · {len(files)} files"]
    for each in several.files:
        lines += [f"{each.path.name} · {_line(each)}", *(f"  {note}" for note in each.notes)]
    return several.path, {"bytes": several.size, "files": files}, lines


def _line(made: PrintFile) -> str:
    return f"{made.width} × {made.height} px · {made.dpi:g} DPI"


def _facts(made: PrintFile) -> dict[str, Any]:
    return {
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


def _size(picture: Path) -> tuple[int, int]:
    """Width and height in pixels, upright. Raises PictureRefused."""
    from journey.pictures.checking import inspect
    from journey.printing.shop.specs import MAX_SOURCE_PIXELS

    looked = inspect(picture, max_pixels=MAX_SOURCE_PIXELS)
    return looked.width, looked.height


def _by_ratio(picture: Path, spec: PrintSpec) -> list[PrintSpec]:
    """The files of a set by ratio. Raises InvalidRequest when the picture is too small for any."""
    from journey.printing.shop import ratio_specs

    if found := ratio_specs(*_size(picture), spec):
        return list(found.values())
    raise InvalidRequest(
        f"At {spec.dpi:g} DPI this picture fills no paper of any ratio. Enlarge it first, or choose a lower --dpi."
    )


def _tell(picture: Path, specs: list[PrintSpec], *, as_json: bool) -> None:
    """Say what would be made."""
    from journey.printing.shop import file_name, told_sizes
    from journey.printing.shop.specs import product_warnings

    size = _size(picture)
    with tempfile.TemporaryDirectory() as scratch:
        told = told_sizes(picture, Path(scratch), specs)
    facts, lines = [], []
    for spec, each in zip(specs, told, strict=True):
        if each.problem:
            raise InvalidRequest(each.problem)
        (width, height), name = spec.on(*size).needed, file_name(picture.stem, spec)
        about = f"{width} × {height} px · {spec.dpi:g} DPI · about {each.size / 1e6:.3g} MB"
        lines += [f"{name} · {about}", *product_warnings(each.size, spec)]
        facts.append(
            {
                "file": name,
                "format": spec.format,
                "width": width,
                "height": height,
                "dpi": spec.dpi,
                "bytes": each.size,
                "quality": each.quality,
            }
        )
    say(facts[0] if len(facts) == 1 else {"files": facts}, lines, as_json=as_json)


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
