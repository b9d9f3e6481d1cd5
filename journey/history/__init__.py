"""The history: what people asked for, how far it has got, and what came of it.

states    the states, and the ways between them     labels     tags and comments
entries   what an entry is                          pauses     queues that wait for a person
tables    how it is stored                          deletions  files to remove, until they are gone
store     entries one at a time: added, moved on    kinship    which entries belong together
finding   entries as lists                          timing     how long tasks usually take
filtering which entries are meant                   counting   numbers that the database keeps
paging    in which order, page by page              searching  words, and their index
steps     orders of two steps                       spending   what they cost
named     tasks of an entry that turn up later      reopening  tasks that are taken up once more
joining   a second order of what is under way       streaming  all that matches, in pieces
moving    the statement by which an entry moves     together   several changes in one transaction
turns     whose turn it is
"""

from journey.history.entries import STALE_AFTER, Entry, Moment, NewEntry
from journey.history.filtering import SEARCH_LIMIT, Filter
from journey.history.finding import Found
from journey.history.kinship import DOUBLE_CLICK_SECONDS
from journey.history.paging import Order
from journey.history.states import LIVE, OVER, UNDECIDED, State
from journey.history.store import History
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
    "UNDECIDED",
    "Entry",
    "Filter",
    "Found",
    "History",
    "Moment",
    "NewEntry",
    "Order",
    "State",
]
