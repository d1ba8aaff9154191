"""One client's own API: the part of the OpenAPI document that its agreement and token open.

A subset of the whole document in paths, parameters, statuses, members, values and scopes; never
more, and nothing less.
"""
