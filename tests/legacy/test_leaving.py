"""The end of the DTKS-shaped service: announced on every answer, rehearsed, and final."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from dtsen.legacy.retirement import deprecated, sunset
from dtsen.releases.synth import EXAMPLE_NIKS
from schemas.agreement import read_agreement
from tests.parties import Terms, agency, document

MEMBER, HOUSEHOLD = "/dtks/v1/art/cari", "/dtks/v1/rumah-tangga/cari"
ASKED = {"nik": EXAMPLE_NIKS[0]}
RESOLVE = "/v1/legacy/dtks/resolve"
IDS = {"identifiers": [{"scheme": "id_dtks", "value": "1"}]}


def leaving(response):
    """The three headers, which every answer of the service has; the sunset where it has one."""
    assert response.headers["deprecation"] == f"@{int(deprecated().timestamp())}"
    links = response.headers["link"]
    for relation in ("deprecation", "sunset", "successor-version"):
        assert f'rel="{relation}"' in links
    said = response.headers.get("sunset")
    return parsedate_to_datetime(said) if said else None


def test_every_answer_says_that_it_is_leaving_and_when(sandbox):
    # The demo's agreement ends the service on 30 June 2027, at midnight WIB.
    end = datetime(2027, 6, 30, 17, tzinfo=UTC)
    calls = [
        (sandbox.call("POST", MEMBER, ASKED, as_client="demo-dtks"), 200),
        (sandbox.call("POST", HOUSEHOLD, {"id_dtks": "1"}, as_client="demo-dtks"), 200),
        (sandbox.call("POST", MEMBER, {}, as_client="demo-dtks"), 422),
        (sandbox.call("POST", MEMBER, content=b"{}", as_client="demo-dtks"), 415),
    ]
    for response, status in calls:
        assert response.status_code == status
        assert leaving(response) == end
        assert "leaf=:" in response.headers["dtsen-access-record"]
        assert "ratelimit" in response.headers
    stranger = sandbox.http.post(MEMBER, json=ASKED)
    assert stranger.status_code == 401
    assert leaving(stranger) is None


def test_what_stays_does_not_say_that_it_leaves(sandbox):
    response = sandbox.call("POST", RESOLVE, IDS, as_client="demo-dtks")
    assert {"deprecation", "sunset"}.isdisjoint(response.headers)


def test_a_client_without_the_scope_is_told_of_the_end_too(sandbox):
    response = sandbox.call("POST", MEMBER, ASKED, as_client="demo-app")
    assert response.status_code == 403
    leaving(response)


@pytest.mark.parametrize("language", ["id", "en"])
def test_after_the_end_comes_the_guide_and_translating_goes_on(sandbox, language):
    with agency(sandbox, Terms(legacy={"sunset": "2026-01-01"})) as late:
        said = {"Accept-Language": language}
        response = sandbox.call("POST", MEMBER, ASKED, as_client=late, headers=said)
        assert response.status_code == 410
        assert response.json()["type"].endswith("/problems/legacy-retired")
        codes = [step["code"] for step in response.json()["next_steps"]]
        assert codes == ["translate_the_ids", "use_version_1", "ask_the_controller"]
        assert leaving(response) < datetime.now(UTC)
        assert "leaf=:" in response.headers["dtsen-access-record"]
        assert sandbox.call("POST", RESOLVE, IDS, as_client=late).status_code == 200
    guide = sandbox.http.get("/problems/legacy-retired")
    assert guide.status_code == 200
    assert "dtsen legacy migrate" in guide.text


def test_a_rehearsal_stops_the_service_until_it_ends(sandbox):
    begin = datetime.now(UTC).replace(microsecond=0)
    terms = {
        "sunset": "2027-06-30",
        "brown_outs": [
            {
                "from": (begin - timedelta(minutes=1)).isoformat(),
                "to": (begin + timedelta(minutes=10)).isoformat(),
            }
        ],
    }
    with agency(sandbox, Terms(legacy=terms)) as rehearsing:
        response = sandbox.call("POST", MEMBER, ASKED, as_client=rehearsing)
        assert response.status_code == 503
        assert response.json()["type"].endswith("/problems/brown-out")
        assert 500 < int(response.headers["retry-after"]) <= 600
        leaving(response)
        assert sandbox.call("POST", RESOLVE, IDS, as_client=rehearsing).status_code == 200


def test_the_end_is_never_later_than_the_agreement_itself():
    without = read_agreement(document("uji", Terms()))
    later = read_agreement(document("uji", Terms(legacy={"sunset": "2099-01-01"})))
    sooner = read_agreement(document("uji", Terms(legacy={"sunset": "2026-12-31"})))
    assert sunset(without) == sunset(later) == datetime(2027, 12, 31, 17, tzinfo=UTC)
    assert sunset(sooner) == datetime(2026, 12, 31, 17, tzinfo=UTC)
