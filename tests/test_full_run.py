"""A full run of the sandbox, and then a search through everything that it told.

Traces, metrics and logs as exported, every log line of workers, sequencer and PostgreSQL, and the
metrics page, for every identifier, name, address, officer, case and token that was used. That the
search finds what is planted is tested in `test_leaks.py` and `dtsen/telemetry/`.
"""

from collections.abc import Iterator

from tests.leaks import Collector, Secrets, lines, page
from tests.sandbox import Sandbox, free_port, running_sandbox

OFFICER = "petugas-uji-19900101-7"
CASE = "perkara-uji-8842-b"
PERSON = """
SELECT nama, alamat_ktp FROM registry.individual_2 WHERE nomor_induk_kependudukan = ANY (%s)
"""


def everything_said(one: Sandbox) -> Iterator[str]:
    """Call whatever there is, with good and bad input, and yield the tokens used."""
    headers = {"DTSEN-Officer": OFFICER, "DTSEN-Case-Ref": CASE}
    samples = one.samples
    for call in samples["calls"]:
        one.call(
            call["method"],
            call["path"],
            call["body"],
            as_client=call["client_id"],
            headers=headers,
        )
    nik = samples["identifiers"]["found"][0]
    hostile = [
        {"nik": nik, nik: "x"},
        {"nik": f"{nik}0"},
        {"nik": nik, "fields": [nik]},
        {"nik": nik, "as_of": "2026-02-30"},
        [nik],
    ]
    for body in hostile:
        one.call("POST", "/v1/individuals/lookup", body, headers=headers)
    one.call("POST", "/v1/individuals/lookup", headers={"Content-Type": nik}, content=nik.encode())
    for path in (f"/v1/individuals/{nik}", f"/v1/{nik}", f"/problems/{nik}", f"/oauth/{nik}"):
        one.call("GET", path)
        one.http.get(path, headers={"Authorization": f"Bearer {nik}"})
    one.call(
        "GET", f"/v1/releases?nik={nik}", headers={"traceparent": nik, "tracestate": f"a={nik}"}
    )
    one.call("POST", "/v1/audit/search", {"subject": {"nik": nik}}, as_client="demo-auditor")
    one.http.post("/oauth/token", data={"grant_type": nik, "client_assertion": nik})
    for client in ("demo-explorer", "demo-auditor"):
        yield one.token(client)


def secrets_of(one: Sandbox, tokens: list[str]) -> Secrets:
    """Every identifier that was sent or answered, and who is behind them."""
    samples = one.samples
    people = dict(samples["identifiers"])
    families = people.pop("family")
    niks = {nik for found in people.values() for nik in found}
    legacy = {one["value"] for found in samples["dtks"].values() for one in found}
    with one.owner() as connection:
        rows = connection.execute(PERSON, (sorted(niks),)).fetchall()
    return Secrets(
        nik=niks,
        kk=families,
        legacy={value for value in legacy if len(value) >= 10},
        name={row[0] for row in rows if row[0]},
        address={row[1] for row in rows if row[1]},
        officer=[OFFICER],
        case=[CASE],
        token=tokens,
    )


def test_nothing_that_an_installation_tells_names_anybody():
    with Collector() as collector:
        metrics_port = free_port()
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            "DTSEN_METRICS_PORT": str(metrics_port),
        }
        with running_sandbox(families=1_000, **environment) as one:
            tokens = list(everything_said(one))
            secrets = secrets_of(one, tokens)
            told = list(page(metrics_port))
            read = list(lines(one.log, one.home / "logs" / "postgresql.log"))
        exported = list(collector.texts())
    assert secrets.scan(told, read, exported) == []
    # And it was a run that told something.
    assert told
    assert {place.partition(":")[0] for place, _ in read} == {"sandbox.log", "postgresql.log"}
    assert {signal for signal, _ in collector.messages()} >= {"traces", "metrics"}
