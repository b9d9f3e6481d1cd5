"""What a tab asks of the server while its page is being run."""

from __future__ import annotations

import threading

from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx


class AnotherRun:
    """Made in the midst of a run, whose tab will ask for another one, not by a click. The page sets `begun`."""

    def __init__(self) -> None:
        run = get_script_run_ctx()
        assert run is not None
        assert run.script_requests is not None
        self._requests, self._page = run.script_requests, run.page_script_hash
        self.begun = threading.Event()

    def request(self) -> None:
        """As the server does it for the tab: not in the thread of the page."""
        server = threading.Thread(target=self._requests.request_rerun, args=(RerunData(page_script_hash=self._page),))
        server.start()
        server.join()


def request_another_run() -> None:
    """Called in the midst of a run: its tab asks for another one now."""
    AnotherRun().request()
