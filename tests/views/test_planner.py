"""The address of Print size: it holds all inputs of the page, is read back as it was, and nonsense in it is named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journey import printing
from journey.printing import PAPERS, Paper, Product, inputs
from journey.views import planner
from journey.views.planner import DEFAULTS, FIELDS, address, for_paper, from_address, switched


def restored(parameters: dict[str, str]) -> dict[str, str]:
    asked, _ = from_address(parameters)
    return DEFAULTS | asked


INPUTS = st.fixed_dictionaries(
    {
        name: st.sampled_from(known)
        if (known := field.known(PAPERS))
        else st.text(st.characters(codec="utf-8"), min_size=1)
        for name, field in FIELDS.items()
        if name != "at"
    }
    | {"at": st.integers(0, 100).map(str)}
)


@given(INPUTS)
def test_an_address_leads_back_to_its_inputs(values: dict[str, str]) -> None:
    """Whatever is set, the inputs that matter come back, and the same address is made from them again."""
    parameters = address(values)
    assert not parameters or parameters.items() <= values.items()
    assert parameters == address(restored(parameters))


def test_a_paper_in_the_form_is_the_paper_of_print_size() -> None:
    """A paper with its DPI, fit and bleed can be added to the address of a task, one of its own size as well."""
    a2 = for_paper(printing.PAPERS["A2"], turn="portrait", fit="crop", dpi="150", bleed_mm=3)
    asked, problems = from_address({"task": "t", **a2})
    assert [] == problems
    assert ("A2", "portrait", "crop", "150", "3") == tuple(
        asked[name] for name in ("paper", "turn", "fit", "dpi", "bleed")
    )
    own = for_paper(printing.custom_paper(30.5, 40, "cm"), turn="auto", fit="contain", dpi="300", bleed_mm=0)
    assert ("custom", "30.5", "40", "cm") == tuple(own[name] for name in ("paper", "pw", "ph", "pu"))


def test_what_does_not_matter_is_left_out() -> None:
    """A first visit has a plain address; the fields of another way, or of a paper that is not custom, are not in it."""
    assert {} == address(DEFAULTS)
    by_task = address(DEFAULTS | {"from": "task", "task": "a1"})
    assert "a1" == by_task["task"]
    assert not {"w", "h", "url", "sample", "pw", "ph", "pu"} & by_task.keys()
    assert {"pw", "ph", "pu"} <= address(DEFAULTS | {"paper": "custom"}).keys()
    assert "w" not in address(DEFAULTS | {"ask": "paper", "paper": "A4"})
    cut = address(DEFAULTS | {"from": "task", "task": "a1", "make": "panels"})
    assert {"make": "panels", "sheet": "A4", "overlap": "10", "margin": "5"}.items() <= cut.items()
    assert not {"sheet", "overlap", "margin"} & by_task.keys()
    assert not {"sw", "sh", "su"} & cut.keys()


def test_a_picture_in_the_address_says_which_way_is_meant() -> None:
    """A link that names a task, an address or a sample need not say `from`; other links mean pixels."""
    for name in ("task", "url", "sample"):
        assert name == from_address({name: "koi"})[0]["from"]
    assert "pixels" == restored({"w": "10"})["from"]
    assert "upload" == restored({"task": "a1", "from": "upload"})["from"]


def test_an_address_in_a_link_is_whole_or_told() -> None:
    """An address is taken whole, up to what the door takes; a longer one is told, and no part of it is used."""
    url = f"https://pictures.example/{'a' * 8_000}"
    assert (url, []) == (from_address({"url": url})[0]["url"], from_address({"url": url})[1])
    asked, problems = from_address({"url": url + "a" * 200})
    assert ("", "url") == (asked["url"], asked["from"])
    assert ["The link's url= has more than 8,192 characters, so nothing was fetched."] == problems


def test_nonsense_is_told_and_typed_text_is_kept() -> None:
    """An unknown choice is named and becomes the usual one; typed numbers are kept and judged where they are used."""
    asked, problems = from_address(
        {"paper": "b9", "fit": "Crop", "dpi": "lots", "at": "101", "utm": "x", "w": "x" * 9999}
    )
    assert {"paper": "A3", "fit": "crop", "dpi": "lots", "at": "50"}.items() <= asked.items()
    assert "utm" not in asked
    assert len(asked["w"]) < 5_000
    assert 2 == len(problems)
    assert any("paper=b9, which does not exist; A3 is used instead" in problem for problem in problems)


def test_every_choice_has_a_name() -> None:
    """The page offers exactly the choices that an address may name."""
    for name, labels in {"ask": planner.QUESTIONS, "from": planner.WAYS, "side": planner.SIDES, "unit": planner.UNITS,
                         "turn": planner.TURNS, "fit": planner.FITS, "make": planner.PRINT_FILES}.items():  # fmt: skip
        assert tuple(labels) == FIELDS[name].choices
        assert all(labels.values())


def test_digits_of_other_keyboards_are_read_in_a_link() -> None:
    """Full-width and Arabic digits mean the same in a link as plain ones, in numbers and in names of papers."""
    asked, problems = from_address({"w": "１０２４", "paper": "A３", "at": "٥٠", "pu": "mm"})
    assert ("A3", "٥٠", "mm", []) == (asked["paper"], asked["at"], asked["pu"], problems)
    assert (1024, 50) == (inputs.whole(asked["w"], "width"), int(asked["at"]))


POSTER = Paper("Poster", 50, 70, "cm", "own papers", Product("Poster", 3, 5, 200, "JPEG", 30))
FLYER = Paper("Flyer", 99, 210, "mm", "own papers", Product("Flyer", bleed_mm=2))


def test_a_product_brings_what_its_shop_asks_for() -> None:
    """Choosing a product fills in bleed, DPI, format and largest file; another paper takes back what is unchanged."""
    filled = switched(None, POSTER, DEFAULTS)
    assert {"bleed": "3", "dpi": "200", "format": "JPEG", "most": "30"} == filled
    values = DEFAULTS | filled | {"dpi": "250"}
    assert {"bleed": "0", "format": "TIFF", "most": ""} == switched(POSTER, PAPERS["A3"], values)
    assert {"bleed": "2", "format": "TIFF", "most": ""} == switched(POSTER, FLYER, values)
    assert {} == switched(PAPERS["A3"], PAPERS["A4"], DEFAULTS | {"bleed": "7"})


def test_a_link_to_a_product_brings_it_as_well() -> None:
    """A product of one's own can be linked to, and what the link says besides wins over what the shop asks for."""
    papers = {"Poster": POSTER, **PAPERS}
    asked, problems = from_address({"paper": "poster", "dpi": "150"}, papers)
    assert [] == problems
    assert ("Poster", "150", "3", "JPEG") == tuple(asked[name] for name in ("paper", "dpi", "bleed", "format"))
    asked, problems = from_address({"paper": "poster"})
    assert ("A3", True) == (asked["paper"], "paper=poster, which does not exist" in problems[0])
