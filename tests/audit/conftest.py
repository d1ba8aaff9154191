"""The access log that these tests share."""

from tests.audit.ledger import ledger

__all__ = ["ledger"]
