"""Invented names of people, streets and places: they sound Indonesian and belong to nobody.

Every given name and every place begins with a stem that says so: words for example, imitation,
imagination and pretence (andai, conto(h), fikti(f), khayal, misal, reka, semu, sinte(tis), tiru,
umpama ...), so that a reader sees at once that a record is synthetic.
"""

import pyarrow as pa
import pyarrow.compute as pc

from dtsen.releases.synth.chance import Chance, Flags, Ints

STEMS = (
    "Andai", "Bayang", "Conto", "Dumi", "Fikti", "Ibarat", "Khayal", "Lamun", "Misal", "Modela",
    "Moka", "Nirna", "Purapu", "Reka", "Rupan", "Sampla", "Seolah", "Semu", "Sinte", "Tiru",
    "Ujico", "Umpama",
)  # fmt: skip
MALE_ENDINGS = ("nto", "wan", "yono", "man", "din", "sena", "rudi", "jaya", "tono", "putra")
FEMALE_ENDINGS = ("wati", "sih", "ningrum", "yani", "na", "sari", "lestari", "tini", "dewi", "rini")
SECOND_ENDINGS = ("dinata", "kusuma", "wardana", "pratama", "negara", "mulya", "santosa", "wijaya")
PLACE_ENDINGS = (
    "jaya",
    "mukti",
    "sari",
    "harjo",
    "mulyo",
    "rejo",
    "asih",
    "makmur",
    "raya",
    "agung",
)
HAMLET_ENDINGS = ("lor", "kidul", "wetan", "kulon", "tengah", "girang", "hilir")

RT, RW = 12, 9
"""How many RT a hamlet has, and RW a village, at most."""

SECOND_NAME, THIRD_NAME = 0.68, 0.14


def _all(endings: tuple[str, ...]) -> pa.Array:
    """Every stem with every ending."""
    return pa.array([stem + ending for stem in STEMS for ending in endings])


_MEN, _WOMEN, _SECONDS = _all(MALE_ENDINGS), _all(FEMALE_ENDINGS), _all(SECOND_ENDINGS)
_PLACES, _HAMLETS = _all(PLACE_ENDINGS), _all(HAMLET_ENDINGS)


def _join(*parts: object) -> pa.Array:
    """Words joined by a space; missing ones are left out."""
    return pc.binary_join_element_wise(*parts, " ", null_handling="skip")


def _word(chance: Chance, purpose: str, keys: Ints, words: pa.Array) -> pa.Array:
    return words.take(pa.array(chance.whole(purpose, keys, len(words))))


def person_names(chance: Chance, keys: Ints, male: Flags) -> pa.Array:
    """The name of each person: one to three words, one word being common."""
    first = pc.if_else(
        pa.array(male),
        _word(chance, "name", keys, _MEN),
        _word(chance, "name", keys, _WOMEN),
    )
    length = chance.uniform("name length", keys)
    nothing = pa.scalar(None, pa.string())
    second = pc.if_else(
        pa.array(length < SECOND_NAME), _word(chance, "second name", keys, _SECONDS), nothing
    )
    third = pc.if_else(
        pa.array(length < THIRD_NAME), _word(chance, "third name", keys, _SECONDS), nothing
    )
    return _join(first, second, third)


def place_names(chance: Chance, kind: str, keys: Ints) -> pa.Array:
    """The name of each district or village; the same key has the same name."""
    return _word(chance, kind, keys, _PLACES)


def hamlets(chance: Chance, keys: Ints) -> pa.Array:
    """The hamlet (dusun) of each address."""
    return _word(chance, "hamlet", keys, _HAMLETS)


def units(chance: Chance, kind: str, keys: Ints, below: int) -> pa.Array:
    """RT or RW of each address, three digits."""
    return _numbers(chance, kind, keys, below)


def _numbers(chance: Chance, purpose: str, keys: Ints, below: int) -> pa.Array:
    written = pa.array([f"{number:03d}" for number in range(1, below + 1)])
    return written.take(pa.array(chance.whole(purpose, keys, below)))


def addresses(chance: Chance, keys: Ints) -> pa.Array:
    """The street address of each key: street, house number, RT and RW."""
    number = pc.cast(pa.array(chance.whole("house", keys, 240) + 1), pa.string())
    parts = (
        pa.scalar("Jl."),
        _word(chance, "street", keys, _PLACES),
        pa.scalar("No."),
        number,
        pa.scalar("RT"),
        units(chance, "rt", keys, RT),
        pa.scalar("RW"),
        units(chance, "rw", keys, RW),
    )
    return _join(*parts)
