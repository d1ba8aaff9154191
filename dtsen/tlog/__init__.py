"""Transparency-log formats and proofs, as C2SP and RFC 6962 say them. Pure: bytes in, bytes out.

Whoever writes the log and whoever checks it use this package, and the tests hold it against
programs that are not ours (`docs/adr/0013-transparency-log-formats.md`).
"""
