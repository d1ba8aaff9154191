"""The files of a release and the tables they are stored in, both made from the catalogue.

Each release has four tables of its own, named by an ordinal that is never used again:
`registry.family_N` (file `keluarga`), `registry.individual_N` (`anggota`), `registry.dtks_N` and
`registry.change_N` (`perubahan`). They are filled once and never changed. A person's row also holds
the family's region codes and deciles and the person's own state, so that a lookup reads one table.

Shapes: contract 6; variables: `schemas.variables`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from psycopg import sql

from schemas.variables import Kind, variables

File: TypeAlias = Literal["keluarga", "anggota", "dtks", "perubahan"]
FILES: tuple[File, ...] = get_args(File)

OwnKind: TypeAlias = Literal[
    "id_dtks",
    "id_art_dtks",
    "idsemesta",
    "legacy_id",
    "subject_id",
    "state",
    "reason",
    "score",
]
FieldKind: TypeAlias = Kind | OwnKind

_STEMS: Mapping[File, str] = MappingProxyType(
    {"keluarga": "family", "anggota": "individual", "dtks": "dtks", "perubahan": "change"},
)
_STORAGE: Mapping[FieldKind, str] = MappingProxyType(
    {"date": "date", "integer": "integer", "decile": "smallint", "score": "double precision"},
)
# Byte order: nothing sorts these texts for people, and its indexes build and search fastest.
_TEXT = 'text COLLATE "C"'

FAMILY_KEY = "nomor_kartu_keluarga"
MEMBER_KEY = "nomor_induk_kependudukan"
COPIED = (
    "kode_provinsi",
    "kode_kabupaten_kota",
    "kode_kecamatan",
    "kode_kelurahan_desa",
    "desil_nasional",
    "desil_provinsi",
    "desil_kabupaten_kota",
)
"""Variables of the family that its members' rows repeat, as `keluarga_NAME`."""

RECORD_STATES = ("active", "deceased", "inactive")
UPDATE_STATES = (
    "proposed",
    "waiting_population_data",
    "in_verification",
    "in_validation",
    "determined",
    "rejected",
)
HOLDS = (
    "population_data_differs",
    "addresses_disagree",
    "family_change_unrecorded",
    "waiting_field_check",
)
CHANNELS = ("musdes", "dinsos", "cek_bansos")
LINK_STATES = ("linked", "unmatched", "deceased", "retired")
SUBJECTS = ("anggota", "keluarga")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a release file.

    `required`: no cell may be empty. `optional`: the column itself may be missing. `values`: the
    closed list of a `state`. `length` in characters, of an integer in digits.
    """

    name: str
    kind: FieldKind
    codes: str | None = None
    length: int | None = None
    required: bool = False
    optional: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a release table: its name and its SQL type with constraints."""

    name: str
    definition: str


_DTKS = (
    Field("id_dtks", "id_dtks", required=True),
    Field("id_art_dtks", "id_art_dtks", optional=True),
    Field("idsemesta", "idsemesta", optional=True),
    Field(FAMILY_KEY, "kk", optional=True),
    Field(MEMBER_KEY, "nik", optional=True),
    Field("state", "state", required=True, values=LINK_STATES),
    Field("replaced_by", "legacy_id", optional=True),
    Field("source", "text", length=100, required=True),
    Field("method", "text", length=100, required=True),
    Field("score", "score", optional=True),
    Field("linked_on", "date", required=True),
)
_CHANGE = (
    Field("subject", "state", required=True, values=SUBJECTS),
    Field("id", "subject_id", required=True),
    Field("record_state", "state", optional=True, values=RECORD_STATES),
    Field("reason", "reason", length=100, optional=True),
    Field("previous_id", "subject_id", optional=True),
    Field("update_state", "state", optional=True, values=UPDATE_STATES),
    Field("hold", "state", optional=True, values=HOLDS),
    Field("channel", "state", optional=True, values=CHANNELS),
    Field("since", "date", required=True),
)
_PERSON_STATE = (
    Column("record_state", f"{_TEXT} NOT NULL"),
    Column("update_state", _TEXT),
    Column("update_hold", _TEXT),
    Column("update_since", "date"),
)
_KEYS: Mapping[File, tuple[str, ...]] = MappingProxyType(
    {"keluarga": (FAMILY_KEY,), "anggota": (MEMBER_KEY,)},
)
_INDEXED: Mapping[File, tuple[str, ...]] = MappingProxyType(
    {
        "keluarga": (),
        "anggota": (FAMILY_KEY,),
        "dtks": ("id_dtks", "id_art_dtks", "idsemesta", MEMBER_KEY, FAMILY_KEY),
        "perubahan": ("id", "previous_id"),
    },
)
# What the row filters of agreements name: the family's regions and deciles.
_FILTERED: Mapping[File, tuple[str, ...]] = MappingProxyType(
    {
        "keluarga": COPIED,
        "anggota": tuple(f"keluarga_{name}" for name in COPIED),
        "dtks": (),
        "perubahan": (),
    },
)


