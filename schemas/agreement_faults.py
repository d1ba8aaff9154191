"""What can be wrong with an agreement file, and how to mend it: one text a code, both languages.

The texts never repeat what the file says; pointer and line show the place.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.text import Text


class Fault(NamedTuple):
    """One fault: where (JSON pointer; line from 1, where known), which code, how to mend it."""

    pointer: str
    line: int | None
    code: str
    message: Text

    def __str__(self) -> str:
        """Write it as compilers do, after the file's name."""
        return f"{self.line or 1}: {self.pointer or '/'}: {self.message.id} / {self.message.en}"


class AgreementInvalid(Exception):
    """An agreement file is refused as a whole; `faults` says everything found, by line."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{len(faults)} faults in the agreement")
        self.faults = faults


MESSAGES: Mapping[str, Text] = MappingProxyType(
    {
        "not-yaml": Text(
            "Bukan YAML yang sah; periksa indentasi, tanda kutip dan kurung.",
            "Not valid YAML; check indentation, quotes and brackets.",
        ),
        "too-large": Text(
            "Berkas terlalu besar untuk sebuah perjanjian.",
            "The file is too large for an agreement.",
        ),
        "alias": Text(
            "Jangkar dan alias YAML tidak diterima; tuliskan isinya lengkap.",
            "YAML anchors and aliases are not accepted; write the content out.",
        ),
        "duplicate-key": Text(
            "Kunci ini sudah ada; hapus salah satunya.",
            "This key is there already; remove one.",
        ),
        "missing": Text("Wajib diisi.", "Required."),
        "empty": Text("Tidak boleh kosong; isi atau hapus.", "Must not be empty; fill or remove."),
        "unknown-member": Text(
            "Bagian ini tidak dikenal; periksa ejaannya.",
            "Not a member of an agreement; check the spelling.",
        ),
        "wrong-shape": Text(
            "Bentuknya keliru: periksa apakah seharusnya daftar, kelompok atau satu nilai.",
            "Of the wrong shape: should it be a list, a mapping or one value?",
        ),
        "not-a-string": Text(
            "Harus teks; beri tanda kutip.",
            "Must be text; put it in quotes.",
        ),
        "not-a-number": Text("Harus bilangan bulat.", "Must be a whole number."),
        "not-a-date": Text(
            "Harus tanggal berbentuk TTTT-BB-HH.",
            "Must be a date written YYYY-MM-DD.",
        ),
        "not-an-instant": Text(
            "Tulis waktu dengan selisih dari UTC: YYYY-MM-DDTHH:MM:SS+07:00",
            "Write an instant with its offset from UTC: YYYY-MM-DDTHH:MM:SS+07:00",
        ),
        "not-one-of": Text(
            "Bukan salah satu pilihan yang ada.",
            "Not one of the choices there are.",
        ),
        "out-of-range": Text(
            "Di luar batas yang diizinkan.",
            "Outside the permitted range.",
        ),
        "malformed": Text("Bentuk tulisannya keliru.", "Not written in the required form."),
        "duplicate": Text(
            "Sudah tercantum; hapus salah satunya.",
            "Listed already; remove one.",
        ),
        "malformed-purpose": Text(
            "Kode tujuan memakai huruf besar, angka dan tanda hubung, misalnya PKH-VERIFIKASI.",
            "A purpose code has capitals, digits and hyphens, such as PKH-VERIFIKASI.",
        ),
        "unknown-operation": Text(
            "Operasi tidak dikenal; lihat daftar cakupan (scope).",
            "Unknown operation; see the list of scopes.",
        ),
        "unknown-variable": Text(
            "Variabel, kelompok atau tingkat tidak dikenal; lihat docs/variables.md.",
            "Unknown variable, group or level; see docs/variables.md.",
        ),
        "ambiguous-variable": Text(
            "Nama ini ada di kedua set; tulis keluarga.NAMA atau anggota.NAMA.",
            "The name stands in both sets; write keluarga.NAME or anggota.NAME.",
        ),
        "variable-above-level": Text(
            "Variabel kesehatan atau disabilitas hanya boleh pada tingkat L4; "
            "naikkan tingkatnya atau hapus variabelnya.",
            "A variable of health or disability needs level L4; raise the level or drop it.",
        ),
        "unknown-mask": Text(
            "Penyamaran tidak dikenal; lihat daftarnya di docs/variables.md.",
            "Unknown mask; see the list in docs/variables.md.",
        ),
        "mask-not-applicable": Text(
            "Penyamaran ini tidak cocok untuk jenis variabelnya.",
            "This mask does not fit the variable's kind.",
        ),
        "mask-without-variable": Text(
            "Variabel ini tidak dibuka pada tujuan ini; tambahkan ke variables atau hapus.",
            "This purpose does not open the variable; add it to variables or remove the mask.",
        ),
        "dates-reversed": Text(
            "Tanggal akhir mendahului tanggal awal.",
            "The end comes before the beginning.",
        ),
        "expired": Text(
            "Perjanjian ini sudah berakhir; perpanjang tanggalnya.",
            "The agreement has ended already; extend its dates.",
        ),
        "range-reversed": Text(
            "Batas atas lebih kecil daripada batas bawah.",
            "The maximum is below the minimum.",
        ),
        "malformed-wilayah": Text(
            "Bukan kode wilayah pada sistem yang disebut.",
            "Not a region code of the stated system.",
        ),
        "unknown-wilayah": Text(
            "Tidak ada wilayah dengan kode ini pada sistem yang disebut.",
            "No region of the stated system has this code.",
        ),
        "wilayah-not-convertible": Text(
            "Kode Kemendagri di bawah kabupaten/kota belum dapat dipadankan; "
            "tulis kode BPS dengan system: bps.",
            "Kemendagri codes below regency have no bridge yet; write BPS codes with system: bps.",
        ),
        "overlapping-wilayah": Text(
            "Wilayah ini sudah termasuk dalam wilayah lain di daftar; hapus salah satunya.",
            "Another region of the list contains this one; remove one.",
        ),
        "unknown-purpose": Text(
            "Tujuan ini tidak ada di `purposes`.",
            "Not one of the agreement's purposes.",
        ),
        "set-not-applicable": Text(
            "Hanya variabel berkode milik keluarga yang dapat membatasi baris.",
            "Only a family's coded variable can limit the rows.",
        ),
        "unknown-value": Text(
            "Nilai ini tidak ada dalam daftar kodenya; lihat docs/variables.md.",
            "Not a value of the variable's code list; see docs/variables.md.",
        ),
        "unknown-client": Text(
            "Klien ini tidak ada dalam daftar clients.",
            "Not one of the agreement's clients.",
        ),
        "joint-with-itself": Text(
            "Instansi tidak berbagi ID dengan dirinya sendiri; hapus.",
            "An agency is not joint with itself; remove it.",
        ),
        "exception-outlives-agreement": Text(
            "Pengecualian berakhir sesudah perjanjian; majukan tanggalnya.",
            "The exception ends after the agreement; bring it forward.",
        ),
    },
)
"""Every code that a fault can have, with the way to mend it."""
