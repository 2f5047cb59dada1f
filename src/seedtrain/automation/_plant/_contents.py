"""What the plant's objects hold, by the names that their LADS types ask for (OPC 30500-1, clause 7)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from asyncua import ua

from seedtrain.automation._lads import RESULT_FIELDS, normal_range, unit_id
from seedtrain.automation._plant._base import PlantUnit
from seedtrain.automation._plant._instances import READS_HISTORY, WRITES, Content, Method
from seedtrain.automation._plant._state_nodes import StateNodes, localized
from seedtrain.automation._plant._types import Types
from seedtrain.automation._structures import name_and_node

MANUFACTURER: Final = "Seedtrain"
MODEL: Final = "simulated unit"
NO_TIME: Final = ua.get_win_epoch()
"""What OPC UA has for no time at all (part 6, 5.2.2.5)."""
CONTROL: Final = "ControlFunctionState"
TUNING: Final = "ControllerTuningParameter"
PARAMETERS: Final[Mapping[str, tuple[str, float]]] = {
    "CtrlP": ("", -1_000.0),
    "CtrlTi": ("s", 0.0),
    "CtrlTd": ("s", 0.0),
}
"""Gain, then integral and derivative time, in the order of `Tuning`: unit and least value; the most is assumed."""
_MOST: Final[Mapping[str, float]] = {"": 1_000.0, "s": 86_400.0}
_TYPES: Final[Mapping[str, ua.VariantType]] = {
    "String": ua.VariantType.String,
    "Double": ua.VariantType.Double,
    "DateTime": ua.VariantType.DateTime,
}
_CEFACT: Final = "http://www.opcfoundation.org/UA/units/un/cefact"


def text(value: str) -> ua.Variant:
    """A string as OPC UA has it."""
    return ua.Variant(value, ua.VariantType.String)


def texts(values: list[str]) -> ua.Variant:
    """Strings as OPC UA has them."""
    return ua.Variant(values, ua.VariantType.String, is_array=True)


def time(value: datetime) -> ua.Variant:
    """A time as OPC UA has it."""
    return ua.Variant(value, ua.VariantType.DateTime)


def structures(values: list[Any]) -> ua.Variant:
    """Structures as OPC UA has them."""
    return ua.Variant(values, ua.VariantType.ExtensionObject, is_array=True)


def field(name: str, value: Any) -> ua.Variant:
    """A field of a result that LADS does not have."""
    return ua.Variant(value, _TYPES[RESULT_FIELDS[name]], is_array=isinstance(value, list))


def analog(path: str, measure: str, low: float, high: float, value: float = math.nan) -> dict[str, ua.Variant]:
    """A number with its unit and range (part 8, AnalogUnitRangeType)."""
    engineering = ua.EUInformation(
        NamespaceUri=_CEFACT,
        UnitId=unit_id(measure),
        DisplayName=ua.LocalizedText(measure),
        Description=ua.LocalizedText(measure),
    )
    return {
        path: ua.Variant(value, ua.VariantType.Double),
        f"{path}/EURange": ua.Variant(ua.Range(low, high), ua.VariantType.ExtensionObject),
        f"{path}/EngineeringUnits": ua.Variant(engineering, ua.VariantType.ExtensionObject),
    }


def device(unit: PlantUnit, states: StateNodes) -> Content:
    """A device: what is on its name plate, and that it operates. What a simulated one does not have is empty."""
    name = unit.name
    plate = {
        "Manufacturer": localized(MANUFACTURER),
        "Model": localized(MODEL),
        "HardwareRevision": text(""),
        "SoftwareRevision": text(version("seedtrain")),
        "DeviceRevision": text(""),
        "DeviceManual": text(""),
        "SerialNumber": text(name),
        "ProductInstanceUri": text(f"urn:seedtrain:plant:{name}"),
        "AssetId": text(name),
        "ComponentName": localized(name),
        "RevisionCounter": ua.Variant(-1, ua.VariantType.Int32),  # none is kept (OPC 10000-100, 5.2)
    }
    identification = {f"Identification/{key}": value for key, value in plate.items()}
    return Content({**plate, **identification, "FunctionalUnitSet/NodeVersion": text("1"), **states.device()})


def functional_unit(unit: PlantUnit, types: Types, states: StateNodes, methods: Mapping[str, Method]) -> Content:
    """A functional unit: its state machines, its lock, and what it is made of, still empty."""
    values = {
        **states.unit_before(),
        **states.unit_offers(),
        "Lock/Locked": ua.Variant(False, ua.VariantType.Boolean),
        "Lock/LockingClient": text(""),
        "Lock/LockingUser": text(""),
        "Lock/RemainingLockTime": ua.Variant(0.0, ua.VariantType.Double),
        "FunctionSet/NodeVersion": text("1"),
        "ProgramManager/ProgramTemplateSet/NodeVersion": text("1"),
        "ProgramManager/ResultSet/NodeVersion": text("1"),
        "ProgramManager/ActiveProgram/CurrentProgramTemplate": active_program(types, "", ua.NodeId()),
        "ProgramManager/ActiveProgram/DeviceProgramRunId": text(""),
    }
    return Content(values, methods)


def active_program(types: Types, path: str, node: ua.NodeId) -> ua.Variant:
    """The template that is run, by name and node; of neither, none."""
    return ua.Variant(name_and_node(types.id("2:5012"), path, node), ua.VariantType.ExtensionObject)


def function(unit: PlantUnit, tag: str, states: StateNodes, methods: Mapping[str, Method]) -> Content:
    """A controller where the unit can be told a target, else a sensor."""
    measure = unit.functions[tag]
    low, high = normal_range(measure)
    values: dict[str, ua.Variant] = {"IsEnabled": ua.Variant(True, ua.VariantType.Boolean)}
    if tag not in unit.targets:
        values |= analog("SensorValue", measure, low, high) | analog("RawValue", measure, low, high)
        return Content(values, access={"SensorValue": READS_HISTORY})
    values |= analog("CurrentValue", measure, low, high) | analog("TargetValue", measure, low, high)
    values |= states.control(CONTROL, math.isfinite(unit.targets[tag])) | states.control_offers(CONTROL)
    return Content(values, methods, access={"CurrentValue": READS_HISTORY, "TargetValue": WRITES})


def tuning(values: Mapping[str, float]) -> Content:
    """The parameters of a controller, which a client may write."""
    found: dict[str, ua.Variant] = {}
    for name, (measure, least) in PARAMETERS.items():
        found |= analog(name, measure, least, _MOST[measure], values[name])
    return Content(found, access=dict.fromkeys(PARAMETERS, WRITES))


def template(path: str, began: datetime, within: str = "") -> dict[str, ua.Variant]:
    """The attributes of a program template; the recipe's phase is what it is named by."""
    return {
        f"{within}Author": text(MANUFACTURER),
        f"{within}Created": time(began),
        f"{within}Modified": time(began),
        f"{within}Description": localized(path),
        f"{within}DeviceTemplateId": text(path),
        f"{within}Version": text("1"),
    }


def result(path: str, began: datetime) -> Content:
    """The result of a phase that has not run yet."""
    values = {
        "ApplicationUri": text(""),
        "Description": localized(path),
        "Started": time(NO_TIME),
        "Stopped": time(NO_TIME),
        "User": text(""),
        "SupervisoryJobId": text(""),
        "SupervisoryTaskId": text(""),
        "DeviceProgramRunId": text(""),
        "Samples": structures([]),
        "Properties": structures([]),
        **template(path, began, "ProgramTemplate/"),
    }
    return Content(values)


def own_fields() -> dict[str, ua.Variant]:
    """What a result has besides, empty."""
    named = {name: "" if name == "EndedBy" else [] for name in RESULT_FIELDS if name not in ("Started", "Stopped")}
    return {name: field(name, value) for name, value in named.items()}
