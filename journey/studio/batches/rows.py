"""The table shown before anything is spent: each picture on the paper, the multiplier that is enough, and its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from journey import printing
from journey.printing import Fit, Orientation, Paper, Plan
from journey.provider import Provider
from journey.studio.batches.lines import Line
from journey.studio.batches.looks import Look
from journey.studio.intake import Source

Choice = Literal[0, 2, 4, 8, 16]
"""What is done with a picture: skipped, or enlarged by this multiplier. 8 and 16 take two steps."""

SKIP: Literal[0] = 0


@dataclass(frozen=True)
class Target:
    """What all pictures of the batch are for. Raises ValueError, with a sentence, if nothing can be planned for it."""

    paper: Paper
    dpi: float = 300
    fit: Fit = "crop"
    orientation: Orientation = "auto"

    def __post_init__(self) -> None:
        self.plan(1, 1)

    def plan(self, width: int, height: int) -> Plan:
        product = self.paper.product
        bleed = (product.bleed_mm or 0) if product and self.fit == "crop" else 0
        return printing.plan(
            width, height, self.paper, self.dpi, fit=self.fit, bleed_mm=bleed, orientation=self.orientation
        )


@dataclass(frozen=True)
class Row:
    """One row of the table: a picture, or a line that names none.

    `key` stays the same as long as the same thing is asked for. `choice` is what will be done, `problem` says why
    nothing can be done, and `is_looked_at` is False while that is not known yet.
    """

    key: str
    line: Line
    source: Source | None = None
    plan: Plan | None = None
    suggested: Choice = SKIP
    choice: Choice = SKIP
    problem: str | None = None
    notes: tuple[str, ...] = ()
    is_looked_at: bool = True

    @property
    def runs(self) -> bool:
        """True when it is going to be enlarged."""
        return self.source is not None and self.problem is None and self.choice != SKIP

    @property
    def name(self) -> str:
        """Untrusted text."""
        return self.source.name if self.source else self.line.shown

    @property
    def result(self) -> tuple[int, int] | None:
        """Pixels after enlarging; None when it is not enlarged."""
        if self.source is None or not self.runs:
            return None
        return self.source.stored.width * self.choice, self.source.stored.height * self.choice

    def credits(self, provider: Provider) -> int:
        """What it costs at this provider."""
        return provider.credits if self.runs else 0


Problem = Callable[[Source, int], str | None]
"""Why a picture cannot be enlarged by this multiplier, or None. Raises LookupError while that is not known yet."""


def rows(
    given: Iterable[Line],
    look: Callable[[Line], Look | None],
    *,
    target: Target | None,
    for_all: Choice | None,
    choices: Mapping[str, Choice],
    problem: Problem,
) -> list[Row]:
    """The table. `for_all` is one choice for all, None means as suggested; `choices` are those of single rows."""
    made: list[Row] = []
    places: dict[str, str] = {}
    for line in given:
        notes = (f"Given {line.times} times; it is used once.",) if line.times > 1 else ()
        if line.wanted is None:
            made.append(Row(key=f"{line.place} {line.shown}", line=line, problem=line.problem, notes=notes))
            continue
        key = " ".join((line.wanted.kind, line.wanted.value, line.wanted.index or ""))
        found = look(line)
        if found is None:
            made.append(Row(key=key, line=line, notes=notes, is_looked_at=False))
        elif found.problem:
            made.append(Row(key=key, line=line, problem=found.problem, notes=notes))
        for source in found.sources if found else ():
            own_key = f"{key} {source.index or ''}"
            if same := places.get(source.digest):
                once = f"The same picture as {same[0].lower()}{same[1:]}; it is enlarged once."
                made.append(Row(key=own_key, line=line, source=source, notes=(*notes, once)))
                continue
            places[source.digest] = line.place
            made.append(_row(own_key, line, source, (*notes, *source.notes), target, for_all, choices, problem))
    return made


def _row(
    key: str,
    line: Line,
    source: Source,
    notes: tuple[str, ...],
    target: Target | None,
    for_all: Choice | None,
    choices: Mapping[str, Choice],
    problem: Problem,
) -> Row:
    plan = target.plan(*source.size) if target else None
    try:
        suggested = _suggested(source, plan, problem)
        choice = choices.get(key, suggested if for_all is None else for_all)
        reason = problem(source, choice or 2)
    except LookupError:
        return Row(key=key, line=line, source=source, plan=plan, notes=notes, is_looked_at=False)
    return Row(
        key=key,
        line=line,
        source=source,
        plan=plan,
        suggested=suggested,
        choice=choice,
        problem=reason,
        notes=notes,
    )


def _suggested(source: Source, plan: Plan | None, problem: Problem) -> Choice:
    """What the paper needs (4x without a paper), as far as possible.

    Two steps are suggested only where they are enough, because they take long.
    """
    if plan is not None and plan.recommended == 1:
        return SKIP
    if plan is not None and plan.way is not None and not problem(source, plan.way.multiplier):
        return _CHOICES[plan.way.multiplier]
    wanted: Choice = 2 if plan is not None and plan.recommended == 2 else 4
    return 2 if wanted == 4 and problem(source, 4) and not problem(source, 2) else wanted


_CHOICES: Mapping[int, Choice] = {8: 8, 16: 16}


@dataclass(frozen=True)
class Totals:
    """The whole table in numbers; `seconds` is the time on this machine, which second steps always take."""

    runs: int
    skipped: int
    problems: int
    looking: int
    credits: int
    seconds: float


def totals(table: Sequence[Row], provider: Provider, seconds_per_pixel: Mapping[int, float]) -> Totals:
    """The table in numbers. `seconds_per_pixel` is the time here for each pixel of the source, by multiplier."""
    running = [row for row in table if row.runs]
    return Totals(
        runs=len(running),
        skipped=sum(row.is_looked_at and row.problem is None and not row.runs for row in table),
        problems=sum(row.problem is not None for row in table),
        looking=sum(not row.is_looked_at for row in table),
        credits=sum(row.credits(provider) for row in running),
        seconds=sum(
            row.source.stored.width * row.source.stored.height * seconds_per_pixel.get(row.choice, 0.0)
            for row in running
            if row.source
        ),
    )
