"""Runs the revisions on the connection and for the tables that `Database.upgrade` passes in."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], target_metadata=given["metadata"], transactional_ddl=True)
context.run_migrations()
