"""What the browser has kept is in the inputs, whatever the browser says of them meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., AppTest]


def test_kept_words_win_against_what_the_browser_still_shows(open_page: OpenPage) -> None:
    """A run that the browser has asked for with the form of a server that knew nothing shows what was kept; once."""
    app = open_page("upscale.py")
    app.session_state["kept_words"] = {"scale": 2}
    app.button_group(key="scale").set_value("8x")
    assert 2 == app.run().session_state["scale"]
    assert "kept_words" not in app.session_state
