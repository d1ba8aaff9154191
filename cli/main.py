"""`dtsen`: the command line."""

from typing import Any

import typer

from cli.commands import Commands, LazyGroup

COMMANDS = {
    "demo": "cli.demo:demo",
    "serve": "cli.serve:serve",
    "migrate": "cli.serve:migrate",
    "sequencer": "cli.sequencer:sequencer",
    "synth": "cli.synth:synth",
    "token": "cli.token:token",
    "curl": "cli.curl:curl",
    "lookup": "cli.curl:lookup",
    "openapi": "cli.openapi:openapi",
    "doctor": "cli.doctor:doctor",
    "approve": "cli.approve:approve",
    "approver": "cli.approver:app",
    "release": "cli.release:app",
    "agreement": "cli.agreement:app",
    "agency": "cli.agency:app",
    "restriction": "cli.restriction:app",
    "client": "cli.client:app",
    "key": "cli.key:app",
    "legacy": "cli.legacy:app",
    "audit": "cli.audit:app",
    "witness": "cli.witness:app",
}
"""Each command, or group of commands, and where it is."""


class _Dtsen(LazyGroup):
    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - Typer's own
        super().__init__(**options)
        self.commands = Commands(COMMANDS)


app = typer.Typer(
    name="dtsen",
    cls=_Dtsen,
    help="The DTSEN Reference API from a terminal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _dtsen() -> None:
    pass


if __name__ == "__main__":
    app()
