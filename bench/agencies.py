"""Agencies and clients of the benchmark, made by the functions of the public commands.

`solo` is a programme app asking for a few variables; `many` are 50 clients of 10 agencies, each
with a plan of its own; `whole` opens all groups but health, and so reads the family's table too.
"""

from collections.abc import Mapping
from pathlib import Path

import psycopg

from cli.client_file import Algorithm, ClientTerms, add_with_new_key
from cli.context import keyring, settings
from dtsen.disclosure import agreements

AGENCIES = 10
CLIENTS_OF_AN_AGENCY = 5
SCOPE = "individuals:read"
PURPOSE = "TOLOK-UKUR"

APP = (
    "[anggota.nama, anggota.tanggal_lahir, anggota.jenis_kelamin, keluarga.desil_nasional]",
    "{anggota.nama: initials, anggota.tanggal_lahir: year_only}",
)
INSURER = (
    (
        "[anggota.nomor_induk_kependudukan, anggota.nama, anggota.pbi_nas, anggota.pbi_pemda,"
        " keluarga.desil_nasional]"
    ),
    "{}",
)
SCHOOLS = ("[anggota.nama, group:education, keluarga.desil_kabupaten_kota]", "{}")
LABOUR = ("[anggota.nama, anggota.tanggal_lahir, group:work, keluarga.desil_provinsi]", "{}")
ADDRESSES = (
    (
        "[anggota.nama, anggota.kode_provinsi_ktp, anggota.alamat_ktp, keluarga.kode_provinsi,"
        " keluarga.kode_kabupaten_kota, keluarga.kode_kelurahan_desa, keluarga.desil_nasional]"
    ),
    "{anggota.nama: initials}",
)
PLANS = (APP, INSURER, SCHOOLS, LABOUR, ADDRESSES)
WHOLE = (
    (
        "[group:identity, group:address, group:welfare, group:dwelling, group:assets,"
        " group:education, group:work]"
    ),
    "{}",
)

# Quotas far above what one machine can ask, with budgets drawn on as always.
_AGREEMENT = """\
agreement: {number}
version: 1
agency: {{code: {agency}, name: Tolok Ukur, role: pengguna}}
valid: {{from: 2026-01-01, to: 2099-12-31}}
purposes:
  {purpose}:
    legal_basis: [Permen PPN 7/2025]
    operations: [{scope}]
    variables: {variables}
    masks: {masks}
quota: {{requests: {{per_second: 1000000}}, people: {{per_day: 2000000000}}}}
tokens: {{binding: none, exceptions: []}}
request_signature: none
retention: P1D
contacts: [{{role: dpo, email: dpo@tolok-ukur.example.id}}]
dpia: DPIA-TU
clients: [{clients}]
"""


def populations() -> Mapping[str, list[tuple[str, tuple[str, ...]]]]:
    """Clients by what they stand for: population to (agency, clients)."""
    return {
        "solo": [("bench-solo", ("bench-solo-1",))],
        "many": [(f"bench-{n}", _clients(f"bench-{n}")) for n in range(1, AGENCIES + 1)],
        "whole": [("bench-whole", ("bench-whole-1",))],
    }


def register(connection: psycopg.Connection, folder: Path) -> None:
    """Apply every agreement and register every client; their files go into the folder."""
    folder.mkdir(parents=True, mode=0o700)
    for population, agencies in populations().items():
        for place, (agency, clients) in enumerate(agencies):
            plan = WHOLE if population == "whole" else PLANS[place % len(PLANS)]
            agreements.apply(connection, keyring(), agreement_text(agency, clients, plan))
            for client in clients:
                terms = ClientTerms(
                    client, agency, "benchmark", settings().issuer, SCOPE, (PURPOSE,)
                )
                add_with_new_key(connection, terms, Algorithm.ES256, folder / f"{client}.json")


def _clients(agency: str) -> tuple[str, ...]:
    return tuple(f"{agency}-{n}" for n in range(1, CLIENTS_OF_AN_AGENCY + 1))


def agreement_text(agency: str, clients: tuple[str, ...], plan: tuple[str, str]) -> str:
    """The file of one agency's agreement: `plan` is its variables and masks."""
    variables, masks = plan
    return _AGREEMENT.format(
        number=f"PKS-{agency.upper()}/2026",
        agency=agency,
        purpose=PURPOSE,
        scope=SCOPE,
        variables=variables,
        masks=masks,
        clients=", ".join(clients),
    )
