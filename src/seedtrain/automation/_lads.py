"""Names that the virtual plant and the OPC UA adapter share: the nouns of OPC 30500-1 (LADS) and how states translate.

LADS takes its states from packaging machines (PackML): what ISA-88 calls pausing is Suspending there, and restarting
is Unholding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from seedtrain.recipe import State

NAMESPACE: Final = "urn:seedtrain:plant"
"""The namespace of the virtual plant's nodes. They carry LADS browse names, not the companion specification's types."""

DEFAULT_PORT: Final = 4840
"""The port that IANA registered for OPC UA."""

PATH: Final = "/seedtrain/plant"

LADS_STATE: Final[Mapping[State, str]] = {
    State.IDLE: "Idle",
    State.RUNNING: "Execute",
    State.PAUSING: "Suspending",
    State.PAUSED: "Suspended",
    State.HOLDING: "Holding",
    State.HELD: "Held",
    State.RESTARTING: "Unholding",
    State.STOPPING: "Stopping",
    State.STOPPED: "Stopped",
    State.ABORTING: "Aborting",
    State.ABORTED: "Aborted",
    State.COMPLETE: "Complete",
}
ISA_STATE: Final[Mapping[str, State]] = {word: state for state, word in LADS_STATE.items()}

UNECE_CODES: Final[Mapping[str, str]] = {
    "degC": "CEL",
    "%": "P1",
    "g/L": "GL",
    "bar": "BAR",
    "Pa": "PAL",
    "L": "LTR",
    "L/h": "E32",
    "1/min": "C94",
    "mS/cm": "H61",
    "mg": "MGM",
    "": "C62",
}
"""Common codes of UNECE Recommendation 20 for units that have one; OPC UA part 8 numbers a unit by its code."""

RESULT_FIELDS: Final[Mapping[str, str]] = {
    "Started": "DateTime",
    "Stopped": "DateTime",
    "EndedBy": "String",
    "Materials": "String",
    "Amounts": "Double",
    "AmountUnits": "String",
    "OutletNames": "String",
    "OutletAmounts": "Double",
    "OutletUnits": "String",
}
"""What a result of the ResultSet holds, and the OPC UA type of each (arrays after EndedBy)."""


def unit_id(unit: str) -> int:
    """The number of a unit in OPC UA (part 8, 5.6.4.3): its UNECE code read as bytes; -1 where it has none."""
    code = UNECE_CODES.get(unit)
    return -1 if code is None else int.from_bytes(code.encode("ascii"), "big")
