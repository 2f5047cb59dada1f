"""Vessels as frozen data: stirred tanks with gas, mixing and cooling limits, and shake flasks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from seedtrain.quantity import Measure, MeasureRange, Quantity, Range

POWER_NUMBERS: Final = {"rushton": 5.0, "pitched_blade": 1.5, "hydrofoil": 0.75}
"""Turbulent power number of one impeller. Nienow 1998, Appl. Mech. Rev. 51:3, in round figures."""


@dataclass(frozen=True)
class StirredTank:
    """A baffled, sparged tank with a jacket.

    Volumes L; `diameter`, `impeller_diameter` m; `stirrer_speed` 1/min; `motor_power` W at the shaft; `aeration` vvm;
    `head_pressure` bar gauge; `cooling_area` m2; `heat_transfer_coefficient` W/m2/K; `coolant_temperature` degC.
    Pairs are (lowest, highest).
    """

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    diameter: float
    impellers: int
    impeller: str
    impeller_diameter: float
    stirrer_speed: tuple[float, float]
    motor_power: float
    aeration: tuple[float, float]
    head_pressure: tuple[float, float]
    cooling_area: float
    heat_transfer_coefficient: float
    coolant_temperature: float
    seeds: tuple[str, ...] = ()

    kind: ClassVar[str] = "stirred_tank"

    @property
    def power_number(self) -> float:
        """Power number of one impeller, without gas."""
        return POWER_NUMBERS[self.impeller]

    @property
    def area(self) -> float:
        """Cross section, m2."""
        return math.pi * self.diameter**2 / 4

    def height(self, volume: float) -> float:
        """Height of `volume` (L) of liquid without gas, m; the bottom counts as flat."""
        return volume / 1000.0 / self.area


@dataclass(frozen=True)
class ShakeFlask:
    """A flask on a shaker in an incubator: its transfer is one number, `kLa` in 1/h; volumes in L."""

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    kLa: float
    seeds: tuple[str, ...] = ()

    kind: ClassVar[str] = "shake_flask"


Vessel = StirredTank | ShakeFlask

_TANK_FIELDS: Final = (
    "diameter",
    "impellers",
    "impeller",
    "impeller_diameter",
    "stirrer_speed",
    "motor_power",
    "aeration",
    "head_pressure",
    "cooling_area",
    "heat_transfer_coefficient",
    "coolant_temperature",
)


class VesselEntry(BaseModel):
    """One entry of a plant file's `units:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["stirred_tank", "shake_flask"] = "stirred_tank"
    scale: str = Field(min_length=1)
    nominal_volume: Annotated[Quantity, Measure("L")]
    working_volume: Annotated[Range, MeasureRange("L")]
    diameter: Annotated[Quantity, Measure("m")] | None = None
    impellers: Annotated[Quantity, Measure("")] | None = None
    impeller: Literal["rushton", "pitched_blade", "hydrofoil"] | None = None
    impeller_diameter: Annotated[Quantity, Measure("m")] | None = None
    stirrer_speed: Annotated[Range, MeasureRange("1/min")] | None = None
    motor_power: Annotated[Quantity, Measure("W")] | None = None
    aeration: Annotated[Range, MeasureRange("vvm")] | None = None
    head_pressure: Annotated[Range, MeasureRange("bar")] | None = None
    cooling_area: Annotated[Quantity, Measure("m2")] | None = None
    heat_transfer_coefficient: Annotated[Quantity, Measure("W/m2/K")] | None = None
    coolant_temperature: Annotated[Quantity, Measure("degC")] | None = None
    kLa: Annotated[Quantity, Measure("1/h")] | None = None
    seeds: list[str] = Field(default_factory=list)

    @field_validator("nominal_volume", "diameter", "impellers", "impeller_diameter", "motor_power", "cooling_area")
    @classmethod
    def _above_zero(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        if value is not None and value.value <= 0:
            raise ValueError(f"{info.field_name} is {value}, not above zero | Give its size.")
        return value

    @field_validator("heat_transfer_coefficient", "kLa")
    @classmethod
    def _transfers(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        return cls._above_zero(value, info)

    @field_validator("working_volume", "stirrer_speed", "aeration", "head_pressure")
    @classmethod
    def _closed(cls, value: Range | None, info: ValidationInfo) -> Range | None:
        if value is None:
            return None
        low, high = value.bounds(value.unit)
        if not (low >= 0 and math.isfinite(high)) or (info.field_name == "working_volume" and low <= 0):
            raise ValueError(
                f"{info.field_name} {value} is open or reaches below zero | Write both ends, for instance 0.1 .. 2."
            )
        nominal = info.data.get("nominal_volume")
        if info.field_name == "working_volume" and nominal is not None and high > nominal.magnitude(value.unit):
            raise ValueError(f"working_volume ends above the nominal {nominal} | Lower it, for gas needs room.")
        return value

    @field_validator("impellers")
    @classmethod
    def _whole(cls, value: Quantity | None) -> Quantity | None:
        if value is not None and value.value != round(value.value):
            raise ValueError(f"{value} is not a whole number | Count the impellers.")
        return value

    @field_validator("impeller_diameter")
    @classmethod
    def _fits(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        diameter = info.data.get("diameter")
        if value is not None and diameter is not None and value.magnitude("m") >= diameter.magnitude("m"):
            raise ValueError(
                f"{value} is not below the tank's diameter {diameter} | A Rushton turbine is about a third of the tank."
            )
        return value

    @model_validator(mode="after")
    def _complete(self) -> VesselEntry:
        flask = self.kind == "shake_flask"
        for name in ("kLa",) if flask else _TANK_FIELDS:
            if getattr(self, name) is None:
                raise ValueError(f"a {self.kind} needs {name!r} | Add {name}.")
        for name in _TANK_FIELDS if flask else ("kLa",):
            if getattr(self, name) is not None:
                raise ValueError(f"a {self.kind} has no {name!r} | Remove {name}.")
        return self

    def vessel(self, name: str) -> Vessel:
        """The vessel called `name`, in the units of `StirredTank` and `ShakeFlask`."""
        volume = self.nominal_volume.magnitude("L")
        working = self.working_volume.bounds("L")
        if self.kind == "shake_flask":
            assert self.kLa is not None
            return ShakeFlask(name, self.scale, volume, working, self.kLa.magnitude("1/h"), tuple(self.seeds))

        def number(field: str, unit: str) -> float:
            return float(getattr(self, field).magnitude(unit))

        def bounds(field: str, unit: str) -> tuple[float, float]:
            found: Any = getattr(self, field)
            low, high = found.bounds(unit)
            return float(low), float(high)

        assert self.impeller is not None
        return StirredTank(
            name=name,
            scale=self.scale,
            nominal_volume=volume,
            working_volume=working,
            diameter=number("diameter", "m"),
            impellers=round(number("impellers", "")),
            impeller=self.impeller,
            impeller_diameter=number("impeller_diameter", "m"),
            stirrer_speed=bounds("stirrer_speed", "1/min"),
            motor_power=number("motor_power", "W"),
            aeration=bounds("aeration", "vvm"),
            head_pressure=bounds("head_pressure", "bar"),
            cooling_area=number("cooling_area", "m2"),
            heat_transfer_coefficient=number("heat_transfer_coefficient", "W/m2/K"),
            coolant_temperature=number("coolant_temperature", "degC"),
            seeds=tuple(self.seeds),
        )
