"""Truth table: rows of the agreement, people under `hide`, people under `limit`.

Name to (asked, links, people, outcome, ids of the candidates in order).
"""

from tests.legacy.worlds import (
    DEAD,
    ELSEWHERE,
    HERE,
    HIDDEN,
    LIMITED,
    RICHER,
    UNMATCHED,
    WEAK,
    Someone,
    family_id,
    kk,
    link,
    member,
    merged,
    of_household,
    of_member,
    on_card,
    person_id,
)

TABLE = {
    # Rows of the agreement apply after the outcome.
    "half a household outside the wilayah": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, sight="outside_wilayah")},
        "split",
        [family_id(1)],
    ),
    "half a household above the desil": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, sight="outside_desil")},
        "split",
        [family_id(1)],
    ),
    "one of two candidates outside": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2, **WEAK)],
        {1: ELSEWHERE, 2: HERE},
        "ambiguous",
        [person_id(2)],
    ),
    "nobody left inside": (of_member(), [link(1, 1, 1)], {1: RICHER}, "out_of_snapshot", []),
    "a split household wholly outside": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1, sight="outside_wilayah"), 2: on_card(2, sight="outside_desil")},
        "out_of_snapshot",
        [],
    ),
    "a death outside is not told": (
        of_member(),
        [link(1, 1, 1)],
        {1: Someone(record="deceased", sight="outside_wilayah")},
        "out_of_snapshot",
        [],
    ),
    "a merge outside is not told": (
        of_member(1),
        merged(1, 2),
        {1: ELSEWHERE},
        "out_of_snapshot",
        [],
    ),
    "the living outside keep a household from being dead": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1, record="deceased"), 2: on_card(2, sight="outside_wilayah")},
        "out_of_snapshot",
        [],
    ),
    # People under `hide` do not exist.
    "a hidden person": (of_member(), [link(1, 1, 1)], {1: HIDDEN}, "out_of_snapshot", []),
    "a hidden candidate": (
        of_member(),
        [link(1, 1, 1), link(1, 1, 2)],
        {1: HERE, 2: HIDDEN},
        "exact",
        [person_id(1)],
    ),
    "the hidden half of a household": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, sight="hidden")},
        "exact",
        [family_id(1)],
    ),
    "the hidden one who lives": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: DEAD, 2: HIDDEN},
        "deceased",
        [family_id(1)],
    ),
    "a family card of hidden people alone": (
        of_household(),
        [link(1, nomor_kartu_keluarga=kk(1))],
        {1: HIDDEN},
        "out_of_snapshot",
        [],
    ),
    "a hidden person beside one who never matched": (
        of_household(),
        [link(1, 1, 1), link(1, 2, **UNMATCHED)],
        {1: HIDDEN},
        "out_of_snapshot",
        [],
    ),
    "merged away from a hidden person": (
        of_member(1),
        [link(1, 1, 1, state="retired", replaced_by=member(2)), link(2, 1, 2)],
        {1: HIDDEN, 2: HERE},
        "merged",
        [person_id(2)],
    ),
    # People under `limit` exist; what is withheld of them stays withheld.
    "a limited person": (of_member(), [link(1, 1, 1)], {1: LIMITED}, "exact", [person_id(1)]),
    "the family of a limited person": (
        of_household(),
        [link(1, 1, 1)],
        {1: LIMITED},
        "exact",
        [person_id(1)],
    ),
    "a limited person counts": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: on_card(1), 2: on_card(2, limited=True)},
        "split",
        [person_id(2), family_id(1)],
    ),
    "a family that is open through another": (
        of_household(),
        [link(1, 1, 1), link(1, 2, 2)],
        {1: LIMITED, 2: HERE},
        "exact",
        [family_id(1)],
    ),
}
