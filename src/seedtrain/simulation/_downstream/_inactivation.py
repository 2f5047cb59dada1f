"""Virus inactivation by holding at low pH or with a detergent: biphasic decay with a limit to what may be claimed."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import add, amounts, build, chill, part, solids, solution
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import MIXING_TIME, course, result, stirring, tanks
from seedtrain.simulation._downstream._sources import ASTM_E2888, UARK_2019
from seedtrain.simulation._stream import StepResult

REFERENCE_PH: Final = 3.6
REFERENCE_TEMPERATURE: Final = 20.0
"""degC."""
LN10: Final = math.log(10.0)

LEVERS: Final = (
    assumed(
        "acid_rate",
        30.0,
        12.0,
        60.0,
        "1/h",
        f"assumed: enveloped virus at pH 3.6 and 20 degC; {UARK_2019}: above 4 log10 of XMuLV in 1 h; {ASTM_E2888}: "
        "5 log10, its conditions were not at hand",
    ),
    assumed("pH_decade", 0.5, 0.3, 1.0, "", "assumed: rise of pH that makes acid ten times slower"),
    assumed("detergent_rate", 60.0, 20.0, 120.0, "1/h", "assumed: enveloped virus at the detergent's full level"),
    assumed("detergent_level", 5.0, 2.0, 10.0, "g/L", "assumed: detergent from which on more does not help"),
    assumed("doubling", 10.0, 7.0, 20.0, "K", "assumed: rise of temperature that doubles both rates"),
    assumed("resistant", 1e-5, 1e-6, 1e-4, "", "assumed: share of the virus that is in aggregates and decays slowly"),
    assumed("resistant_rate", 0.02, 0.0, 0.1, "", "assumed: its rate over that of the rest"),
    assumed("largest_claim", 6.0, 4.0, 7.0, "", "assumed: what spike and assay of a study can show"),
    assumed("denaturation_rate", 0.003, 0.0, 0.03, "1/h", "assumed: product lost at pH 3.6, slower as the virus is"),
    share("recovery", 0.995, 0.98, 1.0, "assumed: product that is drained from the vessel"),
)


def rate(settings: Settings, pH: float | None, detergent: float, temperature: float) -> tuple[float, float]:
    """Decay of the virus (1/h) by acid and by detergent together, and how much the acid is slowed (1 at pH 3.6).

    - `pH`: None where the step sets none, so that acid does nothing; `detergent` g/L; `temperature` degC.
    """
    warmth = 2.0 ** ((temperature - REFERENCE_TEMPERATURE) / settings.lever("doubling"))
    slowed = 0.0 if pH is None else 10.0 ** -max(0.0, (pH - REFERENCE_PH) / settings.lever("pH_decade"))
    wet = min(1.0, detergent / settings.lever("detergent_level"))
    return warmth * (settings.lever("acid_rate") * slowed + settings.lever("detergent_rate") * wet), slowed * warmth


def log_reduction(fast: float, slow: float, resistant: float, hours: float) -> float:
    """Decimal logarithm of virus before over after; `resistant` of it decays with `slow`, all else with `fast`, 1/h."""
    if hours <= 0:
        return 0.0
    # Through logarithms, so that a long hold does not end in 0.
    parts = [math.log1p(-resistant) - fast * hours] if resistant < 1 else []
    parts += [math.log(resistant) - slow * hours] if resistant > 0 else []
    highest = max(parts)
    return -(highest + math.log(sum(math.exp(value - highest) for value in parts))) / LN10


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Add acid or detergent, hold; the reduction of virus is a figure, as no stream counts virus."""
    hours, pH = settings.number("residence_time"), settings.numbers.get("pH")
    feed = carry.stream
    temperature = settings.number("temperature", feed.temperature)
    material = settings.word("material")
    addition = solution(settings, material, feed.volume * settings.number("volume_fraction") / 100.0, feed)
    mixed, cooling = chill(add("held", feed, addition, pH), temperature)
    fast, damage = rate(settings, pH, mixed.concentration("detergent"), temperature)
    resistant = min(1.0, settings.lever("resistant"))
    slow = min(1.0, settings.lever("resistant_rate")) * fast

    def reduction(time: float) -> float:
        return min(settings.lever("largest_claim"), log_reduction(fast, slow, resistant, time))

    whole, bound = amounts(mixed), solids(mixed)
    free = whole["product"] - bound["product"]
    lost = free * -math.expm1(-settings.lever("denaturation_rate") * damage * hours)
    whole["product"] -= lost
    whole["denatured_product"] += lost
    held = build("held", mixed.volume, whole, bound, mixed)
    kept, left = part(held, ("inactivated", "left in the vessel"), settings.lever("recovery"))
    step = result(
        settings,
        (feed, addition),
        kept,
        (left,),
        hours + MIXING_TIME,
        materials={material: (addition.volume, "L")},
        utilities={**stirring(mixed.volume, hours + MIXING_TIME), "cooling": (cooling, "kWh")},
        performance={
            "virus_lrv": (reduction(hours), ""),
            "inactivation_rate": (fast, "1/h"),
            "residence_time": (hours, "h"),
        },
        equipment=tanks(settings, mixed.volume),
        trajectory=course(hours, virus_lrv=reduction),
        sources=(ASTM_E2888, UARK_2019),
        converted={"product": -lost, "denatured_product": lost} if lost else {},
    )
    return step, dataclasses.replace(carry, stream=kept)


INACTIVATE: Final = Operation(
    "inactivate",
    {"volume_fraction": "%", "pH": "", "temperature": "degC", "residence_time": "h"},
    ("material",),
    LEVERS,
    run,
)
