"""What a caller is told to do next: a code that programs branch on, a sentence for people.

A sentence may come with an identifier: the one that was read, or the one to try or to use instead.
"""

from dataclasses import dataclass

from dtsen.legacy.identifiers import Identifier
from schemas.text import Text


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice, with the identifier that it is about."""

    code: str
    identifier: Identifier | None = None


ADVICE: dict[str, Text] = {
    # How the input was read.
    "separators_removed": Text(
        "Spasi, titik, atau tanda hubung dibuang; nomor dibaca seperti tertulis di sini.",
        "Spaces, dots or dashes were dropped; the number was read as written here.",
    ),
    "decimal_tail_removed": Text(
        "Ekor `.0` dari lembar kerja dibuang; simpan kolom nomor sebagai teks.",
        "A spreadsheet's `.0` tail was dropped; keep the column of numbers as text.",
    ),
    "digits_only": Text(
        "Nomor ini hanya terdiri atas angka 0 sampai 9; periksa huruf atau tanda lain.",
        "This number has digits 0 to 9 alone; look for letters or other signs.",
    ),
    "rounded_by_spreadsheet": Text(
        "Lembar kerja telah membulatkan nomor ini; angka akhirnya hilang. Ambil dari sumbernya.",
        "A spreadsheet rounded this number; its last digits are lost. Take it from its source.",
    ),
    "wrong_length": Text(
        "Jumlah angka tidak sesuai: ID DTKS dan NIK 16 angka, ID ART DTKS 18 angka.",
        "The number of digits is wrong: ID DTKS and NIK have 16 digits, ID ART DTKS has 18.",
    ),
    "zeros_lost": Text(
        "Angka nol di depan nomor urut tampaknya hilang. Cocokkan nomor ini dengan dokumennya,"
        " lalu kirim ulang; kami tidak menebak.",
        "Zeros before the serial number seem lost. Compare this number with the document, then"
        " send it again; we do not guess.",
    ),
    "other_scheme": Text(
        "Nomor ini berbentuk identitas lain; kirim ulang dengan skema ini bila memang itu.",
        "This has the form of another identifier; send it again under this scheme if it is one.",
    ),
    "malformed": Text(
        "idsemesta terdiri atas 1 sampai 64 huruf, angka, atau tanda, tanpa spasi.",
        "An idsemesta has 1 to 64 letters, digits or signs, without spaces.",
    ),
    "looks_like_nik": Text(
        "Nomor ini mungkin NIK; bila benar, cari dengan layanan individu menurut NIK.",
        "This may be a NIK; if it is, look the person up by NIK.",
    ),
    "looks_like_nik_or_kk": Text(
        "Nomor ini mungkin NIK atau nomor KK; bila benar, cari orang atau keluarganya.",
        "This may be a NIK or KK; if it is, look the person or the family up.",
    ),
    # What to do about an outcome.
    "check_the_document": Text(
        "Belum pernah ada identitas ini di DTKS. Cocokkan dengan dokumen aslinya.",
        "DTKS never had this identifier. Compare it with the original document.",
    ),
    "match_population_data": Text(
        "Di DTKS tidak pernah ada NIK yang padan. Padankan NIK dan KK di Dukcapil, lalu cari"
        " menurut NIK.",
        "DTKS never had a NIK that matched. Have NIK and KK matched at Dukcapil, then look up by"
        " NIK.",
    ),
    "look_up_the_living": Text(
        "Hentikan pemakaian identitas ini. Cari anggota keluarga yang masih hidup menurut NIK atau"
        " KK mereka sendiri.",
        "Stop using this identifier. Look living members of the family up by their own NIK or KK.",
    ),
    "confirm_the_death": Text(
        "Kematian tercatat pada tautan DTKS, tetapi belum pada rilis ini. Pastikan di Dukcapil"
        " sebelum menghentikan hak.",
        "The death stands in the DTKS link but not in this release. Confirm it at Dukcapil before"
        " you end any right.",
    ),
    "look_up_by_nik": Text(
        "Tidak ditemukan dalam lingkup perjanjian Anda pada rilis ini; mungkin tercatat di tempat"
        " lain. Cari menurut NIK pada dokumen terbaru, atau coba lagi setelah rilis berikutnya.",
        "Not found within your agreement in this release; may be recorded elsewhere. Look up by the"
        " NIK of the newest documents, or try again after the next release.",
    ),
    "decide_by_documents": Text(
        "Identitas ini tertaut tidak sama kuat ke lebih dari satu orang atau keluarga. Putuskan"
        " dengan KTP dan KK; jangan ambil yang pertama.",
        "This identifier is linked unequally to more than one person or family. Decide by identity"
        " card and family card; never take the first.",
    ),
    "choose_the_family": Text(
        "Rumah tangga ini kini beberapa keluarga. Terjemahkan tiap anggota dengan id_art_dtks, atau"
        " tanyakan keluarga mana yang dimaksud.",
        "This household is now several families. Translate each member by id_art_dtks, or ask which"
        " family is meant.",
    ),
    "use_replacement": Text(
        "Identitas ini digabung ke identitas di sini; ganti di sistem Anda.",
        "This identifier was merged into the one given here; replace it in your system.",
    ),
    "members_unmatched": Text(
        "Sebagian anggota rumah tangga ini tidak pernah padan dan tidak tertaut ke siapa pun.",
        "Some members of this household never matched and are linked to nobody.",
    ),
    "family_withheld": Text(
        "Keluarga orang ini sedang dibatasi; yang diberikan adalah orangnya.",
        "This person's family is restricted at present; the person is given instead.",
    ),
    "more_candidates": Text(
        "Kandidat lebih banyak daripada yang dapat dicantumkan; laporkan sebagai kesalahan data.",
        "There are more candidates than can be listed; report this as an error in the data.",
    ),
}
"""Sentences by code."""


def told(advice: Advice, language: str) -> dict[str, str]:
    """One entry of `advice` in the answer."""
    entry = {"code": advice.code, "text": ADVICE[advice.code].spoken(language)}
    if advice.identifier is not None:
        entry |= {"scheme": advice.identifier.scheme, "value": advice.identifier.value}
    return entry
