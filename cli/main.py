"""`dtsen`: the command line."""

import typer

from cli import (
    agreement,
    approve,
    approver,
    audit,
    client,
    curl,
    demo,
    doctor,
    openapi,
    release,
    sequencer,
    serve,
    synth,
    token,
)

app = typer.Typer(
    name="dtsen",
    help="The DTSEN Reference API from a terminal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(serve.migrate)
app.command()(sequencer.sequencer)
app.command()(synth.synth)
app.command()(token.token)
app.command()(curl.curl)
app.command()(curl.lookup)
app.command()(openapi.openapi)
app.command()(doctor.doctor)
app.command()(approve.approve)
app.add_typer(approver.app, name="approver")
app.add_typer(release.app, name="release")
app.add_typer(agreement.app, name="agreement")
app.add_typer(client.app, name="client")
app.add_typer(audit.app, name="audit")

if __name__ == "__main__":
    app()
