"""A release on disk in the official format (contract 6): files written as they grow, a manifest.

The folder appears under its name only when it is whole; until then it is called `<name>.partial`.
"""

import hashlib
import shutil
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from dtsen.releases.layout import FILES, File
from dtsen.releases.manifest import MANIFEST, FileEntry, Manifest

FileFormat: TypeAlias = Literal["parquet", "csv"]


class ReleaseFolder:
    """A release that is being written; use as a context manager.

    Raises:
        FileExistsError: a release lies there already; nothing is ever overwritten.
    """

    def __init__(self, folder: Path, file_format: FileFormat, manifest: Manifest) -> None:
        if folder.exists():
            raise FileExistsError(folder)
        self._folder = folder
        self._partial = folder.with_name(folder.name + ".partial")
        self._format = file_format
        self._manifest = manifest
        self._writers: dict[File, pq.ParquetWriter | pa_csv.CSVWriter] = {}
        self._rows: dict[File, int] = dict.fromkeys(FILES, 0)

    def __enter__(self) -> Self:
        """Begin anew what an earlier run may have left unfinished."""
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the manifest and give the folder its name; after an error leave nothing."""
        for writer in self._writers.values():
            writer.close()
        if kind is not None:
            shutil.rmtree(self._partial)
            return
        whole = self._manifest.model_copy(update={"files": self._entries()})
        text = whole.model_dump_json(indent=2) + "\n"
        (self._partial / MANIFEST).write_text(text, encoding="utf-8")
        self._partial.rename(self._folder)

    def _entries(self) -> dict[str, FileEntry]:
        """Rows and digest of each file."""
        entries = {}
        for name in FILES:
            path = self._path(name)
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            entries[path.name] = FileEntry(rows=self._rows[name], sha256=digest)
        return entries

    def _path(self, name: File) -> Path:
        return self._partial / f"{name}.{self._format}"

    def write(self, name: File, table: pa.Table) -> None:
        """Append rows to one of the files."""
        if name not in self._writers:
            self._writers[name] = _writer(self._path(name), self._format, table.schema)
        self._writers[name].write_table(table)
        self._rows[name] += table.num_rows


def _writer(
    path: Path, file_format: FileFormat, schema: pa.Schema
) -> pq.ParquetWriter | pa_csv.CSVWriter:
    """A writer of the format's own library."""
    if file_format == "csv":
        return pa_csv.CSVWriter(path, schema)
    return pq.ParquetWriter(path, schema, compression="zstd")
