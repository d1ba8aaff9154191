"""Content negotiation by the Accept header (RFC 9110 section 12.5.1)."""

from collections.abc import Sequence

from dtsen.errors import NotAcceptable


def negotiate(accepts: Sequence[str], offered: Sequence[str]) -> str:
    """The offered media type that the caller likes best; the first offered where it is all one.

    Raises:
        NotAcceptable: none of them is admitted.
    """
    header = ",".join(accepts).strip()
    if not header or header == "*/*":
        return offered[0]
    ranges = [_range(part) for part in header.split(",") if part.strip()]
    best, best_quality = None, 0.0
    for media_type in offered:
        quality = _quality(media_type, ranges)
        if quality > best_quality:
            best, best_quality = media_type, quality
    if best is None:
        raise NotAcceptable
    return best


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                quality = 0.0
    return name, quality


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that covers a media type; 0 when none does."""
    whole = media_type.partition("/")[0] + "/*"
    for name in (media_type, whole, "*/*"):
        qualities = [quality for asked, quality in ranges if asked == name]
        if qualities:
            return max(qualities)
    return 0.0
