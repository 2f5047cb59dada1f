"""One's own runs at the bench and in the pilot vessel: each held against its prediction, and scale against scale.

Bench runs of a campaign are set to many values, pilot runs to one: means of the two say nothing of the scale unless
enough bench runs were set as those of the pilot vessel. The prediction knows what each run was set to, so that its
error at each scale compares them all. Runs of the pilot vessel have no part in the campaign's fit.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Final, Literal

import numpy as np

from seedtrain.base import Progress, part
from seedtrain.comparison import Compared, compare_runs
from seedtrain.development import Dataset
from seedtrain.program._campaign import Campaign
from seedtrain.program._design_stages import DesignStages, Results
from seedtrain.program._directory import Program
from seedtrain.program._own_readings import own_data
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Run, Vessel, simulate

Why = Literal["one scale", "no symbol"]
SCALES: Final = ("bench", "pilot")
ALIKE: Final = 0.02
"""Of a factor's range: bench runs set that near to the pilot's are of the same set points."""
FEWEST: Final = 3
"""Bench runs at the pilot's set points from which on their means are compared."""


@dataclasses.dataclass(frozen=True)
class OwnComparison:
    """What one's own runs tell; `alike`: whether means are compared, of bench runs at the pilot's set points."""

    found: Compared
    alike: bool


def compare_own(
    program: Program, design: DesignStages, campaign: Campaign, results: Results, progress: Progress
) -> OwnComparison | Why:
    """Bench and pilot runs of the campaign's readings by the fitted culture, or why there is nothing to compare."""
    data = own_data(campaign)
    data = _kept(data, [name for name, about in data.about.items() if about.scale in SCALES])
    if {about.scale for about in data.about.values()} != set(SCALES):
        return "one scale"
    symbols = _shared_symbols(data, [item.symbol for item in campaign.assays])
    if not symbols:
        return "no symbol"
    names = _alike(program, campaign, data, results)
    alike = sum(data.about[name].scale == "bench" for name in names) >= FEWEST
    data = _kept(data, names) if alike else data
    predicted = _predicted(program, design, data, results, part(progress, 0.0, 0.8))
    plan = _plan(symbols, campaign.entry.margin, numbers=alike)
    found = compare_runs([data], plan, predicted=predicted, seed=program.seed, progress=part(progress, 0.8, 1.0))
    return OwnComparison(found, alike)


def _kept(data: Dataset, names: list[str]) -> Dataset:
    return dataclasses.replace(
        data,
        runs={name: data.runs[name] for name in names},
        about={name: data.about[name] for name in names},
        features={name: item for name, item in data.features.items() if name in names},
        spectra=(),
    )


def _shared_symbols(data: Dataset, measured: list[str]) -> list[str]:
    """Product and cells, as far as both scales have readings of them."""
    read = [
        {symbol for name, run in data.runs.items() if data.about[name].scale == scale for symbol in run.variables}
        for scale in SCALES
    ]
    wanted = ["P", *[name for name in ("DCW", "X") if name in measured][:1]]
    return [name for name in wanted if name in measured and all(name in symbols for symbols in read)]


def _alike(program: Program, campaign: Campaign, data: Dataset, results: Results) -> list[str]:
    """The runs of the pilot vessel, and those of the bench that were set as they were."""
    rows = {name: np.array(row) for name, row in results["campaign"].data["runs"].items() if name in data.runs}
    pilot = [name for name in data.runs if data.about[name].scale == "pilot"]
    there = np.median([_row(campaign, data.recipe_of(name, program.recipe)) for name in pilot], axis=0)
    width = np.array([item.high - item.low for item in campaign.factors])
    return [*(name for name, row in rows.items() if bool((np.abs(row - there) <= ALIKE * width).all())), *pilot]


def _row(campaign: Campaign, recipe: MasterRecipe) -> list[float]:
    """Where the factors stand, in their units; not-a-number, which is like nothing, where the recipe sets none."""
    found = [recipe.phase(item.path).quantity(item.parameter) for item in campaign.factors]
    return [
        math.nan if value is None else value.magnitude(item.unit)
        for value, item in zip(found, campaign.factors, strict=True)
    ]


def _predicted(
    program: Program, design: DesignStages, data: Dataset, results: Results, progress: Progress
) -> dict[str, Run]:
    """Each run as the fitted culture says, in its own vessel, set and begun as it was."""
    culture, set_as = design.culture(results), results["campaign"].data["runs"]
    recipes: dict[str, MasterRecipe] = {}
    found = {}
    for at, (name, about) in enumerate(data.about.items()):
        progress(at / len(data.about), f"{about.scale}: {name}")
        vessel = _vessel(program, about.vessel, about.scale)
        if vessel.name not in recipes:
            recipes[vessel.name] = _recipe_in(program, design, results, vessel)
        recipe = data.recipe_of(name, recipes[vessel.name])
        if name in set_as and program.campaign is not None:
            recipe = program.campaign.recipe(recipe, set_as[name])
        found[name] = simulate(
            culture, vessel, recipe, unit_procedure=recipe.production.name, initial=about.initial,
            feed_factor=about.feed_factor,
        )  # fmt: skip
    return found


def _vessel(program: Program, name: str, scale: str) -> Vessel:
    return program.plant.vessel(name) if name else program.plant.vessel_of_scale(scale)


def _recipe_in(program: Program, design: DesignStages, results: Results, vessel: Vessel) -> MasterRecipe:
    """The program's recipe as it was before anything was chosen, in a vessel."""
    if vessel.name == program.recipe.basis_unit:
        return program.recipe
    (scaled,) = design.scales(design.culture(results), program.recipe, [vessel.name])
    return scaled.control.recipe


def _plan(symbols: list[str], margin: str, *, numbers: bool) -> str:
    """What is compared and which difference does not matter, as campaign.yaml says."""
    lines = ['comparison: "bench against pilot"', "by: scale", "reference: bench", "multivariate: false"]
    if numbers:
        lines += ["numbers:", *(f"  - {{symbol: {one}, take: end, margin: {margin}}}" for one in symbols)]
    return "\n".join([*lines, "predictions:", *(f"  - {{symbol: {one}, margin: {margin}}}" for one in symbols)]) + "\n"
