"""What a production run hands to the downstream train: its last broth as a `Stream`."""

from __future__ import annotations

from typing import Final

from seedtrain.base import InputError
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import CO2_MASS, NH3_MASS, O2_MASS
from seedtrain.simulation._plan import IPTG_MASS
from seedtrain.simulation._run import Run
from seedtrain.simulation._stream import Stream

ENDOTOXIN_PER_LPS: Final = 1e10
"""EU per g of lipopolysaccharide: 10 EU/ng, the usual equivalence of E. coli reference endotoxin (EC-6, USP <85>)."""


def broth(run: Run, culture: Culture, *, index: int = -1) -> Stream:
    """The broth of `run` at one stored time (the last where nothing else is said), in g and EU.

    A product inside the cells leaves with `cells` (dry mass without it) until disruption, which sets free host protein
    and DNA out of `cells`. Organic acids count as acetate; minerals, ammonia and all else that is dissolved as salts.
    Endotoxin is that of the cells' own lipopolysaccharide, where the culture states it.

    Raises `InputError` for the run of another culture.
    """
    missing = [name for name in culture.species if name not in run.variables]
    if missing:
        raise InputError(
            f"the run was made by culture {run.culture}, not by {culture.name}: it has no {missing[0]}",
            remedy=f"Read culture {run.culture}.",
        )
    volume = float(run["V"][index])

    def grams(symbol: str) -> float:
        return float(run[symbol][index]) * volume * culture.masses.get(symbol, 1.0)

    def known(word: str) -> float:
        symbol = culture.symbol(word)
        return grams(symbol) if symbol else 0.0

    rest = {name: item for name, item in culture.species.items() if item.known_as not in ("product", "glucose")}
    cells = sum(grams(name) for name, item in rest.items() if item.intracellular)
    dissolved = {name: item for name, item in rest.items() if not item.intracellular}
    acids = sum(grams(name) for name, item in dissolved.items() if item.protons)
    others = sum(grams(name) for name, item in dissolved.items() if not item.protons)
    lipopolysaccharide = sum(grams(name) * item.lipopolysaccharide for name, item in culture.species.items())
    final = index in (-1, len(run.time) - 1)
    antifoam = run.totals["antifoam"][0] if final else 0.0
    gases = (grams("DO") * O2_MASS + grams("C_CO2") * CO2_MASS) / 1000
    masses = {
        "water": grams("water") + gases,  # dissolved gas, some mg, goes with the water
        "product": known("product"),
        "cells": cells,
        "salts": grams("minerals") - antifoam + grams("NH") * NH3_MASS / 1000 + others,
        "acetate": acids,
        "glucose": known("glucose"),
        "iptg": grams("I") * IPTG_MASS / 1000,
        "antifoam": antifoam,
    }
    return Stream(
        name="broth",
        volume=volume,
        masses={name: mass for name, mass in masses.items() if mass > 0},
        endotoxin=lipopolysaccharide * ENDOTOXIN_PER_LPS,
        temperature=float(run["T"][index]),
        pH=float(run["pH"][index]),
    )
