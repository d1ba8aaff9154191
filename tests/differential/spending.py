"""Holds announced budgets against what answers must have cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.differential.evaluator import Expected
from tests.differential.house import Wire
from tests.differential.leak import Leak
from tests.differential.worlds import Terms


@dataclass
class Spending:
    """Whoever was asked for costs the same, found or not; what more leaves costs as well."""

    spent: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def hold(self, terms: Terms, answers: Sequence[tuple[Wire, Expected]]) -> None:
        """Hold what one agency's answers say is left against what they cost.

        Raises:
            Leak: more or less was charged.
        """
        for span, ceiling in (("people-day", terms.per_day), ("people-month", terms.per_month)):
            if ceiling is None:
                continue
            left = [
                (policies(wire.header("ratelimit"))[span], expected)
                for wire, expected in answers
                if expected.charge
            ]
            key = (terms.number, span)
            known = self.spent.get(key)
            since = known[1] if known else min((told["t"] for told, _ in left), default=0)
            # A later window of the same budget ends later, and nothing is known of it yet.
            now = [one for one in left if one[0]["t"] <= since + 60]
            self._window(key, ceiling, now, known[0] if known else None)
            self._window(key, ceiling, [one for one in left if one[0]["t"] > since + 60], None)

    def _window(
        self,
        key: tuple[int, str],
        ceiling: int,
        left: Sequence[tuple[dict[str, int], Expected]],
        used: int | None,
    ) -> None:
        """In the order in which they were charged each answer leaves less than the one before.

        Whoever is charged in two steps may be between them while another is answered.
        """
        if not left:
            return
        order = sorted(left, key=lambda one: -one[0]["r"])
        whole = sum(expected.charge for _, expected in order)
        if used is None:
            used = ceiling - order[-1][0]["r"] - whole
        open_steps = sum(one.asked_charge for _, one in order if one.asked_charge < one.charge)
        end = used + whole
        for told, expected in order:
            used += expected.charge
            if expected.asked_charge < expected.charge:
                open_steps -= expected.asked_charge
            found = ceiling - told["r"]
            if not used <= found <= used + open_steps:
                raise Leak(f"{key[1]} spent: found {found}, awaited {used} to {used + open_steps}")
        if ceiling - order[-1][0]["r"] != end:
            raise Leak(f"{key[1]} left: found {order[-1][0]['r']}, awaited {ceiling - end}")
        self.spent[key] = (end, order[-1][0]["t"])


def policies(header: str | None) -> dict[str, dict[str, int]]:
    """Numbers of a RateLimit header by limit."""
    found = {}
    for item in (header or "").split(", "):
        name, *parameters = item.split(";")
        pairs = (parameter.partition("=") for parameter in parameters)
        found[name.strip('"')] = {key: int(n) for key, _, n in pairs if n.isdigit()}
    return found
