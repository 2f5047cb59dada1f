"""What a vessel can do, as figures for people: each with its range, its source, and whether that source covers it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.simulation._airlift import circulation_velocity, gas_hold_up
from seedtrain.simulation._estimate import Estimate
from seedtrain.simulation._limits import TransferLimits, highest_OTR, transfer_limits
from seedtrain.simulation._surface import (
    IN_PHASE,
    LEAST_FROUDE,
    axial_froude,
    critical_frequency,
    flask_power,
    in_phase,
    phase_number,
)
from seedtrain.simulation._transfer import ATMOSPHERE, flooding_speed, gassed_power, mean_pressure
from seedtrain.simulation._vessel import Airlift, ShakeFlask, Shaken, StirredTank, Vessel, Well
from seedtrain.simulation._zones import zone_exchange


@dataclass(frozen=True)
class Figure:
    """One row: `low` .. `high` in `unit`; `name` for machines, `words` for people; `status` as in `Estimate`."""

    name: str
    words: str
    low: float
    high: float
    unit: str
    in_range: bool = True
    source: str = ""
    status: str = "sourced"


@dataclass(frozen=True)
class VesselCheck:
    """A vessel at one filling, at its highest stirring, gas and pressure; `volume` L, `temperature` degC."""

    vessel: str
    kind: str
    scale: str
    volume: float
    temperature: float
    dissolved_oxygen: float
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {**vars(self), "figures": [dict(vars(item)) for item in self.figures], "notes": list(self.notes)}


def check_vessel(
    vessel: Vessel, volume: float | None = None, *, temperature: float = 37.0, dissolved_oxygen: float = 0.3
) -> VesselCheck:
    """The figures of `vessel` at `volume` (L; its highest working volume where left out).

    `temperature` degC, `dissolved_oxygen`: the part of saturation at which oxygen is transferred. Raises `InputError`
    for a volume outside the working volume.
    """
    low, high = vessel.working_volume
    held = high if volume is None else volume
    if not low * (1 - 1e-9) <= held <= high * (1 + 1e-9):
        raise InputError(
            f"{vessel.name}: {held:g} L is outside its working volume of {low:g} .. {high:g} L",
            remedy="Choose a volume inside, or another vessel.",
        )
    rich = vessel.pure_oxygen if isinstance(vessel, StirredTank) else 0.0
    limits = transfer_limits(
        vessel, held, temperature=temperature, dissolved_oxygen=dissolved_oxygen, oxygen_share=rich
    )
    figures = tuple(_figures(vessel, limits, temperature, dissolved_oxygen))
    notes = tuple(_notes(vessel, limits))
    return VesselCheck(vessel.name, vessel.kind, vessel.scale, held, temperature, dissolved_oxygen, figures, notes)


def _figures(vessel: Vessel, limits: TransferLimits, temperature: float, oxygen: float) -> Iterator[Figure]:
    yield from _transfer(vessel, limits, temperature, oxygen)
    if isinstance(vessel, ShakeFlask | Well):
        yield from _shaken(vessel, limits)
    if isinstance(vessel, StirredTank | Airlift):
        yield Figure("gas_velocity", _("gas velocity"), limits.gas_velocity, limits.gas_velocity, "m/s")
        yield from _mixing(vessel, limits)
        cooling = limits.cooling / 1000
        yield Figure("cooling", _("heat that the jacket can take"), cooling, cooling, "kW")
        yield Figure(
            "cooling_OUR",
            _("oxygen uptake whose heat it takes"),
            limits.cooling_OUR,
            limits.cooling_OUR,
            "mmol/L/h",
            source="Cooney et al. 1969",
        )


def _transfer(vessel: Vessel, limits: TransferLimits, temperature: float, oxygen: float) -> Iterator[Figure]:
    """kLa and OTR over what the correlations, with their spread, leave open."""
    both = (limits.kLa_coalescing, limits.kLa_non_coalescing)
    low = min(item.value * (1 - item.spread) for item in both)
    high = max(item.value * (1 + item.spread) for item in both)
    head = vessel.head_pressure[1] if isinstance(vessel, StirredTank | Airlift) else 0.0
    pressure = max(mean_pressure(vessel, limits.volume, head), ATMOSPHERE)
    names = " / ".join(dict.fromkeys(item.source.split(",")[0] for item in both))
    inside, status = all(item.in_range for item in both), both[0].status
    yield Figure("kLa", "kLa", low, high, "1/h", inside, names, status)
    rich = vessel.pure_oxygen if isinstance(vessel, StirredTank) else 0.0
    rates = [highest_OTR(kLa, limits.aeration, pressure, temperature, oxygen, rich) for kLa in (low, high)]
    words = _("oxygen transfer at {percent} % dissolved oxygen").format(percent=f"{oxygen * 100:g}")
    yield Figure("OTR", words, rates[0], rates[1], "mmol/L/h", inside, names, status)


def _shaken(vessel: Shaken, limits: TransferLimits) -> Iterator[Figure]:
    shaking = vessel.shaking
    if shaking is None:
        return
    yield Figure("shaking_frequency", _("shaking frequency"), *shaking.frequency, "1/min")
    movement = (limits.speed, shaking.orbit, shaking.diameter, limits.volume)
    if isinstance(vessel, Well):
        least = critical_frequency(*movement[1:])
        words = _("frequency below which surface tension holds the liquid still")
        source = "Hermann et al. 2003, Micheletti et al. 2006"
        yield Figure("critical_frequency", words, least, least, "1/min", limits.speed > least, source)
        return
    power = flask_power(*movement, vessel.nominal_volume)
    yield _figure("power_per_volume", _("power per volume"), power.value, "W/m3", power)
    phase, froude, inside = phase_number(*movement), axial_froude(*movement[:2]), in_phase(*movement)
    source = "Buechs et al. 2001"
    words = _("phase number: in phase with the shaker above {least}").format(least=IN_PHASE)
    yield Figure("phase_number", words, phase, phase, "", inside, source, "unverified")
    words = _("centrifugal acceleration over gravity")
    yield Figure("axial_froude", words, froude, froude, "", froude > LEAST_FROUDE, source, "unverified")


def _mixing(vessel: StirredTank | Airlift, limits: TransferLimits) -> Iterator[Figure]:
    density = limits.power_per_volume
    if isinstance(vessel, StirredTank):
        flow = limits.gas_velocity * vessel.area
        power = gassed_power(vessel, limits.speed, flow, limits.volume)
        yield _figure("power_per_volume", _("power per volume"), density, "W/m3", power)
        yield Figure("speed", _("stirrer speed"), limits.speed, limits.speed, "1/min")
        yield Figure("tip_speed", _("tip speed"), limits.tip_speed, limits.tip_speed, "m/s")
    else:
        hold_up = gas_hold_up(limits.gas_velocity)
        velocity = circulation_velocity(vessel, limits.gas_velocity, limits.volume)
        yield Figure("power_per_volume", _("power per volume"), density, density, "W/m3", source="Chisti 1989")
        yield _figure("gas_hold_up", _("gas in the broth"), hold_up.value * 100, "%", hold_up)
        yield _figure("circulation", _("liquid velocity in the draft tube"), velocity.value, "m/s", velocity)
    mixing = limits.mixing_time
    yield _figure("mixing_time", _("mixing time"), mixing.value, "s", mixing)
    if isinstance(vessel, StirredTank) and vessel.side_compartment is not None:
        side = vessel.side_compartment
        stay = side.volume / side.flow * 3600
        yield Figure("side_stay", _("mean stay in the side compartment"), stay, stay, "s")
    if isinstance(vessel, StirredTank) and vessel.zones > 1:
        exchange = zone_exchange(vessel, limits.volume, limits.speed, flow)
        yield _figure("zone_exchange", _("exchange between neighbouring zones"), exchange, "L/h", mixing)
    eddies = limits.kolmogorov_length * 1e6
    yield Figure("kolmogorov_length", _("smallest eddies"), eddies, eddies, "um", source="Kolmogorov 1941")


def _figure(name: str, words: str, value: float, unit: str, found: Estimate) -> Figure:
    return Figure(name, words, value, value, unit, found.in_range, found.source, found.status)


def _notes(vessel: Vessel, limits: TransferLimits) -> Iterator[str]:
    if limits.flooded and isinstance(vessel, StirredTank):
        yield _("the impeller floods: the gas is cut to {gas} vvm, what it disperses at its highest speed").format(
            gas=f"{limits.aeration:.3g}"
        )
    if isinstance(vessel, StirredTank):
        if limits.speed < vessel.stirrer_speed[1] * (1 - 1e-6):
            yield _("the motor's power holds the stirrer at {speed} 1/min").format(speed=f"{limits.speed:.4g}")
        needed = flooding_speed(vessel, limits.gas_velocity * vessel.area)
        if needed > limits.speed * (1 + 1e-6):
            yield _("at that speed the gas still floods the impeller, which needs {speed} 1/min").format(
                speed=f"{needed:.4g}"
            )
    if not math.isfinite(limits.cooling):
        yield _("the incubator's air holds the temperature")
    if isinstance(vessel, ShakeFlask | Well):
        yield _("nothing holds the pH or the dissolved oxygen: a run takes the pH at its set point")
        if vessel.feed_rate is None:
            yield _("no line feeds it: a recipe that feeds is refused; declare feed_rate if there is one")
