"""The history: what people asked for, how far it is, and what came of it.

states    the ways that an entry can go             labels     tags and comments
entries   what an entry is                          pauses     providers that wait for a person
tables    how it is stored                          deletions  what is to go, until it is gone
store     entries one at a time: added, moved on    kinship    which entries belong together
finding   entries as lists: filtered, sorted        timing     how long they usually take
                                                    spending   what they cost
"""

from journey.history.entries import STALE_AFTER, Entry, Moment, NewEntry
from journey.history.finding import SEARCH_LIMIT, Filter, Found, Order
from journey.history.states import LIVE, OVER, State
from journey.history.store import DOUBLE_CLICK_SECONDS, History
from journey.history.tables import COMMENT_LIMIT, ERROR_LIMIT, TAG_LIMIT

__all__ = [
    "COMMENT_LIMIT",
    "DOUBLE_CLICK_SECONDS",
    "ERROR_LIMIT",
    "LIVE",
    "OVER",
    "SEARCH_LIMIT",
    "STALE_AFTER",
    "TAG_LIMIT",
    "Entry",
    "Filter",
    "Found",
    "History",
    "Moment",
    "NewEntry",
    "Order",
    "State",
]
