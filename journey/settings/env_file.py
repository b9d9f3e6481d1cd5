"""The lines of a `.env` file. One that cannot be understood stops the start: it may have held the budget, or the key.

The format is python-dotenv's, which skips what it cannot read. Here each such line is named instead, and single
quotes keep what is between them as it is, as they do in a shell.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

from journey.errors import CannotStart

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEXT_SETTING = re.compile(r"\n\s*(export\s+)?JOURNEY_\w+\s*=")
"""Where the next setting begins: a value over several lines that holds it was never closed."""
_CURLY_QUOTES = "“”„‟‘’‚‛«»"
_UNSEEN = frozenset({"Cf", "Cc", "Zl", "Zp"})
"""Unicode's classes of what nobody sees: zero-width and direction marks, control characters, odd line ends."""


def values_in(path: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Names and values of the file; {} where there is none. `${NAME}` is taken from the environment, then from above.

    Raises CannotStart with the file, the numbers of the lines and what is wrong with each, but never with a value.
    """
    if path is None or not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"The file {path} cannot be read as UTF-8 text ({type(error).__name__}).") from error
    values: dict[str, str] = {}
    problems = []
    for line in parse_stream(io.StringIO(text)):
        if not line.error and line.key is None:
            continue
        number = line.original.line + _blank_lines_before(line)
        if problem := _problem(line):
            problems.append(f"line {number} {problem}")
        elif line.key and line.value is not None:
            known = {**values, **environment}
            value, missing = (line.value, "") if _is_literal(line) else _filled_in(line.value, known)
            if missing:
                problems.append(f"line {number} uses ${{{missing}}}, which is not set")
            values[line.key] = value
    if problems:
        raise CannotStart(
            f"The file {path} has lines that cannot be understood, so settings in it would be missing: "
            f"{'; '.join(problems)}. Write each as NAME=value."
        )
    return values


def _problem(line: Binding) -> str:
    """What is wrong with a line, as the end of a sentence that begins with its number; "" when nothing is."""
    text = line.original.string.strip()
    if unseen := next((each for each in text if _is_unseen(each)), ""):
        return f"has a character that cannot be seen (U+{ord(unseen):04X}); type the line anew"
    name, is_there, value = re.sub(r"^export\s+", "", text).partition("=")
    if not is_there:
        return "has no ="
    name, value = name.strip().strip("'"), value.strip()
    if not _NAME.fullmatch(name):
        return "has more than a name before the =" if re.search(r"\w", name) else "has no name before the ="
    if _NEXT_SETTING.search(value) or (line.error and value.count(value[0]) == 1):
        return f"({name}) has an opening quote without a closing one"
    if line.error:
        return f"({name}) goes on after the closing quote"
    if value and (value[0] in _CURLY_QUOTES or value[-1] in _CURLY_QUOTES):
        return f"({name}) has curly quotes; use straight ones"
    return ""


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN and character not in "\t\r\n"


def _blank_lines_before(line: Binding) -> int:
    text = line.original.string
    return text[: len(text) - len(text.lstrip())].replace("\r\n", "\n").count("\n")


def _is_literal(line: Binding) -> bool:
    return line.original.string.partition("=")[2].lstrip().startswith("'")


def _filled_in(text: str, known: Mapping[str, str]) -> tuple[str, str]:
    """The value with its `${NAME}` replaced, and the first name that is not known and has no default."""
    parts = list(parse_variables(text))
    unknown = (each.name for each in parts if isinstance(each, Variable) and each.default is None)
    missing = next((name for name in unknown if name not in known), "")
    return "".join(part.resolve(known) for part in parts), missing
