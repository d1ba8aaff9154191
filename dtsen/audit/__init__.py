"""The access log: records in their final bytes, their index, and search over them."""
