"""The operators' page tells exactly the reasons there are."""

import re
from pathlib import Path

from schemas.restrictions import KINDS, REASONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators" / "restrictions.md"


def test_the_page_has_every_reason_with_its_kinds():
    rows = re.findall(r"^\| `([a-z-]+)` \| ([a-z, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    told = {code: tuple(kinds.split(", ")) for code, kinds in rows if code in REASONS}
    assert told == {code: each.kinds for code, each in REASONS.items()}
    for each in REASONS.values():
        assert set(each.kinds) <= set(KINDS)
        assert each.text.id != each.text.en
