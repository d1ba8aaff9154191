"""Witnesses of a log (C2SP tlog-witness): being one, and asking others.

A witness remembers the last checkpoint of each log that it watches, and signs only what goes on
from there. It needs nothing of the house whose log it watches but the log's public key.
"""
