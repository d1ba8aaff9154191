"""The standing tables of the spine: releases, authority, clients, the access log."""

from pathlib import Path

from alembic import op

revision = "20261124_spine"
down_revision = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    text = Path(__file__).with_suffix(".sql").read_text()
    # Past SQLAlchemy, which passes parameters always: `%` would be read as a placeholder.
    op.get_bind().connection.execute(text)
