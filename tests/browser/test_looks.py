"""What people see who force colours of their own, or read the page in a language that goes from right to left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from journey.history import Entry
from tests.harness.studios import Shelf, Studio, end_task, free_port, new_task

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, Entry]]:
    """A studio with a finished task."""
    studio = Studio(tmp_path_factory.mktemp("data"), free_port(), {})
    with Shelf(studio.data_dir) as shelf:
        small, large = (
            shelf.keep("hill.png", Image.linear_gradient("L").resize(size).convert("RGB"))
            for size in ((100, 150), (400, 600))
        )
        finished = end_task(shelf, shelf.history.add(new_task("A hill", small)), large)
    studio.start()
    yield studio, finished
    studio.stop()


@pytest.fixture
def contrast_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, forced_colors="active")
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def lines_under(controls: Locator) -> list[bool]:
    """Which of these controls are underlined."""
    return [
        bool(each.evaluate("(control) => getComputedStyle(control).textDecorationLine.includes('underline')"))
        for each in controls.all()
    ]


def ground(part: Locator) -> str:
    return str(part.evaluate("(part) => getComputedStyle(part).backgroundColor"))


def is_on(controls: Locator, attribute: str) -> list[bool]:
    return [each.get_attribute(attribute) == "true" for each in controls.all()]


def test_what_is_chosen_shows_in_forced_colours(contrast_page: Page, compared: tuple[Studio, Entry]) -> None:
    """Chosen segments and pills are underlined, and radios and switches keep the shapes that tell what is on."""
    page, (studio, task) = contrast_page, compared
    page.goto(studio.url)
    segments = page.get_by_role("radiogroup", name="Picture from").get_by_role("radio")
    expect(segments.first).to_have_css("text-decoration-line", "underline")
    assert [True, False, False] == lines_under(segments)
    segments.nth(1).click()
    expect(page.get_by_role("textbox", name="Task ID")).to_be_visible()
    assert [False, True, False] == lines_under(segments)
    circles = page.get_by_test_id("stRadioOption").locator("> div > div:first-child")
    on, off, also_off = (ground(circles.nth(place)) for place in range(3))
    assert on != off
    assert off == also_off
    switch = page.get_by_test_id("stCheckbox").locator("label > span + div")
    before = ground(switch), ground(switch.locator("> div"))
    assert before[0] != before[1]
    switch.click()
    expect(switch).not_to_have_css("background-color", before[0])

    page.goto(f"{studio.url}/history")
    pill = page.get_by_role("button", name="Finished")
    pill.click()
    expect(page.locator("button[data-selected]", has_text="Finished")).to_have_attribute("data-selected", "true")
    expect(page.locator("button[data-selected]", has_text="Finished")).to_have_css("text-decoration-line", "underline")

    page.goto(f"{studio.url}/compare?task={task.id}")
    views = page.locator("button[data-view]")
    expect(views).to_have_count(3)
    expect(views.first).to_have_attribute("aria-pressed", "true")
    assert is_on(views, "aria-pressed") == lines_under(views)
    views.nth(1).click()
    expect(views.nth(1)).to_have_attribute("aria-pressed", "true")
    assert [False, True, False] == lines_under(views)


def test_controls_look_as_ever_in_the_colours_of_the_page(page: Page, compared: tuple[Studio, Entry]) -> None:
    """Without forced colours nothing is underlined."""
    page.goto(f"{compared[0].url}/compare?task={compared[1].id}")
    expect(page.locator("button[data-view]")).to_have_count(3)
    assert [False] * 3 == lines_under(page.locator("button[data-view]"))


def test_compare_keeps_its_sides_from_right_to_left(page: Page, compared: tuple[Studio, Entry]) -> None:
    """On a page that begins on the right, left is left: pickers, labels, pictures, the line and what drags it."""
    studio, task = compared
    page.goto(f"{studio.url}/compare?task={task.id}")
    stage = page.locator(".stage")
    stage.and_(page.locator("[aria-busy=false]")).wait_for()
    page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    frame = box(stage)
    left, right = (box(page.get_by_role("combobox", name=name, exact=True)) for name in ("Left", "Right"))
    assert left["x"] < right["x"]
    assert box(page.locator(".tag.left"))["x"] < box(page.locator(".tag.right"))["x"]
    assert box(page.get_by_text("A hill · Original"))["x"] < box(page.get_by_text("A hill · 4x"))["x"]
    y = frame["y"] + frame["height"] / 2
    page.mouse.move(frame["x"] + frame["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] / 4, y, steps=5)
    page.mouse.up()
    line = box(page.locator(".line"))
    assert 0.25 == pytest.approx((line["x"] + line["width"] / 2 - frame["x"]) / frame["width"], abs=0.03)
    page.locator(".handle").focus()
    page.keyboard.press("ArrowRight")
    assert line["x"] < box(page.locator(".line"))["x"]


def box(part: Locator) -> FloatRect:
    found = part.first.bounding_box()
    assert found is not None
    return found
