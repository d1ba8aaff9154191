"""What not being found means, and where to go: the same words for every agency and reason.

Source: the usual causes and ways forward that citizens meet (cut-off dates, family cards,
population data not in step; musdes or muskel, dinas sosial, Cek Bansos).
"""

from schemas.text import Text

CAUSES: dict[str, Text] = {
    "not_yet_listed": Text(
        "Orang atau keluarga ini belum pernah diusulkan atau belum ditetapkan sampai rilis ini.",
        "This person or family was never proposed, or not determined up to this release.",
    ),
    "number_differs": Text(
        "Nomor pada dokumen berbeda dari yang tercatat, misalnya NIK atau KK yang sudah diganti.",
        "The number on the document differs from the one on record, such as a replaced NIK or KK.",
    ),
    "family_changed": Text(
        "Kartu keluarga baru, pernikahan, atau pindah alamat belum masuk rilis ini.",
        "A new family card, a marriage or a move has not reached this release.",
    ),
    "population_data_pending": Text(
        "Data kependudukan (Dukcapil) belum padan sehingga belum dapat ditetapkan.",
        "Population data (Dukcapil) do not match yet, so that nothing could be determined.",
    ),
}
"""Usual causes by code."""

NEXT_STEPS: dict[str, Text] = {
    "check_documents": Text(
        "Periksa NIK dan KK pada dokumen terbaru; perbaiki di Dukcapil bila berbeda.",
        "Check NIK and KK on the newest documents; have Dukcapil correct them where they differ.",
    ),
    "propose_at_village": Text(
        "Ajukan usulan atau perbaikan melalui desa/kelurahan (musdes/muskel) atau dinas sosial.",
        "Propose or correct through the village (musdes/muskel) or the social office.",
    ),
    "propose_online": Text(
        "Ajukan usul atau sanggah melalui aplikasi Cek Bansos.",
        "Propose or object through the Cek Bansos application.",
    ),
    "check_next_release": Text(
        "Periksa lagi setelah rilis berikutnya; catat tanggal dan jawaban ini.",
        "Check again after the next release; note the date and this answer.",
    ),
}
"""Ways forward by code."""


def told(texts: dict[str, Text], language: str) -> list[dict[str, str]]:
    """The entries of a problem's `causes` or `next_steps`."""
    return [{"code": code, "text": text.spoken(language)} for code, text in texts.items()]
