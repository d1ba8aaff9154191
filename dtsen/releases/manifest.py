"""The manifest of a release folder (contract 6): what it is, and what its files must be."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dtsen.releases.layout import FILES, File
from dtsen.releases.refusals import ReleaseRefused
from dtsen.releases.report import Report
from schemas.codes import METADATA_VERSIONS

MANIFEST = "manifest.json"

_REQUIRED: frozenset[File] = frozenset({"keluarga", "anggota", "dtks"})
_FILE_NAME = re.compile(rf"({'|'.join(FILES)})\.(parquet|csv)")


class FileEntry(BaseModel):
    """Rows (records without the header) and SHA-256 (lower-case hex) of one file."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    rows: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """One release: its id, the metadata version of its variables, its dates and its files."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    release: Annotated[str, Field(pattern="^[0-9]{4}-Q[1-4]$")]
    metadata_version: str
    cut_off: date
    published: date
    next_publication: date | None = None
    files: dict[str, FileEntry]

    def entries(self) -> Mapping[File, tuple[str, FileEntry]]:
        """Give name and entry of each file, in the order in which they are loaded."""
        by_stem = {name.partition(".")[0]: (name, entry) for name, entry in self.files.items()}
        return {file: by_stem[file] for file in FILES if file in by_stem}


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a release folder, strictly.

    Raises:
        ReleaseRefused: it is missing, is not what contract 6 says, or names files we do not know.
    """
    report = Report()
    try:
        text = (folder / MANIFEST).read_text("utf-8")
        json.loads(text, object_pairs_hook=_without_duplicates)
        manifest = Manifest.model_validate_json(text)
    except FileNotFoundError:
        report.refuse(MANIFEST, "missing-file")
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False, include_context=False):
            member = ".".join(str(part) for part in fault["loc"])
            report.refuse(MANIFEST, "malformed-manifest", column=member or None)
    except (OSError, ValueError):
        report.refuse(MANIFEST, "malformed-manifest")
    else:
        _check(manifest, report)
    if report.refused:
        raise ReleaseRefused(report)
    return manifest


def verify_files(folder: Path, manifest: Manifest, report: Report) -> None:
    """Compare each file's SHA-256 with the manifest's; a difference refuses the release."""
    for name, entry in manifest.entries().values():
        path = folder / name
        if not path.is_file():
            report.refuse(name, "missing-file")
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                report.refuse(name, "sha256-differs")


def _check(manifest: Manifest, report: Report) -> None:
    """Check what the model cannot say: known names, one file a set, dates in their order."""
    if manifest.metadata_version not in METADATA_VERSIONS:
        report.refuse(MANIFEST, "unknown-metadata-version", column="metadata_version")
    stems = [name.partition(".")[0] for name in manifest.files if _FILE_NAME.fullmatch(name)]
    if len(stems) != len(manifest.files) or len(set(stems)) != len(stems):
        report.refuse(MANIFEST, "unknown-file", column="files")
    for missing in sorted(_REQUIRED.difference(stems)):
        report.refuse(missing, "missing-file")
    if manifest.published < manifest.cut_off:
        report.refuse(MANIFEST, "dates-out-of-order", column="published")
    if manifest.next_publication and manifest.next_publication <= manifest.published:
        report.refuse(MANIFEST, "dates-out-of-order", column="next_publication")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object; a doubled member has no one meaning (RFC 8259, section 4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members
