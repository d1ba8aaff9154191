"""The example family: four people who stand, always the same, in every synthetic release.

Whatever the seed, the size and the release, so that documentation may show them. They are in no
figure: a measured share should not lean on people who were put there.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import pyarrow as pa
import yaml

from dtsen.releases.layout import FILES, File, fields

EXAMPLE_NIKS = ("3374990101900001", "3374995502920001", "3374991005150001", "3374996008190001")
"""Father, mother, son and daughter."""
EXAMPLE_KK = "3374990101150001"
EXAMPLE_ID_DTKS = "3374990999000100"

_TYPES = {
    "integer": pa.int32(),
    "decile": pa.int32(),
    "date": pa.date32(),
    "score": pa.float64(),
}


@cache
def example_tables(metadata_version: str) -> Mapping[File, pa.Table]:
    """The rows that the example family adds to each file of a release."""
    said = yaml.safe_load((files(__package__) / "example.yaml").read_text(encoding="utf-8"))
    people = [{**said["anggota"], **member} for member in said["members"]]
    rows = {
        "keluarga": [said["keluarga"]],
        "anggota": people,
        "dtks": [_link(said["dtks"], place, person) for place, person in enumerate(people, 1)],
        "perubahan": said["perubahan"],
    }
    return {
        file: pa.Table.from_pylist(rows[file], schema=_schema(file, metadata_version))
        for file in FILES
    }


def _link(household: dict[str, object], place: int, person: dict[str, object]) -> dict[str, object]:
    return {
        **household,
        "id_art_dtks": f"{household['id_dtks']}{place:02d}",
        "idsemesta": f"sintetis-contohkeluarga{place:02d}",
        "nomor_induk_kependudukan": person["nomor_induk_kependudukan"],
    }


def _schema(file: File, metadata_version: str) -> pa.Schema:
    return pa.schema(
        [
            (field.name, _TYPES.get(field.kind, pa.string()))
            for field in fields(file, metadata_version)
        ]
    )
