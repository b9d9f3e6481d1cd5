"""Prints where the pinned packages can be installed, as Markdown. `make platforms` runs it; it asks the package index.

    python -m docs.platforms UV

For every line of the requirements, uv looks for a wheel with the pinned hash. Nothing is installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
EXTRAS = ("auth", "cluster", "ncnn", "postgres", "s3")

FROM_SOURCE = ("pyvips", "watchdog")
"""Packages that are built from source where they have no wheel. They are Python only, so no compiler is needed."""


@dataclass(frozen=True)
class System:
    """A kind of machine: its name here and for uv, and the packages that are left out there."""

    name: str
    platform: str
    without: Sequence[str] = ()
    macos: str = "12.0"


SYSTEMS = (
    System("Linux x86-64, glibc 2.28 or later", "x86_64-manylinux_2_28"),
    System("Linux Arm, glibc 2.35 or later", "aarch64-manylinux_2_35"),
    System("Linux Arm, glibc 2.28, without OpenVINO", "aarch64-manylinux_2_28", ("openvino",)),
    System("Linux x86-64, musl, without OpenVINO", "x86_64-unknown-linux-musl", ("openvino",)),
    System("Linux Arm, musl, without OpenVINO", "aarch64-unknown-linux-musl", ("openvino",)),
    System("macOS 12 or later, Arm", "aarch64-apple-darwin"),
    System("macOS 12 or later, Intel", "x86_64-apple-darwin"),
    System("Windows x86-64", "x86_64-pc-windows-msvc"),
    System("Windows Arm", "aarch64-pc-windows-msvc"),
)


def lacking(uv: str, requirements: Path, system: System, version: str) -> str | None:
    """The first package of a file of requirements that cannot be installed there, or None."""
    text = requirements.read_text(encoding="utf-8")
    for name in system.without:
        text = re.sub(rf"^{name}==.*\n(?: .*\n)*", "", text, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        needed = Path(folder, "requirements.txt")
        needed.write_text(text, encoding="utf-8")
        asked = subprocess.run(
            [
                *(uv, "pip", "install", "--dry-run", "--target", folder, "--no-deps", "--require-hashes"),
                *("--python-version", version, "--python-platform", system.platform, "--only-binary", ":all:"),
                *(option for name in FROM_SOURCE for option in ("--no-binary", name)),
                *("-r", str(needed)),
            ],
            env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": system.macos},
            capture_output=True,
            text=True,
            check=False,
        )
    if asked.returncode == 0:
        return None
    named = re.search(r"Because ([\w-]+)", asked.stderr)
    if named is None:
        sys.exit(asked.stderr)
    return named[1]


def cell(uv: str, system: System, version: str) -> str:
    """`yes`, what cannot be installed with its extra, or the package for which nothing can."""
    if package := lacking(uv, ROOT / "requirements.txt", system, version):
        return f"no: {package}"
    missing = [
        f"{extra} ({package})"
        for extra in EXTRAS
        if (package := lacking(uv, ROOT / f"requirements-{extra}.txt", system, version))
    ]
    return f"yes, except {', '.join(missing)}" if missing else "yes"


def main() -> None:
    uv = sys.argv[1]
    with ThreadPoolExecutor(4) as threads:
        rows = [(system, [threads.submit(cell, uv, system, version) for version in VERSIONS]) for system in SYSTEMS]
        print(f"| | {' | '.join(VERSIONS)} |\n|---|{'---|' * len(VERSIONS)}")
        for system, cells in rows:
            print(f"| {system.name} | {' | '.join(each.result() for each in cells)} |")


if __name__ == "__main__":
    main()
