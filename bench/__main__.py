"""Prints one table: how fast it all is on this machine, and how much memory it takes, beside named peers.

    python -m bench [--quick] [--large] [subject …]

It is a measurement, not a test: what cannot be measured is a line that says why. `python -m bench.growth` measures how
the history does with a million tasks.
"""

from __future__ import annotations

import argparse
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from bench import fidelity, history, inference, machine, main_job, memory, print_files, quality, readings
from bench.amounts import FULL, QUICK, Amount
from bench.table import Line, heading, row

RESULTS = Path(__file__).parent / "results"
SUBJECTS: Mapping[str, Callable[[Amount], Iterator[Line]]] = {
    "inference": inference.lines,
    "fidelity": fidelity.lines,
    "quality": quality.lines,
    "main_job": main_job.lines,
    "memory": memory.lines,
    "readings": readings.lines,
    "print_files": print_files.lines,
    "history": history.lines,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"of {', '.join(SUBJECTS)}; all without any")
    parser.add_argument("--quick", action="store_true", help="small pictures, once each: shows that all of it works")
    parser.add_argument(
        "--large", action="store_true", help="adds the memory for pictures of 25 megapixels, an A0 and a banner; slow"
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.subjects) - SUBJECTS.keys():
        parser.error(f"there is no subject {', '.join(sorted(unknown))}")
    amount = replace(QUICK if chosen.quick else FULL, large=chosen.large)
    known = machine.facts()
    for name, value in known.items():
        print(f"* {name}: {value}")
    print(f"\n{heading()}", flush=True)
    lines: list[Line] = []
    for subject in chosen.subjects or SUBJECTS:
        for line in _attempted(subject, amount):
            print(row(line), flush=True)
            lines.append(line)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / time.strftime("%Y-%m-%d-%H%M%S.json")
    content = {"machine": known, "amount": asdict(amount), "lines": [asdict(line) for line in lines]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _attempted(subject: str, amount: Amount) -> Iterator[Line]:
    try:
        yield from SUBJECTS[subject](amount)
    except Exception as error:  # noqa: BLE001 - the other subjects are still worth measuring
        traceback.print_exc()
        yield Line(subject.replace("_", " "), None, "", "", note=f"it failed: {type(error).__name__}")


if __name__ == "__main__":
    main()
