"""Why the DTKS-shaped service does not list somebody: a code for programs, words for people."""

from schemas.text import Text

LISTED = Text("Terdaftar.", "Listed.")
UNLISTED = Text(
    "Tidak terdaftar. Ini bukan keputusan tentang bantuan; lihat alasan.",
    "Not listed. This decides nothing about aid; see the reason.",
)

REASONS: dict[str, Text] = {
    "not_found": Text(
        "Tidak ditemukan dalam lingkup perjanjian Anda pada rilis ini; mungkin tercatat di tempat"
        " lain.",
        "Not found within your agreement in this release; may be recorded elsewhere.",
    ),
    "above_threshold": Text(
        "Ditemukan di DTSEN, di atas ambang populasi setara DTKS.",
        "Found in DTSEN, above the threshold of the DTKS-equivalent population.",
    ),
    "no_decile": Text(
        "Ditemukan di DTSEN, belum memiliki desil; jangan simpulkan mampu atau miskin.",
        "Found in DTSEN without a decile yet; conclude neither poor nor not poor.",
    ),
    "inactive": Text(
        "Ditemukan di DTSEN, catatannya tidak aktif.", "Found in DTSEN, the record is inactive."
    ),
    "deceased": Text("Tercatat meninggal.", "Recorded as deceased."),
    "restricted": Text(
        "Datanya sedang dibatasi; jangan simpulkan apa pun.",
        "The data are restricted at present; conclude nothing.",
    ),
    "invalid_format": Text(
        "Nomor ini tidak berbentuk seperti seharusnya; lihat saran.",
        "This number has not the form that it should have; see the advice.",
    ),
    "unknown": Text("DTKS tidak pernah memuat nomor ini.", "DTKS never had this number."),
    "unmatched": Text(
        "Di DTKS nomor ini tidak pernah padan dengan NIK.",
        "In DTKS this number never matched a NIK.",
    ),
    "out_of_snapshot": Text(
        "Pernah ada di DTKS, tidak ditemukan dalam lingkup Anda pada rilis ini.",
        "Was in DTKS, not found within your scope in this release.",
    ),
    "ambiguous": Text(
        "Nomor ini tertaut ke lebih dari satu orang atau keluarga; kami tidak memilih.",
        "This number leads to more than one person or family; we do not pick.",
    ),
}
"""Sentences by code."""

ORDER = ("no_decile", "above_threshold", "restricted", "inactive", "deceased")
"""Which reason is told of a household whose families have several: the least certain first."""
