"""Names that the virtual plant and the OPC UA adapter share: the nouns of OPC 30500-1 (LADS) and how states translate.

LADS takes its states from packaging machines (PackML): what ISA-88 calls pausing is Suspending there, and restarting
is Unholding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from seedtrain.recipe import State

NAMESPACE: Final = "urn:seedtrain:plant"
"""The namespace of the virtual plant's own nodes; their types are those of LADS and of what it builds on."""

LADS_SPACE: Final = "http://opcfoundation.org/UA/LADS/"

LADS_TYPES: Final[Mapping[str, int]] = {
    "LADSDeviceType": 1002,
    "FunctionalUnitType": 1003,
    "FunctionType": 1004,
    "ProgramManagerType": 1006,
    "AnalogControlFunctionType": 1009,
    "AnalogScalarSensorFunctionType": 1016,
    "ProgramTemplateType": 1018,
    "ResultType": 1021,
    "PidControllerParameterType": 1030,
    "RunningStateMachineType": 1036,
    "LADSDeviceStateMachineType": 1039,
    "FunctionalUnitStateMachineType": 1043,
    "ControlFunctionStateMachineType": 1044,
}
"""Numbers of types in the namespace of LADS (node set 1.0.0 of 2023-11-30)."""

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
"""ISA-88's states in the words that LADS has for them in both of its state machines; of a plain text node."""

ISA_STATE: Final[Mapping[str, State]] = {word: state for state, word in LADS_STATE.items()}

READY: Final = "Stopped"
"""LADS' initial state: "it is an Idle state", ready to be started; what ISA-88 calls idle."""
ACTIVE: Final = "Running"
"""The one state of a functional unit that has states of its own, those of the RunningStateMachine."""

MACHINE_STATE: Final[Mapping[State, tuple[str, str]]] = {
    state: (READY, "")
    if state is State.IDLE
    else (word, "")
    if word in ("Stopping", "Stopped", "Aborting", "Aborted")
    else (ACTIVE, word)
    for state, word in LADS_STATE.items()
}
"""ISA-88's states as a functional unit's state machine has them: its state, and that of the machine within."""

ISA_OF_MACHINE: Final[Mapping[str, State]] = {
    **ISA_STATE,
    READY: State.IDLE,
    ACTIVE: State.RUNNING,  # of a unit that tells no more
    "Clearing": State.ABORTED,
    "Starting": State.RUNNING,
    "Completing": State.RUNNING,
    "Resetting": State.COMPLETE,
    "Unsuspending": State.PAUSED,
}
"""Every state of a functional unit's machines in ISA-88's words; what LADS tells in more detail is what it was before,
until it is over."""

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
    "s": "SEC",
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


_BY_NUMBER: Final[Mapping[int, str]] = {
    int.from_bytes(code.encode("ascii"), "big"): unit for unit, code in UNECE_CODES.items()
}


def unit_text(engineering: object) -> str | None:
    """The unit that an EUInformation names, as it is written here: by its UNECE number, else as the server shows it;
    None where it names none."""
    known = _BY_NUMBER.get(getattr(engineering, "UnitId", -1))
    shown = getattr(engineering, "DisplayName", None)
    return known if known is not None or shown is None else str(shown.Text or "")


def unit_id(unit: str) -> int:
    """The number of a unit in OPC UA (part 8, 5.6.4.3): its UNECE code read as bytes; -1 where it has none."""
    code = UNECE_CODES.get(unit)
    return -1 if code is None else int.from_bytes(code.encode("ascii"), "big")


NORMAL_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "degC": (0.0, 150.0),
    "%": (0.0, 100.0),
    "g/L": (0.0, 200.0),
    "bar": (0.0, 5.0),
    "L": (0.0, 10_000.0),
    "L/h": (0.0, 1_000.0),
    "1/min": (0.0, 1_500.0),
    "vvm": (0.0, 3.0),
    "mS/cm": (0.0, 200.0),
    "": (0.0, 14.0),
}
"""What values in each unit are likely to be, to scale a display by (part 8, EURange); assumed."""


def normal_range(measure: str) -> tuple[float, float]:
    """Between which limits a value in this unit is likely to be; assumed."""
    return NORMAL_RANGES.get(measure, (0.0, 1_000.0))
