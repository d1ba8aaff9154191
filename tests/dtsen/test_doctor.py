"""Each check names what we broke; a new installation lacks only its data."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dtsen.clock import Clock, key_epoch
from dtsen.database import connect, migrate, newest_revision
from dtsen.doctor import Patient, examine, unfit_for_production
from dtsen.embedded import cluster
from dtsen.embedded.logins import SUPERUSER, read_logins
from dtsen.embedded.place import Place
from dtsen.keys import SANDBOX_MARK, Keyring
from dtsen.settings import Settings
from tests.postgres import open_folder

ONLY_DATA_LACK = {"a release is in force", "agreements in force"}


@pytest.fixture(scope="module")
def installation() -> Iterator[Patient]:
    with open_folder() as folder:
        settings = Settings(home=folder / "home")
        with cluster(settings) as urls:
            migrate(urls)
            yield Patient(settings, urls)


@pytest.fixture
def patient(installation, tmp_path):
    settings = Settings(home=tmp_path / "home", pghome=tmp_path / "pg")
    Keyring(settings.key_directory).ensure(datetime.now(UTC))
    with connect(installation.urls.owner, autocommit=True) as connection:
        connection.execute("UPDATE audit.progress SET complete_until = clock_timestamp()")
    return Patient(settings, installation.urls)


@pytest.fixture
def superuser(installation) -> Iterator[psycopg.Connection]:
    home = installation.settings.home
    logins = read_logins(Place(home, installation.settings.pghome).logins)
    assert logins is not None
    with psycopg.connect(
        host="127.0.0.1",
        port=logins.port,
        user=SUPERUSER,
        password=logins.superuser,
        dbname="dtsen",
        autocommit=True,
    ) as connection:
        yield connection


@contextmanager
def done_and_undone(connection: psycopg.Connection, do: str, undo: str) -> Iterator[None]:
    connection.execute(do)
    try:
        yield
    finally:
        connection.execute(undo)


def troubles(patient: Patient) -> dict[str, str]:
    return {one.check: one.trouble for one in examine(patient) if one.trouble}


def test_a_new_installation_lacks_only_its_data(patient):
    assert set(troubles(patient)) == ONLY_DATA_LACK


def test_a_missing_key_is_named(patient):
    (patient.settings.key_directory / "subject-index" / key_epoch(datetime.now(UTC))).unlink()
    assert "subject-index" in troubles(patient)["keys of this month and the next"]


def test_a_key_that_others_may_read_is_named(patient):
    (patient.settings.key_directory / "pairwise" / "1").chmod(0o644)
    assert "pairwise/1" in troubles(patient)["files that others may read"]


def test_a_full_disk_is_named(patient, monkeypatch):
    monkeypatch.setattr("dtsen.doctor.house.LEAST_FREE", 1 << 60)
    patient.settings.home.mkdir(exist_ok=True)
    assert "is free at" in troubles(patient)["disk space"]


def test_the_keys_of_a_sandbox_are_refused_in_production(patient):
    (patient.settings.key_directory / SANDBOX_MARK).touch(mode=0o600)
    assert "keys of our own" not in troubles(patient)
    production = patient.settings.model_copy(update={"profile": "production"})
    unfit = unfit_for_production(Patient(production, patient.urls))
    assert [one.check for one in unfit] == ["keys of our own"]


def test_a_database_that_does_not_answer_is_named(patient):
    gone = replace(patient.urls, owner="postgresql://dtsen_owner:x@127.0.0.1:1/dtsen")
    assert "the database answers" in troubles(Patient(patient.settings, gone))


def test_a_login_that_cannot_connect_is_named(patient):
    wrong = replace(patient.urls, api=patient.urls.api.replace("dtsen_api:", "dtsen_api:wrong"))
    found = troubles(Patient(patient.settings, wrong))
    assert "the API login cannot connect" in found["rights of the API login"]


@pytest.mark.parametrize(
    ("setting", "value", "check"),
    [
        ("fsync", "off", "durable commits"),
        ("full_page_writes", "off", "durable commits"),
        ("synchronous_commit", "off", "durable commits"),
        ("log_error_verbosity", "default", "no parameters in the server log"),
        ("log_min_error_statement", "error", "no parameters in the server log"),
        ("log_parameter_max_length_on_error", "-1", "no parameters in the server log"),
        ("log_statement", "all", "no parameters in the server log"),
        ("log_min_duration_statement", "0", "no parameters in the server log"),
    ],
)
def test_a_server_that_is_set_otherwise_is_named(patient, superuser, setting, value, check):
    """A new session sees the setting once the server has read its files again."""
    usual = value_of(patient, setting)
    undo = f"ALTER SYSTEM RESET {setting}"
    with done_and_undone(superuser, f"ALTER SYSTEM SET {setting} = '{value}'", undo):
        reload(superuser, patient, setting, value)
        assert setting in troubles(patient)[check]
    reload(superuser, patient, setting, usual)
    assert set(troubles(patient)) == ONLY_DATA_LACK


def reload(superuser: psycopg.Connection, patient: Patient, setting: str, wanted: str) -> None:
    """Reload, and wait until new sessions have the value."""
    superuser.execute("SELECT pg_reload_conf()")
    clock = Clock()
    deadline = clock.monotonic() + 10
    while value_of(patient, setting) != wanted:
        assert clock.monotonic() < deadline, "the server did not reload"


def value_of(patient: Patient, setting: str) -> str:
    with connect(patient.urls.owner) as connection:
        return connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()[0]


def test_a_migration_that_has_not_run_is_named(patient, superuser):
    with done_and_undone(
        superuser,
        "UPDATE public.migration SET version_num = 'older'",
        f"UPDATE public.migration SET version_num = '{newest_revision()}'",  # noqa: S608 - our own
    ):
        assert "a migration has not run" in troubles(patient)["schema is current"]


def test_a_right_to_change_the_log_is_named(patient, superuser):
    with done_and_undone(
        superuser,
        "GRANT DELETE ON audit.record TO dtsen_api",
        "REVOKE DELETE ON audit.record FROM dtsen_api",
    ):
        assert "DELETE audit.record" in troubles(patient)["rights of the API login"]
        production = patient.settings.model_copy(update={"profile": "production"})
        unfit = unfit_for_production(Patient(production, patient.urls))
        assert "rights of the API login" in {one.check for one in unfit}


def test_a_log_that_could_be_changed_is_named(patient, superuser):
    for statement in ("DISABLE TRIGGER only_grows", "ENABLE TRIGGER only_grows"):
        with done_and_undone(
            superuser,
            f"ALTER TABLE audit.record {statement}",
            "ALTER TABLE audit.record ENABLE ALWAYS TRIGGER only_grows",
        ):
            assert "audit.record" in troubles(patient)["the log only grows"]


def test_a_membership_between_logins_is_named(patient, superuser):
    with done_and_undone(
        superuser, "GRANT dtsen_auditor TO dtsen_api", "REVOKE dtsen_auditor FROM dtsen_api"
    ):
        found = troubles(patient)["logins are no members of another"]
        assert found == "dtsen_api is a member of dtsen_auditor"


def test_a_missing_partition_is_named(patient, superuser):
    month = datetime.now(UTC).strftime("%Y_%m")
    with done_and_undone(
        superuser,
        f"ALTER TABLE audit.mention_{month} RENAME TO hidden",
        f"ALTER TABLE audit.hidden RENAME TO mention_{month}",
    ):
        assert "no partition" in troubles(patient)["partitions of this month and the next"]


def test_a_clock_that_is_off_is_named(patient, monkeypatch):
    monkeypatch.setattr("dtsen.doctor.database.FARTHEST", timedelta(seconds=-1))
    assert "1 s off" in troubles(patient)["clock agrees with the database"]


def test_a_sequencer_that_does_not_run_is_named(patient, superuser):
    superuser.execute("UPDATE audit.progress SET complete_until = 'epoch'")
    assert "30 s behind" in troubles(patient)["the log is indexed"]


def test_a_release_and_an_agreement_end_the_troubles(patient, superuser):
    superuser.execute(
        "INSERT INTO registry.release (ordinal, id, metadata_version, cut_off, published, state)"
        " VALUES (1, '2026-Q3', 'v3/2026', '2026-09-17', '2026-09-20', 'ready')"
    )
    superuser.execute("UPDATE registry.pointer SET ordinal = 1")
    superuser.execute(
        "INSERT INTO disclosure.agency (code, name, role, pairwise_version)"
        " VALUES ('dinas', 'Dinas', 'pengguna', '1')"
    )
    superuser.execute(
        "INSERT INTO disclosure.agreement (id, version, agency, document, terms, state)"
        " VALUES ('PKS-1', 1, 'dinas', '', '{}', 'in_force')"
    )
    try:
        assert troubles(patient) == {}
    finally:
        superuser.execute("UPDATE registry.pointer SET ordinal = NULL")
        superuser.execute("DELETE FROM registry.release")
        superuser.execute("UPDATE disclosure.agreement SET state = 'revoked'")
