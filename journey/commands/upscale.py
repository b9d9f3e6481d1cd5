"""`journey upscale`: pictures from anywhere, here for free or at JourneyAPI."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journey.commands import given
from journey.commands.showing import Showing
from journey.errors import InvalidRequest
from journey.provider import PROVIDERS

if TYPE_CHECKING:
    from journey.commands.given import Given
    from journey.printing import Fit, Paper

TO_STANDARD_OUTPUT = "-"
HERE = "here"
PAID = {each.name: each for each in PROVIDERS.values() if each.is_paid}
"""Where else pictures can be enlarged, by the word for `--engine`."""


@dataclass(frozen=True)
class Wish:
    """How far to enlarge: by a multiplier, or as far as a paper needs at a DPI."""

    multiplier: int
    paper: Paper | None = None
    dpi: float = 300.0
    fit: Fit = "crop"
    bleed_mm: float = 0.0

    def for_size(self, width: int, height: int) -> int:
        """The multiplier for a picture of this size in pixels; 1 when it is large enough. Raises InvalidRequest."""
        if self.paper is None:
            return self.multiplier
        from journey import printing

        plan = printing.plan(width, height, self.paper, self.dpi, fit=self.fit, bleed_mm=self.bleed_mm)
        if not plan.chosen.enough:
            raise InvalidRequest(plan.verdict)
        return plan.chosen.multiplier


@dataclass(frozen=True)
class Job:
    """One picture, and where its result goes: to `file`, or to a name made of `stem` and the multiplier."""

    given: Given
    folder: Path
    stem: str
    file: str | None = None

    @property
    def to_standard_output(self) -> bool:
        return self.file == TO_STANDARD_OUTPUT

    def target(self, multiplier: int) -> Path:
        return self.folder / (self.file or f"{self.stem}_{multiplier}x.png")


@click.command(short_help="Enlarge pictures, here or at JourneyAPI.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE_OR_URL...")
@click.option("--to", "multiplier", type=click.Choice(["2x", "4x", "8x", "16x"]), default="4x", show_default=True)
@click.option("--for", "paper", metavar="PAPER", help="As far as this paper needs: A3, 24x36, 30x40cm.")
@click.option("--dpi", type=float, help="For --for; else what the product says, or 300.")
@click.option("--fit", type=click.Choice(["crop", "contain"]), default="crop", show_default=True, help="For --for.")
@click.option("--bleed", help="For --for; else what the product says, or none.")
@click.option("--network", help="fast, faithful, detail, detail-50 or one of your own; see `journey networks`.")
@click.option("--engine", type=click.Choice([HERE, *PAID]), default=HERE, show_default=True, help="Where it is done.")
@click.option("-o", "--output", help="A file for one picture, a folder for several, - for standard output.")
@click.option("--overwrite", is_flag=True, help="Make results anew that are there already.")
@click.option("--yes", is_flag=True, help="Spend the credits without asking.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each picture, a line each.")
def upscale(
    pictures: tuple[str, ...],
    multiplier: str,
    paper: str | None,
    dpi: float | None,
    fit: Fit,
    bleed: str | None,
    network: str | None,
    engine: str,
    output: str | None,
    overwrite: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Enlarge pictures by a multiplier, or as far as a paper needs.

    PICTURE_OR_URL is a file, a folder, a pattern, an address, or - for standard input. The result of koi.png is
    koi_4x.png beside it; what comes from an address lands in the current folder.

    Here it is free and needs no server. With --engine journeyapi it costs 2 credits a picture, is asked for before, and
    appears in the history of the studio with the same data folder. A second run goes on with what was begun, and never
    pays for it again.
    """
    from journey.commands import amounts

    sheet = amounts.paper(paper) if paper else None
    wish = Wish(int(multiplier.removesuffix("x")))
    if sheet:
        asked_dpi, bleed_mm = amounts.asked(sheet, dpi, bleed, fit)
        wish = replace(wish, paper=sheet, dpi=asked_dpi, fit=fit, bleed_mm=bleed_mm)
        wish.for_size(100_000, 100_000)  # a wrong DPI or bleed is said before anything is done
    jobs = planned(given.pictures(pictures), output)
    show = Showing(as_json=as_json)
    if engine in PAID:
        if network:
            raise InvalidRequest(
                "--network: JourneyAPI has one network of its own. Leave it out, or use --engine here."
            )
        from journey.commands.hosted import upscale_there

        return upscale_there(jobs, wish, PAID[engine], show, is_agreed=yes, overwrite=overwrite)
    from journey.commands.here import upscale_here

    return upscale_here(jobs, wish, show, network=network, overwrite=overwrite)


def planned(pictures: list[Given], output: str | None) -> list[Job]:
    """Where each result goes; no two go to the same place. Raises InvalidRequest."""
    if not pictures:
        raise InvalidRequest("There is no picture in what you named.")
    if output == TO_STANDARD_OUTPUT:
        if len(pictures) > 1:
            raise InvalidRequest("-o -: standard output takes one picture. Name a folder for several.")
        return [Job(pictures[0], Path(), "", TO_STANDARD_OUTPUT)]
    into = Path(output) if output else None
    if into and len(pictures) == 1 and not into.is_dir() and not str(output).endswith(("/", "\\")):
        if into.suffix.lower() != ".png":
            raise InvalidRequest("-o: results are PNG files, so the name has to end in .png.")
        into.parent.mkdir(parents=True, exist_ok=True)
        return [Job(pictures[0], into.parent, "", into.name)]
    if into:
        into.mkdir(parents=True, exist_ok=True)
    return _apart([Job(each, into or (each.path.parent if each.path else Path()), each.stem) for each in pictures])


def _apart(jobs: list[Job]) -> list[Job]:
    """The same jobs, with a number in the names of those that would meet."""
    seen: Counter[tuple[Path, str]] = Counter()
    apart = []
    for job in jobs:
        seen[job.folder.resolve(), job.stem] += 1
        number = seen[job.folder.resolve(), job.stem]
        apart.append(job if number == 1 else replace(job, stem=f"{job.stem}-{number}"))
    return apart
