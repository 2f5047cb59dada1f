"""What surrounds a culture during one segment, as the kernel's numbers: gas, stirrer, jacket, feed, base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._culture import Culture, Override, Parameter
from seedtrain.simulation._kernel import settings_names
from seedtrain.simulation._plan import Plan, Segment, base_liquid, speed_range
from seedtrain.simulation._transfer import (
    ATMOSPHERE,
    CO2_IN_AIR,
    FLASK_EXCHANGE,
    NORMAL_VOLUME,
    OXYGEN_IN_AIR,
    flooding_gas_flow,
    flooding_speed,
    gas_flow,
    hughmark_ratio,
    mean_pressure,
    oxygen_solubility,
    ungassed_power,
    water_vapour,
)
from seedtrain.simulation._vessel import ShakeFlask, StirredTank, Vessel

_DEFAULTS: Final = (
    Parameter(
        "coalescence",
        0.5,
        "",
        0.0,
        1.0,
        "assumed",
        "kLa = coalescing^c * non-coalescing^(1-c) of van 't Riet 1979: a salty broth with antifoam lies between",
    ),
    Parameter(
        "oxygen_solubility_factor",
        0.95,
        "",
        0.85,
        1.0,
        "assumed",
        "salts and sugar lower the solubility by some percent",
    ),
    Parameter("condenser_temperature", 10.0, "degC", 2.0, 30.0, "assumed", "exit gas leaves saturated at this"),
    Parameter("heating_temperature", 60.0, "degC", 45.0, 95.0, "assumed", "water in the jacket when it heats"),
    Parameter("pK_carbonic", 6.1, "", 6.0, 6.4, "assumed", "apparent, in salty medium at 37 degC"),
)


@dataclass(frozen=True)
class Surroundings:
    """The parameters of a run that belong neither to the culture nor to the vessel."""

    parameters: Mapping[str, Parameter]

    def __getitem__(self, name: str) -> float:
        return self.parameters[name].value


def surroundings_of(overrides: Mapping[str, Override], culture: Culture) -> tuple[dict[str, Override], Surroundings]:
    """Split `overrides` into those of the culture and the surroundings with theirs; an unknown name is refused."""
    parameters = {item.name: item for item in _DEFAULTS}
    own: dict[str, Override] = {}
    for name, value in overrides.items():
        if name in culture.parameters:
            own[name] = value
        elif name in parameters:
            number, status, source = value if isinstance(value, tuple) else (value, "assumed", "given")
            old = parameters[name]
            if not old.low <= number <= old.high:
                raise InputError(
                    f"{name} is {number:g}, outside {old.low:g} .. {old.high:g} {old.unit}".rstrip(),
                    remedy="Give a value inside.",
                )
            parameters[name] = Parameter(name, float(number), old.unit, old.low, old.high, status, source)
        else:
            known = ", ".join([*culture.parameters, *parameters])
            raise InputError(f"there is no parameter {name!r}", remedy=f"Use one of: {known}.")
    return own, Surroundings(parameters)


@dataclass(frozen=True)
class Facts:
    """What the conditions and the observations of a segment need beside the kernel's settings.

    - `saturation`: mmol/L of O2 at which a probe reads 100 %. - `gas`: normal L/min. - `velocity`: m/s.
    - `flow`: m3/s at vessel conditions. - `speeds`: 1/min, lowest and highest of the cascade.
    - `notes`: (time, kind, words) known before the segment runs.
    """

    saturation: float
    gas: float
    velocity: float
    flow: float
    speeds: tuple[float, float]
    notes: tuple[tuple[float, str, str], ...]


def settings_of(
    culture: Culture,
    vessel: Vessel,
    segment: Segment,
    around: Surroundings,
    plan: Plan,
    volume: float,
    time: float,
    recipe: MasterRecipe,
) -> tuple[tuple[float, ...], Facts]:
    """The kernel's settings for `segment`, in the order of `settings_names`, and the facts beside them.

    - `volume`: broth at its start, L; the gas flow is set once, on this volume. - `time`: its start, h.
    """
    start = plan.volume
    head = segment.head_pressure if isinstance(vessel, StirredTank) else 0.0
    pressure = mean_pressure(vessel, volume, head)
    found: dict[str, float] = {"t0": time, "pH": segment.pH, "T_set": segment.temperature, "p_0": ATMOSPHERE + head}
    found["p_v"] = (pressure - ATMOSPHERE - head) * start / volume
    found["soluble"] = around["oxygen_solubility_factor"]
    found["carbonic"] = 1 / (1 + 10 ** (segment.pH - around["pK_carbonic"]))
    found["y_W"] = water_vapour(segment.temperature) / pressure
    leaving = water_vapour(around["condenser_temperature"])
    found["w_E"] = leaving / (ATMOSPHERE + head - leaving) if isinstance(vessel, StirredTank) else 0.0
    found["r_O"] = OXYGEN_IN_AIR / (1 - OXYGEN_IN_AIR - CO2_IN_AIR)
    found["r_C"] = CO2_IN_AIR / (1 - OXYGEN_IN_AIR - CO2_IN_AIR)
    _feed(found, culture, segment, start)
    base = base_liquid(culture, recipe) if isinstance(vessel, StirredTank) else None
    found["B_N"], found["B_W"] = (base.ammonia, base.water) if base else (0.0, 0.0)
    saturation = (
        oxygen_solubility(segment.temperature)
        * around["oxygen_solubility_factor"]
        * OXYGEN_IN_AIR
        * (pressure - water_vapour(segment.temperature))
    )
    found["saturation"] = saturation
    wanted = segment.dissolved_oxygen
    found["DO_set"] = -1.0 if wanted is None else wanted * saturation
    if isinstance(vessel, ShakeFlask):
        facts = _flask(found, vessel, volume, start, saturation)
    else:
        facts = _tank(found, vessel, segment, around, volume, start, saturation, pressure, time)
    names = settings_names(culture)
    assert set(found) <= set(names)
    return tuple(found.get(name, 0.0) for name in names), facts


def _feed(found: dict[str, float], culture: Culture, segment: Segment, start: float) -> None:
    if segment.feed is None:
        return
    stream, rate, growth = segment.feed
    found |= {"F0": rate / start, "F_mu": growth, "F_I": stream.inducer, "F_N": stream.ammonia}
    found |= {"F_W": stream.water, "F_Z": stream.minerals}
    for name in culture.species:
        found[f"F_{name}_"] = stream.species.get(name, 0.0)


def _inert(vvm: float, volume: float, start: float) -> float:
    """mol/h of nitrogen and argon per L of start volume, from normal volumes of air per volume and minute."""
    return vvm * volume * 60 / NORMAL_VOLUME * (1 - OXYGEN_IN_AIR - CO2_IN_AIR) / start


def _flask(found: dict[str, float], vessel: ShakeFlask, volume: float, start: float, saturation: float) -> Facts:
    found |= {"k_fix": vessel.kLa, "inert": _inert(FLASK_EXCHANGE, volume, start), "K_L": 1.0, "alpha": 1.0}
    found |= {"UA": 100.0, "T_cool": found["T_set"] - 20, "T_heat": found["T_set"] + 20}  # the incubator's air
    return Facts(saturation, FLASK_EXCHANGE * volume, 0.0, 0.0, (0.0, 0.0), ())


def _tank(
    found: dict[str, float],
    vessel: StirredTank,
    segment: Segment,
    around: Surroundings,
    volume: float,
    start: float,
    saturation: float,
    pressure: float,
    time: float,
) -> Facts:
    notes: list[tuple[float, str, str]] = []
    low, high, fits = speed_range(vessel, segment)
    if not fits:
        notes.append((time, "set_point_clamped", "the stirrer speed lies outside the vessel; its limit is used"))
    vvm = vessel.aeration[0] if segment.aeration is None else segment.aeration
    if not vessel.aeration[0] <= vvm <= vessel.aeration[1]:
        vvm = min(max(vvm, vessel.aeration[0]), vessel.aeration[1])
        notes.append((time, "set_point_clamped", "the aeration lies outside the vessel; its limit is used"))
    flow = gas_flow(vvm, volume, segment.temperature, pressure)
    most = flooding_gas_flow(vessel, high).value
    if flow > most:
        vvm *= most / flow
        flow = most
        notes.append((time, "flooding", "the gas is cut to what the impeller disperses at its highest speed"))
    low = min(max(low, flooding_speed(vessel, flow)), high)
    c = around["coalescence"]
    velocity = flow / vessel.area
    # van 't Riet 1979, both correlations as in `kLa_coalescing`; the kernel's power density is in W/L.
    alpha = 0.4 * c + 0.7 * (1 - c)
    found["K_L"] = 3600 * 0.026**c * 0.002 ** (1 - c) * velocity ** (0.5 * c + 0.2 * (1 - c)) * 1000**alpha
    found["alpha"] = alpha
    found["inert"] = _inert(vvm, volume, start)
    for end, speed in (("low", low), ("high", high)):
        bare = ungassed_power(vessel, speed)
        found[f"P_{end}"] = bare / start
        # Taken at the start volume; the kernel lets it grow with the volume and caps it at the power without gas.
        found[f"G_{end}"] = bare * hughmark_ratio(vessel, speed, flow, start) / start
    found["P_motor"] = vessel.motor_power / start
    found["UA"] = vessel.heat_transfer_coefficient * vessel.cooling_area / start
    found["T_cool"] = vessel.coolant_temperature
    found["T_heat"] = around["heating_temperature"]
    return Facts(saturation, vvm * volume, velocity, flow, (low, high), tuple(notes))
