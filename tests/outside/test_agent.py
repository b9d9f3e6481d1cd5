"""Whoever sees our requests can tell what sends them, and ask whom."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from journey.errors import InvalidRequest
from journey.outside.agent import VERSION, user_agent


def test_the_version_is_the_one_that_is_released() -> None:
    """The version in the User-Agent is that of the project."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


@pytest.mark.parametrize("contact", ["ops@studio.example", "https://studio.example/about", "x", "Ops, ops@a.example"])
def test_a_contact_is_added(contact: str) -> None:
    """A contact stands behind the version, in the form that other programs use."""
    assert f"journey-print-studio/{VERSION} (+{contact})" == user_agent(contact)
    assert f"journey-print-studio/{VERSION}" == user_agent("") == user_agent(None)


@pytest.mark.parametrize("contact", ["ä", "a\r\nX: b", "a)b", "(", " ", " a", "a\\", "a" * 201, "\x7f", "\u202eb"])
def test_a_contact_that_no_header_can_hold_is_refused(contact: str) -> None:
    """Line breaks, other scripts and brackets would change the header, so they are refused."""
    with pytest.raises(InvalidRequest, match="contact"):
        user_agent(contact)
