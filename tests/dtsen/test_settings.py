"""Settings refuse whatever an operator may have meant otherwise, and show no secret."""

import os
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from dtsen import settings as module
from dtsen.settings import Settings, SettingsError, default_pghome, enterable, read_settings
from tests.postgres import open_folder

LOGINS = {
    "DTSEN_DATABASE_URL": "postgresql://a:kata-sandi-1@db.example/dtsen",
    "DTSEN_OWNER_DATABASE_URL": "postgresql://o:kata-sandi-2@db.example/dtsen",
    "DTSEN_SEQUENCER_DATABASE_URL": "postgresql://s:kata-sandi-3@db.example/dtsen",
    "DTSEN_AUDITOR_DATABASE_URL": "postgresql://p:kata-sandi-4@db.example/dtsen",
}


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DTSEN_")]:
        monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        given(monkeypatch, **values)
    return str(caught.value)


def test_without_any_setting_the_defaults_of_the_contract_hold():
    settings = read_settings()
    assert settings.home == Path(module.__file__).parents[1] / ".dtsen"
    assert (settings.profile, settings.workers, settings.port) == ("sandbox", 2, 8000)
    assert (settings.issuer, settings.pguser) == ("http://localhost:8000", "nobody")
    assert settings.demo_families == 10_000
    assert settings.database_urls is None


def test_the_issuer_follows_the_port_unless_it_is_given(monkeypatch):
    assert given(monkeypatch, DTSEN_PORT="8010").issuer == "http://localhost:8010"
    settings = given(monkeypatch, DTSEN_ISSUER="https://dtsen.example")
    assert settings.issuer == "https://dtsen.example"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://dtsen.example/",
        "https://dtsen.example/api",
        "https://dtsen.example?x=1",
        "https://dtsen.example#x",
        "https://user@dtsen.example",
        "https://DTSEN.example",
        "https://dtsen.example:",
        "https://dtsen.example:99999",
        "ftp://dtsen.example",
        "dtsen.example",
        "https://",
    ],
)
def test_an_issuer_that_is_more_or_less_than_an_origin_is_refused(monkeypatch, issuer):
    assert "DTSEN_ISSUER" in refusal(monkeypatch, DTSEN_ISSUER=issuer)


def test_an_unknown_name_is_refused_and_named(monkeypatch):
    text = refusal(monkeypatch, DTSEN_DATABSE_URL="postgresql://a:kata-sandi-9@h/d")
    assert "DTSEN_DATABSE_URL" in text
    assert "kata-sandi-9" not in text


def test_an_empty_value_is_refused_and_named(monkeypatch):
    assert "DTSEN_DATABASE_URL" in refusal(monkeypatch, DTSEN_DATABASE_URL=" ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DTSEN_PORT", "0"),
        ("DTSEN_PORT", "65536"),
        ("DTSEN_WORKERS", "0"),
        ("DTSEN_WORKERS", "two"),
        ("DTSEN_PROFILE", "staging"),
        ("DTSEN_DEMO_FAMILIES", "-1"),
        ("DTSEN_METRICS_PORT", "x"),
    ],
)
def test_a_value_out_of_range_is_refused_under_its_name(monkeypatch, name, value):
    assert refusal(monkeypatch, **{name: value}).startswith(f"{name}: ")


def test_a_file_gives_settings_below_those_of_the_environment(monkeypatch, tmp_path):
    file = tmp_path / "dtsen.env"
    file.write_text("DTSEN_PORT=8011\nDTSEN_WORKERS=4\nOTEL_SERVICE_NAME=dtsen\n")
    settings = given(monkeypatch, DTSEN_ENV_FILE=str(file), DTSEN_PORT="8012")
    assert (settings.port, settings.workers) == (8012, 4)


def test_an_unknown_name_in_the_file_is_refused(monkeypatch, tmp_path):
    file = tmp_path / "dtsen.env"
    file.write_text("DTSEN_WROKERS=4\n")
    assert "DTSEN_WROKERS" in refusal(monkeypatch, DTSEN_ENV_FILE=str(file))


def test_a_missing_file_is_refused(monkeypatch, tmp_path):
    assert "DTSEN_ENV_FILE" in refusal(monkeypatch, DTSEN_ENV_FILE=str(tmp_path / "none"))


def test_four_logins_are_handed_on_whole(monkeypatch):
    urls = given(monkeypatch, **LOGINS).database_urls
    assert urls is not None
    assert [urls.api, urls.owner, urls.sequencer, urls.auditor] == list(LOGINS.values())


@pytest.mark.parametrize("missing", LOGINS)
def test_three_logins_of_four_are_refused_and_the_fourth_is_named(monkeypatch, missing):
    rest = {name: url for name, url in LOGINS.items() if name != missing}
    assert f"{missing} missing" in refusal(monkeypatch, **rest)


