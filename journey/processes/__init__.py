"""Worker processes that are safe inside a threaded server, and how many processors there are for them."""

from journey.processes.processors import lower_priority, usable_cores
from journey.processes.serving import LOWEST, WorkerDied, WorkerHung, allow_processor_time
from journey.processes.turns import Turns
from journey.processes.workers import PATIENCE, Workers

__all__ = [
    "LOWEST",
    "PATIENCE",
    "Turns",
    "WorkerDied",
    "WorkerHung",
    "Workers",
    "allow_processor_time",
    "lower_priority",
    "usable_cores",
]
