"""Releases of the registry: synthesising, loading, comparing, activating, destroying."""
