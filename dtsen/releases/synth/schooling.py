"""Schooling by age: what a person attends, has attended and has finished."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from dtsen.releases.synth.chance import Chance, Flags, Floats, Ints, pick_by
from dtsen.releases.synth.habits import habits, written

_OLDEST = 110
_FIRST_ASKED, _SCHOOL_AGE = 5, 7
_NEVER, _STILL, _LEFT = 0, 1, 2
_PATHS: tuple[tuple[int, ...], ...] = (
    (), (0,), (0, 1), (0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 4), (0, 1, 2, 4, 5),
)  # fmt: skip
"""The levels (rows of `levels`) on the way to each final one, none first."""
_OUTDATED = 0.15


@dataclass(frozen=True, slots=True)
class Schooling:
    """One row a person; levels are -1 for none."""

    level: Ints
    grade: Ints
    certificate: Ints
    still: Flags


@cache
def _courses() -> Ints:
    """By final level and age: level attended, grade, level finished, still at school (0 or 1)."""
    levels = habits()["levels"]
    table = np.empty((len(_PATHS), _OLDEST, 4), dtype=np.int64)
    for final, path in enumerate(_PATHS):
        for age in range(_OLDEST):
            level, grade, finished, still = -1, 0, -1, 0
            for step in path:
                begins, grades = levels[step]["age"], levels[step]["grades"]
                if age < begins:
                    break
                level, grade = step, min(age - begins + 1, grades)
                still = int(age < begins + grades)
                finished = finished if still else step
            table[final, age] = level, grade, finished, still
    return table


def schooling(chance: Chance, keys: Ints, origin: Floats, ages: Ints) -> Schooling:
    """The schooling of people at the ages at which they were last seen."""
    weights = habits()["schooling"]
    draws = chance.uniform("schooling", keys)
    final = np.where(
        chance.uniform("schooling side", keys) < origin,
        pick_by(draws, [pair[1] for pair in weights]),
        pick_by(draws, [pair[0] for pair in weights]),
    )
    course = _courses()[final, np.clip(ages, 0, _OLDEST - 1)]
    return Schooling(course[:, 0], course[:, 1], course[:, 2], course[:, 3] == 1)


def school_columns(
    chance: Chance, keys: Ints, ages: Ints, school: Schooling, revisions: Ints
) -> dict[str, pa.Array]:
    """The education variables of `anggota`; null where nothing applies."""
    codes, names = _level_codes(chance, keys)
    none, unfinished = school.level < 0, school.certificate < 0
    attendance = np.where(none, _NEVER, np.where(school.still, _STILL, _LEFT))
    rows = np.arange(len(keys))
    outdated = chance.happens("education outdated", keys, _OUTDATED, revisions)
    known = np.maximum(school.certificate - outdated, -1)
    young = ages < _SCHOOL_AGE
    recorded = np.where(young | none, 0, known + 2)
    labels = tuple(habits()["ktp_unschooled"]) + tuple(row["ktp"] for row in habits()["levels"])
    return {
        "partisipasi_sekolah": written(attendance, ("1", "2", "3"), ages < _FIRST_ASKED),
        "jenjang_tertinggi_yang_diduduki": written(codes[school.level, rows], names, none),
        "kelas_tertinggi_yang_diduduki": pa.array(school.grade.astype(np.int32), mask=none),
        "ijazah_tertinggi_yang_dimiliki": written(
            codes[school.certificate, rows], names, unfinished
        ),
        "pendidikan_akhir_ktp": written(recorded, labels),
    }


def _level_codes(chance: Chance, keys: Ints) -> tuple[Ints, tuple[str, ...]]:
    """For each level and person the kind of school, as an index of the code values given."""
    levels = habits()["levels"]
    names = tuple(code for row in levels for code in row["codes"])
    chosen, base = [], 0
    for number, row in enumerate(levels):
        weights = [pair[0] for pair in row["codes"].values()]
        chosen.append(base + chance.pick(f"school {number}", keys, weights))
        base += len(weights)
    return np.stack(chosen), names
