"""Worker processes that are safe inside a threaded server, and how many processors there are for them."""

from journey.processes.processors import lower_priority, usable_cores
from journey.processes.serving import LOWEST, WorkerDied
from journey.processes.workers import Workers

__all__ = ["LOWEST", "WorkerDied", "Workers", "lower_priority", "usable_cores"]
