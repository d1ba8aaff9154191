"""One authenticated call under /v1 or /dtks, from its headers to its recorded answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

from fastapi import Response
from starlette.requests import Request
from starlette.types import Receive, Scope

from api.bill import Bill, repeated_under
from api.headers import SAFE_HEADERS, IndexedHeaders, said_of, trace_of
from api.parts import Parts
from api.problems import MEDIA_TYPE as PROBLEM, problem_body, spoken_language
from api.retiring import check_not_retired, retiring_headers
from api.signing import check_digest, is_signed, sign
from api.strict_json import check_media_type, read_bytes
from auth.guard import Admitted, Judging
from auth.limits import ratelimit_headers
from auth.possession import challenge_after
from dtsen.audit.record import new_record_id
from dtsen.disclosure.mandate import Circumstances, Mandate, Operation, bare_mandate
from dtsen.disclosure.question import Answer, Expand, Question, Render, Rendering, Seen, Want
from dtsen.disclosure.said import actor_of
from dtsen.errors import DtsenError, SignatureRefused, Unauthenticated, Unavailable

JSON = "application/json"

Body: TypeAlias = Callable[[Mandate], bytes]


@dataclass(frozen=True, slots=True)
class Served:
    """An operation beside its function; `bulk` ones are refused sooner when merging is behind."""

    operation: Operation
    offered: tuple[str, ...] = (JSON,)
    bulk: bool = False
    retiring: bool = False


class Call(Request):
    """The request that an endpoint is given. It asks; the gate answers; nothing else leaves."""

    def __init__(self, scope: Scope, receive: Receive, served: Served) -> None:
        super().__init__(scope, receive)
        self._headers = IndexedHeaders(scope["headers"])
        self.parts: Parts = scope["app"].state.parts
        self.operation = served.operation
        self._retiring = served.retiring
        milliseconds = int(self.parts.clock.now().timestamp() * 1000)
        self.record_id: UUID = new_record_id(milliseconds)
        self.language = spoken_language(self.headers.get("accept-language"))
        self.media_type = served.offered[0]
        self.admitted: Admitted | None = None
        self._mandate: Mandate | None = None
        self._said: dict[str, str] = {}
        self._content: bytes | None = None

    @property
    def mandate(self) -> Mandate:
        """The mandate of this call; there is one once its headers were judged."""
        if self._mandate is None:
            raise Unavailable
        return self._mandate

    @property
    def address(self) -> str | None:
        """The peer's address; kept in records that name no client, and for auditors."""
        peer = self.scope.get("client")
        return peer[0] if peer else None

    def judge(self) -> None:
        """Read the headers that say why and for whom, then make the mandate.

        Raises:
            MalformedHeader: a header is repeated or has not its form.
            DtsenError: what making the mandate raises.
        """
        if self.admitted is None:
            raise Unavailable
        self._said = said_of(self.headers)
        self._mandate = self.parts.guard.mandate(self.admitted, self.operation, self._said)
        if self._retiring:
            check_not_retired(self._mandate, self.parts.clock.now(), self.language)

    async def check_signature(self) -> None:
        """Hold the request's signature, if it has one, against its body and its client's keys.

        Raises:
            MalformedHeader: `Accept-Signature` cannot be understood.
            SignatureRefused, BodyTooLarge, MalformedRequest, Unavailable: as they say.
        """
        if is_signed(self.headers) and self.admitted is not None:
            if self.method != "GET":
                self._content = await read_bytes(self)
            self.admitted.signature = await self.parts.signatures.check(
                self.scope, self._content or b"", self.admitted.token.client_id
            )

    async def read_content(self) -> bytes:
        """The body, declared as JSON and no larger than allowed; kept for what is held against it.

        Raises:
            UnsupportedMediaType, BodyTooLarge, MalformedRequest: as RFC 9110 and the contract say.
            DigestMismatch: it is not what `Content-Digest` says.
        """
        check_media_type(self)
        if self._content is None:
            self._content = await read_bytes(self)
            check_digest(self.headers, self._content)
        return self._content

    async def disclose(
        self,
        want: Callable[[Mandate], Want],
        people: int,
        render: Render,
        query: Mapping[str, object],
        *,
        expand: Expand | None = None,
        subjects: tuple[str, ...] = (),
    ) -> Response:
        """Charge, read, record and answer about people; the charge comes back when nothing left.

        `people` are those asked for. Where more would leave (the members of a family), they are
        charged for too before any does.

        Raises:
            DtsenError: the refusal; nothing left.
        """
        if self.admitted is None:
            raise Unavailable
        want(self.mandate)  # what the request itself gets wrong costs nothing
        repeated = repeated_under(self._said.get("idempotency-key"), self.scope, self._content)
        bill = Bill(self.parts, self.admitted, self.mandate, repeated)
        ask = partial(self._ask, render, want=want, query=query, expand=expand, subjects=subjects)
        return self._response(await bill.answer(ask, people))

    async def tell(
        self,
        body: bytes,
        *,
        outcome: str = "told",
        query: Mapping[str, object] | None = None,
        subjects: tuple[str, ...] = (),
        families: tuple[str, ...] = (),
    ) -> Response:
        """Record and send an answer that is not read from the registry.

        Raises:
            Unavailable: the agreement that the answer was made under changed meanwhile.
        """
        agreement = self.mandate.agreement

        def render(mandate: Mandate, _: Seen) -> Rendering:
            if mandate.agreement is not agreement:
                raise Unavailable
            return Rendering(200, body, outcome)

        answer = await self._ask(render, query=query or {}, subjects=subjects, families=families)
        return self._response(answer)

    async def tell_own(self, body: Body) -> Response:
        """Record and send what is made from the caller's own agreement, as it is when recorded."""
        return self._response(
            await self._ask(lambda mandate, _: Rendering(200, body(mandate), "told"), query={})
        )

    async def refuse(self, error: DtsenError) -> Response:
        """Record and send a refusal; what cannot be recorded one by one is counted."""
        if error.status == Unauthenticated.status:
            token = self.admitted.token if self.admitted else None
            error.headers.setdefault("WWW-Authenticate", challenge_after(error, token))
        self.parts.telemetry.refused(error.code)
        body = self.problem(error)
        if self.admitted is None or error.status in {401, 429} or error.status >= 500:  # noqa: PLR2004 - HTTP statuses
            return self._counted(error, body)
        if isinstance(error, SignatureRefused):
            self.admitted.signature = None  # perhaps used before: the record is made without it
        token, snapshot = self.admitted.token, self.admitted.snapshot
        try:
            question = self._question(
                self._mandate or bare_mandate(snapshot, token, self.operation),
                lambda _, __: Rendering(error.status, body, "invalid"),
                refusal=True,
            )
            answer = await self.parts.gate.answer(question)
        except DtsenError as worse:
            return self._counted(worse, self.problem(worse))
        return self._response(answer, media_type=PROBLEM, headers=error.headers)

    async def _ask(
        self,
        render: Render,
        *,
        query: Mapping[str, object],
        want: Callable[[Mandate], Want] | None = None,
        expand: Expand | None = None,
        subjects: tuple[str, ...] = (),
        families: tuple[str, ...] = (),
        paid: int | None = None,
    ) -> Answer:
        question = self._question(self.mandate, render, query, subjects, families)
        question.want, question.expand, question.paid = want, expand, paid
        try:
            return await self.parts.gate.answer(question)
        except DtsenError:
            if question.anew is not None:  # what refuses is in force now: so says the record
                token = question.mandate.token
                self._mandate = bare_mandate(question.anew, token, self.operation)
            raise

    def _question(
        self,
        mandate: Mandate,
        render: Render,
        query: Mapping[str, object] = MappingProxyType({}),
        subjects: tuple[str, ...] = (),
        families: tuple[str, ...] = (),
        *,
        refusal: bool = False,
    ) -> Question:
        if self.admitted is None:
            raise Unavailable
        token, said = self.admitted.token, self._said
        proof, signature = self.admitted.proof, self.admitted.signature
        circumstances = Circumstances(
            self.record_id,
            actor=actor_of(said),
            officer=said.get("dtsen-officer"),
            case_ref=said.get("dtsen-case-ref"),
            address=self.address,
            trace=trace_of(self.headers),
            query=query,
            subjects=subjects,
            families=families,
        )
        return Question(
            mandate=mandate,
            circumstances=circumstances,
            render=render,
            judge=Judging(token, self.operation, said, refusal, proof, signature),
            refusal=refusal,
            proof=proof,
            signature=signature,
        )

    def problem(self, error: DtsenError) -> bytes:
        """The body of an error; also for renderings that tell one (a 404 about a person)."""
        return problem_body(
            error,
            issuer=self.parts.settings.issuer,
            instance=str(self.record_id),
            language=self.language,
        )

    def _counted(self, error: DtsenError, body: bytes) -> Response:
        client = self.admitted.token.client_id if self.admitted and error.status != 401 else None  # noqa: PLR2004 - HTTP status
        self.parts.tally.count(error.code, error.status, client=client, address=self.address)
        return self._reply(error.status, body, PROBLEM, error.headers)

    def _response(
        self,
        answer: Answer,
        *,
        media_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        rendering = answer.rendering
        said = {"DTSEN-Access-Record": answer.receipt, **rendering.headers, **(headers or {})}
        if answer.release is not None:
            said["DTSEN-Release"] = answer.release.id
        if media_type is None:
            media_type = self.media_type if rendering.status < 400 else PROBLEM  # noqa: PLR2004 - HTTP status
        return self._reply(rendering.status, rendering.body, media_type, said)

    def _reply(
        self, status: int, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> Response:
        response = Response(body, status, media_type=media_type)
        raw = response.raw_headers
        raw.extend(SAFE_HEADERS)
        raw.extend((name.lower().encode(), value.encode()) for name, value in headers.items())
        if self._retiring:
            raw.extend(retiring_headers(self.parts.settings.issuer, self.admitted))
        if self.admitted is not None:
            if self.admitted.states:
                raw.extend(ratelimit_headers(self.admitted.states))
            if self.admitted.nonce is not None:
                raw.append((b"dpop-nonce", self.admitted.nonce.encode()))
        if "accept-signature" in self.headers:
            sign(response, self, self.parts)
        return response
