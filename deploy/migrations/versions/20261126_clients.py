"""Last use of clients, and the rotation of a client's keys by itself."""

from pathlib import Path

from alembic import op

revision = "20261126_clients"
down_revision = "20261126_fapi"


def upgrade() -> None:
    """Run the SQL beside this file."""
    text = Path(__file__).with_suffix(".sql").read_text()
    # Past SQLAlchemy, which passes parameters always: `%` would be read as a placeholder.
    op.get_bind().connection.execute(text)
