"""Freeze drying: quasi-steady primary drying through a growing dried layer, then first-order secondary drying."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from seedtrain.simulation._downstream._mix import amounts, build, part, solids
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import result
from seedtrain.simulation._downstream._sources import SHIVKUMAR_2019
from seedtrain.simulation._run import Floats
from seedtrain.simulation._stream import StepResult, Stream

ICE_DENSITY: Final = 0.918
"""g/mL."""
SOLUTE_DENSITY: Final = 1.5
"""g/mL, dissolved solids."""
SUBLIMATION: Final = 678.0
"""cal/g, heat of sublimation of ice."""
ICE_CONDUCTIVITY: Final = 0.0059
"""cal/(cm s K)."""
PASCAL_PER_TORR: Final = 133.322
KELVIN: Final = 273.15
SLOPE: Final = 6144.96
"""K, of the logarithm of the vapour pressure of ice over 1/T."""
CLOSE: Final = 1e-9
"""K, the last step of the front temperature, which leaves an error of its square."""
SUBLIMATION_KWH: Final = SUBLIMATION * 4.184 / 3600.0
"""kWh per kg of ice."""
CAKE_DENSITY: Final = 1350.0
"""g/L of dry protein without pores; assumed."""
STEPS: Final = 500
LONGEST: Final = 1000.0
"""h."""


@dataclass(frozen=True)
class Cycle:
    """Settings of primary drying, in the units of the source.

    - `shelf` degC, reached from `shelf_start` at `ramp` K/min; `pressure` Torr in the chamber.
    - `KC` cal/(s K cm2), `KP` cal/(s K cm2 Torr), `KD` 1/Torr: heat transfer Kv = KC + KP P / (1 + KD P).
    - `R0` cm2 h Torr/g, `A1` cm h Torr/g, `A2` 1/cm: resistance Rp = R0 + A1 l / (1 + A2 l) of a layer of l cm.
    - `depth`: liquid filled, cm; `area_ratio`: heated over sublimation area; `solids`: g/mL of the solution.
    """

    shelf: float
    pressure: float
    depth: float
    solids: float
    shelf_start: float = -35.0
    ramp: float = 1.0
    area_ratio: float = 1.0
    KC: float = 2.75e-4
    KP: float = 8.93e-4
    KD: float = 0.46
    R0: float = 1.4
    A1: float = 16.0
    A2: float = 0.0


@dataclass(frozen=True)
class Drying:
    """Primary drying over time (h): dried layer (cm), temperature of the ice front and of the bottom (degC)."""

    time: Floats
    layer: Floats
    front: Floats
    bottom: Floats
    shelf: Floats

    @property
    def duration(self) -> float:
        """h."""
        return float(self.time[-1])


def vapour_pressure(temperature: float) -> float:
    """Of ice at `temperature` (degC), Torr. **Source** Shivkumar et al. 2019."""
    return 2.698e10 * math.exp(-SLOPE / (KELVIN + temperature))


def sublimation_temperature(cycle: Cycle, shelf: float, layer: float, frozen: float, guess: float = 0.0) -> float:
    """Ice front temperature (degC) at which the heat from the shelf equals the heat of sublimation.

    Newton's method: the surplus of heat rises with the temperature and is convex, so that it cannot miss.
    """
    kv = cycle.area_ratio * (cycle.KC + cycle.KP * cycle.pressure / (1.0 + cycle.KD * cycle.pressure))
    resistance = cycle.R0 + cycle.A1 * layer / (1.0 + cycle.A2 * layer)
    heat = SUBLIMATION / 3600.0 / resistance * (1.0 + kv / ICE_CONDUCTIVITY * (frozen - layer))
    front, step = guess, math.inf
    while abs(step) > CLOSE:
        pressure = vapour_pressure(front)
        surplus = heat * (pressure - cycle.pressure) - kv * (shelf - front)
        step = surplus / (heat * pressure * SLOPE / (KELVIN + front) ** 2 + kv)
        front -= step
    return front


@lru_cache(maxsize=64)  # a sensitivity walks the train hundreds of times, mostly with the same cake
def primary_drying(cycle: Cycle) -> Drying | None:
    """Dry until no ice is left; None where none sublimes, or not within 1000 h.

    One dimension, quasi-steady: the layer grows as l' = (p_ice(T) - P) / Rp x shrinkage of the frozen solution, and
    the front temperature T closes the heat balance. **Source** Shivkumar et al. 2019 (LyoPRONTO), known Rp.
    """
    swell = 1.0 - cycle.solids * (1.0 - ICE_DENSITY) / SOLUTE_DENSITY
    frozen = cycle.depth * swell / ICE_DENSITY
    per_flux = swell / (1.0 - cycle.solids / SOLUTE_DENSITY) / ICE_DENSITY
    time, layer, front = 0.0, 0.0, cycle.shelf_start
    rows: list[tuple[float, float, float, float, float]] = []
    slice_depth = frozen / STEPS
    while layer < frozen * (1.0 - 1e-12):
        shelf = _shelf(cycle, time)
        # The middle of the slice to come, so that the sum is of second order.
        middle = min(layer + 0.5 * slice_depth, frozen)
        front = sublimation_temperature(cycle, shelf, middle, frozen, front)
        resistance = cycle.R0 + cycle.A1 * middle / (1.0 + cycle.A2 * middle)
        flux = (vapour_pressure(front) - cycle.pressure) / resistance
        ramping = shelf < cycle.shelf
        if flux <= 0:
            if not ramping:
                return None
            time += 0.01
            continue
        step = (frozen - layer if layer + slice_depth > frozen else slice_depth) / (flux * per_flux)
        if ramping:
            step = min(step, 0.005)
        bottom = front + SUBLIMATION * flux / 3600.0 / ICE_CONDUCTIVITY * (frozen - middle)
        rows.append((time, layer, front, bottom, shelf))
        time += step
        layer += flux * per_flux * step
        if time > LONGEST:
            return None
    last = rows[-1]
    rows.append((time, frozen, last[2], last[2], _shelf(cycle, time)))
    return Drying(*np.array(rows).T)


def _shelf(cycle: Cycle, time: float) -> float:
    return min(cycle.shelf, cycle.shelf_start + cycle.ramp * 60.0 * time)


LEVERS: Final = (
    assumed("KC", 2.75e-4, 2e-4, 4e-4, "cal/(s K cm2)", f"{SHIVKUMAR_2019}: vials; a tray is assumed alike"),
    assumed("KP", 8.93e-4, 6e-4, 1.2e-3, "cal/(s K cm2 Torr)", f"{SHIVKUMAR_2019}: vials; a tray is assumed alike"),
    assumed("KD", 0.46, 0.2, 4.0, "1/Torr", f"{SHIVKUMAR_2019}: vials; a tray is assumed alike"),
    assumed("R0", 1.4, 0.5, 3.0, "cm2 h Torr/g", f"{SHIVKUMAR_2019}: 5 % mannitol; collagen is assumed to be alike"),
    assumed("A1", 16.0, 5.0, 30.0, "cm h Torr/g", f"{SHIVKUMAR_2019}: 5 % mannitol; collagen is assumed to be alike"),
    assumed("collapse_temperature", 263.0, 259.0, 267.0, "K", "assumed: gelatin-like glass, the highest safe front"),
    assumed("freezing_time", 4.0, 2.0, 8.0, "h", "assumed: to -35 degC and holding"),
    assumed("bound_water", 0.20, 0.12, 0.30, "g/g", "assumed: unfrozen water per dry mass after primary drying"),
    assumed("desorption_rate", 0.25, 0.1, 0.5, "1/h", "assumed: secondary drying at 25 degC"),
    share("loss", 0.01, 0.0, 0.03, "assumed: cake lost at unloading and sieving"),
    assumed("condenser_efficiency", 0.5, 0.3, 0.8, "", "assumed: heat taken by the ice condenser per electricity"),
    assumed("vacuum_power", 0.3, 0.1, 0.6, "kW/m2", "assumed: vacuum pumps and shelf pumps per shelf area"),
)


def secondary_hours(start: float, end: float, rate: float) -> float:
    """h to dry from `start` to `end` (g water per g dry) at `rate` (1/h), first order."""
    return math.log(start / end) / rate if 0 < end < start else 0.0


def _cycle(settings: Settings, feed: Stream) -> Cycle:
    dry = feed.mass - feed.masses.get("water", 0.0)
    return Cycle(
        shelf=settings.number("shelf_temperature"),
        pressure=settings.number("chamber_pressure") / PASCAL_PER_TORR,
        depth=settings.number("fill_depth"),
        solids=round(min(0.6, dry / feed.volume / 1000.0), 10),
        **{name: settings.lever(name) for name in ("KC", "KP", "KD", "R0", "A1")},
    )


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Freeze, sublime the ice, desorb what is bound down to the residual moisture."""
    feed = carry.stream
    if feed.volume <= 0:
        raise settings.error("there is no liquid to dry", "Check the steps before it.")
    cycle = _cycle(settings, feed)
    drying = primary_drying(cycle)
    if drying is None:
        raise settings.error(
            f"no ice sublimes within {LONGEST:g} h at a shelf of {cycle.shelf:g} degC and "
            f"{settings.number('chamber_pressure'):g} Pa",
            "Raise the shelf temperature, lower the chamber pressure or the fill depth.",
        )
    cake, vapour = _dried(settings, feed)
    dry, left = cake.mass - cake.masses.get("water", 0.0), cake.masses.get("water", 0.0)
    secondary = 0.0
    if dry > 0:
        secondary = secondary_hours(settings.lever("bound_water"), left / dry, settings.lever("desorption_rate"))
    kept, lost = part(cake, ("dried", "lost at unloading"), 1.0 - settings.lever("loss"))
    area, rounds = settings.capped("shelf_area", feed.volume / 1000.0 / (cycle.depth / 100.0))
    number = settings.parallel("shelf_area", area)
    duration = settings.lever("freezing_time") + drying.duration + secondary
    step = result(
        settings,
        (feed,),
        kept,
        (vapour, lost),
        duration * rounds,
        utilities=_energy(settings, feed, vapour.mass, area * rounds, duration),
        performance={
            "residual_moisture": (100.0 * left / cake.mass, "%"),
            "chamber_pressure": (settings.number("chamber_pressure"), "Pa"),
            "product_temperature": (float(drying.bottom.max()), "degC"),
            "front_temperature": (float(drying.front.max()), "degC"),
            "collapse_margin": (settings.lever("collapse_temperature") - KELVIN - float(drying.front.max()), "K"),
            "primary_drying": (drying.duration, "h"),
            "secondary_drying": (secondary, "h"),
            "dry_mass": (kept.mass, "g"),
        },
        equipment={
            "shelf_area": (area / number, "m2"),
            "rounds": (float(rounds), ""),
            "parallel": (float(number), ""),
        },
        trajectory=_course(drying, settings.lever("freezing_time")),
        sources=(SHIVKUMAR_2019,),
    )
    return step, dataclasses.replace(carry, stream=kept)


