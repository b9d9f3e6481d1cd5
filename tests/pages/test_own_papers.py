"""Papers and products of one's own, on the pages that offer papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from journey.settings import Settings
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.conftest import running

OpenPage = Callable[..., AppTest]
LIST = """
[[paper]]
name = "Poster *70*"
size = "50x70cm"
bleed = "3mm"
safe_area = "7mm"
dpi = 200
format = "JPEG"
largest_file = "30 MB"
"""


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A studio whose data folder has a list of papers."""
    folder: Path = tmp_path_factory.mktemp("data")
    (folder / "papers.toml").write_text(LIST)
    with running(Settings(data_dir=folder, engine="off")) as workspace:
        yield workspace


def test_print_size_plans_for_a_product(open_page: OpenPage) -> None:
    """Choosing a product fills in what its shop asks for, draws its safe area, and another paper takes that back."""
    app = open_page("print_size.py")
    app.selectbox(key="print_paper").set_value("Poster *70*").run()
    assert [] == list(app.exception)
    assert ("3", "200") == tuple(app.text_input(key=f"print_{name}").value for name in ("bleed", "dpi"))
    assert any("7 mm from the edge" in caption.value for caption in app.caption)
    assert "Poster *70*" in list(app.dataframe[0].value["Paper"])
    app.selectbox(key="print_paper").set_value("A3").run()
    assert ("0", "300") == tuple(app.text_input(key=f"print_{name}").value for name in ("bleed", "dpi"))


def test_a_link_opens_a_product(open_page: OpenPage) -> None:
    """A product can be linked to like any paper."""
    app = open_page("print_size.py", paper="poster *70*")
    assert ("Poster *70*", "200") == (app.selectbox(key="print_paper").value, app.text_input(key="print_dpi").value)


def test_upscale_plans_for_a_product(space: Workspace, open_page: OpenPage) -> None:
    """On Upscale a product brings DPI and bleed."""
    wait_for(lambda: space.sample_sources() is not None)
    app = open_page("upscale.py")
    app.button(key=f"sample_{space.sample_sources()['koi'].stored.key}").click().run()
    app.selectbox(key="for_paper").set_value("Poster *70*").run()
    assert [] == list(app.exception)
    assert "200" == app.text_input(key="for_dpi").value
    assert any("3 mm bleed" in caption.value for caption in app.caption)


def test_batch_plans_for_a_product(open_page: OpenPage) -> None:
    """In a batch a product brings its DPI, and another paper has the usual one again."""
    app = open_page("batch.py")
    app.text_area(key="batch_text").set_value("one line\nanother").run()
    app.selectbox(key="batch_paper").set_value("Poster *70*").run()
    assert ([], "200") == (list(app.exception), app.text_input(key="batch_dpi").value)
    app.selectbox(key="batch_paper").set_value("A4").run()
    assert ([], "300") == (list(app.exception), app.text_input(key="batch_dpi").value)
