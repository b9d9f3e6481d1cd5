"""The background worker that submits, polls and archives. One runs for each database.

It writes down its intent before it acts: an entry is `submitting` in the database before the call, and `ambiguous`
afterwards if nobody can tell whether the call was accepted. An open entry moves on by what its own /fetch says, never
by what a webhook says.

tracker     hands out what is due, step by step     submitting  makes one call of each queued entry
errands     runs work on threads, once at a time    polling     asks about open entries, 20 at a time
holds       providers that are left alone           archiving   fetches and keeps the results of finished tasks
sending     what of a picture leaves this machine   lines       who comes next, asked for many at once
"""

from journey.studio.tracker.tracker import Tracker

__all__ = ["Tracker"]
