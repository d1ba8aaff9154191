"""Policies of witnesses: the example of the specification, and what is no policy."""

import pytest

from dtsen.tlog.notes import COSIGNATURE, Signer
from dtsen.tlog.policy import PolicyInvalid, parse_policy
from tests.verifier import logs

ONES = {
    name: Signer(f"{name}.example", logs.key(30 + at), COSIGNATURE).verifier
    for at, name in enumerate(("X1", "X2", "X3", "Y1", "Y2", "Y3"))
}
EXAMPLE = f"""
# The example of c2sp.org/tlog-policy.
log {logs.LOG.verifier}

witness X1 {ONES["X1"]}
witness X2 {ONES["X2"]}
 witness\tX3  {ONES["X3"]} https://x3.example/\t
group X-witnesses 2 X1 X2 X3

witness Y1 {ONES["Y1"]}
witness Y2 {ONES["Y2"]}
witness Y3 {ONES["Y3"]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def signed(*names):
    return [ONES[name] for name in names]


def test_the_quorum_is_that_of_the_example():
    policy = parse_policy(EXAMPLE)
    assert [known.verifier for known in policy.logs] == [logs.LOG.verifier]
    assert policy.witnesses["X3"].url == "https://x3.example/"
    for enough in (("X1", "X3", "Y2"), ("X1", "X2", "X3", "Y1", "Y2", "Y3")):
        assert policy.satisfied(signed(*enough))
    for few in ((), ("X1", "Y1"), ("X1", "X2", "X3"), ("Y1", "Y2", "Y3", "X2")):
        assert not policy.satisfied(signed(*few))


def test_no_witness_or_one_may_be_enough():
    assert parse_policy("quorum none\n").satisfied([])
    lone = parse_policy(f"witness X1 {ONES['X1']}\nquorum X1\n")
    assert lone.satisfied(signed("X1", "X2"))
    assert not lone.satisfied(signed("X2"))


X1 = f"witness X1 {ONES['X1']}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum\n",
        "quorum X1\n",
        "quorum none\nquorum none\n",
        "quorum none extra\n",
        "mirror a\nquorum none\n",
        f"{X1}\n{X1}\nquorum X1\n",
        f"{X1}\nwitness X2 {ONES['X1']}\nquorum X1\n",
        f"{X1} url extra\nquorum X1\n",
        f"witness none {ONES['X1']}\nquorum none\n",
        f"log {ONES['X1']}\nquorum none\n",
        f"witness X1 {logs.LOG.verifier}\nquorum none\n",
        "witness X1 nonsense\nquorum none\n",
        f"group g any X1\n{X1}\nquorum g\n",
        f"{X1}\ngroup g 2 X1\nquorum g\n",
        f"{X1}\ngroup g 0 X1\nquorum g\n",
        f"{X1}\ngroup g -1 X1\nquorum g\n",
        f"{X1}\ngroup g some X1\nquorum g\n",
        f"{X1}\ngroup g any\nquorum g\n",
        f"{X1}\ngroup g any X1 X1\nquorum g\n",
        f"{X1}\ngroup g any X1\ngroup h any X1\nquorum h\n",
        f"{X1}\ngroup g any g\nquorum g\n",
    ],
)
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(PolicyInvalid):
        parse_policy(text)
