"""Private keys that are held elsewhere: they show their public part and sign, and nothing more.

They stand where `cryptography` expects a private key, and so the JOSE library signs through them.
"""

from collections.abc import Callable
from typing import Any, NoReturn, Self

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurveSignatureAlgorithm,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Sign = Callable[[bytes, bool], bytes]
"""Signs data where the key is; the second argument: by ECDSA over SHA-256, else by Ed25519."""


class HeldP256(EllipticCurvePrivateKey):
    """A P-256 key held elsewhere."""

    def __init__(self, public: EllipticCurvePublicKey, sign: Sign) -> None:
        self._public = public
        self._sign = sign

    def public_key(self) -> EllipticCurvePublicKey:
        """Its public part."""
        return self._public

    @property
    def curve(self) -> EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Bits."""
        return self._public.key_size

    def sign(self, data: Any, signature_algorithm: EllipticCurveSignatureAlgorithm) -> bytes:  # noqa: ANN401 - any buffer
        """An ECDSA signature over SHA-256 of data, in DER.

        Raises:
            ValueError: another digest is asked for.
        """
        asked = getattr(signature_algorithm, "algorithm", None)
        if not (isinstance(signature_algorithm, ECDSA) and isinstance(asked, SHA256)):
            raise ValueError("this key signs by ECDSA over SHA-256 alone")  # noqa: TRY004 - a value of the right kind
        raw = self._sign(bytes(data), True)  # noqa: FBT003 - see Sign
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))

    def exchange(self, *_: Any) -> NoReturn:  # noqa: ANN401 - never used
        """Not what it is for."""
        raise NotImplementedError

    def private_numbers(self) -> NoReturn:
        """It does not leave where it is."""
        raise NotImplementedError

    def private_bytes(self, *_: Any) -> NoReturn:  # noqa: ANN401 - never used
        """It does not leave where it is."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        """Itself: nobody changes it."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: nobody changes it."""
        return self


class HeldEd25519(Ed25519PrivateKey):
    """An Ed25519 key held elsewhere."""

    def __init__(self, public: Ed25519PublicKey, sign: Sign) -> None:
        self._public = public
        self._sign = sign

    def public_key(self) -> Ed25519PublicKey:
        """Its public part."""
        return self._public

    def sign(self, data: Any) -> bytes:  # noqa: ANN401 - any buffer
        """An Ed25519 signature (RFC 8032)."""
        return self._sign(bytes(data), False)  # noqa: FBT003 - see Sign

    def private_bytes_raw(self) -> NoReturn:
        """It does not leave where it is."""
        raise NotImplementedError

    def private_bytes(self, *_: Any) -> NoReturn:  # noqa: ANN401 - never used
        """It does not leave where it is."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        """Itself: nobody changes it."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: nobody changes it."""
        return self
