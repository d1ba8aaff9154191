"""What an agency's system asks: one method for each call that answers with people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from json import dumps
from pathlib import Path
from ssl import SSLError
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx2

from dtsen.client.absence import NotFound, read_absence
from dtsen.client.connection import connect
from dtsen.client.errors import AnswerInvalid, ClientFileInvalid
from dtsen.client.file import ClientFile, checked, read_client_file
from dtsen.client.legacy import Resolved, read_resolved
from dtsen.client.patience import Patience
from dtsen.client.people import Family, Person, read_family, read_person
from dtsen.client.problems import NotThere
from dtsen.client.receipts import Keep, appended_to, nowhere
from dtsen.client.session import Session

MOST_IN_A_BATCH = 1_000
TIMEOUT_SECONDS = 30.0
_ABSENT = "subject-not-found"


class Asked(NamedTuple):
    """One of many that were asked for, in their order, and what was found."""

    nik: str
    found: Person | NotFound


class Agency:
    """An agency's system at the API; several threads may share one. Ends with its block.

    Every call may raise what `Session.send` raises, and AnswerInvalid.
    """

    def __init__(self, session: Session, said: Mapping[str, str]) -> None:
        """Take a session and the headers of every call; `opened` makes both."""
        self._session = session
        self._said = said

    @property
    def client_id(self) -> str:
        """Who asks."""
        return str(self._session.file["client_id"])

    @property
    def issuer(self) -> str:
        """Whom it asks."""
        return str(self._session.file["issuer"])

    def saying(
        self,
        *,
        purpose: str | None = None,
        actor: str | None = None,
        officer: str | None = None,
        case_ref: str | None = None,
        language: str | None = None,
    ) -> Self:
        """The same system, whose calls also say why, and for whom: recorded, yours to justify.

        `actor` is `officer`, `subject` or `system`; `language` `id` or `en`, of texts for people.
        """
        said = {
            "DTSEN-Purpose": purpose,
            "DTSEN-Actor": actor,
            "DTSEN-Officer": officer,
            "DTSEN-Case-Ref": case_ref,
            "Accept-Language": language,
        }
        new = {name: value for name, value in said.items() if value is not None}
        return type(self)(self._session, {**self._said, **new})

    def look_up(
        self, nik: str, *, fields: Sequence[str] | None = None, as_of: str | None = None
    ) -> Person | NotFound:
        """One person by NIK; `as_of` is a release or a day (`YYYY-MM-DD`)."""
        return self._person("POST", "/v1/individuals/lookup", _asked(fields, as_of, nik=nik))

    def person(self, id_: str) -> Person | NotFound:
        """One person by the agency's own id."""
        return self._person("GET", f"/v1/individuals/{quote(id_, safe='')}")

    def look_up_many(
        self, niks: Iterable[str], *, fields: Sequence[str] | None = None
    ) -> Iterator[Asked]:
        """Many people by NIK, in order, as many at a time as one call takes.

        Each says its release: another may come into force between two calls.
        """
        for some in _batches(niks):
            body = _asked(fields, None, niks=some)
            told = self.ask("POST", "/v1/individuals/batch-lookup", body)
            with _meant():
                found = _many(told, some)
            yield from found

    def look_up_family(
        self, kk: str, *, fields: Sequence[str] | None = None, as_of: str | None = None
    ) -> Family | NotFound:
        """One family by the number of its family card."""
        return self._family(
            "POST", "/v1/families/lookup", _asked(fields, as_of, nomor_kartu_keluarga=kk)
        )

    def family(self, id_: str) -> Family | NotFound:
        """One family by the agency's own id."""
        return self._family("GET", f"/v1/families/{quote(id_, safe='')}")

    def resolve(self, scheme: str, values: Iterable[str]) -> Iterator[Resolved]:
        """Legacy ids of one scheme, in order, as many at a time as one call takes."""
        for some in _batches(values):
            body = {"identifiers": [{"scheme": scheme, "value": one} for one in some]}
            told = self.ask("POST", "/v1/legacy/dtks/resolve", body)
            with _meant():
                found = [read_resolved(one, told["release"]) for one in told["results"]]
                if [one.value for one in found] != some:
                    raise ValueError("answers to something else")
            yield from found

    def pages(self, path: str, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The pages of a list, such as `/v1/audit/search`, each as it was told."""
        cursor: dict[str, str] = {}
        while True:
            told = self.ask("POST", path, {**body, **cursor})
            yield told
            with _meant():
                following = told["next"]
            if following is None:
                return
            cursor = {"cursor": following}

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What any call answers in JSON, as it stands."""
        answer = self.send(method, path, body)
        with _meant():
            return answer.json()

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """The good answer to any call, for what has no method here."""
        said = {**self._said, **(headers or {})}
        if body is None:
            return self._session.send(method, path, said)
        said["Content-Type"] = "application/json"
        return self._session.send(method, path, said, dumps(body).encode())

    def send_once(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """The answer to one call of these very bytes, whatever it says, without repetition."""
        return self._session.send_once(method, path, {**self._said, **(headers or {})}, content)

    def shown(self, method: str, path: str) -> dict[str, str]:
        """The headers that show a token with one call that is sent by other means."""
        return self._session.shown(method, path)

    def token(self) -> str:
        """A token with a while left, for what must send it by itself."""
        return self._session.token()

    def __enter__(self) -> Self:
        """The same."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the connection."""
        self.close()

    def close(self) -> None:
        """End the connection, that of all that `saying` made too."""
        self._session.close()

    def _person(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Person | NotFound:
        told = self._found(method, path, body)
        if isinstance(told, NotFound):
            return told
        with _meant():
            return read_person(told["individual"], told["withheld"], told["release"])

    def _family(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Family | NotFound:
        told = self._found(method, path, body)
        if isinstance(told, NotFound):
            return told
        with _meant():
            return read_family(told["family"], told["withheld"], told["release"])

    def _found(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - JSON
        """What is told of one who is found; who is not is an answer, not a failure."""
        try:
            return self.ask(method, path, body)
        except NotThere as problem:
            if problem.code != _ABSENT:
                raise
            with _meant():
                return read_absence(problem.told)


def opened(
    file: Path | ClientFile,
    *,
    receipts: Path | Keep = nowhere,
    authorities: Path | None = None,
    timeout: float = TIMEOUT_SECONDS,
    patience: Patience | None = None,
) -> Agency:
    """An agency's system by its client's file, or by what such a file holds.

    `receipts` is a file to append them to, as `dtsen audit verify --mine` reads it, or what takes
    each; `authorities` a file of certificates to trust instead of the system's; `timeout` in
    seconds, for connecting and for each wait for the server.

    Raises:
        ClientFileInvalid: the file cannot be used.
        OSError: the authorities cannot be read.
    """
    held = read_client_file(file) if isinstance(file, Path) else checked(file)
    keep = appended_to(receipts) if isinstance(receipts, Path) else receipts
    try:
        http = connect(held, timeout=timeout, authorities=authorities)
    except SSLError:
        raise ClientFileInvalid("its certificate, its key, or an authority is none") from None
    return Agency(Session(held, http, patience=patience or Patience(), keep=keep), {})


@contextmanager
def _meant() -> Iterator[None]:
    """Say of an answer that cannot be understood that it cannot, and nothing of what it held."""
    try:
        yield
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AnswerInvalid("an answer is not what the contract promises") from None


def _asked(fields: Sequence[str] | None, as_of: str | None, **about: object) -> dict[str, object]:
    """A body: what is asked about, and what of it, where that is said."""
    narrowed = {"fields": None if fields is None else list(fields), "as_of": as_of}
    return about | {name: value for name, value in narrowed.items() if value is not None}


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(islice(rest, MOST_IN_A_BATCH)):
        yield some


def _many(told: Mapping[str, Any], niks: Sequence[str]) -> list[Asked]:
    """The answers to one batch, each beside the NIK that it is about."""
    release = told["release"]
    results = told["results"]
    if [one["nik"] for one in results] != list(niks):
        raise ValueError("answers to something else")
    return [Asked(one["nik"], _one_of_many(one, release)) for one in results]


def _one_of_many(told: Mapping[str, Any], release: str) -> Person | NotFound:
    if told["status"] == "not_found":
        return NotFound(release)
    if told["status"] == "found":
        return read_person(told["individual"], told["withheld"], release)
    raise ValueError("a status of an unknown kind")
