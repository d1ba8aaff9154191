"""Releases: which there are, which is in force, when the next one is due."""
