"""Everything that can go wrong, as one tree.

    JourneyError
    ├── InvalidRequest (also a ValueError)   what was asked for cannot be done; nothing was sent or nothing was accepted
    ├── AuthenticationFailed                 the key is missing, malformed or revoked
    ├── InsufficientCredits                  the account cannot pay for the call
    ├── RateLimited                          too many calls; not accepted, not charged
    ├── WrongAddress                         there is no such API at this address; nothing was accepted
    ├── TaskNotFound                         the API does not know (or no longer knows) this task
    ├── ServerError                          the API answered, but not with anything usable
    ├── NotSent                              the call never left this machine; safe to repeat
    │   └── Untrusted                        the server's certificate is wrong; repeating will not help
    ├── Ambiguous                            the call may have been accepted (and charged for)
    ├── TaskFailed                           the API did its part and says that the task failed
    ├── WaitTimeout                          the task is still running at the deadline
    ├── PictureRefused                       the bytes are not a picture that can be used
    ├── FetchFailed                          an outside address gave nothing usable
    │   └── Unreachable                      blocked, unresolvable or silent: told in one sentence on purpose
    ├── FileMissing                          no stored file has this key
    ├── Stopped                              a person or a shutdown stopped the work
    └── CannotStart                          a setting, a folder or a database keeps the program from starting

The message of every error is a sentence for the person who caused it. Text that came from
outside is cut to 500 characters before it gets into one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journey.api.models import Task

MESSAGE_LIMIT = 500


class JourneyError(Exception):
    """The root of every error that this package raises on purpose."""


class InvalidRequest(JourneyError, ValueError):
    """The request breaks a rule of the wire. `problems` holds one sentence for each rule."""

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems or ("The request is not valid.",)
        super().__init__(" ".join(self.problems))


class AuthenticationFailed(JourneyError):
    """The key was refused."""


class InsufficientCredits(JourneyError):
    """The account has too few credits for the call. Nothing was charged."""


class RateLimited(JourneyError):
    """Too many calls. `retry_after` is the wait the server asked for, in seconds, or None."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class WrongAddress(JourneyError):
    """The server that answered does not know this call. Nothing was accepted, and repeating will not help."""


class TaskNotFound(JourneyError):
    """No task with this id belongs to this key."""


class ServerError(JourneyError):
    """The server answered with something that cannot be used. `answer` keeps the start of it."""

    def __init__(self, message: str, answer: str = "") -> None:
        self.answer = answer
        super().__init__(message)


class NotSent(JourneyError):
    """The connection was never made, so nothing was accepted. Safe to repeat."""


class Untrusted(NotSent):
    """The server could not prove who it is. Nothing was sent, and repeating will not help."""


class Ambiguous(JourneyError):
    """The call may have been accepted. `answer` keeps the start of what came back, if anything did."""

    def __init__(self, message: str, answer: str = "") -> None:
        self.answer = answer
        super().__init__(message)


class TaskFailed(JourneyError):
    """The task ended as failed. `task` is its last state."""

    def __init__(self, task: Task) -> None:
        self.task = task
        super().__init__((task.error or "The task failed without a reason.")[:MESSAGE_LIMIT])


class WaitTimeout(JourneyError):
    """The deadline passed. `task` is the last state seen; the task itself goes on."""

    def __init__(self, task: Task | None, timeout: float) -> None:
        self.task = task
        super().__init__(f"The task is not finished after {timeout:g} s. It goes on; fetch it later.")


class PictureRefused(JourneyError):
    """The bytes cannot be used as a picture."""


class FetchFailed(JourneyError):
    """A public server answered, but not with what was wanted."""


class Unreachable(FetchFailed):
    """The address is blocked, does not resolve or does not answer. One sentence for all three."""


class FileMissing(JourneyError):
    """No file is stored under this key."""


class Stopped(JourneyError):
    """The work was stopped before its end."""


class CannotStart(JourneyError):
    """The program cannot start; the message says which setting or place is at fault and what is allowed."""
