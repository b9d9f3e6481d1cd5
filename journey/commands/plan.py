"""`journey plan`: how large a picture prints, and the cheapest enlargement that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from journey.commands.showing import say, table

if TYPE_CHECKING:
    from journey.printing import Fit, Option, Plan


@click.command(short_help="Say how large a picture prints, and which enlargement is enough.")
@click.argument("size", metavar="SIZE_OR_PICTURE")
@click.option("--paper", help="A3, 24x36, 30x40cm. Without it, all papers are listed.")
@click.option("--dpi", type=float, default=300, show_default=True)
@click.option("--fit", type=click.Choice(["crop", "contain"]), default="crop", show_default=True)
@click.option("--bleed", default="0mm", show_default=True, help="3mm, 0.125in.")
@click.option("--json", "as_json", is_flag=True)
def plan(size: str, paper: str | None, dpi: float, fit: Fit, bleed: str, as_json: bool) -> None:
    """Say how large a picture prints. SIZE_OR_PICTURE is its size in pixels, 1024x1536, or a file."""
    from journey import printing
    from journey.commands import amounts

    width, height = amounts.pixels(size)
    bleed_mm = amounts.millimetres(bleed)
    papers = [amounts.paper(paper)] if paper else list(printing.PAPERS.values())
    plans = [printing.plan(width, height, each, dpi, fit=fit, bleed_mm=bleed_mm) for each in papers]
    if paper:
        say(_facts(plans[0]), _lines(plans[0]), as_json=as_json)
        return
    rows = [["Paper", "1x", "2x", "4x", "Take"]]
    rows += [[each.paper.label, *(_cell(each.options[scale]) for scale in (1, 2, 4)), _take(each)] for each in plans]
    say({"papers": [_facts(each) for each in plans]}, table(rows), as_json=as_json)


def _lines(made: Plan) -> list[str]:
    rows = [["", "Pixels", "DPI", "Grade"]]
    rows += [
        [f"{option.multiplier}x", f"{option.width} × {option.height}", str(option.dpi_shown), option.grade.word]
        for option in (*made.options.values(), *made.further)
    ]
    needed = f"{made.paper.label} at {made.dpi:g} DPI needs {made.needed[0]} × {made.needed[1]} px."
    return [made.verdict, needed, "", *table(rows)]


def _cell(option: Option) -> str:
    return f"{option.dpi_shown} · {option.grade.word}"


def _take(made: Plan) -> str:
    return f"{made.chosen.multiplier}x" if made.chosen.enough else "out of reach"


def _facts(made: Plan) -> dict[str, Any]:
    return {
        "paper": made.paper.name,
        "dpi": made.dpi,
        "bleed_mm": made.bleed_mm,
        "fit": made.fit,
        "needed": list(made.needed),
        "recommended": made.chosen.multiplier if made.chosen.enough else None,
        "verdict": made.verdict,
        "options": [
            {
                "multiplier": option.multiplier,
                "width": option.width,
                "height": option.height,
                "dpi": round(option.dpi, 2),
                "grade": option.grade.word,
                "enough": option.enough,
            }
            for option in (*made.options.values(), *made.further)
        ],
    }
