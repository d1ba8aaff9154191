"""Halting: a log that might fork is stopped, and stays so until a person has looked."""

EXIT_CODE = 3
"""Of `dtsen sequencer` when it halted: a supervisor must not start it again by itself."""
RUNBOOK = "docs/operators/log.md"


class LogHalted(RuntimeError):
    """Going on could contradict what was published; nothing was signed. The text says why."""


class LeadLost(RuntimeError):
    """Another sequencer went further meanwhile; this one stops and waits for its turn."""
