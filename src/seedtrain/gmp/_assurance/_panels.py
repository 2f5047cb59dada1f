"""The verdict of a release panel on a lot, in the record: one that does not pass keeps the lot and its batch back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._assurance._checks import AssuranceRecorded, as_text, known_lot, read_verdict
from seedtrain.gmp._assurance._composition import DECIDE
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._holds import hold_downstream
from seedtrain.quality import Verdict
from seedtrain.record import Draft, Ledger, append_signed

PANEL_JUDGED: Final = "assurance.panel_judged"
REMEDY: Final = "Judge this lot alone: seedtrain verify panel PANEL RESULTS --lot LOT --json."


def record_panel_verdict(
    ledger: Ledger, lot: str, verdict: Verdict | Mapping[str, Any], actor: str, *, at: datetime | None = None
) -> AssuranceRecorded:
    """Record the verdict of `seedtrain verify panel --lot --json` on a lot, or on the batch of that name; signed.

    A verdict that fails or is inconclusive puts the lot or batch, and everything downstream, on hold, which its release
    reads; quality lifts the hold. Raises `InputError` for a document that is no verdict of a panel on this lot alone.
    """
    authorise(ledger, actor, DECIDE)
    known_lot(ledger, lot)
    found = verdict if isinstance(verdict, Verdict) else read_verdict(verdict)
    panel = next((line.removeprefix("panel ") for line in found.evidence if line.startswith("panel ")), "")
    told = [line.removeprefix("lot ") for line in found.evidence if line.startswith("lot ")]
    if not panel:
        raise InputError("this verdict is of no release panel", remedy=REMEDY)
    if told != [lot]:
        raise InputError(f"this verdict is of lot {', '.join(told) or 'several lots'}, not of {lot}", remedy=REMEDY)
    open_ones = "; ".join(f"{item.name}: {item.verdict}" for item in found.criteria if item.verdict != "pass")[:500]
    payload = {
        "panel": panel,
        "verdict": found.verdict,
        "summary": open_ones or "every test passes",
        "digest": digest(as_text(found.to_data())),
        "evidence": list(found.evidence)[:50],
    }
    identity = digest([PANEL_JUDGED, lot, payload])[:32]
    draft = Draft(PANEL_JUDGED, lot, payload, actor, at, id=identity)
    event, _signature = append_signed(ledger, draft, "evidence recorded")
    if found.verdict == "pass":
        return AssuranceRecorded(event, None)
    words = f"release panel {panel.partition(',')[0]}: {open_ones}"
    return AssuranceRecorded(event, hold_downstream(ledger, lot, words, actor, cause=event.id, at=at))
