"""DTKS: identifiers of the older database and what became of them."""
