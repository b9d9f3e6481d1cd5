"""What the client for programs adds to the libraries that it stands on: processor time, beside them in turn.

python -m bench.imports [runs]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

PROGRAMS = {
    "nothing": "pass",
    "httpx and pydantic": "import httpx, pydantic; pydantic.BaseModel",
    "the client": "from journey import JourneyClient",
}


def processor_seconds(program: str) -> float:
    """What a fresh interpreter with this program takes. Time by the clock says little on a machine that is shared."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs):
        for name, program in PROGRAMS.items():
            taken[name].append(processor_seconds(program))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, seconds in medians.items():
        print(f"{name}: {1000 * seconds:.0f} ms")
    print(f"ratio: {medians['the client'] / medians['httpx and pydantic']:.2f}")


if __name__ == "__main__":
    main()
