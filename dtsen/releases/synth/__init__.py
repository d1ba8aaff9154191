"""Synthetic releases of one living population, in the official format (contract 6).

`synthesise` writes consecutive releases that are realistic in what the domain notes measured and
cannot be mistaken for real ones: NIK and KK carry the district digits 99 and ID DTKS the village
digits 999, which do not exist; names, streets, districts and villages are invented words; an
idsemesta says that it is synthetic. The same seed and size give the same data on every machine.

One family is the same in all of them, for documentation: see `example`.

Finding people for examples: nothing is marked for that; load a release and ask it. From 2,000
families on, each of these has at least five people in every release:

- moved, changed_family_card: `perubahan` rows of `anggota` with reason `moved`, `new_family_card`;
- deceased: `record_state` deceased;
- in_verification, stale_population_data: `update_state` in_verification, `hold`
  population_data_differs;
- no_decile, above_threshold: the family's `desil_nasional` is null, is 9 or 10.

And each outcome of a DTKS id (contract 4): exact; split (an `id_dtks` whose people now stand on
several cards); merged (`state` retired, `replaced_by` given); unmatched (all rows of the id are);
deceased (`state`, or the record state of the NIK); out_of_snapshot (linked, the NIK is not in
`anggota`); ambiguous (an `id_art_dtks` with two NIKs, by links of unequal evidence); unknown is any
other id, village digits 999 included.
"""

from dtsen.releases.synth.example import EXAMPLE_ID_DTKS, EXAMPLE_KK, EXAMPLE_NIKS
from dtsen.releases.synth.figures import Figure, Figures
from dtsen.releases.synth.run import synthesise

__all__ = [
    "EXAMPLE_ID_DTKS",
    "EXAMPLE_KK",
    "EXAMPLE_NIKS",
    "Figure",
    "Figures",
    "synthesise",
]
