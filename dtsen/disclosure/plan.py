"""An agreement compiled for one purpose and operation: columns, masks, row filter, as SQL.

A plan is pure and deterministic. Columns that it does not name are never selected; what it may not
show of a row it does show is decided in the same SQL. Lookups, exports and changes use this SQL and
no other masking code.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from dtsen.disclosure.catalogue import catalogue_version
from dtsen.disclosure.masks import MASK_SQL, masked
from dtsen.disclosure.rows import RowFilter, column_of, identifier, literal, row_filter
from dtsen.releases.layout import COPIED
from schemas.agreement import Agreement, opened_variables
from schemas.scopes import groups_opened
from schemas.variables import Group, Variable

SERIALIZER = "3"
"""Changes when the same plan would render other bytes."""

COPIES = frozenset(COPIED)
"""Family variables that stand in the person's row too, as `keluarga_<name>`."""

COUNT = "jumlah_anggota_keluarga"
HEAD_NAME = "nama_anggota_keluarga"
"""Family variables that tell of the members: how many there are, and the head's name."""
_PAIRS_A_CALL = 45  # json_build_object takes at most 100 arguments
_CLASSES = ("open", "quasi", "personal", "specific")


@dataclass(frozen=True, slots=True)
class Selection:
    """Variables that an answer may hold, with what a record says of them; made once, used often."""

    individual: tuple[Variable, ...]
    family: tuple[Variable, ...]
    individual_members: frozenset[str] = field(init=False, compare=False)
    family_members: frozenset[str] = field(init=False, compare=False)
    names: tuple[str, ...] = field(init=False, compare=False)
    sensitivity: str | None = field(init=False, compare=False)
    """The highest class among the variables; None of none."""

    def __post_init__(self) -> None:
        """Say once what every record of it says."""
        both = (*self.individual, *self.family)
        members = frozenset(variable.name for variable in self.individual)
        object.__setattr__(self, "individual_members", members)
        family_members = frozenset(variable.name for variable in self.family)
        object.__setattr__(self, "family_members", family_members)
        object.__setattr__(self, "names", tuple(variable.qualified for variable in both))
        classes = (variable.sensitivity for variable in both)
        highest = max(classes, key=_CLASSES.index, default=None)
        object.__setattr__(self, "sensitivity", highest)


NOTHING = Selection((), ())
"""What a mandate without a plan opens."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one agreement version opens for one purpose and operation."""

    id: str
    opened: Selection = field(compare=False)
    masks: Mapping[str, str] = field(compare=False)
    rows: RowFilter = field(compare=False)
    identity: bytes = field(compare=False)
    """What it was compiled from; its id is the digest of these bytes."""
    mask_sql: Mapping[str, str] = field(default_factory=lambda: MASK_SQL, compare=False)
    reads_family: bool = field(init=False, compare=False)
    """Whether a person's answer needs more of the family than the person's row holds."""
    weight: int = field(init=False, compare=False)
    """What one person costs of a budget of people."""

    def __post_init__(self) -> None:
        """Decide once what every lookup asks."""
        more = any(variable.name not in COPIES for variable in self.opened.family)
        object.__setattr__(self, "reads_family", more)
        variables = (*self.opened.individual, *self.opened.family)
        heaviest = max((variable.weight for variable in variables), default=1)
        object.__setattr__(self, "weight", heaviest)

    def narrowed(self, groups: frozenset[Group]) -> Selection:
        """What of the plan a token for some groups opens; the plan's own selection for all."""
        individual = tuple(v for v in self.opened.individual if v.group in groups)
        family = tuple(v for v in self.opened.family if v.group in groups)
        if (individual, family) == (self.opened.individual, self.opened.family):
            return self.opened
        return Selection(individual, family)

    @property
    def limited(self) -> bool:
        """Whether the rows are limited in any way."""
        return self.rows != RowFilter()

    def person_sql(self, ordinal: int, *, slot: int, by: str) -> str:
        """Select of people by `nomor_induk_kependudukan` or `nomor_kartu_keluarga`."""
        copied = () if self.reads_family else self.opened.family
        sets = self.rows.person_sets_sql(ordinal)
        return _PERSON.format(
            slot=int(slot),
            key=identifier(by),
            sight=self._sight("i.keluarga_", sets),
            rows=self._rows("i.keluarga_", sets),
            own=self._object(self.opened.individual, "i."),
            family=self._object(copied, "i.keluarga_"),
            table=f"registry.individual_{int(ordinal)}",
        )

    def family_sql(self, ordinal: int, *, slot: int) -> str:
        """Select of families by KK, in none of whose variables a hidden or limited member shows."""
        sets = self.rows.sets_sql("f.")
        telling = any(variable.name in {COUNT, HEAD_NAME} for variable in self.opened.family)
        return _FAMILY.format(
            slot=int(slot),
            sight=self._sight("f.", sets),
            rows=self._rows("f.", sets),
            own=self._object(self.opened.family, "f."),
            table=f"registry.family_{int(ordinal)}",
            head="m.head" if telling else "NULL::text",
            members=_MEMBERS.format(table=f"registry.individual_{int(ordinal)}") if telling else "",
        )

    def _sight(self, prefix: str, sets: str) -> str:
        return (
            f"WHEN ({self.rows.wilayah_sql(prefix)}) IS NOT TRUE THEN 'outside_wilayah'"
            f" WHEN ({self.rows.desil_sql(prefix)}) IS NOT TRUE THEN 'outside_desil'"
            f" WHEN ({sets}) IS NOT TRUE THEN 'outside_sets'"
        )

    def _rows(self, prefix: str, sets: str) -> str:
        return f"({self.rows.wilayah_sql(prefix)} AND {self.rows.desil_sql(prefix)} AND {sets})"

    def _mask(self, variable: Variable) -> str | None:
        name = self.masks.get(variable.qualified)
        return None if name is None else self.mask_sql[name]

    def _object(self, variables: Sequence[Variable], prefix: str) -> str:
        """A JSON object of the variables, as text, nulls kept, in catalogue order."""
        if not variables:
            return "'{}'"
        pairs = [
            f"{literal(variable.name)}, {masked(self._mask(variable), _value(prefix, variable))}"
            for variable in variables
        ]
        chunks = [pairs[i : i + _PAIRS_A_CALL] for i in range(0, len(pairs), _PAIRS_A_CALL)]
        objects = [f"json_build_object({', '.join(chunk)})::text" for chunk in chunks]
        if len(objects) == 1:
            return objects[0]
        inner = [f"left({objects[0]}, -1)"]
        inner += [f"left(substr({middle}, 2), -1)" for middle in objects[1:-1]]
        inner.append(f"substr({objects[-1]}, 2)")
        return " || ',' || ".join(inner)


