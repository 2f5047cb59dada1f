"""What a recipe's model says of a study's factors, fast enough to be asked thousands of times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.development import (
    Experiment,
    ExperimentFactor,
    ExperimentPrior,
    Space,
    attributes_of,
    factor,
    fit_surrogate,
    fitted_values,
    scale,
    study,
)
from seedtrain.program._directory import culture_of
from seedtrain.program._plant import read_plant
from seedtrain.recipe import read_recipe
from seedtrain.simulation import read_culture

Floats = NDArray[np.float64]
RUNS = 128


def places_of(factors: Sequence[ExperimentFactor], shares: Floats) -> Floats:
    """Parts of each factor's range (0 .. 1, "run, factor"), even in its unit, as places on the study's own scale."""
    columns = [
        [item.scaled(item.low + share * (item.high - item.low)) for share in shares[:, at].tolist()]
        for at, item in enumerate(factors)
    ]
    return np.array(columns).T


def recipe_prior(
    path: Path,
    asked: Experiment,
    *,
    at: str | None = None,
    plant: Path | None = None,
    culture: str | None = None,
    fit: Path | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> ExperimentPrior:
    """The responses that a recipe's model gives (each response's `attribute`), by the factors that name its values.

    128 batches are simulated over the factors' ranges in the vessel `at` (the recipe's own if not given), and a
    Gaussian process stands for them; factors that name no value of the recipe do not move the prediction.

    - `culture`: a shipped culture's name or a file, a fitted one for instance; the recipe's if not given. - `fit`: a
      fit.json whose values its parameters take.
    """
    named = [(place, item) for place, item in enumerate(asked.ordered) if item.recipe and not item.levels]
    told = [item for item in asked.responses if item.attribute]
    if not named or not told:
        raise InputError(
            "the study names no value of the recipe, or no attribute that it gives",
            remedy="Give factors `recipe: PATH:NAME` and responses `attribute: titre`.",
        )
    recipe = read_recipe(path)
    units = read_plant(plant or path.parent / "plant.yaml")
    grown = read_culture(culture) if culture else culture_of(recipe, path.parent)
    if fit is not None:
        grown = grown.with_parameters(fitted_values(grown, fit))
    inputs = [
        factor(recipe, f"{item.recipe}={item.low:.10g} .. {item.high:.10g} {item.unit}", 0.0) for _p, item in named
    ]
    limits = [f"{item.attribute} >= 0 {item.unit}" for item in told]
    wanted = [item for item in attributes_of(recipe, limits) if item.name in {one.attribute for one in told}]
    unit = units.vessel(at or recipe.basis_unit).name
    (base,) = scale(grown, units.vessels, recipe, targets=[unit], progress=part(progress, 0.0, 0.1))
    runs = study(grown, base, inputs, wanted, runs=RUNS, seed=seed, progress=part(progress, 0.1, 1.0))
    order = [[item.label for item in runs.inputs].index(item.recipe) for _place, item in named]
    x = places_of([item for _place, item in named], (runs.x[:, order] + 1) / 2)
    models = {item.name: fit_surrogate(Space(len(named)), x, runs.y[item.attribute]) for item in told}
    columns = [place for place, _item in named]

    def prior(points: Floats) -> dict[str, Floats]:
        return {name: model.expected(points[:, columns]) for name, model in models.items()}

    return prior
