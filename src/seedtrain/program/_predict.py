"""What a recipe's culture, in the vessel of each measured run, would have done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedtrain.base import Progress, part, silent
from seedtrain.development import Dataset
from seedtrain.program._compare import recipe_in_vessel
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, Run, Vessel, simulate


def predicted_runs(
    recipe: Path,
    datasets: Sequence[Dataset],
    *,
    culture: str | None = None,
    plant: Path | None = None,
    progress: Progress = silent,
) -> dict[tuple[str, str], Run]:
    """A simulated `Run` for each measured one, by the names of its data set and of itself.

    Each starts with what its mapping gives (`initial`, `feed_factor`, `set`, `vessel`), and none has seen a reading.
    """
    asked = [(data, name) for data in datasets for name in data.runs]
    vessels: dict[str, tuple[Culture, Vessel, MasterRecipe]] = {}
    found = {}
    for at, (data, name) in enumerate(asked):
        about = data.about[name]
        step = part(progress, at / len(asked), (at + 1) / len(asked))
        if about.vessel not in vessels:
            vessels[about.vessel] = recipe_in_vessel(
                recipe, plant=plant, vessel=about.vessel or None, culture=culture, progress=step
            )
        grown, vessel, master = vessels[about.vessel]
        found[data.name, name] = simulate(
            grown, vessel, data.recipe_of(name, master), unit_procedure=master.production.name, initial=about.initial,
            feed_factor=about.feed_factor, progress=step,
        )  # fmt: skip
    return found