def _dried(settings: Settings, feed: Stream) -> tuple[Stream, Stream]:
    """The cake at its residual moisture (of the wet cake), and the vapour on the condenser."""
    wet = settings.number("residual_moisture") / 100.0
    whole = amounts(feed)
    dry = feed.mass - whole["water"]
    left = min(whole["water"], dry * wet / (1.0 - wet))
    removed = whole["water"] - left
    cake = build("dried", (dry + left) / CAKE_DENSITY, {**whole, "water": left}, solids(feed), feed)
    cake = dataclasses.replace(cake, temperature=20.0)
    return cake, build("condensed vapour", removed / 1000.0, {"water": removed}, {}, feed)


def _course(drying: Drying, start: float) -> dict[str, list[float]]:
    """Primary drying for a plot, thinned to about 100 points, the ends included."""
    points = np.unique(np.linspace(0, len(drying.time) - 1, 101).round().astype(int))
    return {
        "time": (drying.time[points] + start).tolist(),
        "dried_layer": drying.layer[points].tolist(),
        "front_temperature": drying.front[points].tolist(),
        "product_temperature": drying.bottom[points].tolist(),
        "shelf_temperature": drying.shelf[points].tolist(),
    }


def _energy(
    settings: Settings, feed: Stream, removed: float, area: float, duration: float
) -> dict[str, tuple[float, str]]:
    """Shelf heat, condenser and freezing by the ice, pumps by area and time; its own refrigeration is in it."""
    heat = removed / 1000.0 * SUBLIMATION_KWH
    freezing = feed.volume * (4.18 * max(0.0, feed.temperature) + 334.0 + 2.1 * 35.0) / 3600.0
    efficiency = settings.lever("condenser_efficiency")
    pumps = settings.lever("vacuum_power") * area * duration
    return {"electricity": (heat + (heat + freezing) / efficiency + pumps, "kWh")}


LYOPHILISE: Final = Operation(
    "lyophilise",
    {"fill_depth": "cm", "shelf_temperature": "degC", "chamber_pressure": "Pa", "residual_moisture": "%"},
    (),
    LEVERS,
    run,
)
