"""What is not there, as far as the caller may know."""

from dtsen.errors.base import DtsenError
from schemas.text import Text


class PathNotFound(DtsenError):
    """No operation lives at this path."""

    code = "not-found"
    status = 404
    title = Text("Alamat tidak dikenal", "Unknown path")
    detail = Text("Tidak ada operasi di alamat ini.", "There is no operation at this path.")


class SubjectNotFound(DtsenError):
    """A person or family is not found within what the agreement lets this agency see."""

    code = "subject-not-found"
    status = 404
    title = Text("Tidak ditemukan dalam cakupan Anda", "Not found within your scope")
    detail = Text(
        "Tidak tercatat pada rilis yang disebut, dalam cakupan yang disebut. Ini bukan penolakan"
        " bantuan dan bukan bukti bahwa orangnya tidak ada; lihat `causes` dan `next_steps`.",
        "Not recorded in the release named, within the scope named. This is no refusal of aid and"
        " no proof that the person does not exist; see `causes` and `next_steps`.",
    )


class NoRelease(DtsenError):
    """No release was active then, or the one asked for is not kept."""

    code = "no-release"
    status = 404
    title = Text("Tidak ada rilis", "No such release")
    detail = Text(
        "Tidak ada rilis yang berlaku pada tanggal itu, atau rilis itu tidak disimpan lagi.",
        "No release was active at that date, or that release is no longer kept.",
    )


class RecordNotFound(DtsenError):
    """No access record of this id that the caller may see."""

    code = "record-not-found"
    status = 404
    title = Text("Catatan tidak ditemukan", "Record not found")
    detail = Text(
        "Tidak ada catatan akses dengan id ini yang boleh Anda lihat.",
        "There is no access record of this id that you may see.",
    )
