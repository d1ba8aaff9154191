"""The HTTP face: routes, problems, middleware. Thin; it holds no rule of its own."""
