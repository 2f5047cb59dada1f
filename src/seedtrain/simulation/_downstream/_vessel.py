"""What happens in a stirred vessel: dilution, acid precipitation; and phases that only people do."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import ENDOTOXIN, PARTICLES, add, amounts, build, solids, solution
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import MIXING_TIME, course, result, stirring, tanks
from seedtrain.simulation._downstream._sources import HUMAN_COLLAGEN_2024
from seedtrain.simulation._stream import StepResult

PRECIPITATION_LEVERS: Final = (
    share(
        "host_protein_precipitated",
        0.92,
        0.85,
        0.97,
        f"{HUMAN_COLLAGEN_2024}: acid and alkaline precipitation leave crude collagen above 90 % pure; value assumed",
    ),
    share("dna_precipitated", 0.95, 0.9, 0.99, "assumed: nucleic acids fall out with protein at low pH"),
    share("endotoxin_precipitated", 0.8, 0.6, 0.93, "assumed: dissolved endotoxin taken up by the precipitate"),
    share(
        "product_precipitated", 0.03, 0.01, 0.06, "assumed: collagen stays dissolved in acid, little is dragged down"
    ),
    share("denatured_precipitated", 0.5, 0.2, 0.9, "assumed: denatured product that falls out"),
    assumed("best_pH", 4.0, 3.5, 4.8, "", "assumed: where most E. coli proteins are least soluble"),
    assumed("pH_width", 1.2, 0.8, 2.0, "", "assumed: distance from it at which precipitation falls to 1/e"),
    assumed("aging_time", 0.2, 0.1, 0.5, "h", "assumed: time constant of precipitation and growth of flocs"),
    assumed("floc_diameter", 1.5, 0.8, 5.0, "um", "assumed: median floc that survives pumping"),
)


def run_dilute(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Add liquid up to a dry biomass (cells and what they hold) or by a factor; a thinner stream is left alone."""
    stream = carry.stream
    if "biomass" in settings.numbers:
        dry = sum(value for key, value in solids(stream).items() if key != ENDOTOXIN)
        volume = dry / settings.number("biomass")
    else:
        volume = stream.volume * settings.number("fold")
    added = max(0.0, volume - stream.volume)
    material = settings.word("material")
    addition = solution(settings, material, added, stream)
    outlet = add("diluted", stream, addition)
    biomass = sum(value for key, value in solids(outlet).items() if key != ENDOTOXIN) / max(outlet.volume, 1e-12)
    fold = outlet.volume / stream.volume if stream.volume > 0 else 1.0
    step = result(
        settings,
        (stream, addition),
        outlet,
        (),
        MIXING_TIME,
        materials={material: (added, "L")},
        utilities=stirring(outlet.volume, MIXING_TIME),
        performance={"biomass": (biomass, "g/L"), "fold": (fold, "")},
        equipment=tanks(settings, outlet.volume),
    )
    return step, dataclasses.replace(carry, stream=outlet)


def precipitated(highest: float, pH: float, best: float, width: float, hours: float, constant: float) -> float:
    """Fraction that has fallen out after `hours` at `pH`: a bell over pH, first order in time."""
    return highest * math.exp(-(((pH - best) / width) ** 2)) * -math.expm1(-hours / constant)


def run_precipitate(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Add acid; host protein, DNA and endotoxin join the solids while collagen stays dissolved."""
    stream, pH = carry.stream, settings.number("pH")
    hours = settings.number("residence_time")
    material = settings.word("material")
    volume = stream.volume * settings.number("acid_fraction") / 100.0
    addition = solution(settings, material, volume, stream)
    mixed = add("acidified", stream, addition, pH)

    def fallen(lever: str, time: float = hours) -> float:
        best, width = settings.lever("best_pH"), settings.lever("pH_width")
        return precipitated(settings.lever(lever), pH, best, width, time, settings.lever("aging_time"))

    takes = {
        "host_protein": fallen("host_protein_precipitated"),
        "dna": fallen("dna_precipitated"),
        ENDOTOXIN: fallen("endotoxin_precipitated"),
        "product": fallen("product_precipitated"),
        "denatured_product": fallen("denatured_precipitated"),
    }
    whole, bound = amounts(mixed), solids(mixed)
    for name, fraction in takes.items():
        bound[name] += fraction * (whole[name] - bound[name])
    settled = sum(bound[name] for name in (*PARTICLES, *takes) if name != ENDOTOXIN)
    outlet = build("acidified", mixed.volume, whole, bound, mixed)
    if takes["host_protein"] > 0:
        outlet = dataclasses.replace(outlet, particle_size=max(settings.lever("floc_diameter"), mixed.particle_size))
    step = result(
        settings,
        (stream, addition),
        outlet,
        (),
        hours + MIXING_TIME,
        materials={material: (volume, "L")},
        utilities=stirring(outlet.volume, hours + MIXING_TIME),
        performance={
            "precipitated_host_protein": (100.0 * takes["host_protein"], "%"),
            "solids": (settled / outlet.volume if outlet.volume > 0 else 0.0, "g/L"),
        },
        equipment=tanks(settings, outlet.volume),
        trajectory=course(
            hours,
            precipitated_host_protein=lambda time: 100.0 * fallen("host_protein_precipitated", time),
            precipitated_product=lambda time: 100.0 * fallen("product_precipitated", time),
        ),
        sources=(HUMAN_COLLAGEN_2024,),
    )
    return step, dataclasses.replace(carry, stream=outlet)


def run_manual(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Something is done that leaves the stream as it is, for as long as the recipe says."""
    return result(settings, (carry.stream,), carry.stream, (), 0.0), carry


DILUTE: Final = Operation("dilute", {"biomass": "g/L", "fold": ""}, ("material",), (), run_dilute)
PRECIPITATE: Final = Operation(
    "precipitate",
    {"pH": "", "acid_fraction": "%", "residence_time": "h"},
    ("material",),
    PRECIPITATION_LEVERS,
    run_precipitate,
)
MANUAL: Final = Operation("manual", {}, (), (), run_manual)
CALIBRATE: Final = Operation(
    "calibrate",
    {
        "pH_reference": "",
        "pH_second_reference": "",
        "dissolved_oxygen_reference": "%",
        "dissolved_oxygen_second_reference": "%",
        "valid": "h",
    },
    (),
    (),
    run_manual,
)
WAIT: Final = Operation("wait", {}, (), (), run_manual)
STERILISE: Final = Operation("sterilise", {"temperature": "degC"}, (), (), run_manual)
