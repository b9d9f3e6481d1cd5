"""Makes files for the print shop from a source on disk."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from journey import printing
from journey.pictures.copying import COPIES
from journey.pictures.kinds import KINDS, FormatName
from journey.pictures.reading import Reading, read
from journey.printing import Box, FileFormat, Paper
from journey.printing.shop.encoding import new_file, write_sheet
from journey.printing.shop.layout import Layout, layout_for, most_detailed
from journey.printing.shop.manifests import manifest_csv, manifest_text
from journey.printing.shop.progress import Progress, ShouldStop, Work
from journey.printing.shop.source import Source, decoded
from journey.printing.shop.specs import (
    FORMATS,
    MAX_PIXELS,
    MAX_SOURCE_PIXELS,
    PROOF_PAPER,
    PrintFile,
    PrintSet,
    PrintSpec,
    Profile,
    checked_dpi,
    file_name,
    name_for,
    paper_word,
    product_warnings,
    service_warnings,
)
from journey.printing.shop.weighing import USUAL_ENCODINGS, write_within
from journey.storage.names import distinct

FLATTEN = "Choose “White instead of transparency”"
"""How people get a file without transparency."""
SET_LIMIT = 30
"""Most files in one print set."""

AS_IT_IS: Mapping[FormatName, FileFormat] = {"PNG": "PNG", "JPEG": "JPEG"}
"""The kinds of picture that store a DPI; all others become a PNG."""


def retag(
    source: Path,
    folder: Path,
    *,
    dpi: float = 300,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """Keep the pixels and write the DPI.

    A PNG or JPEG is copied without decoding: only what is needed to show the picture is kept, so data about
    place, camera and editing is left out. A picture that an EXIF tag turns is decoded and saved upright, and
    every other kind becomes a PNG. PNG counts whole pixels per metre, so 300 DPI reads back as 299.9994.
    """
    work = Work(on_progress, should_stop)
    dpi = checked_dpi(dpi)
    reading = read(source, MAX_SOURCE_PIXELS)
    kind = reading.kind
    file_format, copy = AS_IT_IS.get(kind, "PNG"), COPIES.get(kind)
    target = folder / name_for(title, f"{dpi:g}dpi", FORMATS[file_format].extension)
    if copy is None or not reading.is_upright:
        with decoded(source, folder, work) as picture:
            width, height = picture.size
            work.begin(height)
            box = Box(0, 0, width, height)
            profile = write_sheet(picture, Layout(picture.size, box, box), target, file_format, dpi, work).profile
        notes: tuple[str, ...] = (
            f"{KINDS[kind].label} files hold no DPI, so this is a PNG with the same pixels."
            if copy is None
            else "The picture was not stored upright, so it was turned and saved again.",
            *reading.notes,
        )
    else:
        work.begin(1)
        with new_file(target) as file:
            copy(source, file, reading, dpi=dpi, on_step=work.check)
        work.advance(1)
        width, height, profile, notes = reading.width, reading.height, described(reading), reading.colours.notes
    size = target.stat().st_size
    printed = printing.print_size(width, height, dpi)
    meaning = f"At {dpi:g} DPI the print is {printed.text('cm')} ({printed.text('in')}). The DPI adds no detail."
    return PrintFile(
        path=target,
        format=file_format,
        width=width,
        height=height,
        dpi=dpi,
        size=size,
        profile=profile,
        notes=(meaning, *notes, *service_warnings(size, file_format)),
    )


def exact_size(
    source: Path,
    folder: Path,
    spec: PrintSpec,
    *,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """Crop (or add white margins) and resample to the paper at its DPI, bleed included.

    The ICC profile is kept byte for byte; a picture without one is tagged sRGB. Transparency stays in PNG and
    TIFF, where the margins of contain are transparent too, and becomes white in JPEG and PDF. PNG, TIFF and
    PDF are lossless; JPEG has full colour resolution and quality 95, or the highest that fits `at_most_mb`.
    A PDF has one page of exactly paper plus bleed, with TrimBox and BleedBox.
    """
    work = Work(on_progress, should_stop)
    with decoded(source, folder, work) as picture:
        work.begin(_rows(picture, spec))
        return _print(picture, folder / file_name(title, spec), spec, work)


def print_set(
    source: Path,
    folder: Path,
    specs: Sequence[PrintSpec],
    *,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintSet:
    """One picture on many papers, as a ZIP. The files in it are not compressed a second time."""
    if not 1 <= len(specs) <= SET_LIMIT:
        raise ValueError(f"A print set has 1 to {SET_LIMIT} files. Choose which papers to make.")
    work = Work(on_progress, should_stop)
    target = folder / name_for(title, "print_set", ".zip")
    files: list[PrintFile] = []
    with (
        decoded(source, folder, work) as picture,
        new_file(target) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        work.begin(sum(_rows(picture, spec) for spec in specs))
        for spec, name in zip(specs, distinct([file_name(title, spec) for spec in specs]), strict=True):
            made = _print(picture, folder / name, spec, work)
            try:
                archive.write(made.path, name)
            finally:
                made.path.unlink()
            cut = (printing.cut_away(spec.on(*picture.size)),) if spec.ratio else ()
            files.append(replace(made, path=Path(name), notes=(*cut, *made.notes)))
        archive.writestr("manifest.csv", manifest_csv(files))
        archive.writestr("manifest.txt", manifest_text(title, picture.size, files))
    return PrintSet(target, target.stat().st_size, tuple(files))


def ratio_specs(
    width: int, height: int, wanted: PrintSpec, ratios: Sequence[printing.Ratio] = printing.RATIOS
) -> dict[str, PrintSpec]:
    """What makes a set by ratio of a picture of this size: by its name, the largest paper of each ratio that it fills.

    All else is as wanted. A ratio of which it fills no paper at this DPI is left out.
    """
    specs = {}
    for ratio in ratios:
        made = printing.largest(
            ratio,
            width,
            height,
            wanted.dpi,
            bleed_mm=wanted.bleed_mm,
            orientation=wanted.orientation,
            position=wanted.position,
            most_pixels=MAX_PIXELS,
        )
        if made is not None:
            specs[ratio.name] = replace(wanted, paper=made.paper, fit="crop", ratio=ratio.word)
    return specs


def proof(
    source: Path,
    folder: Path,
    spec: PrintSpec,
    *,
    paper: Paper = PROOF_PAPER,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """The most detailed part of the final print at its true size, on a small paper, to print at home first.

    The pixels are those that `exact_size` would put there. A print smaller than the proof's paper lies in
    the middle of it. It has to be printed at 100 %, without fitting it to the page.
    """
    work = Work(on_progress, should_stop)
    name = name_for(
        title, f"{paper_word(spec.paper)}_{spec.dpi:g}dpi_proof_{paper_word(paper)}", FORMATS[spec.format].extension
    )
    with decoded(source, folder, work) as picture:
        print_layout = layout_for(picture, spec)
        turned = printing.turn(paper, *print_layout.size)
        layout = most_detailed(picture, print_layout, printing.pixels_needed(turned, spec.dpi), spec)
        work.begin(layout.size[1])
        made = write_sheet(
            picture, layout, folder / name, spec.format, spec.dpi, work, paper=paper, flatten=spec.flatten
        )
        return judged(made, picture, spec, "Print it at 100 %, without fitting it to the page, to see its true size.")


def _rows(picture: Source, spec: PrintSpec) -> int:
    """How many rows are computed or written for this file, about."""
    rows = spec.on(*picture.size).needed[1]
    return rows if spec.at_most_mb is None else rows * (1 + USUAL_ENCODINGS)


def _print(picture: Source, target: Path, spec: PrintSpec, work: Work) -> PrintFile:
    layout = layout_for(picture, spec)
    if spec.at_most_mb is not None:
        return judged(write_within(picture, layout, target, spec, work), picture, spec)
    made = write_sheet(
        picture,
        layout,
        target,
        spec.format,
        spec.dpi,
        work,
        paper=spec.paper,
        bleed_mm=spec.bleed_mm,
        flatten=spec.flatten,
    )
    return judged(made, picture, spec)


def judged(made: PrintFile, picture: Source, spec: PrintSpec, *notes: str) -> PrintFile:
    """The same file with how sharp the picture's own pixels are on this paper, and with these notes before its own."""
    option = spec.on(*picture.size).options[1]
    if not option.enough:
        quality = f"{option.dpi_shown} DPI on this paper ({option.grade.word}, {option.grade.in_words})"
        notes = (*notes, f"The picture itself has {quality}; the file's {spec.dpi:g} DPI add no detail.")
    if spec.is_transparent and not picture.is_opaque:
        notes = (*notes, f"Parts of it are transparent, which many print shops do not take. {FLATTEN} if yours is one.")
    return replace(
        made,
        spec=spec,
        effective_dpi=option.dpi,
        grade=option.grade.word,
        crop=option.crop,
        notes=(*notes, *made.notes, *product_warnings(made.size, spec)),
    )


def described(reading: Reading) -> Profile:
    """Where the colours of a copy are described: by what the source says, as sRGB since it says nothing, or nowhere."""
    if reading.colours.of_a_copy or reading.said_by:
        return "source"
    return "none" if reading.is_cmyk or (reading.kind == "JPEG" and reading.mode == "L") else "sRGB"
