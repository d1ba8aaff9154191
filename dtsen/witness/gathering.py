"""Asking witnesses for their signatures under a checkpoint, before it is published.

A witness that cannot be reached delays a publication by no more than the time given; one that says
that it has seen another history stops it (`Contradicted`).
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import httpx2

from dtsen.tlog.checkpoint import Checkpoint
from dtsen.tlog.encoding import decode_decimal
from dtsen.tlog.merkle import ProofInvalid
from dtsen.tlog.notes import NoteInvalid, Signature, Verifier, read_note, read_signatures
from dtsen.tlog.policy import Policy
from dtsen.tlog.submission import SIZE_TYPE, Submission

log = logging.getLogger(__name__)

ENOUGH_SECONDS = 2.5
"""How long a publication waits for witnesses: well below the promised merge delay of 30 s."""
HTTP_SECONDS = 2.0
REST_SECONDS = 30.0
"""How long a witness that did not answer is left alone, so that it slows no publication down."""

PathFrom = Callable[[int], Sequence[bytes]]
"""Gives the consistency proof from an older size to the checkpoint's."""


class Contradicted(Exception):
    """A witness has seen a history that this checkpoint does not go on from. Do not publish."""


class WitnessSilent(Exception):
    """A witness gave no usable answer."""


@dataclass(slots=True)
class _Asked:
    """A witness, and the size that it has seen as far as we know."""

    verifier: Verifier
    url: str
    seen: dict[str, int] = field(default_factory=dict)
    rests_until: float = float("-inf")


class Witnesses:
    """The witnesses of a policy that can be asked."""

    def __init__(self, policy: Policy, http: httpx2.Client, monotonic: Callable[[], float]) -> None:
        """Take a policy, whose witnesses with an address are asked, and a clock of seconds."""
        self._monotonic = monotonic
        self._policy = policy
        self._http = http
        self._asked = [
            _Asked(known.verifier, known.url.rstrip("/"))
            for known in policy.witnesses.values()
            if known.url
        ]
        self._pool = ThreadPoolExecutor(max(len(self._asked), 1), "witness")

    def gather(self, note: bytes, path_from: PathFrom) -> list[Signature]:
        """Cosignatures under a log's signed checkpoint, as many as come in time.

        Ends when all have answered, or at the latest after `ENOUGH_SECONDS`; fewer than the quorum
        are logged as an error and returned all the same: a log must not stand still because others
        are down, and whoever asks for a quorum sees that it is missing.

        Raises:
            Contradicted: a witness has seen another history, or a longer one.
        """
        checkpoint = Checkpoint.parse(read_note(note)[0])
        jobs = {
            self._pool.submit(self._ask, one, note, checkpoint, path_from): one
            for one in self._asked
            if self._monotonic() >= one.rests_until
        }
        done, _ = wait(jobs, timeout=ENOUGH_SECONDS)
        signatures = []
        for job, one in jobs.items():
            signature = _result(job) if job in done else None
            if signature is not None:
                signatures.append(signature)
            else:
                job.cancel()
                one.rests_until = self._monotonic() + REST_SECONDS
        names = {(one.name, one.key_id) for one in signatures}
        known = [known.verifier for known in self._policy.witnesses.values()]
        if not self._policy.satisfied([one for one in known if (one.name, one.key_id) in names]):
            log.error("%d witnesses signed: fewer than the policy asks for", len(signatures))
        return signatures

    def close(self) -> None:
        """Ask nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(
        self, one: _Asked, note: bytes, checkpoint: Checkpoint, path_from: PathFrom
    ) -> Signature:
        origin = checkpoint.origin
        for _ in range(2):
            old = min(one.seen.get(origin, 0), checkpoint.size)
            path = path_from(old) if 0 < old < checkpoint.size else ()
            answer = self._post(one, bytes(Submission(old, path, note)))
            if answer.status_code == httpx2.codes.OK:
                signature = _signature(one.verifier, note, answer.text)
                one.seen[origin] = checkpoint.size
                return signature
            if answer.status_code != httpx2.codes.CONFLICT:
                break
            size = _size(answer)
            if size > checkpoint.size or size == old:
                raise Contradicted(f"{one.verifier.name} has seen another tree of {size} entries")
            one.seen[origin] = size
        if answer.status_code == httpx2.codes.UNPROCESSABLE_CONTENT:
            raise Contradicted(f"{one.verifier.name} has seen another history")
        raise WitnessSilent(f"{one.verifier.name}: HTTP {answer.status_code}")

    def _post(self, one: _Asked, body: bytes) -> httpx2.Response:
        try:
            return self._http.post(f"{one.url}/add-checkpoint", content=body, timeout=HTTP_SECONDS)
        except httpx2.HTTPError as error:
            raise WitnessSilent(f"{one.verifier.name}: {type(error).__name__}") from None


def _result(job: Future[Signature]) -> Signature | None:
    try:
        return job.result()
    except (WitnessSilent, NoteInvalid, ProofInvalid) as error:
        log.warning("a witness gave no signature: %s", type(error).__name__)
        return None


def _signature(verifier: Verifier, note: bytes, lines: str) -> Signature:
    text, _ = read_note(note)
    for one in read_signatures(lines):
        if (one.name, one.key_id) == (verifier.name, verifier.key_id):
            if verifier.verifies(text, one.value):
                return one
            break
    raise WitnessSilent(f"{verifier.name} signed something else")


def _size(answer: httpx2.Response) -> int:
    said = answer.text if answer.headers.get("content-type") == SIZE_TYPE else ""
    try:
        return decode_decimal(said.removesuffix("\n"))
    except ValueError:
        raise WitnessSilent("a witness told no size") from None
