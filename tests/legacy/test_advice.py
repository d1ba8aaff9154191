"""Advice: every code that is given has its sentences, and every sentence is given somewhere."""

import re
from pathlib import Path

import dtsen.legacy
from dtsen.legacy.advice import ADVICE, Advice, told
from dtsen.legacy.identifiers import Identifier

LONGEST = 400


def test_every_sentence_is_told_in_both_languages_and_fits():
    for text in ADVICE.values():
        assert text.id != text.en
        assert max(map(len, text)) <= LONGEST


def test_every_code_is_used_and_every_code_used_is_there():
    sources = Path(dtsen.legacy.__file__).parent.glob("*.py")
    code = "".join(one.read_text() for one in sources if one.name not in {"advice.py", "answer.py"})
    used = {name for name in re.findall(r'"([a-z_]+)"', code) if name in ADVICE}
    given = set(re.findall(r'Advice\(\s*"([a-z_]+)"', code))
    assert used == set(ADVICE)
    assert given <= set(ADVICE)


def test_advice_names_the_identifier_that_it_is_about():
    plain, about = Advice("malformed"), Advice("zeros_lost", Identifier("id_dtks", "1"))
    assert set(told(plain, "id")) == {"code", "text"}
    assert told(about, "en") == {
        "code": "zeros_lost",
        "text": ADVICE["zeros_lost"].en,
        "scheme": "id_dtks",
        "value": "1",
    }
