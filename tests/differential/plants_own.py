"""Leaks planted in what an agency is told of itself."""

from typing import Any

import pytest

from api.own import document, shapes
from api.v1 import agreement
from dtsen.audit import opening, viewer
from dtsen.audit.record import AUDITORS_ONLY
from dtsen.cursor import Cursors
from dtsen.disclosure.opening import openings, scopes_of
from schemas import agreement_words
from schemas.agreement_words import told_agreement
from schemas.variables import CATALOGUE
from tests.differential.plants import planted
from tests.differential.registry import Registry


@planted
def the_document_forgets_the_tokens_scopes(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = openings
    patch.setattr(document, "openings", lambda terms, _: original(terms, scopes_of(terms)))


@planted
def the_document_shows_a_masked_variable_plain(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = shapes.forms

    def plain(opened: Any) -> Any:
        return {variable: {None, *forms} for variable, forms in original(opened).items()}

    patch.setattr(shapes, "forms", plain)


@planted
def the_document_names_every_variable(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(shapes, "spellings", lambda _: list(CATALOGUE))


@planted
def the_agreement_tells_every_variable(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(agreement_words, "opened_variables", lambda _: tuple(CATALOGUE.values()))


@planted
def the_agreement_tells_no_mask(patch: pytest.MonkeyPatch, _: Registry) -> None:
    original = told_agreement

    def unmasked(terms: Any) -> Any:
        told = original(terms)
        for purpose in told["purposes"]:
            purpose["variables"] = [each | {"mask": None} for each in purpose["variables"]]
        return told

    patch.setattr(agreement, "told_agreement", unmasked)


@planted
def everybody_oversees_the_log(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(viewer.Viewer, "oversees", property(lambda _: True))


@planted
def the_log_tells_numbers_that_were_not_opened(patch: pytest.MonkeyPatch, _: Registry) -> None:
    patch.setattr(opening, "_hidden", lambda *_: AUDITORS_ONLY)


@planted
def a_cursor_is_bound_to_nobody(patch: pytest.MonkeyPatch, _: Registry) -> None:
    opened, sealed = Cursors.open, Cursors.seal
    patch.setattr(Cursors, "open", lambda self, text, _: opened(self, text, {}))
    patch.setattr(Cursors, "seal", lambda self, place, _: sealed(self, place, {}))
