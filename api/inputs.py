"""Parts of requests that several operations share."""

from typing import Annotated

from pydantic import Field

FieldName = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z_.]+$")]
Fields = Annotated[list[FieldName], Field(max_length=100)]
"""Names of variables: `keluarga.NAME`, `anggota.NAME`, or the bare name where it is unique."""

AsOf = Annotated[str, Field(pattern=r"^([0-9]{4}-Q[1-4]|[0-9]{4}-[0-9]{2}-[0-9]{2})$")]
"""A release id, or a date: the release active at the end of that day (WIB)."""

SubjectId = Annotated[str, Field(min_length=1, max_length=100)]
"""An agency's own opaque id of a person or family."""
