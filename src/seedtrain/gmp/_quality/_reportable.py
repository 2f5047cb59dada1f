"""Which results count for the decision, once the investigations of the ones out of specification are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seedtrain.gmp._batch._judged_lines import ResultLine
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._quality._oos import LABORATORY_ERROR, NOT_CONFIRMED, Investigation
from seedtrain.gmp._quality._results import as_result, is_out, state_now
from seedtrain.quality import Result


def reportable(record: BatchRecord, found: Sequence[Investigation] = ()) -> list[Result]:
    """The results by which a batch is judged, every one by itself: nothing is averaged, nothing left out unheard.

    An out-of-specification result stands as it is unless its investigation is signed to its end: as a laboratory
    error (it counts as invalid, or by its correction), or as not confirmed by all the planned retests (they count).
    While the investigation is open, or where one that was corrected has none, the result decides nothing: the batch
    waits.
    """
    by_result = {item.result: item for item in found}
    results = []
    for line in record.results:
        heard = _heard(line, by_result.get(line.id))
        if heard is not None:
            results.append(heard)
    return results


def _heard(line: ResultLine, item: Investigation | None) -> Result | None:
    result = as_result(line)
    if item is None:
        return replace(result, valid=False) if is_out(line) and state_now(line) != "oos" else result
    if item.conclusion not in ("", LABORATORY_ERROR, NOT_CONFIRMED):
        return result
    if item.conclusion == NOT_CONFIRMED:
        return None
    if item.conclusion == LABORATORY_ERROR and not item.invalidated_by:
        return result  # by its correction
    return replace(result, valid=False)
