"""The states of an entry, and the ways between them.

An entry moves along these ways and no others:

    queued -> submitting -> open -> archiving -> finished
                 |            ├-> failed          ├-> open (the result was gone: ask the task again), failed
                 |            |                   └-> abandoned (by a person)
                 |            └-> abandoned, stopped (by a person)
                 ├-> failed     refused by the API
                 ├-> queued     proved not to have been sent
                 └-> ambiguous -> open (its task id turned up), queued or abandoned (a person decided)
    queued -> asking (it would probably be paid for in vain) -> queued (a person has it sent), cancelled (by a person)
    queued -> cancelled (by a person)
    failed or abandoned, with a task id -> open (a person has its result fetched again; nothing is sent or charged)
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    ASKING = "asking"
    SUBMITTING = "submitting"
    AMBIGUOUS = "ambiguous"
    OPEN = "open"
    ARCHIVING = "archiving"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    STOPPED = "stopped"

    @property
    def over(self) -> bool:
        """True when nothing more will happen by itself and nobody has to decide."""
        return self in OVER


OVER = frozenset({State.FINISHED, State.FAILED, State.CANCELLED, State.ABANDONED, State.STOPPED})
UNDECIDED = frozenset({State.ASKING, State.AMBIGUOUS})
"""A person has to decide how it goes on."""
MEANT = "A person had it sent all the same."
"""What the timeline says of an entry that asked, so that it does not ask again."""
LIVE = frozenset({State.QUEUED, State.SUBMITTING, State.OPEN, State.ARCHIVING})

WAYS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SUBMITTING, State.ASKING, State.CANCELLED}),
    State.ASKING: frozenset({State.QUEUED, State.CANCELLED}),
    State.SUBMITTING: frozenset({State.OPEN, State.QUEUED, State.FAILED, State.AMBIGUOUS}),
    State.AMBIGUOUS: frozenset({State.OPEN, State.QUEUED, State.ABANDONED}),
    State.OPEN: frozenset({State.ARCHIVING, State.FAILED, State.ABANDONED, State.STOPPED}),
    State.ARCHIVING: frozenset({State.FINISHED, State.FAILED, State.OPEN, State.ABANDONED}),
    **{state: frozenset() for state in OVER},
}
FETCHED_AGAIN = frozenset({State.FAILED, State.ABANDONED})
