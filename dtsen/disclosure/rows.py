"""Which rows an agreement opens, compiled to SQL conditions."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from schemas.agreement import Agreement
from schemas.variables import find

_LEVEL_COLUMN = {
    2: "kode_provinsi",
    4: "kode_kabupaten_kota",
    7: "kode_kecamatan",
    10: "kode_kelurahan_desa",
}


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows an agreement opens. None: no limit of that kind; an empty tuple opens nothing."""

    wilayah: tuple[str, ...] | None = None
    desil_min: int | None = None
    desil_max: int | None = None
    sets: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def wilayah_sql(self, column: str) -> str:
        """A condition over the family's region codes; `column` is a prefix: `i.keluarga_`.

        A family is in a region if its code of that level says so and its codes above agree.
        """
        if self.wilayah is None:
            return "true"
        return (
            "("
            + " OR ".join(
                f"({column_of(column, name)} = ANY ({text_array(codes)}){_nested(column, length)})"
                for length, name in _LEVEL_COLUMN.items()
                if (codes := [code for code in self.wilayah if len(code) == length])
            )
            + ")"
            if self.wilayah
            else "false"
        )

    def desil_sql(self, column: str) -> str:
        """A condition over the family's national decile; without a decile it does not hold."""
        bounds = [
            f"{column_of(column, 'desil_nasional')} {sign} {int(bound)}"
            for sign, bound in ((">=", self.desil_min), ("<=", self.desil_max))
            if bound is not None
        ]
        return " AND ".join(bounds) or "true"

    def sets_sql(self, column: str) -> str:
        """A condition over a family's coded variables; without a value it does not hold."""
        listed = (
            f"{column_of(column, name)} = ANY ({text_array(values)})" for name, values in self.sets
        )
        return " AND ".join(listed) or "true"

    def person_sets_sql(self, ordinal: int) -> str:
        """The same of a person's row `i`, by the family's own table."""
        if not self.sets:
            return "true"
        table = f"registry.family_{int(ordinal)}"
        return _OF_FAMILY.format(table=table, sets=self.sets_sql("s."))

    def person_sql(self, ordinal: int) -> str:
        """The whole condition over a person's row `i` of a release."""
        regions, deciles = self.wilayah_sql("i.keluarga_"), self.desil_sql("i.keluarga_")
        return f"({regions} AND {deciles} AND {self.person_sets_sql(ordinal)})"


_OF_FAMILY = """\
EXISTS (SELECT FROM {table} s
    WHERE s.nomor_kartu_keluarga = i.nomor_kartu_keluarga AND {sets})"""


def row_filter(agreement: Agreement) -> RowFilter:
    """The rows that an agreement opens."""
    rows = agreement.rows
    if rows is None:
        return RowFilter()
    wilayah = None if rows.wilayah is None else tuple(sorted(rows.wilayah.bps_codes()))
    desil = rows.desil_nasional
    least, most = (None, None) if desil is None else (desil.min, desil.max)
    sets = sorted((find(name).name, tuple(sorted(values))) for name, values in rows.sets.items())
    return RowFilter(wilayah, least, most, tuple(sets))


def identifier(name: str) -> str:
    """A name as SQL."""
    return sql.Identifier(name).as_string()


def column_of(prefix: str, name: str) -> str:
    """A column behind an alias and the beginning of its name: `i.keluarga_`."""
    alias, _, beginning = prefix.partition(".")
    return f"{alias}.{identifier(beginning + name)}"


def literal(value: str) -> str:
    """A text value as SQL."""
    return sql.Literal(value).as_string()


def text_array(codes: Iterable[str]) -> str:
    """An array of texts as SQL."""
    return f"ARRAY[{', '.join(literal(code) for code in codes)}]::text[]"


def _nested(prefix: str, length: int) -> str:
    """The condition that the codes above a level are those that the code begins with."""
    of_level = column_of(prefix, _LEVEL_COLUMN[length])
    return "".join(
        f" AND {column_of(prefix, name)} = left({of_level}, {above})"
        for above, name in _LEVEL_COLUMN.items()
        if above < length
    )
