"""The documents say what the code does: settings, defaults, routes and commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ByteSize

from journey.settings import MEGAPIXEL, Settings
from journey.workspace import Workspace
from tests.harness.navigation import pages

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DESIGN = (ROOT / "docs" / "design.md").read_text()


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    """The table of settings names each setting once."""
    documented = re.findall(r"^\| `(JOURNEY_\w+)` \|", README, re.MULTILINE)
    assert [f"JOURNEY_{name.upper()}" for name in Settings.model_fields] == documented


@pytest.mark.parametrize("name", ["max_bytes", "max_input_pixels", "max_output_pixels", "engine_model", "api_url"])
def test_a_documented_default_is_the_real_one(name: str) -> None:
    """Where the table gives a value, it is the default."""
    found = re.search(rf"^\| `JOURNEY_{name.upper()}` \| `([^`]+)` \|", README, re.MULTILINE)
    assert found is not None
    shown = found[1]
    value: object = shown
    if shown.endswith("MiB"):
        value = ByteSize(int(shown.split()[0]) * 2**20)
    elif shown.endswith("MP"):
        value = int(shown.split()[0]) * MEGAPIXEL
    assert value == Settings.model_fields[name].default


def test_every_route_is_in_the_design(tmp_path: Path) -> None:
    """The table of routes names every path that the server answers."""
    space = Workspace(Settings(data_dir=tmp_path))
    paths = {route.path for route in space.routes} | {"/healthz", "/readyz", *pages().values()}
    space.stop()
    assert [] == [path for path in sorted(paths) if f"`{path}`" not in DESIGN]


def test_every_test_that_a_document_names_exists() -> None:
    """Each promise in docs/reliability.md is held by tests that are there."""
    document = (ROOT / "docs" / "reliability.md").read_text()
    there = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    named = set(re.findall(r"`(test_\w+)`", document))
    assert len(named) > 100
    assert set() == named - there


def test_every_make_target_that_the_documents_name_exists() -> None:
    """Each `make something` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for document in (README, DESIGN, (ROOT / "CONTRIBUTING.md").read_text())
        for name in re.findall(r"(?:^|`)make ([a-z]+)", document, re.MULTILINE)
    }
    assert set() == named - targets
