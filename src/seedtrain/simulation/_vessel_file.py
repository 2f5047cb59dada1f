"""One entry of a plant file's `units:`, read with units and checked field by field."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from seedtrain.quantity import Measure, MeasureRange, Quantity, Range
from seedtrain.simulation._estimate import Estimate
from seedtrain.simulation._surface import (
    BAG_EXPONENT,
    FLASK_EXPONENT,
    WELL_EXPONENT,
    bag_kLa,
    flask_kLa,
    well_kLa,
)
from seedtrain.simulation._vessel import (
    FLASK_EXCHANGE,
    OXYGEN_ACTUATORS,
    Airlift,
    Retention,
    ShakeFlask,
    Shaking,
    SideCompartment,
    StirredTank,
    Transfer,
    Vessel,
    WaveBag,
    Well,
)
from seedtrain.simulation._vessel_rules import ALWAYS, KINDS, RetentionEntry, SideEntry, one_or_range

MOST_ZONES: Final = 20


class VesselEntry(BaseModel):
    """One entry of a plant file's `units:`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["stirred_tank", "airlift", "shake_flask", "well", "wave_bag"] = "stirred_tank"
    scale: str = Field(min_length=1)
    nominal_volume: Annotated[Quantity, Measure("L")]
    working_volume: Annotated[Range, MeasureRange("L")]
    diameter: Annotated[Quantity, Measure("m")] | None = None
    impellers: Annotated[Quantity, Measure("")] | None = None
    impeller: Literal["rushton", "pitched_blade", "hydrofoil"] | None = None
    impeller_diameter: Annotated[Quantity, Measure("m")] | None = None
    stirrer_speed: Annotated[Range, MeasureRange("1/min")] | None = None
    motor_power: Annotated[Quantity, Measure("W")] | None = None
    draft_tube_diameter: Annotated[Quantity, Measure("m")] | None = None
    clearance: Annotated[Quantity, Measure("m")] | None = None
    aeration: Annotated[Range, MeasureRange("vvm")] | None = None
    head_pressure: Annotated[Range, MeasureRange("bar")] | None = None
    cooling_area: Annotated[Quantity, Measure("m2")] | None = None
    heat_transfer_coefficient: Annotated[Quantity, Measure("W/m2/K")] | None = None
    coolant_temperature: Annotated[Quantity, Measure("degC")] | None = None
    kLa: Annotated[Quantity, Measure("1/h")] | None = None
    kLa_volume: Annotated[Quantity, Measure("L")] | None = None
    shaking_frequency: Annotated[Range, MeasureRange("1/min"), BeforeValidator(one_or_range)] | None = None
    shaking_diameter: Annotated[Quantity, Measure("m")] | None = None
    rocking_rate: Annotated[Quantity, Measure("1/min")] | None = None
    rocking_degrees: Annotated[Quantity, Measure("")] | None = None
    gas_exchange: Annotated[Quantity, Measure("vvm")] | None = None
    evaporation: Annotated[Quantity, Measure("g/h")] | None = None
    feed_rate: Annotated[Range, MeasureRange("L/h")] | None = None
    zones: Annotated[Quantity, Measure("")] | None = None
    feed_zone: Annotated[Quantity, Measure("")] | None = None
    probe_zone: Annotated[Quantity, Measure("")] | None = None
    retention: RetentionEntry | None = None
    side_compartment: SideEntry | None = None
    oxygen_share: Annotated[Quantity, Measure("")] | None = None
    carbon_dioxide_share: Annotated[Quantity, Measure("")] | None = None
    oxygen_cascade: list[Literal["stirrer_speed", "aeration", "oxygen_share"]] | None = None
    pH_lowered_by: list[Literal["carbon_dioxide_share", "acid"]] | None = None
    actuator_dead_band: Annotated[Quantity, Measure("")] | None = None
    seeds: list[str] = Field(default_factory=list)

    @field_validator(
        "nominal_volume",
        "diameter",
        "impellers",
        "impeller_diameter",
        "motor_power",
        "cooling_area",
        "heat_transfer_coefficient",
        "draft_tube_diameter",
        "clearance",
        "kLa",
        "kLa_volume",
        "shaking_diameter",
        "rocking_rate",
        "rocking_degrees",
        "gas_exchange",
    )
    @classmethod
    def _above_zero(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        if value is not None and value.value <= 0:
            raise ValueError(f"{info.field_name} is {value}, not above zero | Give its size.")
        return value

    @field_validator("evaporation")
    @classmethod
    def _not_below_zero(cls, value: Quantity | None) -> Quantity | None:
        if value is not None and value.value < 0:
            raise ValueError(f"evaporation is {value}, below zero | Write what leaves, or 0 g/h.")
        return value

    @field_validator("working_volume", "stirrer_speed", "aeration", "head_pressure", "feed_rate")
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

    @field_validator("shaking_frequency")
    @classmethod
    def _shakes(cls, value: Range | None) -> Range | None:
        if value is None:
            return None
        low, high = value.bounds("1/min")
        if not (low > 0 and math.isfinite(high)):
            raise ValueError(f"{value} is open or not above zero | Write for instance 150 .. 350 1/min, or one figure.")
        return value

    @field_validator("impellers", "zones", "feed_zone", "probe_zone")
    @classmethod
    def _whole(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        if value is None:
            return None
        if value.value != round(value.value) or value.value < 1:
            raise ValueError(f"{info.field_name} is {value}, not a whole number from 1 on | Count them.")
        if info.field_name == "zones" and value.value > MOST_ZONES:
            raise ValueError(f"{value} zones are more than {MOST_ZONES} | Two to five describe a large tank.")
        zones = info.data.get("zones")
        if info.field_name in ("feed_zone", "probe_zone") and value.value > (zones.value if zones else 1):
            count = f"{zones} zones" if zones else "one zone"
            raise ValueError(f"{info.field_name} is {value}, and the tank has {count} | Count from the bottom, 1 on.")
        return value

    @field_validator("side_compartment")
    @classmethod
    def _beside(cls, value: SideEntry | None, info: ValidationInfo) -> SideEntry | None:
        if value is None:
            return None
        if info.data.get("zones") is not None:
            raise ValueError("zones and a side compartment | Give one of them: a rig's own tank counts as mixed.")
        least = info.data.get("working_volume")
        if least is not None and value.volume.magnitude("L") >= least.bounds("L")[0]:
            raise ValueError(
                f"{value.volume} is not below the lowest working volume, {least.low} | The broth in both counts as the "
                "tank's."
            )
        return value

    @field_validator("impeller_diameter", "draft_tube_diameter")
    @classmethod
    def _fits(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        diameter = info.data.get("diameter")
        if value is not None and diameter is not None and value.magnitude("m") >= diameter.magnitude("m"):
            usual = (
                "A Rushton turbine is about a third of the tank."
                if info.field_name == "impeller_diameter"
                else "A draft tube is about 0.6 to 0.7 of the column."
            )
            raise ValueError(f"{value} is not below the vessel's diameter {diameter} | {usual}")
        return value

    @field_validator("oxygen_share", "carbon_dioxide_share")
    @classmethod
    def _share(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        if value is not None and not 0 < value.magnitude("") <= 1:
            raise ValueError(f"{info.field_name} is {value}, not a part of the gas | Write for instance 40 %.")
        oxygen = info.data.get("oxygen_share")
        if info.field_name == "carbon_dioxide_share" and value is not None and oxygen is not None:
            both = value.magnitude("") + oxygen.magnitude("")
            if both > 1:
                raise ValueError(
                    f"{oxygen} of oxygen and {value} of carbon dioxide exceed the gas | Lower one of them."
                )
        return value

    @field_validator("oxygen_cascade", "pH_lowered_by")
    @classmethod
    def _used_in_order(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if value is None:
            return None
        if not value or len(set(value)) != len(value):
            raise ValueError(
                f"{info.field_name} names nothing, or one thing twice | Name each once, the first one first."
            )
        missing = [name for name in value if name.endswith("_share") and info.data.get(name) is None]
        if missing:
            raise ValueError(f"the vessel has no line for {missing[0]} | Add {missing[0]}: 40 %, or leave it out here.")
        return value

    @field_validator("actuator_dead_band")
    @classmethod
    def _narrow(cls, value: Quantity | None) -> Quantity | None:
        if value is not None and not 0 <= value.magnitude("") <= 0.2:
            raise ValueError(f"a dead band of {value} is no actuator's | Write 0 to 20 % of its span, often 0.5 %.")
        return value

    @field_validator("rocking_degrees")
    @classmethod
    def _tilts(cls, value: Quantity | None) -> Quantity | None:
        if value is not None and value.magnitude("") > 45:
            raise ValueError(f"a bag rocks {value} degrees to either side | Platforms rock by 2 to 15.")
        return value

    @field_validator("kLa_volume")
    @classmethod
    def _held(cls, value: Quantity | None, info: ValidationInfo) -> Quantity | None:
        nominal = info.data.get("nominal_volume")
        if value is not None and nominal is not None and value.magnitude("L") > nominal.magnitude("L"):
            raise ValueError(f"{value} is above the nominal {nominal} | Give the filling at which kLa was measured.")
        return value

    @field_validator("*")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kind = info.data.get("kind")
        if kind is None or value is None:
            return value
        rules = KINDS[kind]
        measured = ("kLa", *rules.moved) if rules.moved else ()
        if info.field_name not in {*ALWAYS, *rules.needs, *rules.may, *measured}:
            raise ValueError(f"a {kind} has no {info.field_name!r} | Remove {info.field_name}.")
        return value

    @model_validator(mode="after")
    def _complete(self) -> VesselEntry:
        rules = KINDS[self.kind]
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        needs, may, who = list(rules.needs), [*rules.may], f"a {self.kind}"
        if rules.moved and self.kLa is None and given & set(rules.moved) - {"diameter"} and self.kLa_volume is None:
            needs += rules.moved
            who = f"a {self.kind} without a measured kLa"
        elif rules.moved:
            needs.append("kLa")
            who = f"a {self.kind} with a measured kLa" if self.kLa else who
        missing = [name for name in needs if name not in given]
        if missing:
            other = f", or give {', '.join(rules.moved)} instead" if missing == ["kLa"] else ""
            raise ValueError(f"{who} needs {_list(missing)} | Add {', '.join(missing)}{other}.")
        strange = sorted(given - {*ALWAYS, *needs, *may})
        if strange:
            raise ValueError(f"{who} has no {_list(strange)} | Remove {', '.join(strange)}.")
        return self

    def vessel(self, name: str) -> Vessel:
        """The vessel called `name`, in the units of the vessel classes."""
        return _BUILD[self.kind](self, name)

    def number(self, field: str, unit: str, default: float = math.nan) -> float:
        """The field's value in `unit`; `default` where it is not given."""
        found: Any = getattr(self, field)
        return default if found is None else float(found.magnitude(unit))

    def bounds(self, field: str, unit: str) -> tuple[float, float]:
        """Both ends of the field's range in `unit`."""
        found: Any = getattr(self, field)
        low, high = found.bounds(unit)
        return float(low), float(high)


def _list(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _common(entry: VesselEntry, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "scale": entry.scale,
        "nominal_volume": entry.number("nominal_volume", "L"),
        "working_volume": entry.bounds("working_volume", "L"),
        "seeds": tuple(entry.seeds),
    }


def _jacket(entry: VesselEntry) -> dict[str, Any]:
    return {
        "diameter": entry.number("diameter", "m"),
        "aeration": entry.bounds("aeration", "vvm"),
        "head_pressure": entry.bounds("head_pressure", "bar"),
        "cooling_area": entry.number("cooling_area", "m2"),
        "heat_transfer_coefficient": entry.number("heat_transfer_coefficient", "W/m2/K"),
        "coolant_temperature": entry.number("coolant_temperature", "degC"),
    }


def _retention(entry: VesselEntry) -> Retention | None:
    found = entry.retention
    if found is None:
        return None
    low, high = found.harvest_rate.bounds("L/h")
    return Retention(found.cells.magnitude(""), found.product.magnitude(""), (float(low), float(high)))


def _tank(entry: VesselEntry, name: str) -> StirredTank:
    assert entry.impeller is not None
    return StirredTank(
        **_common(entry, name),
        **_jacket(entry),
        impellers=round(entry.number("impellers", "")),
        impeller=entry.impeller,
        impeller_diameter=entry.number("impeller_diameter", "m"),
        stirrer_speed=entry.bounds("stirrer_speed", "1/min"),
        motor_power=entry.number("motor_power", "W"),
        zones=round(entry.number("zones", "", 1)),
        feed_zone=round(entry.number("feed_zone", "", 0)),
        probe_zone=round(entry.number("probe_zone", "", 1)),
        retention=_retention(entry),
        side_compartment=_side(entry),
        oxygen_share=entry.number("oxygen_share", "", 0.0),
        oxygen_cascade=OXYGEN_ACTUATORS if entry.oxygen_cascade is None else tuple(entry.oxygen_cascade),
    )


def _side(entry: VesselEntry) -> SideCompartment | None:
    found = entry.side_compartment
    if found is None:
        return None
    return SideCompartment(found.volume.magnitude("L"), found.flow.magnitude("L/h"), found.aerated == "yes")


def _airlift(entry: VesselEntry, name: str) -> Airlift:
    return Airlift(
        **_common(entry, name),
        **_jacket(entry),
        draft_tube_diameter=entry.number("draft_tube_diameter", "m"),
        clearance=entry.number("clearance", "m", 0.0),
    )


def _surface(
    entry: VesselEntry, exponent: float, estimate: Callable[[VesselEntry, float, float], Estimate], exchange: float
) -> Transfer:
    """The measured kLa, or the correlation's at the highest working volume; `exchange`: vvm where none is given."""
    nominal, highest = entry.number("nominal_volume", "L"), entry.bounds("working_volume", "L")[1]
    exchange = entry.number("gas_exchange", "vvm", exchange)
    evaporation = entry.number("evaporation", "g/h", 0.0)
    if entry.kLa is not None:
        # A kLa without its filling is meant for every filling.
        volume = entry.number("kLa_volume", "L", highest)
        power = 0.0 if entry.kLa_volume is None else exponent
        return Transfer(entry.number("kLa", "1/h"), volume, power, exchange, evaporation)
    found = estimate(entry, highest, nominal)
    return Transfer(
        found.value, highest, exponent, exchange, evaporation, found.in_range, found.source, found.status, found.spread
    )


def _flask(entry: VesselEntry, name: str) -> ShakeFlask:
    def estimate(entry: VesselEntry, volume: float, nominal: float) -> Estimate:
        return flask_kLa(*_movement(entry), volume, nominal)

    return ShakeFlask(**_common(entry, name), **_shaken(entry, FLASK_EXPONENT, estimate))


def _well(entry: VesselEntry, name: str) -> Well:
    def estimate(entry: VesselEntry, volume: float, nominal: float) -> Estimate:
        return well_kLa(*_movement(entry), volume)

    return Well(**_common(entry, name), **_shaken(entry, WELL_EXPONENT, estimate))


def _shaken(
    entry: VesselEntry, exponent: float, estimate: Callable[[VesselEntry, float, float], Estimate]
) -> dict[str, Any]:
    return {
        "transfer": _surface(entry, exponent, estimate, exchange=FLASK_EXCHANGE),
        "shaking": None if entry.shaking_frequency is None else _shaking(entry),
        "feed_rate": None if entry.feed_rate is None else entry.bounds("feed_rate", "L/h"),
    }


def _bag(entry: VesselEntry, name: str) -> WaveBag:
    def estimate(entry: VesselEntry, volume: float, nominal: float) -> Estimate:
        return bag_kLa(entry.number("rocking_rate", "1/min"), entry.number("rocking_degrees", ""), volume / nominal)

    aeration = entry.bounds("aeration", "vvm")
    return WaveBag(
        **_common(entry, name),
        transfer=_surface(entry, BAG_EXPONENT, estimate, exchange=aeration[0]),
        aeration=aeration,
        retention=_retention(entry),
    )


def _shaking(entry: VesselEntry) -> Shaking:
    orbit, diameter = entry.number("shaking_diameter", "m"), entry.number("diameter", "m")
    return Shaking(entry.bounds("shaking_frequency", "1/min"), orbit, diameter)


def _movement(entry: VesselEntry) -> tuple[float, float, float]:
    """At the highest shaking: 1/min, orbit m, diameter m."""
    found = _shaking(entry)
    return found.frequency[1], found.orbit, found.diameter


_BUILD: Final[dict[str, Callable[[VesselEntry, str], Vessel]]] = {
    "stirred_tank": _tank,
    "airlift": _airlift,
    "shake_flask": _flask,
    "well": _well,
    "wave_bag": _bag,
}
