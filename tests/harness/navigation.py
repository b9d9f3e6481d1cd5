"""The pages of the studio, as its navigation names them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pages() -> dict[str, str]:
    """The address of each page's script, in the order of the menu: `{"upscale.py": "/", "batch.py": "/batch", …}`."""
    found: dict[str, str] = {}
    for call in ast.walk(ast.parse((ROOT / "pages" / "_app.py").read_text())):
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "st.Page"):
            continue
        script = call.args[0]
        if isinstance(script, ast.Constant):
            options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            found[str(script.value)] = f"/{options.get('url_path', '')}"
    return found
