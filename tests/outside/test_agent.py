"""Whoever sees our requests can tell what sends them, and ask whom."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path

import pytest

from journey.errors import CannotStart, InvalidRequest
from journey.outside.agent import VERSION, user_agent
from journey.outside.door import Door
from journey.settings import read_settings
from journey.testing import Reply, StandIn


def test_the_version_is_the_one_that_is_released() -> None:
    """The version in the User-Agent is that of the project."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


@pytest.mark.parametrize("contact", ["ops@studio.example", "https://studio.example/about", "x", "Ops, ops@a.example"])
def test_a_contact_is_added(contact: str) -> None:
    """A contact stands behind the version, in the form that other programs use."""
    assert f"journey-print-studio/{VERSION} (+{contact})" == user_agent(contact)
    assert f"journey-print-studio/{VERSION}" == user_agent("") == user_agent(None)


def test_pictures_and_webhooks_say_who_asks() -> None:
    """Whatever goes out through the door has the same User-Agent as the calls to the API."""
    with StandIn() as server:
        door = Door(["127.0.0.1"], contact="ops@studio.example")
        door.get(server.picture_url(), max_bytes=2**20, into=io.BytesIO())
        server.script("cdn", Reply(204, b""))
        door.post_json(f"{server.origin}/hook", {}, {})
    agents = {call.headers["user-agent"] for call in server.calls}
    assert {f"journey-print-studio/{VERSION} (+ops@studio.example)"} == agents


def test_a_contact_and_a_proxy_are_judged_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact that no header can hold, or a variable that names no proxy, stops the start with its name."""
    monkeypatch.setenv("JOURNEY_CONTACT", "ops@studio.example")
    assert "ops@studio.example" == read_settings(None).contact
    monkeypatch.setenv("JOURNEY_API_KEY", "a-key")
    for name, value in (("JOURNEY_CONTACT", "Zoë"), ("HTTPS_PROXY", "socks5://localhost:1080")):
        with monkeypatch.context() as wrong:
            wrong.setenv(name, value)
            with pytest.raises(CannotStart, match=name):
                read_settings(None)


@pytest.mark.parametrize("contact", ["ä", "a\r\nX: b", "a)b", "(", " ", " a", "a\\", "a" * 201, "\x7f", "\u202eb"])
def test_a_contact_that_no_header_can_hold_is_refused(contact: str) -> None:
    """Line breaks, other scripts and brackets would change the header, so they are refused."""
    with pytest.raises(InvalidRequest, match="contact"):
        user_agent(contact)
