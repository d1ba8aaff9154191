"""What of a record whom is shown, and that what was changed cannot be passed off as opened."""

import pytest

from dtsen.audit.search import AccessLog
from dtsen.audit.statement import Filter
from dtsen.clock import Clock
from dtsen.errors import AuditScopeRequired, RecordNotFound
from tests.audit.ledger import Deed, agency, nik, overseer, unique


def test_an_agency_sees_only_its_own_records_and_never_a_reason(ledger):
    mine, other = unique("milik"), unique("orang")
    (own,) = ledger.write(Deed(agency=mine, niks=(nik(1),), officer="budi", reason="hidden"))
    (theirs,) = ledger.write(Deed(agency=other, niks=(nik(1),), officer="budi"))
    ledger.merge()
    viewer = agency(mine)
    assert ledger.ids(viewer) == [str(own)]
    assert ledger.ids(viewer, agency=other) == []
    assert ledger.ids(viewer, agency=other, officer="budi") == []
    assert ledger.ids(viewer, subject=nik(1)) == [str(own)]
    with pytest.raises(RecordNotFound):
        ledger.run(ledger.log.record(viewer, theirs))
    (shown,) = ledger.search(viewer).records
    assert shown == ledger.run(ledger.log.record(viewer, own))
    assert (shown["subject"], shown["officer"]) == ([nik(1)], "budi")
    assert {"reason", "src_ip", "_sd", "_sd_alg"}.isdisjoint(shown)


@pytest.mark.parametrize("by", ["nik", "kk", "id", "legacy-id"])
def test_the_log_tells_an_agency_no_number_that_its_answers_did_not(ledger, by):
    code = unique("nomor")
    ledger.write(Deed(agency=code, niks=(nik(1),), kks=(nik(2),), by=by))
    ledger.merge()
    (shown,) = ledger.search(agency(code)).records
    assert ("subject" in shown, "subject_kk" in shown) == (by == "nik", by == "kk")
    for opened in ({"nik"}, {"kk"}, {"nik", "kk"}):
        viewer = agency(code, identifiers=frozenset(opened))
        (shown,) = ledger.search(viewer).records
        assert ("subject" in shown) == (by == "nik" or "nik" in opened)
        assert ("subject_kk" in shown) == (by == "kk" or "kk" in opened)
    (all_of_it,) = ledger.search(overseer(), agency=code).records
    assert (all_of_it["subject"], all_of_it["subject_kk"]) == ([nik(1)], [nik(2)])


def test_an_overseer_without_the_scope_sees_no_subject_and_cannot_search_one(ledger):
    code = unique("diawasi")
    (record_id,) = ledger.write(Deed(agency=code, niks=(nik(2),), kks=(nik(3),), reason="hidden"))
    ledger.merge()
    blind = overseer(subjects=False)
    (shown,) = ledger.search(blind, agency=code).records
    assert {"subject", "subject_kk", "q"}.isdisjoint(shown)
    assert (shown["jti"], shown["reason"]) == (str(record_id), ["hidden"])
    for how in ({}, {"agency": code}):
        with pytest.raises(AuditScopeRequired):
            ledger.search(blind, subject=nik(2), **how)
    assert ledger.ids(blind, subject=nik(2), agency=blind.agency) == []
    (opened,) = ledger.search(overseer(), agency=code).records
    assert (opened["subject"], opened["subject_kk"]) == ([nik(2)], [nik(3)])


def test_a_record_that_was_changed_is_told_as_such(ledger, caplog):
    code = unique("diubah")
    first, second, third = ledger.write(*(Deed(agency=code, niks=(nik(n),)) for n in (1, 2, 3)))
    swap = """
        UPDATE audit.record r SET disclosures = o.disclosures
        FROM audit.record o WHERE r.id = %s AND o.id = %s
    """
    planted = b'{"_sd": [[]]}'
    with ledger.tampering() as connection:
        ledger.merge()
        kept = connection.execute(
            "SELECT id, leaf, outcome, disclosures FROM audit.record WHERE agency = %s", (code,)
        ).fetchall()
        try:
            connection.execute(swap, (first, second))
            connection.execute(
                "UPDATE audit.record SET outcome = 'not_found' WHERE id = %s", (second,)
            )
            connection.execute("UPDATE audit.record SET leaf = %s WHERE id = %s", (planted, third))
            shown = {one["jti"]: one for one in ledger.search(overseer(), agency=code).records}
        finally:
            for record_id, leaf, outcome, disclosures in kept:
                connection.execute(
                    "UPDATE audit.record SET leaf = %s, outcome = %s, disclosures = %s"
                    " WHERE id = %s",
                    (leaf, outcome, disclosures, record_id),
                )
    assert [one["unopenable"] for one in shown.values()] == ["mismatch"] * 3
    (message,) = caplog.messages
    assert message.startswith("audit: 3 of 3 records cannot be opened")
    assert all("subject" not in one for one in shown.values())
    assert shown[str(first)]["outcome"] == "found"
    assert set(shown[str(second)]) == {"jti", "recorded_at", "unopenable"}


def test_a_disclosure_without_its_digest_in_the_leaf_is_a_mismatch(ledger):
    code = unique("digest")
    (record_id,) = ledger.write(Deed(agency=code, niks=(nik(4),)))
    ledger.merge()
    with ledger.tampering() as connection:
        (leaf,) = connection.execute(
            "SELECT leaf FROM audit.record WHERE id = %s", (record_id,)
        ).fetchone()
        start = leaf.index(b'"_sd":["') + len(b'"_sd":["')
        other = leaf[:start] + b"A" * 43 + leaf[start + 43 :]
        for content, expected in ((other, "mismatch"), (leaf, None)):
            connection.execute(
                "UPDATE audit.record SET leaf = %s WHERE id = %s", (content, record_id)
            )
            (shown,) = ledger.search(overseer(), agency=code).records
            assert shown.get("unopenable") == expected
            assert ("subject" in shown) == (expected is None)


def test_a_record_whose_key_is_gone_is_told_as_such(ledger, tmp_path):
    code = unique("kunci")
    ledger.write(Deed(agency=code, niks=(nik(5),)))
    ledger.merge()
    other = type(ledger.keyring)(tmp_path / "keys")
    log = AccessLog(ledger.pool, other, Clock())
    page = ledger.run(log.search(overseer(), Filter(agency=code), limit=10))
    assert [one["unopenable"] for one in page.records] == ["key-missing"]
    assert page.records[0]["outcome"] == "found"
    # Without an index key nobody is found, rather than everybody.
    found = ledger.run(log.search(overseer(), Filter(agency=code, subject=nik(5)), limit=10))
    assert found.records == []
