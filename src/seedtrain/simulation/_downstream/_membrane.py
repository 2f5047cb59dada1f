"""Ultrafiltration: concentration and constant-volume diafiltration with sieving coefficients."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import ENDOTOXIN, Amounts, amounts, build, part, solids, solution
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import course, per_product, result
from seedtrain.simulation._downstream._sources import PETSCH_ANSPACH_2000
from seedtrain.simulation._stream import StepResult, Stream

CROSS_FLOW: Final = 300.0
"""L/m2/h along the membrane; assumed for a flat-sheet cassette."""
FEED_PRESSURE: Final = 2.0
"""bar that the pump adds; assumed."""
PUMP_EFFICIENCY: Final = 0.5
"""assumed."""

LEVERS: Final = (
    assumed("selectivity", 2.0, 1.6, 2.6, "", "assumed: sieving = 0.1 (M / cut-off)^-n; 0.1 at the cut-off by rating"),
    share("host_protein_sieving", 0.05, 0.01, 0.1, "assumed: small host proteins pass"),
    share("endotoxin_sieving", 0.02, 0.0, 0.1, f"{PETSCH_ANSPACH_2000}: aggregates are held; value assumed"),
    assumed("micelle_concentration", 0.107, 0.09, 0.19, "g/L", "assumed: Triton X-114, 0.2 mmol/L at 537 g/mol"),
    share("recovery", 0.985, 0.97, 0.995, "assumed: retentate that is drained and flushed from the skid"),
    assumed("flush", 20.0, 10.0, 40.0, "L/m2", "assumed: water to flush and clean the membrane"),
)
SMALL: Final = ("water", "salts", "acetate", "glucose", "iptg", "acid")
"""What passes the membrane as the water does."""


def product_sieving(molar_mass: float, cut_off: float, selectivity: float) -> float:
    """Sieving coefficient of a protein; a membrane is rated where it lets a tenth through. Masses in kDa."""
    return min(1.0, float(0.1 * (molar_mass / cut_off) ** -selectivity))


def sieving(settings: Settings, cut_off: float) -> Amounts:
    """Sieving coefficients by component; detergent counts as its monomer, which passes freely."""
    product = product_sieving(settings.molar_mass, cut_off, settings.lever("selectivity"))
    found = dict.fromkeys((*SMALL, "detergent"), 1.0)
    found.update(
        product=product,
        denatured_product=product,
        host_protein=settings.lever("host_protein_sieving"),
        dna=0.0,
        antifoam=0.0,
        cells=0.0,
        debris=0.0,
    )
    found[ENDOTOXIN] = settings.lever("endotoxin_sieving")
    return found


def exchanged(before: float, comes: float, volumes: float, coefficient: float) -> float:
    """Amount left after `volumes` diafiltration volumes: dm/dN = comes - S m.

    - `comes`: amount in one volume of the new buffer; where that is 0 the rest is exp(-N S).
    """
    passed = coefficient * volumes
    # Not as a distance from comes/S: for a small S that is the difference of two large numbers.
    kept = -math.expm1(-passed) / passed if passed > 0 else 1.0
    return before * math.exp(-passed) + comes * volumes * kept


def exchanged_detergent(before: float, volumes: float, monomer: float) -> float:
    """Detergent left, where only monomer passes: above the micelle concentration a constant amount leaves with each
    volume (`monomer`, what one volume holds at it), below it the rest fades as any small solute."""
    if before <= monomer:
        return before * math.exp(-volumes)
    linear = (before - monomer) / monomer
    if volumes <= linear:
        return before - monomer * volumes
    return monomer * math.exp(-(volumes - linear))


def concentrated_detergent(before: float, start: float, end: float, limit: float) -> float:
    """Detergent left (g) when `start` L are concentrated to `end` L and the permeate holds at most `limit` g/L.

    Monomer passes at its concentration, so that stays while it is below `limit`; above, the permeate holds `limit`.
    """
    if before <= 0:
        return 0.0
    concentration = before / start
    return concentration * end if concentration <= limit else before - limit * (start - end)


def _skids(settings: Settings, area: float) -> dict[str, tuple[float, str]]:
    """`area` m2 in as many skids as it takes."""
    number = settings.parallel("membrane_area", area)
    return {"membrane_area": (area / number, "m2"), "parallel": (float(number), "")}


def _skid(area: float, duration: float) -> float:
    """kWh of the feed pump."""
    return CROSS_FLOW * area * duration / 1000.0 * FEED_PRESSURE * 1e5 / 3.6e6 / PUMP_EFFICIENCY


def run_concentrate(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Take permeate off until the product reaches its concentration; a richer stream is left alone."""
    feed, cut_off = carry.stream, settings.number("cut_off")
    coefficients = sieving(settings, cut_off)
    now, target = feed.concentration("product"), settings.number("concentration")
    loss = coefficients["product"]
    # Constant rejection: c = c0 X^(1 - S) with the volume reduction X.
    reduction = max(1.0, (target / now) ** (1.0 / (1.0 - loss))) if now > 0 and loss < 1.0 else 1.0
    volume = feed.volume / reduction
    whole, particles = amounts(feed), solids(feed)
    stays = {key: whole[key] * reduction ** -coefficients[key] for key in whole}
    limit = settings.lever("micelle_concentration")
    stays["detergent"] = concentrated_detergent(whole["detergent"], feed.volume, volume, limit)
    retentate = build("retentate", volume, stays, {key: min(particles[key], stays[key]) for key in whole}, feed)
    permeate = build(
        "permeate", feed.volume - volume, {key: max(0.0, whole[key] - stays[key]) for key in whole}, {}, feed
    )
    kept, left = part(retentate, ("retentate", "left in the skid"), settings.lever("recovery"))
    area = settings.bounded("membrane_area", feed.volume / settings.number("load"))
    duration = permeate.volume / (settings.number("flux") * area)
    step = result(
        settings,
        (feed,),
        kept,
        (permeate, left),
        duration,
        materials={settings.word("membrane"): (area, "m2")},
        utilities={
            "electricity": (_skid(area, duration), "kWh"),
            "water": (settings.lever("flush") * area, "L"),
        },
        performance={
            **_pressures(settings),
            "volume_reduction": (reduction, ""),
            "product_rejection": (100.0 * (1.0 - loss), "%"),
            "flux": (settings.number("flux"), "L/m2/h"),
            "load": (feed.volume / area, "L/m2"),
        },
        equipment=_skids(settings, area),
        trajectory=_concentrating(feed, loss, permeate.volume, duration),
    )
    return step, dataclasses.replace(carry, stream=kept, membrane_area=area, cut_off=cut_off)


