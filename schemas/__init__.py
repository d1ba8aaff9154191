"""The vocabulary: identifiers, variables, code lists, scopes, agreement and answer models. Pure."""