_PERSON = """\
SELECT {slot} AS slot, i.{key} AS key, i.nomor_induk_kependudukan AS nik,
    i.nomor_kartu_keluarga AS kk,
    CASE WHEN r.kind = 'hide' THEN 'hidden' {sight} ELSE 'seen' END AS sight,
    r.kind AS restriction,
    json_build_array(i.record_state, i.update_state, i.update_hold, i.update_since)::text AS status,
    CASE WHEN (r.kind IS NULL OR r.kind = 'mark') AND {rows} THEN {own} END AS own,
    CASE WHEN (r.kind IS NULL OR r.kind = 'mark') AND {rows} THEN {family} END AS family
FROM {table} i
LEFT JOIN disclosure.restriction r ON r.nik = i.nomor_induk_kependudukan
WHERE i.{key} = ANY (${{parameter}}::text[])"""

_FAMILY = """\
SELECT {slot} AS slot, f.nomor_kartu_keluarga AS key,
    CASE {sight} ELSE 'seen' END AS sight, {head} AS head,
    CASE WHEN {rows} THEN {own} END AS own
FROM {table} f{members}
WHERE f.nomor_kartu_keluarga = ANY (${{parameter}}::text[])"""

# How many members are under `hide`, and what restricts the head, `hide` before `limit`. The head is
# whoever is called so, or whose name the family's row repeats.
_MEMBERS = """
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE r.kind = 'hide') AS hidden,
        min(r.kind) FILTER (WHERE r.kind IN ('hide', 'limit')
            AND (i.status_hubungan_keluarga = '1' OR i.nama = f.nama_anggota_keluarga)) AS head
    FROM {table} i JOIN disclosure.restriction r ON r.nik = i.nomor_induk_kependudukan
    WHERE i.nomor_kartu_keluarga = f.nomor_kartu_keluarga
) m"""
_TELLING = {
    COUNT: "CASE WHEN {column} IS NOT NULL THEN greatest({column} - m.hidden, 0) END",
    HEAD_NAME: "CASE WHEN m.head IS NULL THEN {column} END",
}
"""What a family's row shows of variables that tell of its members."""


def compile_plan(agreement: Agreement, purpose: str, operation: str) -> Plan:
    """Compile one agreement for one purpose and operation.

    Raises:
        KeyError: the agreement has no such purpose.
    """
    terms = agreement.purposes[purpose]
    groups = groups_opened(terms.operations, operation)
    variables = [variable for variable in opened_variables(terms) if variable.group in groups]
    masks = {
        variable.qualified: mask
        for variable in variables
        if (mask := terms.mask_of(variable)) is not None
    }
    rows = row_filter(agreement)
    identity = {
        "agreement": agreement.agreement,
        "catalogue": catalogue_version(),
        "version": agreement.version,
        "purpose": purpose,
        "operation": operation,
        "variables": [variable.qualified for variable in variables],
        "masks": masks,
        "rows": [rows.wilayah, rows.desil_min, rows.desil_max, rows.sets],
        "serializer": SERIALIZER,
    }
    content = orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)
    return made_of(content, tuple(variables))


def made_of(
    content: bytes, variables: Sequence[Variable], mask_sql: Mapping[str, str] = MASK_SQL
) -> Plan:
    """The plan of an identity, whose variables these are in its order."""
    said = orjson.loads(content)
    wilayah, least, most, sets = said["rows"]
    listed = tuple((name, tuple(values)) for name, values in sets)
    return Plan(
        id=hashlib.sha256(content).hexdigest(),
        opened=Selection(
            tuple(variable for variable in variables if variable.unit == "anggota"),
            tuple(variable for variable in variables if variable.unit == "keluarga"),
        ),
        masks=said["masks"],
        rows=RowFilter(None if wilayah is None else tuple(wilayah), least, most, listed),
        identity=content,
        mask_sql=mask_sql,
    )


def _value(prefix: str, variable: Variable) -> str:
    """What a row shows of a variable before any mask."""
    column = column_of(prefix, variable.name)
    if variable.unit == "keluarga" and variable.name in _TELLING:
        return _TELLING[variable.name].format(column=column)
    return column
