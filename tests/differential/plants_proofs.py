"""Leaks planted in translations between agencies, and in what an agency can prove."""

from typing import Any

import orjson
import pytest

from dtsen import translation
from dtsen.audit import record as recording, search
from dtsen.audit.viewer import Viewer
from dtsen.disclosure import companion, entry, mandate
from dtsen.disclosure.pairwise import Kind, PairwiseIds
from dtsen.disclosure.question import Leaving
from dtsen.entropy import random_bytes
from dtsen.errors import RecordNotFound, Unavailable
from dtsen.tlog.proof import ProofFile
from tests.differential.mutations import LETTERS
from tests.differential.plants import Plant, planted
from tests.differential.registry import Registry

OF_TRANSLATION: dict[str, Plant] = {}
"""Those that only a translation can tell."""


def planted_there(plant: Plant) -> Plant:
    OF_TRANSLATION[plant.__name__] = plant
    return plant


@planted
def one_side_is_joint_enough(patch: pytest.MonkeyPatch, _: Registry) -> None:
    def joint(snapshot: Any, mine: Any) -> Any:
        return {
            code: tuple(
                one for one in snapshot.agreements.values() if one.terms.agency.code == code
            )
            for code in mine.terms.joint
        }

    patch.setattr(mandate, "_joint", joint)


@planted
def the_other_side_is_joint_enough(patch: pytest.MonkeyPatch, _: Registry) -> None:
    def joint(snapshot: Any, mine: Any) -> Any:
        me = mine.terms.agency.code
        others = [one for one in snapshot.agreements.values() if me in one.terms.joint]
        return {
            code: tuple(one for one in others if one.terms.agency.code == code)
            for code in {one.terms.agency.code for one in others}
        }

    patch.setattr(mandate, "_joint", joint)


@planted_there
def who_may_not_be_seen_is_translated(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original, ids = translation.rendering, []
    made = PairwiseIds.__init__

    def kept(self: PairwiseIds, keyring: Any) -> None:
        made(self, keyring)
        ids.append(self)

    patch.setattr(PairwiseIds, "__init__", kept)
    resolved = translation.resolved

    def rendering(texts: Any, niks: Any) -> Any:
        render = original(texts, niks)

        def told(mandate: Any, seen: Any) -> Any:
            rendered = render(mandate, seen)
            body = orjson.loads(rendered.body)
            for one in body["results"]:
                nik = niks[one["id"]]
                if nik is not None and one["status"] == "not_found":
                    own = ids[-1].of(mandate.agency, "1", Kind.INDIVIDUAL, nik)
                    one |= {"status": "found", "individual": {"id": own}}
            return rendered._replace(body=orjson.dumps(body))

        return told

    def noted(found: PairwiseIds, agency: str, texts: Any) -> Any:
        ids.append(found)
        return resolved(found, agency, texts)

    patch.setattr("api.v1.translation.resolved", noted)
    patch.setattr("api.v1.translation.rendering", rendering)


@planted_there
def an_own_id_is_translated_too(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = PairwiseIds.resolve

    def resolve(self: PairwiseIds, agency: str, kind: Kind, text: str) -> str | None:
        others = (original(self, one, kind, text) for one in ("dinas-satu", "dinas-dua"))
        return original(self, agency, kind, text) or next(filter(None, others), None)

    patch.setattr(PairwiseIds, "resolve", resolve)


@planted_there
def who_was_not_translated_is_named_in_the_record(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = translation.rendering

    def rendering(texts: Any, niks: Any) -> Any:
        render = original(texts, niks)
        asked = tuple(dict.fromkeys(nik for nik in niks.values() if nik))
        return lambda *of: render(*of)._replace(leaving=Leaving(asked, ()))

    patch.setattr("api.v1.translation.rendering", rendering)


@planted_there
def the_other_agency_has_no_record(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = entry.finish
    patch.setattr(
        "dtsen.disclosure.gate.finish", lambda *of: original(*of)._replace(companion=None)
    )


@planted_there
def the_other_agency_is_told_whom(patch: pytest.MonkeyPatch, registry: Registry) -> None:
    original = recording.make_leaf
    someone = next(iter(registry.releases[registry.in_force].people))

    def named(keys: Any, record_id: Any, clear: Any, personal: Any) -> Any:
        return original(keys, record_id, clear, {**personal, "subject": [someone]})

    patch.setattr(companion, "make_leaf", named)


@planted_there
def the_other_agency_is_told_for_what(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = recording.make_leaf

    def told(keys: Any, record_id: Any, clear: Any, personal: Any) -> Any:
        return original(keys, record_id, {**clear, "legal_basis": ["Dasar SATU"]}, personal)

    patch.setattr(companion, "make_leaf", told)


@planted
def a_leaf_tells_why_somebody_is_absent(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = recording.make_leaf

    def told(keys: Any, record_id: Any, clear: Any, personal: Any) -> Any:
        return original(keys, record_id, {**clear, "why": personal["reason"]}, personal)

    patch.setattr(entry, "make_leaf", told)


@planted
def a_leaf_s_legal_basis_holds_a_number(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = recording.make_leaf

    def told(keys: Any, record_id: Any, clear: Any, personal: Any) -> Any:
        basis = [*clear["legal_basis"], *personal["subject"]]
        return original(keys, record_id, {**clear, "legal_basis": basis}, personal)

    patch.setattr(entry, "make_leaf", told)


@planted
def digests_have_no_salt_of_their_own(patch: pytest.MonkeyPatch, _: Registry) -> None:
    salts = recording.SALT_BYTES * len(recording.PERSONAL)
    patch.setattr(recording, "random_bytes", lambda n: bytes(n) if n == salts else random_bytes(n))


@planted
def a_leaf_s_shape_tells_what_was_said(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = recording._MEMBERS
    patch.setattr(recording, "_MEMBERS", original[:-1])


@planted
def the_record_of_another_is_proved(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(Viewer, "sees", lambda *_: True)


@planted
def the_record_of_another_is_not_merged_yet(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = search.AccessLog.place

    async def place(self: Any, viewer: Any, record_id: Any) -> Any:
        try:
            return await original(self, viewer, record_id)
        except RecordNotFound:
            raise Unavailable from None

    patch.setattr(search.AccessLog, "place", place)


@planted
def a_proof_holds_more_than_the_leaf(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = ProofFile.__bytes__
    patch.setattr(
        ProofFile,
        "__bytes__",
        lambda self: original(self).replace(b"\nindex", b"\nofficer budi\nindex", 1),
    )


@planted
def a_proof_is_of_another_leaf(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = ProofFile.__bytes__

    def other(self: ProofFile) -> bytes:
        changed = (self.extra or b"").replace(b'"found"', b'"told"')
        return original(ProofFile(changed, self.index, self.path, self.checkpoint))

    patch.setattr(ProofFile, "__bytes__", other)


@planted
def an_id_has_several_spellings(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = PairwiseIds.resolve

    def resolve(self: PairwiseIds, agency: str, kind: Kind, text: str) -> str | None:
        other = text[:-1] + LETTERS[LETTERS.index(text[-1]) ^ 1]
        return original(self, agency, kind, text) or original(self, agency, kind, other)

    patch.setattr(PairwiseIds, "resolve", resolve)


@planted
def who_asks_is_not_held_against_the_purpose(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr("auth.guard.check_said", lambda *_: None)


@planted
def an_officer_is_found_by_nobody(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(entry, "_officer_index", lambda *_: None)
