"""Whether who shows a bound token holds what it is bound to (RFC 9449 7.1, RFC 8705 3)."""

from datetime import datetime
from urllib.parse import quote

from starlette.types import Scope

from auth.dpop import NONCE_FAULT, PROOF_FAULT, TOKEN_FAULT, ProofFault, Target, target_url
from auth.hops import certificate_of
from auth.nonces import Nonces, nonce_needed
from auth.tokens import challenge, refused_token
from dtsen.clock import Clock
from dtsen.disclosure.mandate import AccessToken
from dtsen.disclosure.proof import Proof
from dtsen.errors import DtsenError, ProofRefused, Unavailable


class Possession:
    """Judges how a token is shown."""

    def __init__(self, issuer: str, clock: Clock, nonces: Nonces) -> None:
        self._issuer = issuer
        self._clock = clock
        self._nonces = nonces

    def show(self, scope: Scope, scheme: bytes, token: AccessToken) -> Proof | None:
        """The proof that a request shows with its token, where the token is bound to a key.

        `scheme` is that of `Authorization`, in lower case.

        Raises:
            Unauthenticated: the token is bound otherwise than it is shown.
            ProofRefused: its proof is missing or does not hold.
        """
        if scheme.decode() != token.scheme.lower():
            raise refused_token(token.scheme if token.binding != "none" else "DPoP")
        if token.binding == "none":
            return None
        if token.binding == "mtls":
            certificate = certificate_of(scope)
            if certificate is None or certificate.thumbprint != token.thumbprint:
                raise refused_token()
            if not certificate.valid(self._clock.now()):
                raise refused_token()
            return None
        try:
            return self._prove(scope, token)
        except ProofFault as fault:
            raise self._refused(fault) from None

    def behind(self, fence: datetime) -> DtsenError:
        """What a proof meets that a failover may have forgotten to have been used.

        A nonce made after the fence shows that the next one is new; before it there is none.
        """
        return Unavailable() if self._clock.now() < fence else self._refused(nonce_needed())

    def nonce(self) -> str | None:
        """A nonce for the client's next proofs, where the operator wants them."""
        return self._nonces.make(self._clock.now()) if self._nonces.wanted else None

    def _refused(self, fault: ProofFault) -> ProofRefused:
        headers = {"WWW-Authenticate": challenge("DPoP", fault.error)}
        if self._nonces.wanted or fault.error == NONCE_FAULT:
            headers["DPoP-Nonce"] = self._nonces.make(self._clock.now())
        return ProofRefused(headers=headers)

    def _prove(self, scope: Scope, token: AccessToken) -> Proof:
        now = self._clock.now()
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        target = Target(
            scope["method"], target_url(self._issuer, path.decode("latin-1")), token.digest
        )
        proofs = [value for name, value in scope["headers"] if name == b"dpop"]
        proof = self._nonces.prove(proofs, target, now)
        if proof.thumbprint != token.thumbprint:
            raise ProofFault("The token is bound to another key.")
        return proof


def challenge_after(error: DtsenError, token: AccessToken | None) -> str:
    """How to authenticate instead, in the scheme of what was shown (RFC 6750, RFC 9449)."""
    if isinstance(error, ProofRefused):
        return challenge("DPoP", PROOF_FAULT)
    return challenge(token.scheme if token else "Bearer", TOKEN_FAULT)
