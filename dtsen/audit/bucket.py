"""Files for outsiders in an S3-compatible object store, through `obstore`.

An object is there whole or not at all, and durable when the store has answered. The checkpoint is
replaced on condition that the one read before still lies there (If-Match, If-None-Match), so that
two machines that share nothing but the bucket never replace each other's. Credentials, region and
endpoint are the client's own `AWS_*` variables.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

TIMEOUT = timedelta(seconds=10)
PATIENCE = timedelta(seconds=15)
"""Within which a call is tried again; the sequencer itself tries again after that."""


class Bucket:
    """What lies in a bucket below a prefix."""

    def __init__(self, uri: str) -> None:
        """Take `s3://bucket/prefix`. Nothing is asked yet."""
        url = urlsplit(uri)
        self._uri = uri.rstrip("/")
        self._store = S3Store(
            url.netloc,
            prefix=url.path.strip("/") or None,
            # The endpoint's scheme decides; what is published is public.
            client_options={"timeout": TIMEOUT, "connect_timeout": TIMEOUT, "allow_http": True},
            retry_config={"max_retries": 3, "retry_timeout": PATIENCE},
        )

    def read(self, path: str) -> bytes | None:
        """The content of an object; None where there is none."""
        return self._get(path)[0]

    def write(self, path: str, content: bytes) -> None:
        """Put an object in its place."""
        with self._reached(path):
            obstore.put(self._store, path, content)

    def swap(self, path: str, before: bytes | None, content: bytes) -> bool:
        """Put an object in the place of `before`, if the store finds that there still."""
        found, tag = self._get(path)
        if found != before:
            return False
        with self._reached(path):
            try:
                if tag is None:
                    obstore.put(self._store, path, content, mode="create")
                else:
                    obstore.put(self._store, path, content, mode={"e_tag": tag})
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def has(self, path: str) -> bool:
        """Whether there is an object."""
        with self._reached(path):
            try:
                obstore.head(self._store, path)
            except FileNotFoundError:
                return False
        return True

    def clear(self, path: str) -> None:
        """Remove the objects directly below a path, if there are any."""
        with self._reached(path):
            listed = obstore.list_with_delimiter(self._store, path)["objects"]
            for one in listed:
                obstore.delete(self._store, one["path"])

    def years(self, name: str) -> Sequence[int]:
        """The years below which an object of this name lies."""
        with self._reached(""):
            listed = obstore.list_with_delimiter(self._store)["common_prefixes"]
        found = [int(one) for one in listed if one.isdecimal()]
        return [year for year in found if self.has(f"{year}/{name}")]

    def locate(self, path: str) -> str:
        """The object's address."""
        return f"{self._uri}/{path}"

    def _get(self, path: str) -> tuple[bytes | None, str | None]:
        with self._reached(path):
            try:
                found = obstore.get(self._store, path)
                return bytes(found.bytes()), found.meta["e_tag"]
            except FileNotFoundError:
                return None, None

    @contextmanager
    def _reached(self, path: str) -> Iterator[None]:
        """Tell the failures of a store as those of a disk are told; their text may hold a key."""
        try:
            yield
        except BaseError as error:
            said = f"the object store refuses or is away ({type(error).__name__})"
            raise OSError(errno.EIO, said, self.locate(path)) from None
