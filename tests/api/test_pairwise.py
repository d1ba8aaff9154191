"""Opaque ids: two agencies cannot join on them, and each resolves at home alone."""

from dtsen.releases.synth import EXAMPLE_KK, EXAMPLE_NIKS

CLIENTS = ("demo-explorer", "demo-ministry", "demo-province")


def ids_of(sandbox, client):
    """The ids of the example family and its members, as a client is told them."""
    body = {"nomor_kartu_keluarga": EXAMPLE_KK}
    family = sandbox.call("POST", "/v1/families/lookup", body, as_client=client).json()["family"]
    return [family["id"], *(member["id"] for member in family["members"])]


def test_no_two_agencies_share_an_id_of_anybody(sandbox):
    told = [ids_of(sandbox, client) for client in CLIENTS]
    assert [len(set(ids)) for ids in told] == [1 + len(EXAMPLE_NIKS)] * len(CLIENTS)
    assert len(set().union(*told)) == len(CLIENTS) * (1 + len(EXAMPLE_NIKS))


def test_an_id_is_the_same_each_time_and_whichever_way_one_asks(sandbox):
    assert ids_of(sandbox, "demo-ministry") == ids_of(sandbox, "demo-ministry")
    niks = {"niks": list(EXAMPLE_NIKS)}
    answer = sandbox.call("POST", "/v1/individuals/batch-lookup", niks, as_client="demo-ministry")
    people = [result["individual"] for result in answer.json()["results"]]
    family, *members = ids_of(sandbox, "demo-ministry")
    assert {person["id"] for person in people} == set(members)
    assert {person["keluarga"]["id"] for person in people} == {family}


def test_an_id_opens_nothing_abroad(sandbox):
    for home in CLIENTS:
        family, person, *_ = ids_of(sandbox, home)
        for client in CLIENTS:
            status = 200 if client == home else 404
            for path in (f"/v1/individuals/{person}", f"/v1/families/{family}"):
                assert sandbox.call("GET", path, as_client=client).status_code == status
