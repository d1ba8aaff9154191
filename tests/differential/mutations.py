"""Worlds by chance: agreements, restrictions and requests around a few people and families."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from schemas.masks import MASKS
from schemas.variables import CATALOGUE, GROUPS
from schemas.wilayah import convert
from tests.differential.evaluator import HEAD, Ids
from tests.differential.registry import Registry
from tests.differential.release import ABSENT_KKS, ABSENT_NIKS, ORPHAN_KK
from tests.differential.scope import REGION_NAMES, named, selects
from tests.differential.worlds import (
    ACTORS,
    AGENCIES,
    CALLS,
    OF_HEADERS,
    SECRET,
    SPOILS,
    TRANSLATE,
    Ask,
    Purpose,
    Terms,
    World,
)

READS = ("individuals:read", "families:read")
OPERATIONS = (*READS, "individuals:translate")
PURPOSES = ("SATU", "DUA")
BARE = [each.name for each in CATALOGUE.values() if named(each.name) is not None]
NO_IDS = ("i1-", "k1-" + "A" * 43, "i9-" + "A" * 43, "x", "A" * 101, f"i1-{SECRET}")
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # base64url
HELD = ("held", "weak", "any", "other", "listed")


@dataclass(frozen=True)
class Material:
    """What worlds are made of: the registry, and the ids that agencies learned of it."""

    registry: Registry
    ids: Ids


@st.composite
def worlds(draw: st.DrawFn, material: Material) -> World:
    """Every part by chance."""
    registry = material.registry
    niks, kks = registry.numbers()
    focal_kks = draw(st.lists(st.sampled_from(kks), min_size=1, max_size=2, unique=True))
    release = registry.releases[registry.in_force]
    near = [nik for kk in focal_kks for nik in release.members(kk)]
    others = draw(st.lists(st.sampled_from(niks), max_size=3, unique=True))
    focal = [*near, *others] or niks[:1]
    kinds = st.sampled_from((None, None, "mark", "limit", "hide"))
    drawn = {nik: draw(kinds) for nik in focal}
    heads = [nik for nik in near if release.people[nik]["status_hubungan_keluarga"] == HEAD]
    drawn |= {nik: draw(st.sampled_from((None, "limit", "hide"))) for nik in heads}
    restrictions = {nik: kind for nik, kind in drawn.items() if kind is not None}
    both, one, other = AGENCIES, AGENCIES[:1], AGENCIES[1:]
    naming = draw(st.sampled_from((both, both, both, both, one, other, ())))
    terms = tuple(
        draw(_terms(agency, registry, focal_kks, names=agency in naming)) for agency in AGENCIES
    )
    people = st.sampled_from([*focal, *focal, draw(st.sampled_from(ABSENT_NIKS))])
    cards = st.sampled_from(
        [*focal_kks, *focal_kks, draw(st.sampled_from((*ABSENT_KKS, ORPHAN_KK)))]
    )
    asks = st.lists(_asks(terms, people, cards, material), min_size=12, max_size=18)
    return World(terms, restrictions, tuple(draw(asks)))


def rarely(draw: st.DrawFn) -> bool:
    """Once in about eight times."""
    return draw(st.integers(0, 7)) == 7


@st.composite
def _terms(
    draw: st.DrawFn, agency: str, registry: Registry, focal_kks: Sequence[str], *, names: bool
) -> Terms:
    codes = st.one_of(st.none(), st.none(), _codes(registry, focal_kks))
    system, chosen = draw(codes) or ("bps", None)
    decile = st.integers(1, 10)
    bounds = draw(
        st.one_of(
            st.none(),
            st.none(),
            st.none(),
            decile.map(lambda least: (least, None)),
            decile.map(lambda most: (None, most)),
            st.tuples(decile, decile).map(lambda both: (min(both), max(both))),
        )
    )
    purposes = draw(st.dictionaries(st.sampled_from(PURPOSES), _purposes(), min_size=1))
    per_month = draw(st.one_of(st.none(), st.integers(10**8, 10**9)))
    sets = draw(st.one_of(st.just({}), st.just({}), st.just({}), _sets()))
    per_day = draw(st.integers(10**8, 10**9))
    other = AGENCIES[1 - AGENCIES.index(agency)]
    joint = (*((other,) if names else ()), *(("dinas-tiga",) if rarely(draw) else ()))
    return Terms(
        agency, purposes, system, chosen, bounds, per_day, per_month, sets=sets, joint=joint
    )


def _sets() -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    """Values of a family's coded variables, most of them such as many have."""
    said = st.sampled_from([("Ya",), ("Tidak",), ("Ya", "Tidak"), ("Ya", "Tidak"), ()])
    codes = st.sampled_from([("1", "2", "3"), ("1", "2", "3", "4"), ("2",)])
    names = {"keluarga.pbi_nas": said, "keluarga.status_kepemilikan_rumah": codes}
    one = [st.fixed_dictionaries({name: values}) for name, values in names.items()]
    return st.one_of(*one, st.fixed_dictionaries(names))


