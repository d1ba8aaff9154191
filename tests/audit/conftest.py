"""The access log that these tests share, and logs of their own for those that break one."""

from tests.audit.books import book, ledger

__all__ = ["book", "ledger"]
