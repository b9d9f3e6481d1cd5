"""Quiet, true logs: one line an event, bounded in length and rate, with nothing from outside as it came.

Whoever reaches the server can cause events, and may try to fill the disk or to forge lines.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from journey.errors import counted, one_line, passing
from journey.outside.masking import masked_text

LINE_LIMIT = 4_000
"""Characters. Of a longer line, the beginning and the end are kept: the end of a trace says what happened."""
ALIKE_A_MINUTE = 10
ALL_A_MINUTE = 300
_MINUTE = 60.0
_KIND_LIMIT = 200
_LAYOUT = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


class OneLine(logging.Formatter):
    """Writes what another formatter would, on one line, without `secrets`, and without a trace for a known trouble.

    Addresses are masked, because signatures are secrets as well.
    """

    def __init__(self, inner: logging.Formatter | None = None, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._inner = inner or _LAYOUT
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        shown = logging.makeLogRecord(record.__dict__)
        trouble = record.exc_info[1] if record.exc_info else None
        if trouble is not None and passing(trouble):
            shown.exc_info = shown.exc_text = None
            shown.msg, shown.args = f"{record.getMessage()}: {_reason(trouble)}", None
        text = self._inner.format(shown)
        for secret in self._secrets:
            text = text.replace(secret, "…")
        text = masked_text(text)
        if len(text) > LINE_LIMIT:
            text = f"{text[: LINE_LIMIT // 3]} … {text[-LINE_LIMIT * 2 // 3 :]}"
        return one_line(text, LINE_LIMIT + 10)


class Bounded(logging.Filter):
    """Lets so many events of a kind pass in a minute, and so many in all; the next one tells how many were left out."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._passed: Counter[tuple[str, str]] = Counter()
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.name, str(record.msg)[:_KIND_LIMIT]
        with self._lock:
            if self._clock() - self._began >= _MINUTE:
                self._began = self._clock()
                self._passed.clear()
            is_quiet = self._passed[kind] < ALIKE_A_MINUTE and self._passed.total() < ALL_A_MINUTE
            if not is_quiet:
                self._left_out += 1
                return False
            self._passed[kind] += 1
            left_out, self._left_out = self._left_out, 0
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({counted(left_out, 'event')} left out before this)", None
        return True


def set_up(*secrets: str) -> None:
    """Have everything that writes logs in this process do it so. Call it again after anything has changed handlers."""
    if not logging.root.handlers:
        logging.root.addHandler(logging.StreamHandler())
    known = [
        logging.root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    handlers = {handler for logger in known for handler in logger.handlers}
    # The one for loggers that have none and hand nothing on: uvicorn's own is such a logger under Streamlit.
    for handler in handlers | ({logging.lastResort} if logging.lastResort else set()):
        if not isinstance(handler.formatter, OneLine):
            handler.setFormatter(OneLine(handler.formatter, secrets))
        if not any(isinstance(each, Bounded) for each in handler.filters):
            handler.addFilter(Bounded())


def _reason(trouble: BaseException) -> str:
    return getattr(trouble, "reason", "") or getattr(trouble, "strerror", "") or type(trouble).__name__
