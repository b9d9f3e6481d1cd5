"""Print planning as a person does it: typed, linked, from a sample, from a task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from journey.history import Entry, NewEntry, State
from journey.provider import THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.test_pages import errors

OpenPage = Callable[..., AppTest]


def said(app: AppTest) -> str:
    """The verdict as a person reads it: the one coloured box with words in bold."""
    boxes = [*app.success, *app.info, *app.warning, *app.error]
    (verdict,) = [box.value for box in boxes if box.value.startswith("**")]
    return verdict.replace("\\", "").replace("**", "")


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ({"w": "1024", "h": "1536"}, "4x is enough: 350 DPI, excellent, sharp in the hand."),
        ({"w": "1024", "h": "1024"}, "Out of reach: needs 4.84x; 4x gives 248 DPI, good, sharp from 35 cm."),
        ({"w": "2048", "h": "2048", "paper": "8x10"}, "2x is enough: 410 DPI, excellent, sharp in the hand."),
        ({"w": "2480", "h": "3508", "paper": "a4"}, "No upscale needed: 300 DPI, excellent, sharp in the hand."),
        ({"w": "1024", "h": "1536", "bleed": "3"}, "4x is enough: 343 DPI, excellent, sharp in the hand."),
        ({"w": "1024", "h": "1024", "paper": "4K"}, "2x is enough on a screen: 2048 × 2048 px. 4K pixel for pixel"),
    ],
    ids=["A3", "square on A3", "8x10", "A4", "bleed", "screen"],
)
def test_a_link_with_pixels_gives_the_verdict(open_page: OpenPage, query: dict[str, str], verdict: str) -> None:
    """A picture and a paper in the address get the verdict that the arithmetic gives."""
    assert said(open_page("print_size.py", **query)).startswith(verdict)


def test_a_first_visit_has_a_verdict_already(open_page: OpenPage) -> None:
    """Without a click there is an answer for the usual Midjourney picture on A3, and one click changes it."""
    app = open_page("print_size.py")
    assert said(app).startswith("Out of reach")
    app.selectbox(key="print_paper").set_value("A4").run()
    assert said(app).startswith("4x is enough: 350 DPI")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"w": "0"}, "The width must be a whole number of pixels from 1 to 1,000,000."),
        ({"h": "-5"}, "The height must be a whole number of pixels from 1 to 1,000,000."),
        ({"w": "1000000000"}, "The width must be a whole number of pixels from 1 to 1,000,000."),
        ({"w": "abc"}, "The width must be a number, and “abc” is not one."),
        ({"dpi": "0"}, "The DPI must be a number from 1 to 10,000."),
        ({"dpi": "lots"}, "The DPI must be a number, and “lots” is not one."),
        ({"bleed": "300"}, "The bleed must be smaller than the paper (A3 · 297 × 420 mm)."),
        ({"bleed": "-1"}, "The bleed must be a number of millimetres from 0 to 1,000."),
        ({"paper": "custom", "pw": "0", "pu": "mm"}, "The paper's width must be a number from 1 to 100,000 mm."),
        ({"paper": "custom", "ph": "x"}, "The paper's height must be a number, and “x” is not one."),
        ({"task": "nowhere"}, "There is no finished task with this address. Choose one from the list."),
        ({"url": "nonsense"}, "http"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_nonsense_in_a_link_is_a_sentence(open_page: OpenPage, query: dict[str, str], sentence: str) -> None:
    """A number that makes no sense is not clamped and shows no traceback: it stays in its field, with what to do."""
    app = open_page("print_size.py", **query)
    assert [] == list(app.exception)
    assert sentence in " ".join(errors(app))
    for name in query.keys() & {"w", "h", "dpi", "bleed", "pw", "ph"}:
        assert query[name] == app.text_input(key=f"print_{name}").value


def test_a_choice_that_does_not_exist_is_told(open_page: OpenPage) -> None:
    """An unknown paper or fit in a link is named, and the usual one is taken."""
    app = open_page("print_size.py", paper="B9", fit="banana", at="300")
    warnings = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert "paper=B9, which does not exist; A3 is used instead" in warnings
    assert "fit=banana" in warnings
    assert "at=" in warnings
    app.selectbox(key="print_paper").set_value("A4").run()
    assert not any("banana" in warning.value for warning in app.warning)


def test_the_address_holds_all_inputs(open_page: OpenPage) -> None:
    """What is set on the page is in its address, and opening that address sets it again."""
    app = open_page("print_size.py")
    assert {} == dict(app.query_params)
    app.text_input(key="print_w").set_value("3000").run()
    app.selectbox(key="print_paper").set_value("custom").run()
    app.text_input(key="print_pw").set_value("12,5").run()
    app.text_input(key="print_bleed").set_value("2").run()
    app.text_input(key="print_dpi").set_value("240").run()
    app.button_group(key="print_unit").set_value("in").run()
    app.slider(key="print_place").set_value(80).run()
    address = {name: each[0] if isinstance(each, list) else each for name, each in app.query_params.items()}
    wanted = {"w": "3000", "paper": "custom", "pw": "12,5", "pu": "cm", "bleed": "2", "dpi": "240", "unit": "in"}
    assert wanted | {"at": "80", "from": "pixels", "h": "1024"} == {
        name: address[name] for name in [*wanted, "at", "from", "h"]
    }
    again = open_page("print_size.py", **address)
    assert said(app) == said(again)
    assert 80 == again.slider(key="print_place").value


def test_a_link_stays_as_it_is_until_something_is_changed(open_page: OpenPage) -> None:
    """A link costs one Back, not two, and Back from a change brings back all that the link had set."""
    app = open_page("print_size.py", w="2480", h="3508", paper="A4")
    app.run()
    assert ["h", "paper", "w"] == sorted(app.query_params)
    opened = said(app)
    app.selectbox(key="print_paper").set_value("A3").run()
    app.text_input(key="print_dpi").set_value("200").run()
    assert {"w", "dpi", "from"} <= set(app.query_params)
    assert opened != said(app)
    app.session_state.addresses_left = []  # long after the clicks, when no address is still on its way
    app.query_params.clear()
    for name, value in {"w": "2480", "h": "3508", "paper": "A4"}.items():
        app.query_params[name] = value
    app.run()
    assert opened == said(app)
    assert "300" == app.text_input(key="print_dpi").value


def test_a_slider_only_where_something_is_cut(open_page: OpenPage) -> None:
    """A crop has one slider, and contain has none."""
    assert ["Crop: from left to right"] == [each.label for each in open_page("print_size.py").slider]
    assert [] == list(open_page("print_size.py", fit="contain").slider)


def test_what_a_paper_needs(open_page: OpenPage) -> None:
    """For a paper the page tells its pixels with bleed, and which Midjourney pictures reach them."""
    app = open_page("print_size.py", ask="paper", paper="A4", bleed="3")
    assert said(app).startswith("2551 × 3579 px")
    assert ["A4 · 210 × 297 mm to scale: 2551 × 3579 px"] == drawings(app)
    assert any("Red edge" in caption.value for caption in app.caption)
    table = app.dataframe[0].value
    assert "4x" in set(table["For 300 DPI"])
    assert "1024 × 1536 · 2:3 large" in set(table["Midjourney picture"])


def test_the_table_has_every_paper_and_its_grades(open_page: OpenPage) -> None:
    """The table has all papers, or one family of them, with their grades at 1x, 2x and 4x."""
    app = open_page("print_size.py", w="1024", h="1536")
    table = app.dataframe[0].value.set_index("Paper")
    assert ["88 · too low", "175 · acceptable", "350 · excellent", "4x"] == list(table.loc["A3"])[1:]
    assert "needs 7.03x" == table.loc["24 × 36"].iloc[-1]
    app.button_group(key="print_family").set_value("square").run()
    assert 4 == len(app.dataframe[0].value)


def test_one_click_carries_the_plan_to_upscale(space: Workspace, open_page: OpenPage) -> None:
    """Picture, paper and multiplier are set in Upscale, and nothing is queued yet."""
    wait_for(lambda: space.sample_sources() is not None)
    before = space.history.lists.count()
    app = open_page("print_size.py", sample="koi", paper="5x7")
    assert "Upscale 4x for 5 × 7" == app.button(key="carry").label
    app.button(key="carry").click().run()
    assert "Upscale" == app.title[0].value
    assert ("5x7", 4) == (app.selectbox(key="for_paper").value, app.button_group(key="scale").value)
    assert any("Koi pond · 1024 × 1024 px" in text.value for text in app.text)
    assert any("4x is enough" in caption.value.replace("\\", "") for caption in app.caption)
    assert before == space.history.lists.count()


def test_upscale_suggests_what_the_paper_needs(space: Workspace, open_page: OpenPage) -> None:
    """Choosing a paper beside the picture preselects the multiplier; a multiplier chosen by hand stays."""
    wait_for(lambda: space.sample_sources() is not None)
    app = open_page("upscale.py")
    app.button(key=f"sample_{space.sample_sources()['koi'].stored.key}").click().run()
    app.selectbox(key="for_paper").set_value("A6").run()
    assert 2 == app.button_group(key="scale").value
    app.button_group(key="scale").set_value(4).run()
    assert 4 == app.button_group(key="scale").value
    app.selectbox(key="for_paper").set_value("24x36").run()
    assert 4 == app.button_group(key="scale").value
    assert any("4x reaches 114 DPI" in caption.value for caption in app.caption)


def test_a_finished_task_becomes_a_print_file(space: Workspace, open_page: OpenPage) -> None:
    """`?task=` opens the result; Make gives a link to a file with the pixels and DPI of the paper."""
    entry = finished(space)
    app = open_page("print_size.py", task=entry.id, paper="A6", bleed="3")
    assert any("400 × 600 px" in text.value for text in app.text)
    app.button(key="make").click().run()
    (started,) = app.session_state.print_runs
    started.run.wait(30)
    made = started.run.made
    with Image.open(space.files.path(made.stored.key, made.stored.file)) as picture:
        assert ((1311, 1819), (300, 300)) == (picture.size, picture.info["dpi"])
    app.run()
    assert any("add no detail" in caption.value for caption in app.caption)
    app.button_group(key="print_side").set_value("original").run()
    assert any("200 × 300 px" in text.value for text in app.text)


def test_a_large_print_is_cut_into_sheets(space: Workspace, open_page: OpenPage) -> None:
    """A link says how to cut; the page counts the sheets before any file is made, and the PDF has as many pages."""
    entry = finished(space)
    app = open_page("print_size.py", task=entry.id, paper="A3", dpi="50", make="panels", overlap="20")
    assert any("**4 sheets** of A4 portrait, 2 across and 2 down, make A3" in each.value for each in app.markdown)
    app.text_input(key="print_overlap").set_value("5").run()
    assert {"make": "panels", "overlap": "5", "sheet": "A4"}.items() <= app.query_params.items()
    app.button(key="make").click().run()
    (started, *_) = app.session_state.print_runs
    started.run.wait(30)
    made = started.run.made
    assert "hill_A3_50dpi_panels_A4.pdf" == made.stored.file
    assert 4 == len(PdfReader(space.files.path(made.stored.key, made.stored.file)).pages)
    app.text_input(key="print_overlap").set_value("190").run()
    assert app.button(key="make").disabled
    assert any("has no room for a picture" in each for each in errors(app))


def test_history_finds_what_is_ready_for_a_paper(space: Workspace, open_page: OpenPage) -> None:
    """`?ready=…&at=…` shows only results that fill the paper at that DPI, and says when there are none."""
    finished(space)
    app = open_page("history.py", ready="a6", at="95")
    assert {"400 × 600 px"} == set(app.dataframe[0].value["After"])
    assert "A6" in app.query_params["ready"]
    at_dpi(app).set_value("300").run()
    assert any("None of the" in info.value for info in app.info)
    at_dpi(app).set_value("many").run()
    assert ["The DPI must be a number, and “many” is not one."] == errors(app)


def at_dpi(app: AppTest) -> TextInput:
    return next(field for field in app.text_input if field.label == "at DPI")


def drawings(app: AppTest) -> list[str]:
    """The alternative texts of the pictures on the page."""
    return [picture.alt for each in app.get("image") for picture in each.proto.imgs]


def finished(space: Workspace) -> Entry:
    """A task whose result of 400 × 600 px is stored."""
    pictures = []
    for width, height in ((200, 300), (400, 600)):
        with space.files.folder() as folder:
            picture = Image.new("RGB", (width, height), "teal")
            picture.save(folder / "hill.png")
            picture.save(folder / "preview.webp")
            pictures.append(StoredPicture(space.files.keep(folder), "hill.png", width, height))
    source, result = pictures
    new = NewEntry(provider=THIS_MACHINE, type="2x", name="hill.png", source=source)
    # The tracker's steps are done here by hand.
    space.tracker.stop()
    entry = space.history.add(new)
    space.history.move(entry.id, State.SUBMITTING)
    space.history.move(entry.id, State.OPEN, task_id="t")
    space.history.move(entry.id, State.ARCHIVING, result_key=result.key)
    space.history.move(entry.id, State.FINISHED, result=result)
    found = space.history.get(entry.id)
    assert found is not None
    return found


@pytest.mark.parametrize(("unit", "width", "height"), [("pu", "pw", "ph"), ("su", "sw", "sh")])
def test_a_change_of_unit_keeps_the_size(open_page: OpenPage, unit: str, width: str, height: str) -> None:
    """Another unit changes the numbers of a custom paper or sheet and nothing else, and back exactly."""
    asked = {width: "11.69", height: "16.54", unit: "in"}
    sheet = {"sample": "fjord", "make": "panels", "sheet": "custom"} if unit == "su" else {"paper": "custom"}
    app = open_page("print_size.py", **sheet, **asked)
    before = said(app)
    for other, numbers in (("mm", ["296.93", "420.12"]), ("cm", ["29.693", "42.012"]), ("in", ["11.69", "16.54"])):
        app.button_group(key=f"print_{unit}").set_value(other).run()
        assert numbers == [app.text_input(key=f"print_{name}").value for name in (width, height)]
        assert before == said(app)
        assert "300" == app.text_input(key="print_dpi").value
        assert [] == errors(app)


def test_a_task_that_is_gone_is_not_replaced_by_another(open_page: OpenPage, space: Workspace) -> None:
    """A link to a deleted task says so, and no other picture is judged until one is chosen."""
    picture = next(iter((space.sample_sources() or {}).values())).stored
    entry = space.history.add(NewEntry(provider=THIS_MACHINE, type="2x", name="hill.png", source=picture))
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
        space.history.move(entry.id, state, **({"task_id": "gone-1"} if state is State.OPEN else {}))
    space.history.move(entry.id, State.FINISHED, result=picture)
    app = open_page("print_size.py", task="0123456789", paper="A3")
    for _ in range(2):
        assert ["There is no finished task with this address. Choose one from the list."] == errors(app)
        assert ["Choose a picture, and the verdict will appear here."] == [box.value for box in app.info]
        assert [] == [button.label for button in app.button if "Upscale" in button.label or button.key == "make"]
        app.run()
    app.selectbox(key="print_task").set_value(entry.id).run()
    assert "DPI" in said(app)


def test_a_set_by_ratio_is_told_and_made(space: Workspace, open_page: OpenPage) -> None:
    """Each ratio has its paper and its cut before anything is made; the size is told, and one click makes the ZIP."""
    wait_for(lambda: space.sample_sources() is not None)
    app = open_page("print_size.py", sample="koi", paper="A6", dpi="100", make="ratios", format="JPEG", most="0.3")
    (lines,) = (each.value for each in app.markdown if each.value.startswith("**2:3**"))
    assert "**square**: 10 × 10 in, 1000 × 1000 px. Nothing is cut away." in lines
    question, job = app.session_state.print_told
    assert [each.at_most_mb for each in question[1]] == [0.3] * len(question[1])
    assert len(question[1]) == len(job.result(60))
    app.run()
    assert any(each.value.startswith("Together about **") for each in app.markdown)
    app.button(key="make").click().run()
    (started, *_) = app.session_state.print_runs
    wait_for(lambda: started.run.done)
    assert started.run.made is not None
    assert len(question[1]) == len(started.run.made.files)
    assert all(file.size <= 300_000 for file in started.run.made.files)


def test_too_small_a_limit_is_said_before_anything_is_made(space: Workspace, open_page: OpenPage) -> None:
    """What no quality reaches, and what is no number, are sentences beside the field, which keeps what was typed."""
    wait_for(lambda: space.sample_sources() is not None)
    app = open_page("print_size.py", sample="koi", paper="A4", format="JPEG", most="0,05")
    app.session_state.print_told[1].result(60)
    app.run()
    assert "Even at quality 60 of 100" in " ".join(errors(app))
    app.text_input(key="print_most").set_value("little").run()
    assert "The most MB must be a number of megabytes above 0, and “little” is not one." in " ".join(errors(app))
    assert app.button(key="make").disabled