@st.composite
def _codes(
    draw: st.DrawFn, registry: Registry, focal_kks: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Regions of any level, some where the families in focus live; none within another."""
    rows = [registry.releases[registry.in_force].families.get(kk) for kk in focal_kks]
    near = [row[name] for row in rows if row for name in REGION_NAMES if row[name] is not None]
    far = ["34", "3301", "3374020", "94", "3374010999"]
    codes = st.sampled_from([*near, *near, *far])
    found = draw(st.lists(codes, min_size=0 if rarely(draw) else 1, max_size=3, unique=True))
    kept = [
        code
        for code in found
        if not any(code != other and code.startswith(other) for other in found)
    ]
    if all(len(code) <= 4 for code in kept) and draw(st.booleans()):
        return "kemendagri", tuple(str(convert(code, "bps", "kemendagri")) for code in kept)
    return "bps", tuple(kept)


@st.composite
def _purposes(draw: st.DrawFn) -> Purpose:
    operations = OPERATIONS
    if rarely(draw):
        operations = draw(st.sampled_from((READS, READS[:1], READS[1:], ("audit:read",))))
    telling = ("nama_anggota_keluarga", "jumlah_anggota_keluarga", "desil_nasional", "anggota.nama")
    names = st.one_of(
        st.sampled_from(sorted(CATALOGUE)),
        st.sampled_from(BARE),
        st.sampled_from(telling),
        st.sampled_from([f"group:{group}" for group in GROUPS]),
        st.sampled_from(("level:L2", "level:L3", "level:L4")),
    )
    chosen = draw(st.lists(names, min_size=0 if rarely(draw) else 3, max_size=9, unique=True))
    opened = [each for each in CATALOGUE.values() if any(selects(name, each) for name in chosen)]
    if any(each.sensitivity == "specific" for each in opened):
        chosen = [name for name in chosen if name not in {"level:L2", "level:L3"}]
        opened = [each for each in opened if any(selects(name, each) for name in chosen)]
    masks = {}
    for variable in opened:
        fitting = sorted(name for name, mask in MASKS.items() if mask.applies_to(variable))
        if fitting and draw(st.booleans()):
            masks[variable.qualified] = draw(st.sampled_from(fitting))
    actors, require = ACTORS, ()
    if rarely(draw):
        actors = tuple(draw(st.lists(st.sampled_from(ACTORS), min_size=1, unique=True)))
        require = tuple(draw(st.lists(st.sampled_from(("officer", "case_ref")), unique=True)))
    return Purpose(tuple(operations), tuple(chosen), masks, actors, require)


SAYINGS = {"actor": ACTORS, "officer": ("petugas-0471",), "case_ref": ("KASUS-2026-0031",)}


def _said(purpose: Purpose | None) -> st.SearchStrategy[dict[str, str]]:
    """What a request says of itself: mostly what the purpose wants to be told, else whatever."""
    names = {name: st.sampled_from(words) for name, words in SAYINGS.items()}
    any_of_it = st.fixed_dictionaries({}, optional=names)
    if purpose is None:
        return any_of_it
    wanted = {name: names[name] for name in purpose.require}
    if purpose.actors != ACTORS:
        wanted["actor"] = st.sampled_from(purpose.actors)
    usual = st.fixed_dictionaries(wanted)
    return st.one_of(usual, usual, usual, any_of_it)


@st.composite
def _asks(
    draw: st.DrawFn,
    terms: Sequence[Terms],
    people: st.SearchStrategy[str],
    cards: st.SearchStrategy[str],
    material: Material,
) -> Ask:
    agency = draw(st.integers(0, len(terms) - 1))
    call = CALLS[draw(st.sampled_from(sorted(CALLS)))]
    open_for = [
        code for code, each in terms[agency].purposes.items() if call.scope in each.operations
    ]
    usual = open_for[0] if open_for else None
    purpose = draw(
        st.sampled_from([usual, *open_for, *open_for, None, "TIGA"][: 3 + len(open_for)])
    )
    source = None
    if call.op == TRANSLATE:
        source = draw(_sources(agency))
        whose = AGENCIES.index(source) if source in AGENCIES else 1 - agency
        texts = _id_texts(whose, call.op, people, cards, material.ids)
        subjects = tuple(draw(st.lists(texts, min_size=3, max_size=6)))
    elif call.op == "individuals.batch-lookup":
        subjects = tuple(draw(st.lists(people, min_size=1, max_size=6)))
    elif call.number is not None:
        subjects = (draw(cards if call.op.startswith("families") else people),)
    else:
        subjects = (draw(_id_texts(agency, call.op, people, cards, material.ids)),)
    has_body = call.number is not None
    reads = has_body and call.op != TRANSLATE
    spoils = sorted(SPOILS) if reads else OF_HEADERS
    if call.op == TRANSLATE:
        spoils = sorted(SPOILS.keys() - {"malformed-number"})  # an id has no form that is refused
    as_of = (None, *material.registry.releases, "2020-Q1")[: 4 if rarely(draw) else 3]
    batch = call.op == "individuals.batch-lookup"
    return Ask(
        agency,
        call.op,
        draw(_scopes(call.scope)) if rarely(draw) else (call.scope,),
        subjects,
        purpose,
        fields=draw(_fields(terms[agency], purpose)) if reads else None,
        as_of=draw(st.sampled_from(as_of)) if reads and not batch else None,
        ndjson=batch and draw(st.booleans()),
        english=draw(st.booleans()),
        spoil=draw(st.sampled_from(spoils)) if rarely(draw) and rarely(draw) else None,
        held=draw(st.sampled_from(HELD)) if call.op == "individuals.get" else None,
        said=draw(_said(terms[agency].purposes.get(purpose or usual or ""))),
        source=source,
    )


def _sources(agency: int) -> st.SearchStrategy[str]:
    """Mostly the other agency; sometimes a third, one that is not there, or oneself."""
    other = AGENCIES[1 - agency]
    return st.sampled_from((*[other] * 9, "dinas-tiga", "tidak-ada", AGENCIES[agency]))


def _scopes(needed: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Groups of the operation, or none, with another's scope beside them."""
    groups = st.lists(st.sampled_from([f"{needed}/{group}" for group in GROUPS]), max_size=4)
    other = OPERATIONS[OPERATIONS.index(needed) - 1]
    if needed not in READS:
        return st.sampled_from(((other, needed), (other,)))
    return st.one_of(
        st.just((other, needed)),
        groups.map(lambda some: (*dict.fromkeys(some), other)),
        groups.filter(bool).map(lambda some: tuple(dict.fromkeys(some))),
    )


def _fields(terms: Terms, purpose: str | None) -> st.SearchStrategy[tuple[str, ...] | None]:
    """Mostly what the purpose opens, by either name; sometimes what it does not, or nonsense."""
    found = terms.purposes.get(purpose or next(iter(terms.purposes)))
    opened = [
        each
        for each in CATALOGUE.values()
        if found and any(selects(name, each) for name in found.variables)
    ]
    names = [name for each in opened for name in (each.qualified, each.name) if named(name) == each]
    permitted = st.lists(st.sampled_from(names), max_size=5) if names else st.just([])
    unknown = st.sampled_from((SECRET, "nomor_kartu_keluarga"))  # no name, and one of two
    any_name = st.one_of(st.sampled_from(sorted(CATALOGUE)), unknown)
    with_any = st.tuples(permitted, any_name).map(lambda both: (*both[0], both[1]))
    return st.sampled_from((0, 0, 0, 0, 1, 1, 1, 2)).flatmap(
        lambda kind: (st.none(), permitted.map(tuple), with_any)[kind]
    )


def _id_texts(
    agency: int,
    op: str,
    people: st.SearchStrategy[str],
    cards: st.SearchStrategy[str],
    ids: Mapping[tuple[str, str, str], str],
) -> st.SearchStrategy[str]:
    """Mostly an id of the agency's own, also of people now outside; sometimes none of its."""
    kind = "k" if op.startswith("families") else "i"
    own, other = AGENCIES[agency], AGENCIES[1 - agency]

    def of(whose: str, sort: str) -> st.SearchStrategy[str]:
        numbers = people if sort == "i" else cards
        return numbers.map(lambda number: ids.get((whose, sort, number), "i1-none"))

    altered = of(own, kind).map(
        lambda text: f"{text[:6]}{'A' if text[6] != 'A' else 'B'}{text[7:]}"
    )
    respelled = of(own, kind).map(lambda text: text[:-1] + LETTERS[LETTERS.index(text[-1]) ^ 1])
    rare = st.one_of(
        respelled,
        of(other, kind),
        of(own, "i" if kind == "k" else "k"),
        altered,
        of(own, kind).map(lambda text: text[:-1]),
        st.sampled_from(NO_IDS),
    )
    return st.integers(0, 5).flatmap(lambda chance: rare if chance == 5 else of(own, kind))
