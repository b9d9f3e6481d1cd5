"""Puts the files of the networks into the wheel, out of the packages that carry them; the documents too, if built."""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent


class FilesInWheel(BuildHookInterface[Any]):
    """Without the networks there is no wheel; an editable install uses those of `make run`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, str(ROOT))
        from journey.engine.networks import bundled, packing

        self._folder = tempfile.TemporaryDirectory()
        target = Path(self._folder.name) / bundled.IN_PACKAGE
        packing.pack(Path(sysconfig.get_path("purelib")), target)
        build_data["force_include"][str(target)] = f"journey/engine/networks/{bundled.IN_PACKAGE}"
        documents = ROOT / "build" / "docs"
        if (documents / "index.html").is_file():
            build_data["force_include"][str(documents)] = "journey/_docs"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()
