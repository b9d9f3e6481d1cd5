"""`journey plan`: how large a picture prints, and the cheapest enlargement that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from journey.commands.showing import say, table

if TYPE_CHECKING:
    from journey.printing import Fit, Option, Plan


@click.command(short_help="Say how large a picture prints, and which enlargement is enough.")
@click.argument("size", metavar="SIZE_OR_PICTURE")
@click.option("--paper", help="A3, 24x36, 30x40cm, one of your own. Without it, all papers are listed.")
@click.option("--dpi", type=float, help="Else what the product says, or 300.")
@click.option("--fit", type=click.Choice(["crop", "contain"]), default="crop", show_default=True)
@click.option("--bleed", help="3mm, 0.125in; else what the product says, or none.")
@click.option("--json", "as_json", is_flag=True)
def plan(size: str, paper: str | None, dpi: float | None, fit: Fit, bleed: str | None, as_json: bool) -> None:
    """Say how large a picture prints. SIZE_OR_PICTURE is its size in pixels, 1024x1536, or a file."""
    from journey import printing
    from journey.commands import amounts

    width, height = amounts.pixels(size)
    papers = [amounts.paper(paper)] if paper else list(amounts.papers().values())
    plans = []
    for each in papers:
        each_dpi, bleed_mm = amounts.asked(each, dpi, bleed, fit)
        plans.append(printing.plan(width, height, each, each_dpi, fit=fit, bleed_mm=bleed_mm))
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
