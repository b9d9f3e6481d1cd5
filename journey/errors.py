"""The root of all errors, and the errors that belong to no single room.

    JourneyError
    ├── InvalidRequest (also a ValueError)   what was asked for cannot be done; nothing was sent or nothing was accepted
    ├── PictureRefused                       the bytes are not a picture that can be used
    ├── FetchFailed                          an outside address gave nothing usable
    │   └── Unreachable                      blocked, unresolvable or silent: deliberately one sentence for all
    ├── FileMissing                          no stored file has this key
    ├── WorkersAway                          what computes elsewhere does not answer; no task is given up because of it
    ├── Stopped                              a person or a shutdown stopped the work
    ├── CannotStart                          a setting, a folder or a database keeps the program from starting
    │
    │   of a call to the API (`journey.api.errors`):
    ├── AuthenticationFailed                 the API refused the key
    ├── GatewayRefused                       something in front of the API refused the call; nothing was accepted
    ├── InsufficientCredits                  the account cannot pay for the call
    ├── RateLimited                          too many calls; not accepted, not charged
    ├── WrongAddress                         there is no such API at this address; nothing was accepted
    ├── TaskNotFound                         the API does not know (or no longer knows) this task
    ├── ServerError                          the API answered, but not with anything usable
    ├── NotSent                              the call never left this machine; safe to repeat
    │   └── Untrusted                        the server could not prove who it is; repeating will not help
    ├── Ambiguous                            the call may have been accepted (and charged for)
    ├── TaskFailed                           the API did its part and says that the task failed
    └── WaitTimeout                          the task is still running at the deadline

DatabaseAway is not in the tree: it is nobody's mistake. Neither is a full disk, which is an OSError elsewhere.

The message of every error is a sentence for the person who caused it. Text from outside is
cut to 500 characters before it goes into a message.
"""

from __future__ import annotations

import errno

MESSAGE_LIMIT = 500
_DISK = {errno.ENOSPC: "is full", errno.EDQUOT: "is full", errno.EROFS: "takes no writes"}


class JourneyError(Exception):
    """The root of every error that this package raises on purpose."""


class InvalidRequest(JourneyError, ValueError):
    """The request breaks a rule. `problems` holds one sentence for each broken rule."""

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems or ("The request is not valid.",)
        super().__init__(" ".join(self.problems))


class PictureRefused(JourneyError):
    """The bytes cannot be used as a picture."""


class FetchFailed(JourneyError):
    """An outside address gave nothing usable."""


class Unreachable(FetchFailed):
    """The address is blocked, does not resolve or does not answer. One sentence for all three."""


class FileMissing(JourneyError):
    """No file is stored under this key."""


class WorkersAway(JourneyError):
    """What computes for this machine does not answer. The same work may be done a moment later."""


class Stopped(JourneyError):
    """The work was stopped before its end."""


class CannotStart(JourneyError):
    """The program cannot start; the message says which setting or place is at fault and what is allowed."""


class DatabaseAway(Exception):
    """The database does not answer, is locked, or takes no writes. The same call may work a moment later.

    Not a JourneyError: those tell a person what to change, and no task may be given up because of this one.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__("The database does not answer. Your tasks are safe; try again in a moment.")


class DiskFull(DatabaseAway):
    """The database takes no writes because its disk is full."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.args = (_no_writes(errno.ENOSPC),)


def passing(error: BaseException) -> str | None:
    """What people are told of an error that is nobody's and passes, as of a database away or a full disk; else None."""
    if isinstance(error, DatabaseAway):
        return str(error)
    return _no_writes(error.errno) if isinstance(error, OSError) and error.errno in _DISK else None


def _no_writes(number: int) -> str:
    return f"The disk {_DISK[number]}, so nothing can be stored. Your tasks are safe; they go on once that is mended."


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Text from outside on one line: no line breaks, control characters or marks that change the writing direction."""
    shown = "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text[: 4 * limit])
    return " ".join(shown.split())[:limit]


def counted(number: int, noun: str) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
