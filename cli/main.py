"""`dtsen`: the command line."""

import typer

from cli import agreement, demo, serve

app = typer.Typer(
    name="dtsen",
    help="The DTSEN Reference API from a terminal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(agreement.app, name="agreement")
app.command()(serve.serve)
app.command()(serve.migrate)
app.command()(demo.demo)
