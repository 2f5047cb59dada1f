"""Which fields each kind of vessel needs and may have in a plant file, and its retention device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from seedtrain.quantity import Measure, MeasureRange, Quantity, Range


@dataclass(frozen=True)
class Kind:
    """Which fields a kind of vessel needs and may have; `moved`: those that stand in for a measured kLa."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


_JACKET: Final = ("aeration", "head_pressure", "cooling_area", "heat_transfer_coefficient", "coolant_temperature")
_DRIVE: Final = ("impellers", "impeller", "impeller_diameter", "stirrer_speed", "motor_power")
_CONTROL: Final = ("oxygen_share", "carbon_dioxide_share", "oxygen_cascade", "pH_lowered_by", "actuator_dead_band")
_ZONED: Final = ("zones", "feed_zone", "probe_zone", "retention", "side_compartment")
_SHAKEN: Final = ("shaking_frequency", "shaking_diameter", "diameter")
KINDS: Final = {
    "stirred_tank": Kind(("diameter", *_DRIVE, *_JACKET), (*_ZONED, *_CONTROL)),
    "airlift": Kind(("diameter", "draft_tube_diameter", *_JACKET), ("clearance",)),
    "shake_flask": Kind((), ("kLa_volume", "gas_exchange", "evaporation", "feed_rate"), _SHAKEN),
    "well": Kind((), ("kLa_volume", "gas_exchange", "evaporation", "feed_rate"), _SHAKEN),
    "wave_bag": Kind(("aeration",), ("kLa_volume", "evaporation", "retention"), ("rocking_rate", "rocking_degrees")),
}
ALWAYS: Final = ("kind", "scale", "nominal_volume", "working_volume", "seeds")


class RetentionEntry(BaseModel):
    """`retention:` of a vessel: what its device keeps, and how much it can harvest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cells: Annotated[Quantity, Measure("")]
    product: Annotated[Quantity, Measure("")]
    harvest_rate: Annotated[Range, MeasureRange("L/h")]

    @field_validator("cells", "product")
    @classmethod
    def _part(cls, value: Quantity, info: ValidationInfo) -> Quantity:
        if not 0 <= value.magnitude("") <= 1:
            raise ValueError(f"{info.field_name} is {value}, not a part | Write 0 % (passes) to 100 % (stays).")
        return value

    @field_validator("harvest_rate")
    @classmethod
    def _closed(cls, value: Range) -> Range:
        low, high = value.bounds(value.unit)
        if not (low >= 0 and math.isfinite(high) and high > 0):
            raise ValueError(f"harvest_rate {value} is open or below zero | Write both ends, for instance 0 .. 2 L/h.")
        return value


class SideEntry(BaseModel):
    """`side_compartment:` of a tank: what stands beside it, and how much is pumped through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    volume: Annotated[Quantity, Measure("L")]
    flow: Annotated[Quantity, Measure("L/h")]
    aerated: Literal["yes", "no"] = "no"

    @field_validator("volume", "flow")
    @classmethod
    def _above_zero(cls, value: Quantity, info: ValidationInfo) -> Quantity:
        if value.value <= 0:
            raise ValueError(f"{info.field_name} is {value}, not above zero | Give its size.")
        return value


def one_or_range(value: Any) -> Any:
    """Text of a single figure as a range of that alone: a shaker may have one frequency, or several."""
    if isinstance(value, str) and ".." not in value and not value.lstrip().startswith(("<", ">", "=")):
        return f"= {value}"
    return value
