"""Each page leads to the document that helps with it, where there are documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from journey.views import documents


def helps(app: AppTest) -> list[str]:
    return [each.proto.url for each in app.get("link_button") if each.proto.label == "Help"]


@pytest.mark.parametrize("is_built", [True, False])
def test_a_page_offers_help_only_where_there_is_some(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_built: bool
) -> None:
    """The link at the top of a page leads to its own document, and is absent while the documents are not built."""
    monkeypatch.setattr(documents, "folder", lambda: tmp_path if is_built else None)
    app = open_page("history.py")
    assert (["/docs/reference/states.html"] if is_built else []) == helps(app)
