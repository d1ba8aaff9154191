"""That an agency sent a request, from the opened record and its public key: `--case`, offline."""

import base64
import json

import pytest

from dtsen.tlog.merkle import ProofInvalid
from dtsen.verifier.case import judge
from tests.audit.vectors import FILE

VECTORS = json.loads(FILE.read_text())
FOUND = VECTORS["records"]["found"]
DISCLOSURE = next(
    one
    for one in FOUND["disclosures"]
    if json.loads(base64.urlsafe_b64decode(one + "=="))[1] == "signature"
)
KEPT = FOUND["personal"]["signature"]
RECORD = FOUND["clear"] | {
    "jti": FOUND["id"],
    "officer": "petugas-7",
    "case_ref": "KASUS-1",
    "signature": KEPT | {"disclosure": DISCLOSURE},
}
CASE = {
    "record": RECORD,
    "keys": {"keys": [VECTORS["agency_key"]]},
    "leaf": base64.b64encode(FOUND["leaf"].encode()).decode(),
}
OTHER = VECTORS["records"]["absent"]["leaf"]


def altered(**changes):
    return CASE | {"record": RECORD | changes}


def kept(**changes):
    return altered(signature=RECORD["signature"] | changes)


def test_the_vectors_record_proves_who_asked():
    judge(json.dumps(CASE))
    judge(json.dumps({name: CASE[name] for name in ("record", "keys")}))
    unkept = kept(content=None)
    del unkept["leaf"]
    judge(json.dumps(unkept))


OF_ANOTHER = VECTORS["agency_key"] | {"x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}
BAD = {
    "another officer in the record": altered(officer="petugas-8"),
    "no officer in the record": altered(officer=None),
    "another case": altered(case_ref="KASUS-2"),
    "another purpose": altered(purpose="LAIN"),
    "another actor": altered(actor="system"),
    "another hour": altered(iat="2026-11-24T04:14:15.926+00:00"),
    "no instant": altered(iat="then"),
    "another officer in what was signed": kept(base=KEPT["base"].replace("petugas-7", "petugas-8")),
    "another body": kept(content='{"nik":"3374990101900002"}'),
    "another signature": kept(value=base64.b64encode(bytes(64)).decode()),
    "no base64": kept(value="!"),
    "no base": kept(base=None),
    "a short base": kept(base="x"),
    "no signature": altered(signature=None),
    "no record": CASE | {"record": []},
    "no keys": CASE | {"keys": {"keys": []}},
    "keys of nobody": CASE | {"keys": None},
    "another key": CASE
    | {
        "keys": {
            "keys": [VECTORS["agency_key"] | {"x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}]
        }
    },
    "a key of another name": CASE
    | {"keys": {"keys": [VECTORS["agency_key"] | {"kid": "kunci-2"}]}},
    "another record's leaf": CASE | {"leaf": base64.b64encode(OTHER.encode()).decode()},
    "a leaf without its digest": CASE
    | {
        "leaf": base64.b64encode(
            json.dumps(json.loads(FOUND["leaf"]) | {"_sd": []}).encode()
        ).decode()
    },
    "no leaf": CASE | {"leaf": 1},
    "another disclosure": kept(disclosure=FOUND["disclosures"][0]),
    "no disclosure": altered(signature=KEPT),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_so_is_refused(what):
    with pytest.raises(ProofInvalid):
        judge(json.dumps(BAD[what]))
