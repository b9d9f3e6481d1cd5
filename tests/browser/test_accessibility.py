"""Every page, checked by axe-core for screen readers and weak eyes; Upscale is also walked through by keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from journey.history import Entry, State
from journey.provider import JOURNEYAPI
from tests.harness.navigation import pages as navigation_of_code
from tests.harness.studios import Shelf, Studio, end_task, free_port, new_task

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
GROUNDS: dict[Scheme, str] = {"light": "rgb(253, 252, 249)", "dark": "rgb(17, 23, 26)"}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

SETTLE_SECONDS = 3.0

STREAMLITS_OWN = '[data-selected="true"], [data-testid="stSliderThumbValue"]'
"""In dark, 3:1 instead of 4.5:1 is enough for these: the chosen option of a control, and the number over a slider.

Streamlit writes both in the primary colour, and buttons have white text on the same colour. No colour has 4.5:1 both
behind white text and on our dark ground (4.2:1 at best), so the buttons get it. The chosen option also has a border
and a tint, and no setting of the theme changes its text alone.
"""

HOVER_ONLY = "Fullscreen:"
"""Streamlit's own button over each picture: Tab reaches it, but it is drawn only under a pointer.

A page with nothing but `st.image` does the same, and no option of `st.image` changes that.
"""

JUDGE = """
([excused, rules]) => axe.run({
  resultTypes: ["violations"],
  ...(rules ? {runOnly: {type: "rule", values: rules}} : {}),
}).then((found) => found.violations.flatMap((rule) => rule.nodes.map((node) => ({
  rule: rule.id,
  impact: rule.impact,
  message: (node.any[0] ?? node.all[0] ?? node.none[0]).message,
  ratio: node.any[0]?.data?.contrastRatio ?? 0,
  excused: !!document.querySelector(node.target[0])?.closest(excused),
  element: node.html.slice(0, 200),
}))))
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, Entry]]:
    """A studio with a failed, a cancelled, an ambiguous and a finished task; and the finished one."""
    studio = Studio(tmp_path_factory.mktemp("data"), free_port(), {})
    with Shelf(studio.data_dir) as shelf:
        small, large = (
            shelf.keep("hill.png", Image.linear_gradient("L").resize(size).convert("RGB"))
            for size in ((100, 150), (400, 600))
        )

        def add(name: str, **fields: object) -> Entry:
            return shelf.history.add(new_task(name, small, **fields))

        end_task(shelf, add("Too large"), ends=State.FAILED, error="The picture is too large.")
        end_task(shelf, add("Not wanted"), ends=State.CANCELLED)
        end_task(shelf, add("Who knows", provider=JOURNEYAPI), ends=State.AMBIGUOUS, error="No answer came.")
        finished = end_task(shelf, add("A hill", person="ada@example.com"), large)
        shelf.history.labels.tag([finished.id], "landscapes")
    studio.start()
    yield studio, finished
    studio.stop()


def test_no_page_has_a_serious_violation(browser: Browser, tasks: tuple[Studio, Entry]) -> None:
    """Each page of the navigation, a task's details and the print-ready section pass axe, in both themes and widths."""
    studio, finished = tasks
    # Nothing is judged in the middle of a transition.
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    open_page(page, studio.url)
    pages = [str(link.get_attribute("href")) for link in navigation(page).all()]
    assert len(navigation_of_code()) == len(pages)
    paths = [
        *pages,
        f"/history?task={finished.id}",
        f"/print_size?task={finished.id}&paper=A6&bleed=3",
        f"/print_size?task={finished.id}&paper=A3&dpi=50&make=panels",
        "/print_size?ask=paper&paper=A4",
    ]
    found: dict[str, list[str]] = {}
    for path in paths:
        open_page(page, path if path.startswith("http") else studio.url + "/" + path.lstrip("/"))
        for scheme, size in (("light", WIDE), ("dark", WIDE), ("dark", NARROW), ("light", NARROW)):
            show(page, scheme, size)  # type: ignore[arg-type]
            for violation in lasting(page, only_colours=scheme == "dark"):
                found.setdefault(violation, []).append(f"{path} {scheme} {size['width']}")
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    context.close()
    assert {} == found


def test_tab_goes_through_upscale_in_order(browser: Browser, tasks: tuple[Studio, Entry]) -> None:
    """Tab leads from the navigation through the form to its button and the samples, and the focus always shows."""
    studio, _ = tasks
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    open_page(page, studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).wait_for()
    names: list[str] = []
    while "Four seasons, a grid" not in names:
        assert len(names) < 60, names
        page.keyboard.press("Tab")
        names.append(page.evaluate(NAME_OF_FOCUS))
        if not names[-1].startswith(HOVER_ONLY):
            assert differs_without_focus(page), f"{names[-1]} does not show that it has the focus"
    context.close()
    wanted = ["Upscale", "History", "Image URL", "Image URL", "2x", "Webhook (optional)", "Upscale · free", "Koi pond"]
    places = [0]
    for name in wanted:
        assert name in names[places[-1] :], f"{name} does not come after the ones before it in {names}"
        places.append(names.index(name, places[-1]) + 1)


NAME_OF_FOCUS = """
() => {
  const it = document.activeElement;
  return (it.getAttribute("aria-label") || it.labels?.[0]?.innerText || it.innerText || it.tagName).trim()
    .split("\\n").pop();
}
"""


def navigation(page: Page) -> Locator:
    return page.get_by_test_id("stTopNavLink")


def open_page(page: Page, url: str) -> None:
    """Go there and wait until the page is completely drawn."""
    page.goto(url)
    page.get_by_role("heading", level=1).wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def show(page: Page, scheme: Scheme, size: dict[str, int]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.wait_for_function(
        "([ground, width]) => innerWidth === width"
        " && getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === ground",
        arg=[GROUNDS[scheme], size["width"]],
    )


def lasting(page: Page, *, only_colours: bool) -> list[str]:
    """What `judge` still finds after some seconds: parts that are still being drawn have no names yet."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (found := judge(page, only_colours=only_colours)) and time.monotonic() < deadline:
        pass
    return found


def judge(page: Page, *, only_colours: bool) -> list[str]:
    """The serious and critical violations, in words. Only the colours differ between light and dark."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(JUDGE, [STREAMLITS_OWN, ["color-contrast"] if only_colours else None])
    return [
        f"{each['rule']}: {each['message']} {each['element']}"
        for each in found
        if each["impact"] in ("serious", "critical") and not (only_colours and each["excused"] and each["ratio"] >= 3)
    ]


def differs_without_focus(page: Page) -> bool:
    """Whether what has the focus looks different without it."""
    box = page.evaluate(
        """() => {
          const box = document.activeElement.getBoundingClientRect();
          const [x, y] = [box.x, box.y].map((edge) => Math.max(0, edge - 12));
          return {x, y, width: box.width + 24, height: box.height + 24};
        }"""
    )
    focused = page.screenshot(clip=box)
    page.evaluate("() => { window.had = document.activeElement; had.blur(); }")
    plain = page.screenshot(clip=box)
    page.evaluate("() => had.focus({focusVisible: true})")
    return focused != plain
