"""No click is lost: what a tab has asked for is done before what it asks for next.

Left to itself, Streamlit ends the run of a page as soon as its tab asks for something else. A click that the run was
about to serve is forgotten with it: its callback is never called, or dies half-way, or the page does not come to its
button any more.
"""

from __future__ import annotations

from typing import TypeVar

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx, script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequest, ScriptRequests, ScriptRequestType

Request = TypeVar("Request", ScriptRequest, ScriptRequest | None)


class OneAfterTheOther(ScriptRequests):
    """What a tab asks for while its page is run. A run that serves a click, or is still in its callbacks, goes on.

    The next request waits until that run is over, together with those that wait already. Any other run ends for it at
    once. Every run ends when it has itself asked for another, and when its tab is closed.
    """

    _serves_a_click = False
    _asked_itself = False

    def request_rerun(self, new_data: RerunData) -> bool:
        """Called for the tab by the server's own thread, and by the page for `st.rerun` and the like."""
        with self._lock:
            self._asked_itself |= get_script_run_ctx(suppress_warning=True) is not None
            return self._request_rerun_locked(new_data)

    def request_rerun_batch(self, rerun_batch: list[RerunData]) -> bool:
        """Called for what callbacks have asked for, once all of them are over."""
        with self._lock:
            self._asked_itself = True
            return all(map(self._request_rerun_locked, rerun_batch))

    def give_up_click(self) -> None:
        """From now on the run ends for the next request, although it serves a click."""
        self._serves_a_click = False

    def on_scriptrunner_yield(self) -> ScriptRequest | None:
        """What the run gives way to; None when it goes on."""
        run = get_script_run_ctx(suppress_warning=True)
        begins = run is not None and not run.has_script_started
        goes_on = (begins or self._serves_a_click) and not self._asked_itself
        if goes_on and self._state is ScriptRequestType.RERUN:
            return None
        return self._noted(super().on_scriptrunner_yield())

    def on_scriptrunner_ready(self) -> ScriptRequest:
        """What is run next."""
        return self._noted(super().on_scriptrunner_ready())

    def _noted(self, request: Request) -> Request:
        if request is not None and request.type is ScriptRequestType.RERUN:
            states = request.rerun_data.widget_states
            self._serves_a_click = states is not None and any(map(_is_a_click, states.widgets))
            self._asked_itself = False
        return request


def keep_all() -> None:
    """Have the pages of every tab that is opened from now on run so."""
    script_runner.ScriptRequests = OneAfterTheOther  # type: ignore[attr-defined]  # there is no other place


def may_end() -> None:
    """A place in a long wait where the run ends if its tab asks for something else, even if it serves a click."""
    run = get_script_run_ctx()
    if run is None:
        return
    if isinstance(run.script_requests, OneAfterTheOther):
        run.script_requests.give_up_click()
    run.yield_check()


def _is_a_click(widget: WidgetState) -> bool:
    """A button's, or a trigger that a component sends."""
    kind = widget.WhichOneof("value")
    return kind is not None and "trigger" in kind and bool(getattr(widget, kind))
