"""Six fed batches of E. coli with different starts and feeds, simulated with scatter, and twelve parameters to find."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import read_document
from seedtrain.development._estimation import MeasuredRun, Problem, culture_problem
from seedtrain.recipe import read_recipe
from seedtrain.simulation import Run, Variable, VesselEntry, read_culture, simulate

Floats = NDArray[np.float64]
CASES: Final = Path(__file__).parents[1] / "cases"
TRUTH: Final = {"q_S_max": 0.70, "Y_em": 0.50, "p_A_max": 0.22, "K_ap": 0.45, "q_P_max": 0.022, "Y_XA": 0.36}
"""Six constants; the standard deviations of six observables are estimated beside them."""
SCATTER: Final = {"X": 0.3, "S": 0.1, "A": 0.03, "P": 0.05, "OUR": 1.5, "CER": 1.5}
TIMES: Final = 16


def fed_batch_problem(runs: int = 6) -> Problem:
    """The problem; every parameter starts from the culture file's value."""
    culture = read_culture("ecoli_balanced")
    recipe = read_recipe(CASES / "fed-batch.yaml")
    units = read_document(CASES / "fed-batch-plant.yaml").data["units"]
    vessel = VesselEntry.model_validate(units["BENCH-1L"]).vessel("BENCH-1L")
    dice = np.random.default_rng(17)
    found = []
    for number in range(runs):
        initial = {"X": 0.2 + 0.05 * number, "S": 8.0 + number, "A": 0.0}
        feed = 0.8 + 0.06 * number
        run = simulate(culture, vessel, recipe, parameters=TRUTH, initial=initial, feed_factor=feed)
        times = np.linspace(1.5, float(run.time[-1]) - 0.1, TIMES)
        seen = {
            name: Variable(name, run.variables[name].unit, _scattered(run, name, times, size, dice))
            for name, size in SCATTER.items()
        }
        read = Run("simulated", recipe.digest, culture.name, vessel.name, "production", times, seen)
        found.append(MeasuredRun(f"B{number + 1}", read, recipe, vessel, initial=initial, feed_factor=feed))
    return culture_problem(culture, found, tuple(TRUTH))


def _scattered(run: Run, name: str, times: Floats, size: float, dice: np.random.Generator) -> Floats:
    return np.array([run.at(name, time) for time in times.tolist()]) + size * dice.normal(size=len(times))
