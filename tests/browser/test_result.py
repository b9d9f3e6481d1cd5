"""The result on a finished card in a real browser: at 100 % where there is most to see, and the whole by key or tap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_compare import fingers, seen, settled, shift, stage
from tests.harness.studios import Shelf, Studio, end_task, free_port, new_task

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 2400, 1800
PLACE = 0.7, 0.3
"""Where the picture has its detail."""
SCROLLED_UP = "from => document.querySelector('[data-testid=stMain]').scrollTop < from"


@dataclass(frozen=True)
class Hung:
    """A studio with one finished task, and its result."""

    studio: Studio
    entry: str
    result: np.ndarray

    def card(self, page: Page) -> Locator:
        return page.locator(f".st-key-card_{self.entry}")

    def open(self, page: Page) -> None:
        """Open Upscale, scroll to the card, and wait until it is drawn in full detail."""
        page.goto(self.studio.url)
        stage(page).scroll_into_view_if_needed()
        settled(page)


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hung]:
    studio = Studio(tmp_path_factory.mktemp("data"), free_port(), {"JOURNEY_ENGINE": "off"})
    random = np.random.default_rng(4)
    levels = np.linspace(60, 200, WIDTH // 4).astype(np.uint8)[np.newaxis].repeat(HEIGHT // 4, 0)
    levels = levels[:, :, np.newaxis].repeat(3, 2)
    left, top = round(PLACE[0] * WIDTH / 4) - 80, round(PLACE[1] * HEIGHT / 4) - 60
    levels[top : top + 120, left : left + 160] = random.integers(40, 216, (120, 160, 3), dtype=np.uint8)
    large = levels.repeat(4, 0).repeat(4, 1)
    with Shelf(studio.data_dir) as shelf:
        source, result = (shelf.keep("hill.png", Image.fromarray(each)) for each in (levels, large))
        entry = end_task(shelf, shelf.history.add(new_task("A hill", source)), result)
    studio.start()
    yield Hung(studio, entry.id, large)
    studio.stop()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A tab that is 390 px wide and knows nothing but fingers."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    yield tab
    context.close()


def pressed(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=name, pressed=True)).to_be_visible()


def middle(page: Page) -> tuple[float, float]:
    box = stage(page).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def around(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """160 × 120 px of a picture around a place that is given in parts of it."""
    height, width = picture.shape[:2]
    left, top = round(x * width) - 80, round(y * height) - 60
    return picture[top : top + 120, left : left + 160].astype(int)


def test_a_result_is_seen_at_100_percent_on_its_most_detailed_place(hung: Hung, page: Page) -> None:
    """Its own pixels are on the screen, one for one, left of them the original's; the page's address says nothing."""
    hung.open(page)
    pressed(page, "100 %")
    slider = page.get_by_role("slider", name="Move between original and result")
    apart = {}
    for key, end in (("Home", "0"), ("End", "100")):
        slider.press(key)
        expect(slider).to_have_value(end)
        settled(page)
        screen, wanted = around(seen(page), 0.5, 0.5), around(hung.result, *PLACE)
        down, across = shift(wanted, screen, reach=8)
        assert max(abs(down), abs(across)) < 8  # the place is found on the preview, to within some pixels
        apart[key] = np.abs(np.roll(wanted, (down, across), (0, 1)) - screen)[10:-10, 10:-10].mean()
    assert apart["Home"] < 3
    assert 3 < apart["End"] < 30
    assert f"{hung.studio.url}/" == page.url


def test_what_can_be_done_stands_above_the_picture(hung: Hung, page: Page) -> None:
    """Download, Compare and the way to a print come before the picture, and all of the card fits on one screen."""
    hung.open(page)
    card, picture = hung.card(page), stage(page).bounding_box()
    for name in (re.compile("Download PNG"), "Compare", "Print-ready file", "Details"):
        box = card.get_by_role("link", name=name).bounding_box()
        assert box is not None
        assert picture is not None
        assert box["y"] + box["height"] <= picture["y"]
    box = card.bounding_box()
    assert box is not None
    assert box["height"] < 830


def test_a_key_leads_to_the_whole_picture_and_back(hung: Hung, page: Page) -> None:
    """F shows the whole and 1 the same place again; keys of buttons that a card lacks do nothing."""
    hung.open(page)
    before = seen(page)
    stage(page).press("f")
    pressed(page, "Fit")
    expect(page.get_by_text("Click or tap a place to see it at 100 %")).to_be_visible()
    for key in ("d", "b", "p"):
        stage(page).press(key)
    pressed(page, "Fit")
    expect(page.locator(".stage.slider")).to_be_visible()
    stage(page).press("1")
    pressed(page, "100 %")
    settled(page)
    assert 0 == np.abs(seen(page) - before).max()


def test_compare_opens_at_the_place_that_the_card_shows(hung: Hung, page: Page) -> None:
    """The link follows each change of the view, without a new address for the page itself."""
    hung.open(page)
    link = hung.card(page).get_by_role("link", name="Compare")
    expect(link).to_have_attribute("href", re.compile(rf"task={hung.entry}&zoom=1&x=0\.(69|70)\d*&y=0\.(29|30)\d*$"))
    x, y = middle(page)
    page.mouse.click(x - 100, y - 50)
    pressed(page, "Fit")
    expect(link).to_have_attribute("href", re.compile(rf"task={hung.entry}$"))
    page.mouse.click(x - 100, y - 50)
    pressed(page, "100 %")
    expect(link).to_have_attribute("href", re.compile(r"&zoom=1&x=0\.3\d+&y=0\.4\d+$"))
    assert f"{hung.studio.url}/" == page.url
    asked = str(link.get_attribute("href"))
    link.click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    pressed(page, "100 %")
    expect(page).to_have_url(f"{hung.studio.url}/{asked}")


def test_a_wheel_over_the_picture_scrolls_the_page(hung: Hung, page: Page) -> None:
    """Whoever scrolls on comes past the picture, which stays as it is."""
    hung.open(page)
    before = scrolled(page)
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, -150)
    page.wait_for_function(SCROLLED_UP, arg=before)
    pressed(page, "100 %")


def scrolled(page: Page) -> float:
    return float(page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop"))


def test_on_a_phone_a_tap_leads_to_the_whole_picture_and_back(hung: Hung, phone: Page) -> None:
    """One tap shows the whole, the next the tapped place at 100 %, and nothing is wider than the screen."""
    hung.open(phone)
    pressed(phone, "100 %")
    x, y = middle(phone)
    phone.touchscreen.tap(x + 60, y)
    pressed(phone, "Fit")
    expect(phone.get_by_text("Click or tap a place to see it at 100 %")).to_be_visible()
    phone.touchscreen.tap(x + 60, y)
    pressed(phone, "100 %")
    assert 390 >= phone.evaluate("document.documentElement.scrollWidth")
    box = stage(phone).bounding_box()
    assert box is not None
    assert box["height"] < 0.6 * 844


def test_on_a_phone_a_finger_moves_the_handle_or_scrolls_past(hung: Hung, phone: Page) -> None:
    """Across, a finger moves the handle or the picture and the page stays; up and down, the page scrolls."""
    hung.open(phone)
    x, y = middle(phone)
    touch: Callable[..., None] = fingers(phone)
    at = scrolled(phone)
    slider = phone.get_by_role("slider")
    touch([(x, y)], [(x + 80, y + 12)])
    expect(slider).not_to_have_value("50")
    assert at == scrolled(phone)
    moved = seen(phone)
    touch([(x - 100, y)], [(x - 20, y + 12)])
    settled(phone)
    assert np.abs(seen(phone) - moved).mean() > 1
    assert at == scrolled(phone)
    touch([(x - 100, y)], [(x - 104, y + 150)])
    phone.wait_for_function(SCROLLED_UP, arg=at)
    pressed(phone, "100 %")
