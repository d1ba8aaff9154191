"""An agreement told in sentences, Indonesian and English, in the order in which people ask."""

import re
from collections.abc import Iterator

from schemas import wilayah
from schemas.agreement_models import Agreement, Purpose, RegionRows, opened_variables
from schemas.text import Text

_UNITS = {
    "Y": Text("tahun", "years"),
    "M": Text("bulan", "months"),
    "W": Text("minggu", "weeks"),
    "D": Text("hari", "days"),
}
_BINDINGS = {
    "dpop": Text("DPoP", "DPoP"),
    "mtls": Text("sertifikat klien", "a client certificate"),
    "none": Text("tanpa ikatan kunci", "no key at all"),
}


def sentences(agreement: Agreement) -> Iterator[Text]:
    """Say what an agreement opens, to whom, for what, how much, until when."""
    agency, valid = agreement.agency, agreement.valid
    yield Text(
        f"Perjanjian {agreement.agreement} versi {agreement.version} dengan {agency.name}"
        f" ({agency.role}), berlaku {valid.from_} sampai {valid.to}.",
        f"Agreement {agreement.agreement} version {agreement.version} with {agency.name}"
        f" ({agency.role}), in force from {valid.from_} to {valid.to}.",
    )
    for code, purpose in agreement.purposes.items():
        yield _purpose(code, purpose)
    yield from _rows(agreement)
    yield from _quota(agreement)
    yield from _tokens(agreement)
    if agreement.legacy is not None:
        ends = agreement.legacy.sunset
        yield Text(
            f"Layanan berbentuk DTKS berakhir {ends}.",
            f"The DTKS-shaped service ends on {ends}.",
        )
    if agreement.joint:
        others = ", ".join(agreement.joint)
        yield Text(
            f"ID dari dan ke {others} boleh diterjemahkan, selama perjanjiannya juga menyebut"
            f" {agency.code}.",
            f"Ids from and to {others} may be translated while their agreement names"
            f" {agency.code} too.",
        )
    kept = duration(agreement.retention)
    yield Text(
        f"Data disimpan paling lama {kept.id}; penilaian dampak {agreement.dpia}.",
        f"Data are kept for at most {kept.en}; impact assessment {agreement.dpia}.",
    )
    people = ", ".join(f"{each.role} <{each.email}>" for each in agreement.contacts)
    yield Text(f"Narahubung: {people}.", f"Contacts: {people}.")


def duration(written: str) -> Text:
    """Say an ISO 8601 duration of an agreement in words."""
    parts = [(count, _UNITS[unit]) for count, unit in re.findall(r"([0-9]+)([YMWD])", written)]
    return Text(
        " ".join(f"{count} {unit.id}" for count, unit in parts),
        " ".join(
            f"{count} {unit.en.removesuffix('s') if count == '1' else unit.en}"
            for count, unit in parts
        ),
    )


def _purpose(code: str, purpose: Purpose) -> Text:
    opened = opened_variables(purpose)
    masked = [each.qualified for each in opened if purpose.mask_of(each) is not None]
    basis, operations = "; ".join(purpose.legal_basis), ", ".join(purpose.operations)
    hidden = ", ".join(masked)
    return Text(
        f"Untuk {code} ({basis}): {operations}; {len(opened)} variabel"
        + (f", disamarkan: {hidden}." if masked else "."),
        f"For {code} ({basis}): {operations}; {len(opened)} variables"
        + (f", masked: {hidden}." if masked else "."),
    )


def _rows(agreement: Agreement) -> Iterator[Text]:
    rows = agreement.rows
    if rows is None:
        yield Text("Semua keluarga di seluruh Indonesia.", "Every family of the whole country.")
        return
    if rows.wilayah is not None:
        named = ", ".join(_regions(rows.wilayah)) or "-"
        yield Text(f"Hanya keluarga di wilayah: {named}.", f"Only families in: {named}.")
    if (deciles := rows.desil_nasional) is not None:
        least, most = deciles.min or 1, deciles.max or 10
        yield Text(
            f"Hanya keluarga desil nasional {least} sampai {most}; yang tanpa desil tidak masuk.",
            f"Only families of national decile {least} to {most}; those without one are outside.",
        )

    for name, values in rows.sets.items():
        listed = ", ".join(values) or "-"
        yield Text(
            f"Hanya keluarga dengan {name}: {listed}.",
            f"Only families with {name}: {listed}.",
        )


def _regions(rows: RegionRows) -> Iterator[str]:
    for code in rows.codes:
        found = wilayah.find(rows.system, code)
        yield f"{found.name} ({rows.system} {code})" if found else f"{rows.system} {code}"


def _quota(agreement: Agreement) -> Iterator[Text]:
    requests, people = agreement.quota.requests.per_second, agreement.quota.people
    monthly = people.per_month
    yield Text(
        f"Paling banyak {requests} permintaan per detik dan {people.per_day} orang per hari"
        + (f", {monthly} orang per bulan" if monthly else "")
        + ", ditimbang menurut kepekaan data.",
        f"At most {requests} requests a second and {people.per_day} people a day"
        + (f", {monthly} people a month" if monthly else "")
        + ", weighted by how sensitive the data are.",
    )


def _tokens(agreement: Agreement) -> Iterator[Text]:
    bound = _BINDINGS[agreement.tokens.binding]
    yield Text(f"Token terikat: {bound.id}.", f"Tokens are bound by {bound.en}.")
    for each in agreement.tokens.exceptions:
        other = _BINDINGS[each.binding]
        yield Text(
            f"Pengecualian sampai {each.until}: token {each.client} {other.id}.",
            f"Exception until {each.until}: tokens of {each.client} are bound by {other.en}.",
        )
