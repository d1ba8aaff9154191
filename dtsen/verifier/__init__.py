"""Holding a log against its promises, from what anybody can fetch. Trusts nothing of this house.

It needs no database and no setting: a folder or an address, and a key to believe.
"""
