"""`docs/agencies/signing.md` can be followed: its example holds, its recipe is answered."""

import re
from pathlib import Path

from dtsen.messages import Request
from dtsen.messages.keys import private_key, public_key, verify
from dtsen.messages.requests import read_request
from dtsen.releases.synth.example import EXAMPLE_NIKS
from tests.api.signers import Signer
from tests.audit.vectors import CREATED
from tests.parties import Terms, agency

PAGE = (Path(__file__).parents[2] / "docs" / "agencies" / "signing.md").read_text()


def block(kind: str) -> str:
    return re.search(rf"```{kind}\n(.*?)\n```", PAGE, re.DOTALL)[1]


def test_the_example_holds_byte_for_byte():
    head, content = block("http").split("\n\n")
    line, *fields = re.sub(r"\n  (?=;)", "", head).replace("\n  ", " ").split("\n")
    method, path, _ = line.split(" ")
    headers = [(name.lower(), value) for name, value in (one.split(": ", 1) for one in fields)]
    url = f"https://{dict(headers)['host']}{path}"
    said = read_request(Request(method, url, headers, content.encode()), CREATED)
    assert said.base.decode() == block("text")
    x = re.search(r'"x":\s+"(.*?)"', PAGE)[1]
    key = public_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    verify(key, said.algorithm, said.base, said.value)


def test_the_recipe_is_answered_and_its_answer_signed(sandbox):
    with agency(sandbox, Terms(signature="required")) as name:
        signer = Signer(sandbox, name)
        client = sandbox.client(name)
        given = {
            "issuer": client["issuer"],
            "token": sandbox.token(name),
            "purpose": "UJI",
            "kid": client["private_jwk"]["kid"],
            "private_key": private_key(client["private_jwk"]),
        }
        recipe = block("python").replace("3374990101900001", EXAMPLE_NIKS[0])
        exec(compile(recipe, "signing.md", "exec"), given)  # noqa: S102 - our own page
        made = given["request"]
        headers = [(each.lower(), value) for each, value in made.headers.items()]
        request = Request(made.method, made.url, headers, given["content"])
        answer = signer.send(request)
        assert answer.status_code == 200, answer.text
        assert signer.check(answer, request).nonce == "mine-1"


def test_the_page_names_every_reason():
    source = Path(__file__).parents[2] / "dtsen" / "messages" / "faults.py"
    words = re.search(r"Literal\[(.*?)\]", source.read_text(), re.DOTALL)[1]
    table = PAGE.partition("## When it is refused")[2].partition("##")[0]
    for word in re.findall(r'"(.*?)"', words):
        assert f"`{word}`" in table, word