def _concentrating(feed: Stream, sieving: float, permeate: float, duration: float) -> dict[str, list[float]]:
    """Volume and product over the concentration, for a plot; the permeate leaves at an even rate."""
    now = feed.concentration("product")

    def volume(time: float) -> float:
        return feed.volume - (permeate * time / duration if duration > 0 else 0.0)

    return course(duration, volume=volume, product=lambda time: now * (feed.volume / volume(time)) ** (1.0 - sieving))


def _pressures(settings: Settings) -> dict[str, tuple[float, str]]:
    pressure = settings.numbers.get("transmembrane_pressure")
    return {} if pressure is None else {"transmembrane_pressure": (pressure, "bar")}


def run_diafilter(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Exchange the buffer at constant volume on the membrane of the concentration before it."""
    feed, area = carry.stream, carry.membrane_area
    if area <= 0:
        raise settings.error("'diafilter' has no membrane", "Concentrate over a membrane before it.")
    volumes, material = settings.number("volumes"), settings.word("material")
    buffer = solution(settings, material, volumes * feed.volume, feed)
    coefficients = sieving(settings, carry.cut_off)
    stays = _after(settings, feed, buffer, volumes, coefficients)
    whole, comes, particles = amounts(feed), amounts(buffer), solids(feed)
    retentate = build("retentate", feed.volume, stays, {key: min(particles[key], stays[key]) for key in whole}, feed)
    permeate = build(
        "permeate", buffer.volume, {key: max(0.0, whole[key] + comes[key] - stays[key]) for key in whole}, {}, feed
    )
    kept, left = part(retentate, ("retentate", "left in the skid"), settings.lever("recovery"))
    kept = dataclasses.replace(kept, pH=buffer.pH)
    duration = permeate.volume / (settings.number("flux") * area)
    step = result(
        settings,
        (feed, buffer),
        kept,
        (permeate, left),
        duration,
        materials={material: (buffer.volume, "L")},
        utilities={
            "electricity": (_skid(area, duration), "kWh"),
            "water": (settings.lever("flush") * area, "L"),
        },
        performance={
            **_pressures(settings),
            "volumes": (volumes, ""),
            "flux": (settings.number("flux"), "L/m2/h"),
            "product_rejection": (100.0 * (1.0 - coefficients["product"]), "%"),
        },
        equipment=_skids(settings, area),
        trajectory=_course(settings, feed, buffer, volumes, coefficients, duration),
        sources=(PETSCH_ANSPACH_2000,),
    )
    return step, dataclasses.replace(carry, stream=kept)


def _after(settings: Settings, feed: Stream, buffer: Stream, volumes: float, coefficients: Amounts) -> Amounts:
    """What is in the retentate after `volumes`; `buffer` gives the composition of the new buffer."""
    whole, comes = amounts(feed), amounts(buffer)
    share_of_one = feed.volume / buffer.volume if buffer.volume > 0 else 0.0
    found = {key: exchanged(whole[key], comes[key] * share_of_one, volumes, coefficients[key]) for key in whole}
    if comes["detergent"] <= 0:
        monomer = settings.lever("micelle_concentration") * feed.volume
        found["detergent"] = exchanged_detergent(whole["detergent"], volumes, monomer)
    return found


def _course(
    settings: Settings, feed: Stream, buffer: Stream, volumes: float, coefficients: Amounts, duration: float
) -> dict[str, list[float]]:
    """Salts, product and detergent over the diafiltration, for a plot."""
    points = [index / 40.0 for index in range(41)]
    states = [_after(settings, feed, buffer, volumes * point, coefficients) for point in points]
    streams = [build("", feed.volume, state, {}, feed) for state in states]
    return {
        "time": [duration * point for point in points],
        "volumes": [volumes * point for point in points],
        "salts": [stream.concentration("salts") for stream in streams],
        "product": [stream.concentration("product") for stream in streams],
        "detergent_per_product": [per_product(stream, "detergent") * 1e3 for stream in streams],
    }


CONCENTRATE: Final = Operation(
    "concentrate",
    {
        "cut_off": "kDa",
        "load": "L/m2",
        "flux": "L/m2/h",
        "concentration": "g/L",
        "transmembrane_pressure": "bar",
    },
    ("membrane",),
    LEVERS,
    run_concentrate,
)
DIAFILTER: Final = Operation(
    "diafilter",
    {"volumes": "", "flux": "L/m2/h", "transmembrane_pressure": "bar"},
    ("material",),
    LEVERS,
    run_diafilter,
)