def test_one_login_for_two_purposes_is_refused(monkeypatch):
    twice = {**LOGINS, "DTSEN_AUDITOR_DATABASE_URL": LOGINS["DTSEN_DATABASE_URL"]}
    assert "four different logins" in refusal(monkeypatch, **twice)


@pytest.mark.parametrize("url", ["mysql://a:b@h/d", "postgresql://h/d", "dbname=x user=y", "%%"])
def test_a_database_url_of_another_form_is_refused(monkeypatch, url):
    assert "DTSEN_DATABASE_URL" in refusal(monkeypatch, **{**LOGINS, "DTSEN_DATABASE_URL": url})


def test_a_replica_of_the_embedded_server_is_refused(monkeypatch):
    assert "DTSEN_REPLICA_URL" in refusal(monkeypatch, DTSEN_REPLICA_URL="postgresql://a:b@h/d")


def test_no_password_is_shown_by_settings_urls_or_refusals(monkeypatch):
    secret = {
        **LOGINS,
        "DTSEN_REPLICA_URL": "postgresql://a:kata-sandi-5@r.example/dtsen",
        "DTSEN_REDIS_URL": "redis://:kata-sandi-6@c.example",
        "DTSEN_KEY_URI": "pkcs11:token=x?pin-value=kata-sandi-7",
    }
    settings = given(monkeypatch, **secret)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.database_urls!r}"
    shown += refusal(monkeypatch, DTSEN_OWNER_DATABASE_URL="postgresql://o:kata-sandi-8@[h/d")
    assert "kata-sandi" not in shown


def test_settings_do_not_change_once_made():
    settings = read_settings()
    with pytest.raises(ValidationError):
        settings.port = 1


def test_home_is_absolute_even_if_given_relative(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert given(monkeypatch, DTSEN_HOME="here").home == tmp_path.resolve() / "here"


def started_by_root(monkeypatch: pytest.MonkeyPatch, system: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "SYSTEM_PGHOME", system)


def test_the_cluster_lives_in_home_unless_root_starts_it_where_others_cannot_enter(
    monkeypatch, tmp_path
):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_pghome(closed / "one") == closed / "one" / "postgres"
    started_by_root(monkeypatch, tmp_path / "system")
    one, other = (default_pghome(closed / name) for name in ("one", "other"))
    assert one.parent == other.parent == tmp_path / "system"
    assert one != other
    assert default_pghome(Path("/srv/none")) == Path("/srv/none/postgres")


def test_a_cluster_that_exists_stays_where_it_is_when_the_folder_opens_or_closes(monkeypatch):
    with open_folder() as folder:
        started_by_root(monkeypatch, folder / "system")
        clone = folder / "clone"
        for first, then in ((0o700, 0o755), (0o755, 0o700)):
            clone.mkdir(mode=first)
            home = clone / "home"
            chosen = default_pghome(home)
            (chosen / "data").mkdir(parents=True)
            clone.chmod(then)
            assert default_pghome(home) == chosen
            assert chosen.is_relative_to(home) == (first == 0o755)
            shutil.rmtree(clone)
            shutil.rmtree(folder / "system", ignore_errors=True)


def test_one_closed_folder_on_the_way_closes_it_for_others(tmp_path):
    (tmp_path / "closed" / "open").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not enterable(tmp_path / "closed" / "open")
    assert enterable(Path("/usr"))


def test_a_timestamp_authority_needs_its_certificates(monkeypatch):
    url = "https://tsa.example/tsr"
    assert "DTSEN_TSA_CA" in refusal(monkeypatch, DTSEN_TSA_URL=url)
    settings = given(monkeypatch, DTSEN_TSA_URL=url, DTSEN_TSA_CA="/etc/tsa.pem")
    assert (settings.tsa_url, settings.tsa_ca) == (url, Path("/etc/tsa.pem"))
    assert "DTSEN_TSA_URL" in refusal(monkeypatch, DTSEN_TSA_URL="https://u:p@tsa.example/")


@pytest.mark.parametrize(
    ("given_uri", "place"),
    [
        ("/srv/log", "/srv/log"),
        ("file:///srv/log", "/srv/log"),
        ("s3://log-dtsen", "s3://log-dtsen"),
        ("s3://log-dtsen/a/b/", "s3://log-dtsen/a/b"),
    ],
)
def test_the_log_is_published_into_a_folder_or_a_bucket(monkeypatch, given_uri, place):
    assert given(monkeypatch, DTSEN_LOG_URI=given_uri).log_place == place


@pytest.mark.parametrize(
    "uri",
    ["log", "s3://", "s3:///a", "s3://key:kata-sandi-9@log/a", "s3://host:9000/log", "gs://log"],
)
def test_a_log_that_lies_nowhere_is_refused(monkeypatch, uri):
    text = refusal(monkeypatch, DTSEN_LOG_URI=uri)
    assert "DTSEN_LOG_URI" in text
    assert "kata-sandi-9" not in text
