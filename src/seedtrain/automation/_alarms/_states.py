"""The states of one alarm and what leads from one to another: the state transition diagram of ISA-18.2.

**Source** of the latched states: OPC 10000-9 (v1.05), 4.8 and 5.8.5: a latched alarm is reset once it is no longer
active and was acknowledged. Its model follows ISA 18.2 and IEC 62682 by its clause 1.

The suppressed states lie over the others: an alarm that leaves one is unacknowledged where its condition is present,
and normal where it is not. In more than one at once it shows the strongest: out of service, suppressed, shelved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class AlarmState(StrEnum):
    """Letters are those of the 2016 edition's diagram, as implementations of it have them; latched ones have none."""

    NORMAL = "normal"  # A
    UNACKNOWLEDGED = "unacknowledged"  # B
    ACKNOWLEDGED = "acknowledged"  # C
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"  # D
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"
    SHELVED = "shelved"  # E
    SUPPRESSED = "suppressed_by_design"  # F
    OUT_OF_SERVICE = "out_of_service"  # G


class AlarmHappening(StrEnum):
    """What happens to an alarm, as the record names it after `alarm.`."""

    RAISED = "raised"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    REMOVED = "removed_from_service"
    RESTORED = "returned_to_service"


S, H = AlarmState, AlarmHappening
TABLE: Final[Mapping[tuple[AlarmState, AlarmHappening], AlarmState]] = {
    (S.NORMAL, H.RAISED): S.UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, H.ACKNOWLEDGED): S.ACKNOWLEDGED,
    (S.UNACKNOWLEDGED, H.RETURNED): S.RETURNED_UNACKNOWLEDGED,
    (S.ACKNOWLEDGED, H.RETURNED): S.NORMAL,
    (S.RETURNED_UNACKNOWLEDGED, H.ACKNOWLEDGED): S.NORMAL,
    (S.RETURNED_UNACKNOWLEDGED, H.RAISED): S.UNACKNOWLEDGED,
    (S.LATCHED_UNACKNOWLEDGED, H.ACKNOWLEDGED): S.LATCHED_ACKNOWLEDGED,
    (S.LATCHED_UNACKNOWLEDGED, H.RAISED): S.UNACKNOWLEDGED,
    (S.LATCHED_ACKNOWLEDGED, H.RESET): S.NORMAL,
    (S.LATCHED_ACKNOWLEDGED, H.RAISED): S.UNACKNOWLEDGED,
}
"""Of an alarm that does not latch."""

LATCHING: Final[Mapping[tuple[AlarmState, AlarmHappening], AlarmState]] = {
    (S.UNACKNOWLEDGED, H.RETURNED): S.LATCHED_UNACKNOWLEDGED,
    (S.ACKNOWLEDGED, H.RETURNED): S.LATCHED_ACKNOWLEDGED,
}
"""Instead, of one that does: it is acknowledged first and reset then."""


@dataclass(frozen=True)
class Layers:
    """Where an alarm stands: its state beneath, whether its condition is present, and what lies over it."""

    beneath: AlarmState = AlarmState.NORMAL
    present: bool = False
    shelved: bool = False
    suppressed: bool = False
    out_of_service: bool = False

    @property
    def state(self) -> AlarmState:
        """The state that it shows."""
        if self.out_of_service:
            return S.OUT_OF_SERVICE
        if self.suppressed:
            return S.SUPPRESSED
        return S.SHELVED if self.shelved else self.beneath

    @property
    def silent(self) -> bool:
        """Whether anything lies over it, so that nothing is annunciated."""
        return self.shelved or self.suppressed or self.out_of_service


_OVER: Final[Mapping[AlarmHappening, tuple[str, bool]]] = {
    H.SHELVED: ("shelved", True),
    H.UNSHELVED: ("shelved", False),
    H.SUPPRESSED: ("suppressed", True),
    H.UNSUPPRESSED: ("suppressed", False),
    H.REMOVED: ("out_of_service", True),
    H.RESTORED: ("out_of_service", False),
}


def next_alarm_state(before: Layers, happening: AlarmHappening, *, latching: bool = False) -> Layers | None:
    """Where an alarm stands after a happening; None where the diagram has no such transition."""
    over = _OVER.get(happening)
    if over is not None:
        name, value = over
        if getattr(before, name) is value:
            return None
        after = Layers(**{**vars(before), name: value})
        if before.silent and not after.silent:
            after = replace(after, beneath=S.UNACKNOWLEDGED if after.present else S.NORMAL)
        return after
    if happening in (H.RAISED, H.RETURNED):
        present = happening is H.RAISED
        if before.present is present:
            return None
        if before.silent:
            return replace(before, present=present)
        return replace(before, present=present, beneath=_beneath(before.beneath, happening, latching) or before.beneath)
    found = None if before.silent else _beneath(before.beneath, happening, latching)
    return None if found is None else replace(before, beneath=found)


def _beneath(state: AlarmState, happening: AlarmHappening, latching: bool) -> AlarmState | None:
    key = (state, happening)
    return LATCHING[key] if latching and key in LATCHING else TABLE.get(key)
