"""Says what keeps the wheel from being released. `make release-check` builds it and runs this.

python -m docs.release WHEEL
"""

from __future__ import annotations

import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parent.parent
_HEADING = re.compile(r"^## (\S+)(?: – (\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
"""`## 0.1.0 – 2026-11-30`."""


def problems(root: Path, wheel: Path, today: date) -> Iterator[str]:
    """A sentence for each thing that is not as a release needs it."""
    with (root / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    yield from _of_the_changelog((root / "CHANGELOG.md").read_text("utf-8"), project["version"], today)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (folder,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        told = Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
    for field, wanted in (("Name", project["name"]), ("Version", project["version"])):
        if told[field] != wanted:
            yield f"The wheel has the {field.lower()} {told[field]}, and pyproject.toml {wanted}."
    yield from _of_the_licences(told, {name.removeprefix(f"{folder}/licenses/") for name in names})
    yield from _of_the_classifiers(told)
    if urls := told.get_all("Project-URL"):
        yield f"The wheel names addresses, and the project has none of its own yet: {', '.join(urls)}."


def _of_the_changelog(text: str, version: str, today: date) -> Iterator[str]:
    heading = _HEADING.search(text)
    if heading is None or heading[1] != version:
        yield f"CHANGELOG.md begins with {heading[1] if heading else 'no version'}, and pyproject.toml has {version}."
        return
    if heading[2] is None:
        yield f"CHANGELOG.md gives {version} no day: ## {version} – {today}."
    elif date.fromisoformat(heading[2]) > today:
        yield f"CHANGELOG.md gives {version} a day that has not come yet: {heading[2]}."
    if not text[heading.end() :].partition("\n## ")[0].strip():
        yield f"CHANGELOG.md says nothing about {version}."


def _of_the_licences(told: Message, files: set[str]) -> Iterator[str]:
    if not told["License-Expression"]:
        yield "The wheel names no licence."
    named = set(told.get_all("License-File", []))
    if "LICENSE" not in named:
        yield "The wheel does not name our own LICENSE."
    for file in sorted(named - files):
        yield f"The wheel names the licence {file}, and does not hold it."


def _of_the_classifiers(told: Message) -> Iterator[str]:
    classifiers = told.get_all("Classifier", [])
    least = told["Requires-Python"].removeprefix(">=")
    versions = [
        found[1] for each in classifiers if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))
    ]
    if least not in versions or any(int(each[2:]) < int(least[2:]) for each in versions):
        yield f"The wheel needs Python {least}, and is classified for {', '.join(versions) or 'none'}."
    if any(each.startswith("License ::") for each in classifiers):
        yield "A classifier names a licence, which is for the License-Expression alone."


if __name__ == "__main__":
    found = list(problems(ROOT, Path(sys.argv[1]), datetime.now(UTC).date()))
    sys.exit("\n".join(found) or 0)
