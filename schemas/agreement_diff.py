"""What one version of an agreement opens that another does not: decided exactly, told in words.

Over all possible people and requests, not those of today: a widening that concerns nobody now is
still a widening. What opens nothing (contacts, name, impact assessment) is told as `other`. The
same question asked the other way round gives what a change closes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from schemas.agreement_duration import longer
from schemas.agreement_models import Agreement, Purpose, opened_variables
from schemas.agreement_standing import standing
from schemas.row_space import Someone, row_space
from schemas.scopes import OPERATIONS
from schemas.text import Text

Effect: TypeAlias = Literal["opens", "closes", "other"]
About: TypeAlias = Literal["gained_people", "all_people"]

_NOT_BY_ROWS = frozenset(name for name, operation in OPERATIONS.items() if not operation.people)
"""Operations whose answers do not depend on the agreement's rows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what kind, whether it opens or closes, where, and in words.

    `people` says whom to count for it: those whom the rows gain, or all within them; None: nobody.
    """

    kind: str
    effect: Effect
    text: Text
    purpose: str | None = None
    variables: tuple[str, ...] = ()
    people: About | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """All differences between two versions; the earlier may be none at all."""

    changes: tuple[Change, ...]

    @property
    def widens(self) -> bool:
        """Whether the later version opens anything that the earlier does not."""
        return any(change.effect == "opens" for change in self.changes)


def difference(before: Agreement | None, after: Agreement) -> Difference:
    """Compare two agreements; a first version opens all that it opens."""
    if before is None:
        first = Text("Versi pertama: semuanya baru terbuka.", "A first version: all of it is new.")
        cells = tuple(_cells(None, after, "opens"))
        return Difference((Change("first", "opens", first), *cells))
    opened = (*_cells(before, after, "opens"), *_terms(before, after, "opens"))
    closed = (*_cells(after, before, "closes"), *_terms(after, before, "closes"))
    return Difference((*opened, *closed, *_others(before, after)))


def _cells(narrow: Agreement | None, wide: Agreement, effect: Effect) -> Iterator[Change]:
    """Purposes, operations, variables, forms and rows of `wide` that `narrow` has not."""
    inside = row_space(wide).anybody()
    beyond = row_space(wide).beyond(row_space(narrow)) if narrow else None
    for code, purpose in wide.purposes.items():
        known = narrow.purposes.get(code) if narrow else None
        held = set(known.operations) if known else set()
        new = [name for name in purpose.operations if name not in held]
        if new:
            yield _operations(code, purpose, new, inside, effect)
        both = [name for name in purpose.operations if name in held]
        if known is None or not both:
            continue
        yield from _circumstances(code, known, purpose, effect)
        if inside is not None or set(both) & _NOT_BY_ROWS:
            yield from _variables(code, known, purpose, inside, effect)
        if beyond is not None and set(both) - _NOT_BY_ROWS:
            yield _rows(code, beyond, effect)
        if set(purpose.legal_basis) - set(known.legal_basis) and effect == "opens":
            yield _said(
                "legal_basis",
                effect,
                f"Dasar hukum {code} berubah.",
                f"The legal basis of {code} changes.",
                code,
            )


def _operations(
    code: str, purpose: Purpose, names: list[str], inside: Someone | None, effect: Effect
) -> Change:
    listed = ", ".join(names)
    variables = tuple(variable.qualified for variable in opened_variables(purpose))
    told = Text(f"{code}: operasi {listed}", f"{code}: operation {listed}")
    if inside is not None and not set(names) <= _NOT_BY_ROWS:
        told = _joined(told, _visible(inside.told(), code, effect))
    people: About | None = "all_people" if any(OPERATIONS[n].people for n in names) else None
    return Change("operation", effect, told, code, variables if people else (), people)


def _variables(
    code: str, narrow: Purpose, wide: Purpose, inside: Someone | None, effect: Effect
) -> Iterator[Change]:
    held = {variable.qualified for variable in opened_variables(narrow)}
    new = tuple(v.qualified for v in opened_variables(wide) if v.qualified not in held)
    who = inside.told() if inside else Text("seseorang", "a person")
    if new:
        listed = ", ".join(new)
        told = Text(f"{len(new)} variabel ({listed})", f"{len(new)} variables ({listed})")
        seen = _visible(Text(f"{new[0]} {who.id}", f"{new[0]} of {who.en}"), code, effect)
        yield Change("variable", effect, _joined(told, seen), code, new, "all_people")
    for variable in opened_variables(wide):
        if variable.qualified not in held:
            continue
        mask, before = wide.mask_of(variable), narrow.mask_of(variable)
        if before is None or mask == before:
            continue  # plain before, or the same form: nothing more is told of it
        name = variable.qualified
        form_id, form_en = (
            ("tanpa penyamaran", "unmasked") if mask is None else (f"sebagai {mask}", f"as {mask}")
        )
        what = Text(f"{name} {who.id} {form_id}", f"{name} of {who.en} {form_en}")
        told = _visible(what, code, effect)
        yield Change("mask", effect, told, code, (name,), "all_people")


def _circumstances(code: str, narrow: Purpose, wide: Purpose, effect: Effect) -> Iterator[Change]:
    """Who may ask and what must be named with it."""
    word_id, word_en = (
        ("boleh", "may") if effect == "opens" else ("tidak lagi boleh", "may no more")
    )
    if more := [actor for actor in wide.actors if actor not in narrow.actors]:
        listed = ", ".join(more)
        told_id, told_en = f"{code}: {listed} {word_id} bertanya", f"{code}: {listed} {word_en} ask"
        yield _said("actors", effect, told_id, told_en, code)
    if less := [name for name in narrow.require if name not in wide.require]:
        listed = ", ".join(less)
        told_id = f"{code}: {word_id} tanpa {listed}"
        yield _said("require", effect, told_id, f"{code}: {word_en} ask without {listed}", code)


def _rows(code: str, beyond: Someone, effect: Effect) -> Change:
    return Change("rows", effect, _visible(beyond.told(), code, effect), code, (), "gained_people")


def _terms(narrow: Agreement, wide: Agreement, effect: Effect) -> Iterator[Change]:
    """All but purposes and rows: who, until when, how much, how bound, kept how long."""
    yield from (_said(*each) for each in standing(narrow, wide, effect))
    if longer(wide.retention, narrow.retention):
        before, after = (narrow, wide) if effect == "opens" else (wide, narrow)
        yield _said(
            "retention",
            effect,
            f"Masa simpan {before.retention} menjadi {after.retention}.",
            f"Retention {before.retention} becomes {after.retention}.",
        )


def _others(before: Agreement, after: Agreement) -> Iterator[Change]:
    if before.contacts != after.contacts:
        yield _said("contacts", "other", "Narahubung berubah.", "The contacts change.")
    for code, purpose in before.purposes.items():
        kept = after.purposes.get(code)
        if kept is not None and set(purpose.legal_basis) - set(kept.legal_basis):
            yield _said(
                "legal_basis",
                "other",
                f"Dasar hukum {code} berkurang.",
                f"{code} has fewer legal bases.",
                code,
            )
    if before.dpia != after.dpia:
        yield _said("dpia", "other", "Penilaian dampak berubah.", "The impact assessment changes.")
    if before.agency.name != after.agency.name:
        yield _said("name", "other", "Nama instansi berubah.", "The agency's name changes.")


def _visible(what: Text, purpose: str, effect: Effect) -> Text:
    if effect == "opens":
        return Text(
            f"{what.id} menjadi terlihat untuk {purpose}",
            f"{what.en} becomes visible for {purpose}",
        )
    return Text(
        f"{what.id} tidak lagi terlihat untuk {purpose}",
        f"{what.en} is no longer visible for {purpose}",
    )


def _joined(first: Text, second: Text) -> Text:
    return Text(f"{first.id}: {second.id}", f"{first.en}: {second.en}")


def _said(kind: str, effect: Effect, id: str, en: str, purpose: str | None = None) -> Change:  # noqa: A002 - the language
    return Change(kind, effect, Text(id, en), purpose)
