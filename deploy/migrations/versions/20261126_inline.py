"""A record kept whole in its row."""

from pathlib import Path

from alembic import op

revision = "20261126_inline"
down_revision = "20261126_fence"


def upgrade() -> None:
    """Run the SQL beside this file."""
    text = Path(__file__).with_suffix(".sql").read_text()
    # Past SQLAlchemy, which passes parameters always: `%` would be read as a placeholder.
    op.get_bind().connection.execute(text)
