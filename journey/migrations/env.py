"""Runs the revisions on the connection that `database.Database.upgrade` passes in."""

from alembic import context

import journey.batches.store
import journey.engine.jobs
import journey.history  # noqa: F401  imported for its tables
from journey.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
