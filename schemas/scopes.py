"""OAuth scopes: what a client may be granted, each with its sentence.

A scope names an operation of the contract (`individuals:read`: every variable that the agreement
opens for it) or an operation and one variable group (`individuals:read/welfare`: that group alone).
No scope, or a scope of another operation, opens nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.text import Text
from schemas.variables import GROUPS, Group


class UnknownScope(LookupError):
    """The text names no operation of the contract, or a group that the operation has not."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that a scope names.

    `people`: its answers tell something about a person of the registry, so it needs a purpose and
    costs people. `grouped`: its answers carry variables, so a scope may narrow it to one group.
    """

    name: str
    text: Text
    people: bool = True
    grouped: bool = False


_OPERATIONS = (
    Operation(
        "individuals:read",
        Text("Membaca data seseorang menurut NIK", "Read a person by NIK"),
        grouped=True,
    ),
    Operation(
        "history:read",
        Text(
            "Membaca isi setiap rilis tentang seseorang dan perubahannya",
            "Read what each release said about a person and what changed",
        ),
        grouped=True,
    ),
    Operation(
        "individuals:match",
        Text(
            "Mencocokkan unsur data seseorang tanpa melihat isinya",
            "Confirm elements of a person without seeing them",
        ),
        grouped=True,
    ),
    Operation(
        "individuals:find",
        Text("Mencari satu orang tanpa NIK dengan bukti kuat", "Find one person without a NIK"),
        grouped=True,
    ),
    Operation(
        "individuals:translate",
        Text(
            "Menerjemahkan ID instansi lain ke ID sendiri menurut perjanjian bersama",
            "Translate another agency's ids to one's own under a joint agreement",
        ),
    ),
    Operation(
        "status:read",
        Text("Membaca status seseorang untuk layanan pengaduan", "Read one status for a help desk"),
    ),
    Operation(
        "families:read",
        Text("Membaca data keluarga dan anggotanya", "Read a family and its members"),
        grouped=True,
    ),
    Operation(
        "eligibility:check",
        Text("Memeriksa kelayakan menurut aturan program", "Check eligibility by programme rules"),
    ),
    Operation(
        "legacy:resolve",
        Text(
            "Menerjemahkan ID DTKS ke orang atau keluarga, dan sebaliknya",
            "Translate DTKS ids to people or families, and back",
        ),
    ),
    Operation(
        "legacy:read",
        Text(
            "Memakai layanan berbentuk DTKS dan melihat kemajuan peralihannya",
            "Use the DTKS-shaped service and see how far the move from it is",
        ),
    ),
    Operation(
        "exports:create",
        Text("Membuat dan mengunduh ekspor data", "Create and download exports"),
        grouped=True,
    ),
    Operation(
        "changes:read",
        Text("Mengikuti perubahan data yang dibuka", "Follow what changed in the opened data"),
        grouped=True,
    ),
    Operation(
        "feedback:write",
        Text(
            "Mengirim data balikan dan dugaan kesalahan",
            "Send feedback and suspected errors",
        ),
        people=False,
    ),
    Operation(
        "audit:read",
        Text("Membaca catatan akses dan buktinya", "Read access records and their proofs"),
        people=False,
    ),
    Operation(
        "audit:subjects",
        Text(
            "Mencari catatan akses menurut orang yang datanya diakses",
            "Search access records by the person they are about",
        ),
        people=False,
    ),
    Operation(
        "log:entries",
        Text("Membaca isi log akses sebagai verifikator", "Read the log's entries as a verifier"),
        people=False,
    ),
)

OPERATIONS: Mapping[str, Operation] = MappingProxyType({each.name: each for each in _OPERATIONS})
"""Every operation that a scope can name, in the contract's order."""


@dataclass(frozen=True, slots=True)
class Scope:
    """An operation of `OPERATIONS`, whole or for one variable group."""

    operation: str
    group: Group | None = None

    def __str__(self) -> str:
        """Give the scope as OAuth writes it."""
        return self.operation if self.group is None else f"{self.operation}/{self.group}"

    @classmethod
    def parse(cls, written: str) -> "Scope":
        """Read one scope as OAuth writes it.

        Raises:
            UnknownScope: no such operation, or a group where there is none.
        """
        if written not in _SCOPES:
            raise UnknownScope(written)
        return _SCOPES[written]

    def covers(self, other: "Scope") -> bool:
        """Say whether whoever has this scope has the other too."""
        return self.operation == other.operation and self.group in (None, other.group)


_SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        str(scope): scope
        for operation in _OPERATIONS
        for scope in (
            Scope(operation.name),
            *(Scope(operation.name, group) for group in GROUPS if operation.grouped),
        )
    },
)

SCOPE_NAMES: tuple[str, ...] = tuple(_SCOPES)
"""Every scope that can be granted, as written in tokens and metadata."""


def sentence(scope: Scope) -> Text:
    """Say in both languages what a scope allows."""
    text = OPERATIONS[scope.operation].text
    if scope.group is None:
        return text
    return Text(
        f"{text.id}, hanya kelompok variabel {scope.group}",
        f"{text.en}, only the variable group {scope.group}",
    )


def parse_scopes(written: str) -> frozenset[Scope]:
    """Read a space-separated scope list; an empty one is no scope at all.

    Raises:
        UnknownScope: one of them is unknown.
    """
    return frozenset(Scope.parse(each) for each in written.split(" ") if each)


def groups_opened(scopes: Iterable[str], operation: str) -> frozenset[Group]:
    """Give the variable groups that a token's scopes open for an operation.

    None if nothing covers it; a scope that is no longer known opens nothing.
    """
    known = (_SCOPES[written] for written in scopes if written in _SCOPES)
    mine = {scope.group for scope in known if scope.operation == operation}
    return frozenset(group for group in GROUPS if None in mine or group in mine)
