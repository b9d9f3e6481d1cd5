"""What `make release-check` finds before a version goes out."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest

from docs.release import problems

TODAY = date(2026, 11, 30)
CHANGELOG = "# Changelog\n\n## 0.1.0 – 2026-11-29\n\n* All of it.\n\n## 0.0.9 – 2026-01-01\n"
METADATA = """Metadata-Version: 2.4
Name: journey-print-studio
Version: 0.1.0
License-Expression: MIT
License-File: LICENSE
Classifier: Programming Language :: Python :: 3.11
Requires-Python: >=3.11
"""


def found(folder: Path, *, changelog: str = CHANGELOG, metadata: str = METADATA, licence: str = "LICENSE") -> list[str]:
    """What is wrong with a release that is right but for what is given."""
    (folder / "CHANGELOG.md").write_text(changelog)
    (folder / "pyproject.toml").write_text('[project]\nname = "journey-print-studio"\nversion = "0.1.0"\n')
    with zipfile.ZipFile(folder / "studio.whl", "w") as wheel:
        wheel.writestr("studio-0.1.0.dist-info/METADATA", metadata)
        wheel.writestr(f"studio-0.1.0.dist-info/licenses/{licence}", "MIT")
    return list(problems(folder, folder / "studio.whl", TODAY))


def test_a_release_that_is_right_has_no_problem(tmp_path: Path) -> None:
    """With one version everywhere, a day, licences and classifiers there is nothing to say."""
    assert [] == found(tmp_path)


@pytest.mark.parametrize(
    ("changelog", "said"),
    [
        (CHANGELOG.replace("0.1.0 – 2026-11-29", "Unreleased"), "begins with Unreleased, and pyproject.toml has 0.1.0"),
        (CHANGELOG.replace(" – 2026-11-29", ""), "gives 0.1.0 no day: ## 0.1.0 – 2026-11-30."),
        (CHANGELOG.replace("11-29", "12-01"), "a day that has not come yet: 2026-12-01"),
        (CHANGELOG.replace("* All of it.", ""), "says nothing about 0.1.0"),
        ("# Changelog", "begins with no version"),
    ],
)
def test_the_changelog_has_to_speak_of_this_version(tmp_path: Path, changelog: str, said: str) -> None:
    """The first entry of the changelog is this version, with the day it came out and what is in it."""
    (problem,) = found(tmp_path, changelog=changelog)
    assert said in problem


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Version: 0.1.0", "Version: 0.2.0", "has the version 0.2.0, and pyproject.toml 0.1.0"),
        ("Name: journey-print-studio", "Name: studio", "has the name studio"),
        ("License-Expression: MIT\n", "", "names no licence"),
        ("License-File: LICENSE\n", "", "does not name our own LICENSE"),
        ("Python :: 3.11", "Python :: 3.10", "is classified for 3.10"),
        ("Python :: 3.11", "Python :: 3.11\nClassifier: License :: OSI Approved :: MIT License", "names a licence"),
        ("Requires-Python", "Project-URL: Home, https://studio.example.com\nRequires-Python", "names addresses"),
    ],
)
def test_the_wheel_has_to_say_what_is_so(tmp_path: Path, before: str, after: str, said: str) -> None:
    """Name, version, licences, classifiers and addresses of the wheel are those of the project."""
    (problem,) = found(tmp_path, metadata=METADATA.replace(before, after))
    assert said in problem


def test_a_licence_that_is_named_is_there(tmp_path: Path) -> None:
    """A licence that the wheel names, but does not hold, is told."""
    assert ["The wheel names the licence LICENSE, and does not hold it."] == found(tmp_path, licence="OTHER")
