"""The address of Print size, which holds all inputs of the page: `/print_size?w=1024&h=1536&paper=A3&bleed=3`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from journey.outside.addresses import URL_LIMIT
from journey.pictures.samples import SAMPLES
from journey.printing import PAPERS, Paper, inputs
from journey.printing.inputs import CUSTOM, Papers
from journey.printing.numbers import ascii_digits
from journey.printing.shop import FORMATS
from journey.printing.sizes import number_text

NUMBER_LIMIT = 40
TEXT_LIMIT = 2_000
"""The most characters of what a link types in, besides an address. So many are no number and no task."""

QUESTIONS = {"picture": "What can I print?", "paper": "What do I need?"}
WAYS = {"pixels": "Pixels", "url": "Image URL", "upload": "Upload", "task": "A task", "sample": "Sample"}
SIDES = {"result": "Result", "original": "Original"}
UNITS = {unit: unit for unit in ("cm", "mm", "in")}
TURNS = {"auto": "Automatic", "portrait": "Portrait", "landscape": "Landscape"}
FITS = {"crop": "Crop", "contain": "Contain"}
PRINT_FILES = {
    "exact": "Exact size",
    "keep": "Keep pixels",
    "set": "Print set",
    "ratios": "Set by ratio",
    "proof": "Proof",
    "panels": "Panels",
}


@dataclass(frozen=True)
class Field:
    """An input as it is in the address. Without choices, any text is kept, and checked when it is used."""

    default: str
    choices: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    """The ways to give a picture to which it belongs; for the others it is left out of the address."""
    among: Callable[[Papers], tuple[str, ...]] | None = None
    """What gives the choices, where they depend on the papers that are known here."""

    def known(self, papers: Papers) -> tuple[str, ...]:
        """All choices; none where any text is kept."""
        return self.among(papers) if self.among else self.choices


_WITH_A_PICTURE = tuple(way for way in WAYS if way != "pixels")

FIELDS = {
    "ask": Field("picture", tuple(QUESTIONS)),
    "from": Field("pixels", tuple(WAYS)),
    "w": Field("1024", ways=("pixels",)),
    "h": Field("1024", ways=("pixels",)),
    "url": Field("", ways=("url",)),
    "task": Field("", ways=("task",)),
    "side": Field("result", tuple(SIDES), ways=("task",)),
    "sample": Field(SAMPLES[0].name, tuple(sample.name for sample in SAMPLES), ways=("sample",)),
    "paper": Field("A3", among=inputs.targets),
    "pw": Field("30"),
    "ph": Field("40"),
    "pu": Field("cm", tuple(UNITS)),
    "turn": Field("auto", tuple(TURNS)),
    "fit": Field("crop", tuple(FITS)),
    "bleed": Field("0"),
    "dpi": Field("300"),
    "unit": Field("cm", tuple(UNITS)),
    "at": Field("50"),
    "make": Field("exact", tuple(PRINT_FILES), _WITH_A_PICTURE),
    "format": Field("TIFF", tuple(FORMATS), _WITH_A_PICTURE),
    "most": Field("", ways=_WITH_A_PICTURE),
    "sheet": Field("A4", ways=_WITH_A_PICTURE, among=inputs.sheets),
    "sw": Field("33", ways=_WITH_A_PICTURE),
    "sh": Field("48.3", ways=_WITH_A_PICTURE),
    "su": Field("cm", tuple(UNITS), _WITH_A_PICTURE),
    "overlap": Field("10", ways=_WITH_A_PICTURE),
    "margin": Field("5", ways=_WITH_A_PICTURE),
}
DEFAULTS = {name: field.default for name, field in FIELDS.items()}

_OF_A_CUSTOM_PAPER = ("pw", "ph", "pu")
_OF_PANELS = ("sheet", "sw", "sh", "su", "overlap", "margin")
_OF_A_CUSTOM_SHEET = ("sw", "sh", "su")


def families(papers: Papers) -> dict[str, str]:
    """The families of these papers, to choose one or all of them."""
    return {name: name[:1].upper() + name[1:] for name in ("all", *(paper.family for paper in papers.values()))}


def presets(paper: Paper | None) -> dict[str, str]:
    """What the inputs become when this paper is chosen; nothing for one that is no product."""
    if paper is None or paper.product is None:
        return {}
    product = paper.product
    said = {"bleed": product.bleed_mm, "dpi": product.dpi, "most": product.largest_mb}
    numbers = {name: number_text(value, 3) for name, value in said.items() if value is not None}
    return numbers | ({"format": product.format} if product.format else {})


def switched(before: Paper | None, now: Paper | None, values: Mapping[str, str]) -> dict[str, str]:
    """The inputs that change when another paper is chosen: what the one before brought goes, unless changed."""
    gone = {name: DEFAULTS[name] for name, text in presets(before).items() if values.get(name) == text}
    return gone | presets(now)


def from_address(parameters: Mapping[str, str], papers: Papers = PAPERS) -> tuple[dict[str, str], list[str]]:
    """The inputs that an address asks for, and a sentence about each part of it that makes no sense.

    A product brings its bleed, DPI, format and largest file, where the address says nothing else.
    """
    asked: dict[str, str] = {}
    problems: list[str] = []
    for name in FIELDS.keys() & parameters.keys():
        field, text = FIELDS[name], parameters[name]
        known = {choice.lower(): choice for choice in field.known(papers)}
        if name == "url" and len(text) > URL_LIMIT:
            asked[name] = field.default
            problems.append(f"The link's url= has more than {URL_LIMIT:,} characters, so nothing was fetched.")
        elif not known:
            asked[name] = text if name == "url" else text[:TEXT_LIMIT]
        elif (choice := ascii_digits(text).lower()) in known:
            asked[name] = known[choice]
        else:
            asked[name] = field.default
            problems.append(
                f"The link asks for {name}={text[:NUMBER_LIMIT]}, which does not exist; "
                f"{field.default} is used instead."
            )
    if "from" not in parameters:
        named = next((name for name in ("task", "url", "sample") if name in parameters), None)
        asked |= {"from": named} if named else {}
    if "at" in asked and not is_place(asked["at"]):
        asked["at"] = FIELDS["at"].default
        problems.append("The link's at= must be a whole number from 0 to 100; it says where the crop lies.")
    return presets(papers.get(asked.get("paper", ""))) | asked, problems


def address(values: Mapping[str, str]) -> dict[str, str]:
    """The parameters that lead here again: all inputs that matter, or none while all have their defaults."""
    matter = {
        name: values[name]
        for name, field in FIELDS.items()
        if (not field.ways or (values["from"] in field.ways and values["ask"] == "picture"))
        and (name not in _OF_A_CUSTOM_PAPER or values["paper"] == CUSTOM)
        and (name not in _OF_PANELS or values["make"] == "panels")
        and (name not in _OF_A_CUSTOM_SHEET or values["sheet"] == CUSTOM)
        and (name != "most" or values["format"] == "JPEG")
    }
    is_fresh = all(text == FIELDS[name].default for name, text in matter.items())
    return {} if is_fresh else {name: text for name, text in matter.items() if text}


def for_paper(
    paper: Paper, *, turn: str, fit: str, dpi: str, bleed_mm: float, papers: Papers = PAPERS
) -> dict[str, str]:
    """The parameters that plan for this paper, to be added to those of a picture."""
    sheet = {"paper": paper.name}
    if paper.name not in papers:
        sheet = {"paper": CUSTOM, "pw": f"{paper.width:g}", "ph": f"{paper.height:g}", "pu": paper.unit}
    return {**sheet, "turn": turn, "fit": fit, "dpi": dpi, "bleed": f"{bleed_mm:g}"}


def is_place(text: str) -> bool:
    """True when this says where a crop lies, from 0 (left, top) to 100 (right, bottom)."""
    return text.isdecimal() and len(text) <= 3 and int(text) <= 100
