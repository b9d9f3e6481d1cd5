"""What people can do: choose a picture, order an upscale, watch it, delete it. Its public names are all pages need.

intake   whatever is given becomes a checked picture     removal  deleting entries with their files
orders   the one way to order an upscale                 upkeep   the worker lock, and what its holder looks after
stopping what Stop means, in every state                 results  how results come home, also by hand
kept     a chosen picture, as a browser keeps it
tracker/ moves entries to their end, in the background   batches/ many pictures at once
"""

from journey.api.models import ID_LIMIT, SECRET_LIMIT
from journey.history import (
    COMMENT_LIMIT,
    LIVE,
    SEARCH_LIMIT,
    TAG_LIMIT,
    Entry,
    Filter,
    Found,
    State,
)
from journey.history import (
    Order as SortOrder,
)
from journey.history.kinship import Kin, Pair, Variant, find_kin, is_pair, pairs
from journey.history.spending import Budget, Line, month_name, month_start, months_until
from journey.provider import HERE, PROVIDERS, Provider
from journey.studio.intake import ParentTask, Source
from journey.studio.kept import KeptPicture
from journey.studio.orders import Offer, Order, Orders

__all__ = [
    "COMMENT_LIMIT",
    "HERE",
    "ID_LIMIT",
    "LIVE",
    "PROVIDERS",
    "SEARCH_LIMIT",
    "SECRET_LIMIT",
    "TAG_LIMIT",
    "Budget",
    "Entry",
    "Filter",
    "Found",
    "KeptPicture",
    "Kin",
    "Line",
    "Offer",
    "Order",
    "Orders",
    "Pair",
    "ParentTask",
    "Provider",
    "SortOrder",
    "Source",
    "State",
    "Variant",
    "find_kin",
    "is_pair",
    "month_name",
    "month_start",
    "months_until",
    "pairs",
]
