"""Cells are read to one spelling, once and for all; columns as their cells are."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from dtsen.releases.cells import reading
from dtsen.releases.cleaning import NULL, Cells, Column
from dtsen.releases.copying import lines
from dtsen.releases.keyed import ABSENT, Keyed, keys_of
from dtsen.releases.layout import FILES, Field, fields
from dtsen.releases.oddities import count_oddities
from dtsen.releases.sources import Source
from schemas.identifiers import nik_oddities
from tests.dtsen.releases.folders import VERSION, kk, nik

EVERY_FIELD = [field for file in FILES for field in fields(file, VERSION)]
BY_KIND = {field.kind: field for field in EVERY_FIELD}

digits = st.text("0123456789", max_size=18)
written_cells = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    digits,
    digits.map(lambda text: f" {text}.0 "),
    st.integers(-5, 1200).map(str),
    st.sampled_from(
        ["Ya", "tidak", "TRUE", "false", "1.0", "01", "x.0", "1.0.0", ".0.0", "00", "0.5", "1"]
    ),
    st.sampled_from(["33.74", "3374.0", "33.74.01.1001", "active", "LINKED ", "2024-02-29", "é.0"]),
    st.dates(date(1000, 1, 1), date(2999, 12, 31)).map(date.isoformat),
    st.sampled_from([kk(1), kk(1)[:15], nik(7), f"{nik(7)}.0", "\\N", "a\tb", "a\\b", "a\nb"]),
)


@pytest.mark.parametrize("kind", sorted(BY_KIND))
@given(written=written_cells)
def test_what_was_read_reads_the_same_again(kind, written):
    read = reading(BY_KIND[kind], VERSION)
    cell = read(written)
    if cell.value is not None:
        assert cell.error is None
        assert read(cell.value) == cell


@pytest.mark.parametrize(
    ("kind", "codes", "written", "value"),
    [
        ("nik", None, f" {nik(1)}.0 ", nik(1)),
        ("kk", None, f"{kk(1)[:15]}.0", kk(1)[:15]),
        ("code", "ya_tidak", "TRUE", "1"),
        ("code", "ya_tidak", "tidak", "2"),
        ("code", "ya_tidak", "01", "1"),
        ("code", "jenis_kelamin", "2.0", "2"),
        ("code", "jenis_kelamin", "007", "7"),
        ("yes_no", None, "1", "Ya"),
        ("yes_no", None, "FALSE", "Tidak"),
        ("yes_no", None, "ya", "Ya"),
        ("integer", None, "007.0", "7"),
        ("decile", None, "10.0", "10"),
        ("text", None, "12.0", "12"),
        ("text", None, "Blok 12.0", "Blok 12.0"),
        ("date", None, " 2024-02-29", "2024-02-29"),
        ("text", None, " \t ", None),
    ],
)
def test_files_as_they_come_in_life(kind, codes, written, value):
    cell = reading(Field("f", kind, codes), VERSION)(written)
    assert (cell.value, cell.error) == (value, None)


def escaped(value):
    if value is None:
        return NULL
    return value.translate(str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}))


@pytest.mark.parametrize("kind", sorted(BY_KIND))
@pytest.mark.parametrize("encoded", [False, True])
@given(column=st.lists(st.none() | written_cells, min_size=1, max_size=20))
def test_a_column_is_read_as_its_cells_are(kind, encoded, column):
    read = reading(BY_KIND[kind], VERSION)
    cells = [None if written is None else read(written) for written in column]
    array = pa.array([None if text is None else text.encode() for text in column], pa.binary())
    cleaned = Column(BY_KIND[kind], VERSION).clean(array.dictionary_encode() if encoded else array)
    assert cleaned.cells.texts().to_pylist() == [
        NULL if cell is None else escaped(cell.value) for cell in cells
    ]
    errors = {
        (row, cell.error) for row, cell in enumerate(cells) if cell is not None and cell.error
    }
    assert {(row, code) for code, rows in cleaned.errors.items() for row in rows} == errors
    odd = [cell.warning for cell in cells if cell is not None and cell.warning]
    assert sum(cleaned.warnings.values()) == len(odd)
    assert set(cleaned.warnings) == set(odd)


@given(
    st.lists(
        st.tuples(
            st.builds(
                "{:02}{:02}99{:02}{:02}{:02}{:04}".format,
                st.integers(0, 99),
                st.integers(0, 99),
                st.sampled_from([0, 1, 17, 31, 32, 40, 41, 57, 71, 72, 99]),
                st.sampled_from([0, 1, 5, 12, 13]),
                st.integers(0, 99),
                st.sampled_from([0, 1, 9999]),
            ),
            st.none() | st.dates(),
            st.sampled_from([None, "1", "2"]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_oddities_are_counted_as_each_nik_has_them(people):
    niks, born, sexes = zip(*people, strict=True)
    expected: dict[str, int] = {}
    for person in people:
        for code in nik_oddities(*person):
            expected[code] = expected.get(code, 0) + 1
    found = count_oddities(
        np.array([int(text) for text in niks]),
        Cells(pa.array([NULL if day is None else day.isoformat() for day in born]), None),
        Cells(pa.array([sex or NULL for sex in sexes]), None),
    )
    assert {code: count for code, count in found.items() if count} == expected


def test_a_card_of_15_digits_never_meets_one_of_16():
    short, long = kk(1)[1:], "0" + kk(1)[1:]
    keys = keys_of(Cells(pa.array([short, long, NULL]), None))
    assert len(set(keys)) == 3
    assert keys[2] == ABSENT


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=30),
    st.lists(st.integers(0, 12), max_size=20),
)
def test_a_key_leads_to_the_last_row_of_the_highest_rank(rows, asked):
    kept = Keyed(("place",))
    for position, (key, rank) in enumerate(rows):
        cells = Cells(pa.array([str(position)]), None)
        kept.add(np.array([key]), {"place": cells}, np.array([rank]))
    repeated = kept.seal()
    best = {}
    for position, (key, rank) in enumerate(rows):
        if key not in best or rank >= rows[best[key]][1]:
            best[key] = position
    found = kept.cells("place", kept.find(np.array(asked, np.int64))).texts().to_pylist()
    assert found == [str(best[key]) if key in best else NULL for key in asked]
    assert len(repeated) == len(rows) - len(best)


@given(
    st.integers(1, 12).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from(["1", "2", NULL, "tiga"]), min_size=width, max_size=width),
            min_size=1,
            max_size=9,
        )
    ),
    st.data(),
)
def test_lines_are_the_rows_in_their_order(rows, data):
    columns = []
    for values in zip(*rows, strict=True):
        encoded = pa.array(values).dictionary_encode()
        numbered = Cells(encoded.dictionary, encoded.indices.to_numpy())
        plain = Cells(pa.array(values), None)
        columns.append(numbered if data.draw(st.booleans()) else plain)
    expected = "".join("\t".join(row) + "\n" for row in rows)
    assert bytes(lines(columns)).decode() == expected


@given(st.sets(st.integers(1, 30)))
def test_kept_records_have_the_numbers_they_have_in_the_file(left_out):
    source = Source(Path("anggota.csv"), (), None)
    source._left_out = sorted(left_out)
    kept = [row for row in range(1, 41) if row not in left_out]
    assert source.numbers(np.arange(len(kept))).tolist() == kept
