"""What a tab asks for while its page is being run."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from pages.frame import clicks


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page of these tests is run as the server runs it."""
    monkeypatch.setattr(script_runner, "ScriptRequests", script_runner.ScriptRequests)
    clicks.keep_all()


def test_a_callback_goes_on_when_the_next_request_arrives() -> None:
    """What a click changes is changed whole, whatever its tab asks for meanwhile."""

    def page() -> None:
        import streamlit as st

        from tests.harness.runs import request_another_run

        def act() -> None:
            st.session_state.begun = True
            request_another_run()
            st.session_state.done = True

        st.button("Act", on_click=act)

    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert app.session_state.begun
    assert app.session_state.done


def test_a_page_comes_to_the_button_that_was_clicked() -> None:
    """A request that arrives before the page has come to its button is served after the click, not in its place."""

    def page() -> None:
        import streamlit as st

        from tests.harness.runs import request_another_run

        state = st.session_state
        state.runs = state.get("runs", 0) + 1
        if state.runs == 2:
            request_another_run()
        if st.button("Act"):
            state.clicked_in = state.runs
        state.last = state.runs

    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert 2 == app.session_state.clicked_in
    assert 3 == app.session_state.last


def test_a_page_may_have_itself_drawn_again() -> None:
    """What a page does of its own accord ends its run there and then, even after a click."""

    def page() -> None:
        import streamlit as st

        state = st.session_state
        if st.button("Act"):
            state.clicked = True
            st.rerun()
            state.went_on = True

    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert app.session_state.clicked
    assert "went_on" not in app.session_state


def test_a_page_that_serves_no_click_gives_way_at_once() -> None:
    """A run that only shows what was chosen is not finished when something else is chosen."""

    def page() -> None:
        import streamlit as st

        from tests.harness.runs import request_another_run

        state = st.session_state
        state.runs = state.get("runs", 0) + 1
        if state.runs == 1:
            request_another_run()
        st.text("drawn")
        state.ended = [*state.get("ended", []), state.runs]

    app = AppTest.from_function(page).run()
    assert [2] == app.session_state.ended


def test_a_long_wait_gives_way_even_after_a_click() -> None:
    """Who clicked, and then leaves while the page is still looking at something far away, is not held back."""

    def page() -> None:
        import streamlit as st

        from pages.frame.clicks import may_end
        from tests.harness.runs import request_another_run

        seen = st.session_state.setdefault("seen", [])
        if st.button("Act"):
            seen.append("clicked")
            request_another_run()
            may_end()
            seen.append("waited")
        seen.append("drawn")

    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert ["drawn", "clicked", "drawn"] == app.session_state.seen


def test_a_look_goes_on_when_something_else_is_asked_for_meanwhile() -> None:
    """What is being looked at is looked at once: the page that is drawn next waits on, and shows it."""

    def page() -> None:
        import streamlit as st

        from pages.frame.looking import looked
        from tests.harness.runs import AnotherRun

        state = st.session_state
        state.runs = state.get("runs", 0) + 1
        another = AnotherRun()
        looks = state.setdefault("looks", [])

        def look() -> str:
            looks.append("far away")
            another.request()
            another.begun.wait(timeout=10)
            return "found"

        if state.runs == 2:
            state.another.begun.set()
        else:
            state.another = another
        state.found = looked("look", "address", look)

    app = AppTest.from_function(page).run()
    assert 2 == app.session_state.runs
    assert ["far away"] == app.session_state.looks
    assert "found" == app.session_state.found
