"""Runs the steps on the connection that :mod:`service.storage.migrating` holds, within its transaction."""

from alembic import context

from service.storage.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