@cache
def fields(file: File, metadata_version: str) -> tuple[Field, ...]:
    """Give the columns of a file, in the order of its table.

    Raises:
        UnknownMetadataVersion: the catalogue does not describe it.
    """
    if file == "dtks":
        return _DTKS
    if file == "perubahan":
        return _CHANGE
    return tuple(
        Field(
            variable.name,
            variable.kind,
            variable.codes,
            variable.length,
            required=variable.name in _KEYS[file],
        )
        for variable in variables(file, metadata_version)
    )


def _column(field: Field) -> Column:
    definition = _STORAGE.get(field.kind, _TEXT)
    return Column(field.name, f"{definition} NOT NULL" if field.required else definition)


@cache
def columns(file: File, metadata_version: str) -> tuple[Column, ...]:
    """Give the columns of a file's table, in their order."""
    own = tuple(_column(field) for field in fields(file, metadata_version))
    if file != "anggota":
        return own
    family = {column.name: column for column in columns("keluarga", metadata_version)}
    copied = (Column(f"keluarga_{name}", family[name].definition) for name in COPIED)
    return (*own, *copied, *_PERSON_STATE)


def family_columns(metadata_version: str) -> tuple[Column, ...]:
    """Give the columns of `registry.family_N`: the family variables."""
    return columns("keluarga", metadata_version)


def _table(file: File, ordinal: int) -> str:
    return f"registry.{_relation(file, ordinal)}"


def _relation(file: File, ordinal: int) -> str:
    if type(ordinal) is not int or ordinal < 1:
        raise ValueError("a release's ordinal is a positive integer")
    return f"{_STEMS[file]}_{ordinal}"


def individual_table(ordinal: int) -> str:
    """Name the table of a release's people; made of the integer alone, so safe in SQL as it is.

    Raises:
        ValueError: the ordinal is no positive integer.
    """
    return _table("anggota", ordinal)


def family_table(ordinal: int) -> str:
    """Name the table of a release's families."""
    return _table("keluarga", ordinal)


def dtks_table(ordinal: int) -> str:
    """Name the table of a release's links to DTKS ids."""
    return _table("dtks", ordinal)


def change_table(ordinal: int) -> str:
    """Name the table of a release's reasons and update states."""
    return _table("perubahan", ordinal)


def identifier(file: File, ordinal: int) -> sql.Identifier:
    """Name the table of a file for a composed statement."""
    return sql.Identifier("registry", _relation(file, ordinal))


def create(file: File, ordinal: int, metadata_version: str) -> sql.Composed:
    """Write the statement that makes a file's table, without its indexes."""
    listed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.definition))
        for column in columns(file, metadata_version)
    )
    return sql.SQL("CREATE TABLE {} ({})").format(identifier(file, ordinal), listed)


def create_indexes(file: File, ordinal: int) -> tuple[sql.Composed, ...]:
    """Write the statements that index a filled table, each by itself and none in another's way."""
    relation, table = _relation(file, ordinal), identifier(file, ordinal)
    unique = [("UNIQUE INDEX", f"pk_{relation}", key) for key in _KEYS.get(file, ())]
    others = [("INDEX", f"ix_{relation}_{name}", name) for name in _INDEXED[file]]
    return tuple(
        sql.SQL(f"CREATE {kind} {{}} ON {{}} ({{}})").format(
            sql.Identifier(index), table, sql.Identifier(column)
        )
        for kind, index, column in (*unique, *others)
    )


def finish(file: File, ordinal: int) -> tuple[sql.Composed, ...]:
    """Write the statements for an indexed table: its primary key, then freezing and analysis."""
    if file not in _KEYS:
        return (_vacuum(file, ordinal),)
    key = sql.Identifier(f"pk_{_relation(file, ordinal)}")
    primary = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}").format(
        identifier(file, ordinal), key, key
    )
    return primary, _vacuum(file, ordinal)


def _vacuum(file: File, ordinal: int) -> sql.Composed:
    """Write the statement that freezes a filled table and analyses what rows are chosen by."""
    chosen = (*_KEYS.get(file, ()), *_INDEXED[file], *_FILTERED[file])
    return sql.SQL("VACUUM (FREEZE, ANALYZE) {} ({})").format(
        identifier(file, ordinal),
        sql.SQL(", ").join(map(sql.Identifier, chosen)),
    )


def drop(ordinal: int) -> sql.Composed:
    """Write the statement that drops whatever tables of a release exist."""
    tables = sql.SQL(", ").join(identifier(file, ordinal) for file in FILES)
    return sql.SQL("DROP TABLE IF EXISTS {}").format(tables)


def grant(ordinal: int, login: str) -> sql.Composed:
    """Write the statement that lets a login read a release."""
    tables = sql.SQL(", ").join(identifier(file, ordinal) for file in FILES)
    return sql.SQL("GRANT SELECT ON {} TO {}").format(tables, sql.Identifier(login))
