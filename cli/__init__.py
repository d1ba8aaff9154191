"""The terminal face: Typer commands over the same functions the HTTP face uses."""
