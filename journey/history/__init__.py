"""The history: what people asked for, how far it is, and what came of it.

`states` holds the ways an entry can go, `entries` what one is, `tables` how it is stored, `finding` how lists find
it, `labels` what people write about it, and `store` what moves it on.
"""

from journey.history.entries import STALE_AFTER, EngineName, Entry, Moment, NewEntry
from journey.history.finding import SEARCH_LIMIT, Filter, Found, Order
from journey.history.states import LIVE, OVER, State
from journey.history.store import DOUBLE_CLICK_SECONDS, History
from journey.history.tables import (
    ANSWER_LIMIT,
    COLUMNS,
    COMMENT_LIMIT,
    ERROR_LIMIT,
    TAG_LIMIT,
    deleted_calls,
    entries,
    entry_of,
    pauses,
    tags,
    timeline,
)

__all__ = [
    "ANSWER_LIMIT",
    "COLUMNS",
    "COMMENT_LIMIT",
    "DOUBLE_CLICK_SECONDS",
    "ERROR_LIMIT",
    "LIVE",
    "OVER",
    "SEARCH_LIMIT",
    "STALE_AFTER",
    "TAG_LIMIT",
    "EngineName",
    "Entry",
    "Filter",
    "Found",
    "History",
    "Moment",
    "NewEntry",
    "Order",
    "State",
    "deleted_calls",
    "entries",
    "entry_of",
    "pauses",
    "tags",
    "timeline",
]
