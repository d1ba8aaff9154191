"""C2SP tlog-policy: which logs and witnesses to believe, and how many of the latter are enough."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dtsen.tlog.notes import COSIGNATURE, ED25519, NoteInvalid, Verifier

NONE = "none"


class PolicyInvalid(ValueError):
    """A policy that cannot be read, with the number of the line."""


@dataclass(frozen=True, slots=True)
class Known:
    """A log or a witness, and where it can be asked."""

    verifier: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """At least `threshold` of its members."""

    threshold: int
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file."""

    logs: Sequence[Known]
    witnesses: Mapping[str, Known]
    groups: Mapping[str, Group]
    quorum: str

    def satisfied(self, signed: Collection[Verifier]) -> bool:
        """Whether the witnesses among these signers are enough."""
        return self.quorum == NONE or self._witnessed(self.quorum, signed)

    def _witnessed(self, name: str, signed: Collection[Verifier]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return self.witnesses[name].verifier in signed
        good = sum(self._witnessed(member, signed) for member in group.members)
        return good >= group.threshold


EMPTY = Policy((), {}, {}, NONE)


def parse_policy(text: str) -> Policy:
    """Read a policy file.

    Raises:
        PolicyInvalid: a line is not of the format, or names what was not defined before it.
    """
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), 1):
        words = line.replace("\t", " ").split(" ")
        items = [word for word in words if word]
        if not items or items[0].startswith("#"):
            continue
        try:
            reading.take(items)
        except (ValueError, IndexError) as error:
            raise PolicyInvalid(f"line {number}: {error}") from None
    if reading.quorum is None:
        raise PolicyInvalid("no quorum is given")
    return Policy(reading.logs, reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.logs: list[Known] = []
        self.witnesses: dict[str, Known] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()

    def take(self, items: Sequence[str]) -> None:
        match items:
            case ["log", vkey, *url] if len(url) <= 1:
                self.logs.append(self._known(vkey, url, ED25519, self.logs))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._define(name)
                known = self._known(vkey, url, COSIGNATURE, self.witnesses.values())
                self.witnesses[name] = known
            case ["group", name, threshold, *members] if members:
                self._define(name)
                self.groups[name] = self._group(threshold, members)
            case ["quorum", name] if self.quorum is None:
                if name != NONE:
                    self._require(name)
                self.quorum = name
            case _:
                raise ValueError("not a line of a policy")

    def _define(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise ValueError(f"{name} is taken")

    def _require(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ValueError(f"{name} is not defined before")

    def _known(self, vkey: str, url: Sequence[str], kind: int, others: Collection[Known]) -> Known:
        try:
            verifier = Verifier.parse(vkey)
        except NoteInvalid as error:
            raise ValueError(str(error)) from None
        if verifier.kind != kind:
            raise ValueError("a key of another type")
        if any(one.verifier.key == verifier.key for one in others):
            raise ValueError("the same key twice")
        return Known(verifier, url[0] if url else None)

    def _group(self, threshold: str, members: Sequence[str]) -> Group:
        for member in members:
            self._require(member)
            if member in self._members:
                raise ValueError(f"{member} is a member twice")
            self._members.add(member)
        count = {"all": len(members), "any": 1}.get(threshold)
        if count is None:
            if not (threshold.isascii() and threshold.isdigit()):
                raise ValueError("how many of the group?")
            count = int(threshold)
        if not 1 <= count <= len(members):
            raise ValueError("more members are asked for than there are, or none")
        return Group(count, tuple(members))
