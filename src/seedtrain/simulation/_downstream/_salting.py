"""Precipitation by salt: Cohn's solubility, approached in first order."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import PARTICLES, Amounts, add, amounts, build, solids, solution
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed, share
from seedtrain.simulation._downstream._result import MIXING_TIME, course, result, stirring, tanks
from seedtrain.simulation._downstream._sources import COHN_1925
from seedtrain.simulation._stream import StepResult, Stream

MOLAR_MASS: Final = 132.14
"""g/mol of ammonium sulfate, from the standard atomic weights of IUPAC 2021 (abridged)."""
IONS: Final = 3.0
"""Ionic strength over molarity of a 1:2 salt, by its definition."""

LEVERS: Final = (
    assumed("product_beta", 8.0, 5.0, 11.0, "", f"assumed; {COHN_1925}: log10 of the solubility in g/L without salt"),
    assumed("product_salting_out", 2.6, 1.5, 4.0, "L/mol", f"assumed; {COHN_1925}: K_s, its fall with ionic strength"),
    assumed("host_protein_beta", 5.0, 2.0, 8.0, "", "assumed: as product_beta, a mean over many proteins"),
    assumed("host_protein_salting_out", 0.9, 0.4, 1.5, "L/mol", "assumed: a mixture falls out over a wide range"),
    share("dna_dragged", 0.5, 0.2, 0.9, "assumed: DNA that goes down with all the protein that can"),
    share("endotoxin_dragged", 0.3, 0.1, 0.7, "assumed: dissolved endotoxin that goes down with it"),
    assumed("aging_time", 0.25, 0.1, 1.0, "h", "assumed: time constant of precipitation"),
    assumed("floc_diameter", 8.0, 2.0, 20.0, "um", "assumed: median floc that survives pumping"),
)


def solubility(beta: float, salting_out: float, ionic_strength: float) -> float:
    """Of a protein, g/L: log10 S = beta - K_s I, I in mol/L. **Source** Cohn 1925."""
    return float(10.0 ** min(300.0, beta - salting_out * ionic_strength))


def fallen(concentration: float, soluble: float, hours: float, constant: float) -> float:
    """Fraction of a protein that is out of solution: dc/dt = -(c - S)/tau down to the solubility S (both g/L)."""
    if concentration <= soluble:
        return 0.0
    return (1.0 - soluble / concentration) * -math.expm1(-hours / constant)


def volume_to(target: float, stream: Stream, stock: float) -> float:
    """L of a stock of `stock` g/L that bring `stream` to `target` g/L of salts; 0 where it holds them."""
    now = stream.concentration("salts")
    return 0.0 if now >= target else stream.volume * (target - now) / (stock - target)


def _drag(settings: Settings, takes: Amounts, whole: Amounts, bound: Amounts) -> float:
    """Add what is dragged down to `takes`, move all of that to the solids, and tell how much protein sank, g."""
    sunk = sum(fraction * (whole[name] - bound[name]) for name, fraction in takes.items())
    there = sum(whole[name] - bound[name] for name in takes)
    drag = sunk / there if there > 0 else 0.0
    takes["dna"] = settings.lever("dna_dragged") * drag
    takes["endotoxin"] = settings.lever("endotoxin_dragged") * drag
    for name, fraction in takes.items():
        bound[name] += fraction * (whole[name] - bound[name])
    return sunk


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Bring the stream to its molarity; each protein falls out to its solubility, and more with time."""
    stream, hours, molarity = carry.stream, settings.number("residence_time"), settings.number("salt")
    material = settings.word("material")
    stock = solution(settings, material, 1.0, stream).masses.get("salts", 0.0)
    target = molarity * MOLAR_MASS
    if stock <= target:
        raise settings.error(
            f"{material!r} holds {stock / MOLAR_MASS:.3g} mol/L of salt, so it cannot bring the stream to {molarity:g}",
            "Prepare a stronger solution, or ask for less salt.",
        )
    addition = solution(settings, material, volume_to(target, stream, stock), stream)
    mixed = add("salted", stream, addition)
    ionic = IONS * mixed.concentration("salts") / MOLAR_MASS
    whole, bound = amounts(mixed), solids(mixed)

    def out(name: str, time: float = hours) -> float:
        lever = "host_protein" if name == "host_protein" else "product"
        soluble = solubility(settings.lever(f"{lever}_beta"), settings.lever(f"{lever}_salting_out"), ionic)
        free = (whole[name] - bound[name]) / mixed.volume
        return fallen(free, soluble, time, settings.lever("aging_time"))

    takes = {name: out(name) for name in ("product", "denatured_product", "host_protein")}
    sunk = _drag(settings, takes, whole, bound)
    outlet = build("salted", mixed.volume, whole, bound, mixed)
    if sunk > 0:
        outlet = dataclasses.replace(outlet, particle_size=max(settings.lever("floc_diameter"), mixed.particle_size))
    solid = sum(value for name, value in bound.items() if name in (*PARTICLES, *takes) and name != "endotoxin")
    step = result(
        settings,
        (stream, addition),
        outlet,
        (),
        hours + MIXING_TIME,
        materials={material: (addition.volume, "L")},
        utilities=stirring(mixed.volume, hours + MIXING_TIME),
        performance={
            "salt": (mixed.concentration("salts") / MOLAR_MASS, "mol/L"),
            "precipitated_product": (100.0 * takes["product"], "%"),
            "precipitated_host_protein": (100.0 * takes["host_protein"], "%"),
            "solids": (solid / outlet.volume if outlet.volume > 0 else 0.0, "g/L"),
        },
        equipment=tanks(settings, outlet.volume),
        trajectory=course(
            hours,
            precipitated_product=lambda time: 100.0 * out("product", time),
            precipitated_host_protein=lambda time: 100.0 * out("host_protein", time),
        ),
        sources=(COHN_1925,),
    )
    return step, dataclasses.replace(carry, stream=outlet)


SALT_OUT: Final = Operation("salt_out", {"salt": "mol/L", "residence_time": "h"}, ("material",), LEVERS, run)
