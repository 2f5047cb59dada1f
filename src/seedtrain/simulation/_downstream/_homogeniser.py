"""High-pressure homogeniser: first-order release in passes, a power law in pressure."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import ENDOTOXIN, HEAT_CAPACITY, amounts, build, chill, solids
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, derived, share, sourced
from seedtrain.simulation._downstream._result import course, result
from seedtrain.simulation._downstream._sources import CHISTI_1986, HETHERINGTON_1971, LI_2008, NEIDHARDT_1996
from seedtrain.simulation._stream import StepResult

LEVERS: Final = (
    derived(
        "release_constant", 7.5e-5, 5e-5, 1.2e-4, "MPa^-a", f"set so that two passes at 80 MPa ({LI_2008}) release 90 %"
    ),
    sourced("pressure_exponent", 2.2, 2.1, 2.3, "", f"{CHISTI_1986}: 2.2 E. coli; {HETHERINGTON_1971}: 2.9 yeast"),
    share("denaturation", 0.007, 0.002, 0.02, "assumed: product lost to shear and heat in each pass"),
    share("protein_fraction", 0.55, 0.45, 0.60, f"{NEIDHARDT_1996}: protein in dry cells", "sourced"),
    share("soluble_protein", 0.65, 0.5, 0.8, "assumed: host protein that is released in solution"),
    share("dna_fraction", 0.031, 0.02, 0.04, f"{NEIDHARDT_1996}: DNA in dry cells", "sourced"),
    share("metabolites", 0.039, 0.02, 0.06, f"{NEIDHARDT_1996}: soluble pool and ions in dry cells", "sourced"),
    share("endotoxin_on_debris", 0.9, 0.75, 0.97, "assumed: endotoxin that stays on membrane fragments"),
    assumed("debris_diameter", 0.4, 0.2, 0.6, "um", "assumed: median debris after one pass"),
    assumed("run_time", 3.0, 1.0, 8.0, "h", "assumed: the homogeniser is chosen so large that this holds"),
    share("pump_efficiency", 0.8, 0.6, 0.9, "assumed: hydraulic over electric energy"),
)


def release(constant: float, exponent: float, pressure: float, passes: float) -> float:
    """Fraction released, R: ln(1/(1-R)) = k N P^a, P in MPa. **Source** Hetherington et al. 1971."""
    return -math.expm1(-constant * passes * pressure**exponent)


def temperature_rise(pressure: float) -> float:
    """K in one pass at `pressure` (MPa): the work ends as heat, P / (density x heat capacity) = 2.4 K per 10 MPa."""
    return pressure / 3.6 / 1000.0 / HEAT_CAPACITY


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Disrupt the cells: they turn into debris, host protein and DNA, and give the product free."""
    pressure, passes = settings.number("pressure"), settings.number("passes")
    feed, cooling = chill(carry.stream, settings.number("temperature", carry.stream.temperature))
    released = release(settings.lever("release_constant"), settings.lever("pressure_exponent"), pressure, passes)
    before, bound = amounts(feed), solids(feed)
    after = dict(before)
    broken = released * bound["cells"]
    shares = _shares(settings)
    after["cells"] -= broken
    for name, fraction in shares.items():
        after[name] += broken * fraction
    free = before["product"] - (1.0 - released) * bound["product"]
    damage = free * (1.0 - (1.0 - settings.lever("denaturation")) ** passes)
    after["product"] -= damage
    after["denatured_product"] += damage
    held = {key: (1.0 - released) * bound[key] for key in bound}
    held["cells"], held["debris"] = after["cells"], after["debris"]
    held[ENDOTOXIN] += settings.lever("endotoxin_on_debris") * released * bound[ENDOTOXIN]
    outlet = build("homogenate", feed.volume, after, held, feed)
    size = settings.lever("debris_diameter") * max(passes, 1.0) ** -0.3
    rise = temperature_rise(pressure)
    # Between passes it is cooled back; the last rise stays unless the set point is held, as it is here.
    outlet = dataclasses.replace(outlet, particle_size=size)
    hours = settings.lever("run_time")
    needed = feed.volume * passes / hours
    flow = settings.bounded("homogeniser_flow", needed)
    number = settings.parallel("homogeniser_flow", flow)
    work = pressure * feed.volume / 3600.0 * passes
    duration = hours * needed / flow

    def after_passing(time: float) -> float:
        done = passes * time / duration if duration > 0 else passes
        return 100.0 * release(settings.lever("release_constant"), settings.lever("pressure_exponent"), pressure, done)

    step = result(
        settings,
        (carry.stream,),
        outlet,
        (),
        duration,
        utilities={
            "electricity": (work / settings.lever("pump_efficiency"), "kWh"),
            "cooling": (cooling + work, "kWh"),
        },
        performance={
            "release": (100.0 * released, "%"),
            "pressure": (pressure, "MPa"),
            "passes": (passes, ""),
            "temperature_rise": (rise, "K"),
            "highest_temperature": (feed.temperature + rise, "degC"),
        },
        equipment={"homogeniser_flow": (flow / number, "L/h"), "parallel": (float(number), "")},
        trajectory=course(duration, release=after_passing),
        sources=(HETHERINGTON_1971, CHISTI_1986, LI_2008, NEIDHARDT_1996),
        converted={key: after[key] - before[key] for key in before if key != ENDOTOXIN and after[key] != before[key]},
    )
    return step, dataclasses.replace(carry, stream=outlet)


def _shares(settings: Settings) -> dict[str, float]:
    """What a gram of disrupted cells turns into, in shares that add up to 1; RNA counts as debris (ribosomes)."""
    found = {
        "host_protein": settings.lever("protein_fraction") * settings.lever("soluble_protein"),
        "dna": settings.lever("dna_fraction"),
        "salts": settings.lever("metabolites"),
    }
    total = max(1.0, sum(found.values()))
    found = {name: value / total for name, value in found.items()}
    found["debris"] = max(0.0, 1.0 - sum(found.values()))
    return found


HOMOGENISER: Final = Operation("homogenise", {"pressure": "MPa", "passes": "", "temperature": "degC"}, (), LEVERS, run)
