"""The background worker that submits, polls and archives. One runs for each database.

It writes its intent before it acts: an entry is `submitting` in the database before the call, and anything short of
proof that nothing was sent leaves it `ambiguous`. Only its own /fetch changes an open entry.

tracker     steps: what is due is handed out        submitting  queued entries become calls, once each
errands     work on threads, each at most once      polling     open entries are asked about, 20 at a time
                                                    archiving   finished tasks' pictures are fetched and kept
"""

from journey.studio.tracker.tracker import Tracker

__all__ = ["Tracker"]
