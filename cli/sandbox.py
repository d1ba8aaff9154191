"""What the sandbox consists of: its synthetic releases, its agencies' clients.

Everything goes through the functions of the public commands; nothing here inserts anything itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import psycopg
from rich.progress import Progress, TaskID

from auth.clients import list_clients
from cli.approver import enroll, make_file
from cli.certified import add_with_new_certificate
from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from cli.context import err, keyring, settings
from dtsen.acts import approvers, read_signer
from dtsen.audit.administration import recorded
from dtsen.audit.two_person import approve, propose
from dtsen.database import DatabaseUrls
from dtsen.disclosure import agreements, restrictions
from dtsen.legacy import population
from dtsen.releases.activate import activate
from dtsen.releases.listing import every_release
from dtsen.releases.load import load
from dtsen.releases.samples import last_found
from dtsen.releases.synth import synthesise
from schemas.agreement import Agreement
from schemas.agreement_models import Binding

SEED = 1
RELEASES = ("2026-Q2", "2026-Q3")
APPROVERS = ("a", "b")
RESTRICTED = (
    ("mark", "correction"),
    ("limit", "subject-request"),
    ("hide", "witness-protection"),
)


@dataclass(frozen=True, slots=True)
class DemoClient:
    """One client of the demo; its scopes, purposes and binding are its agreement's.

    One without an algorithm shows a certificate, where there is a front that takes it.
    """

    client_id: str
    algorithm: Algorithm | None
    description: str


CLIENTS: Sequence[DemoClient] = (
    DemoClient("demo-explorer", Algorithm.ES256, "newcomers: every scope, health group aside"),
    DemoClient("demo-ministry", Algorithm.ES256, "a ministry pulling nationwide data in bulk"),
    DemoClient("demo-app", Algorithm.Ed25519, "a programme app: one NIK at a time"),
    DemoClient("demo-insurer", Algorithm.PS256, "a health insurer reconciling PBI"),
    DemoClient("demo-province", Algorithm.ES256, "a provincial government: one wilayah"),
    DemoClient("demo-bus", None, "a system behind the government service bus"),
    DemoClient("demo-dtks", Algorithm.ES256, "an older DTKS consumer with a bearer exception"),
    DemoClient("demo-auditor", Algorithm.ES256, "an auditor's tool"),
    DemoClient("demo-verifier", Algorithm.ES256, "an accredited verifier of the log"),
)


def load_releases(urls: DatabaseUrls, connection: psycopg.Connection) -> None:
    """Synthesise, load and activate the demo's releases that are not kept yet."""
    kept = {one.id for one in every_release(connection) if one.state == "ready"}
    if kept.issuperset(RELEASES):
        return
    folder = settings().home / "demo" / "releases"
    if not folder.exists():
        with Progress(console=err, transient=True) as bar:
            task = bar.add_task("synthetic population", total=settings().demo_families)
            draft = folder.with_name(".releases")
            _remove(draft)
            synthesise(
                draft,
                families=settings().demo_families,
                seed=SEED,
                releases=RELEASES,
                progress=lambda done, _: bar.update(task, completed=done),
            )
            draft.rename(folder)
    for release in RELEASES:
        if release in kept:
            continue
        with Progress(console=err, transient=True) as bar:
            task = bar.add_task(f"loading {release}")
            load(urls, folder / release, _showing(bar, task))
        with recorded(connection, keyring(), "release.activate", ds=release):
            activate(connection, release)


def _showing(bar: Progress, task: TaskID) -> Callable[[str, int, int], None]:
    def show(step: str, done: int, total: int) -> None:
        bar.update(task, description=f"loading: {step}", completed=done, total=total)

    return show


def enroll_approvers(connection: psycopg.Connection) -> None:
    """Enroll the demo's two approvers, and write their files, where nobody is enrolled."""
    folder = settings().home / "demo" / "approvers"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    enrolled = {one.name for one in approvers(connection)}
    for name in APPROVERS:
        if name not in enrolled:
            file = folder / f"{name}.json"
            file.unlink(missing_ok=True)  # left by a start that was killed before it enrolled
            enroll(connection, keyring(), name, make_file(name, file).public, None)


def apply_population(connection: psycopg.Connection) -> None:
    """Put the demo's population rule in force, signed by its two approvers, where none is."""
    if population.every_rule(connection):
        return
    folder = settings().home / "demo" / "approvers"
    first, second = (read_signer(folder / f"{name}.json") for name in APPROVERS)
    rule = population.read_rule((files("deploy") / "demo" / "population.yaml").read_text())
    terms = population.terms(rule)
    act = propose(connection, keyring(), first, population.KIND, terms)
    approve(connection, keyring(), second, act.id, population.EFFECTS)


def restrict_people(connection: psycopg.Connection) -> None:
    """Put one person under each kind of restriction, as two people do, where nobody is yet."""
    if restrictions.every_restriction(connection):
        return
    folder = settings().home / "demo" / "approvers"
    first, second = (read_signer(folder / f"{name}.json") for name in APPROVERS)
    chosen = zip(last_found(connection), RESTRICTED, strict=False)
    for nik, (kind, reason) in chosen:
        act = restrictions.propose_set(connection, keyring(), first, nik, kind=kind, reason=reason)
        approve(connection, keyring(), second, act.id, restrictions.EFFECTS)


def add_clients(connection: psycopg.Connection) -> None:
    """Register the demo's clients that are not known yet, and write their files."""
    known = {client.client_id for client in list_clients(connection)}
    terms = {name: text for text in agreements.in_force(connection) for name in text.clients}
    folder = settings().home / "demo" / "clients"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for client in CLIENTS:
        if client.client_id not in known and (client.algorithm or settings().tls_origin):
            _add(connection, client, terms[client.client_id], folder / f"{client.client_id}.json")


def _add(
    connection: psycopg.Connection, client: DemoClient, agreement: Agreement, file: Path
) -> None:
    scopes = {scope for purpose in agreement.purposes.values() for scope in purpose.operations}
    terms = ClientTerms(
        client.client_id,
        agreement.agency.code,
        client.description,
        settings().issuer,
        " ".join(sorted(scopes)),
        tuple(agreement.purposes),
        _binding(agreement, client.client_id),
    )
    file.unlink(missing_ok=True)  # left by a start that was killed before it registered the key
    with recorded(connection, keyring(), "client.add", client=client.client_id):
        if client.algorithm is None:
            add_with_new_certificate(connection, terms, file)
        else:
            add_with_new_key(connection, terms, client.algorithm, file)


def _binding(agreement: Agreement, client_id: str) -> Binding:
    excepted = (one for one in agreement.tokens.exceptions if one.client == client_id)
    return next(excepted, agreement.tokens).binding


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if folder.exists():
        folder.rmdir()
