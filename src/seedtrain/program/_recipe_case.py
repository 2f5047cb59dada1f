"""A recipe of one's own as a case for its cost, and at two scales for its transfer."""

from __future__ import annotations

from pathlib import Path

from seedtrain.base import Progress, silent
from seedtrain.development import BatchCase, Finance, ScaleUp, batch_case, read_factors, scale, scale_up
from seedtrain.program._directory import culture_of
from seedtrain.program._need import read_need
from seedtrain.program._plant import read_plant
from seedtrain.recipe import read_recipe

_TARGETS = ("cost", "carbon", "amount")


def recipe_case(
    subject: Path,
    *,
    at: str | None = None,
    plant: Path | None = None,
    factors: Path | None = None,
    finance: Finance | None = None,
    progress: Progress = silent,
) -> BatchCase:
    """The batch that a recipe makes in a vessel, with prices and targets.

    - `subject`: a recipe file, or a program directory. `at`: a unit; the plant's of scale `plant` if not given.
    - `plant`, `factors`: files; plant.yaml and factors.yaml beside the recipe if not given and there.

    A need.yaml beside the recipe gives the targets.
    """
    path = subject / "recipe.yaml" if subject.is_dir() else subject
    recipe = read_recipe(path)
    units = read_plant(plant or path.parent / "plant.yaml")
    own = path.parent / "factors.yaml"
    table = read_factors(factors or (own if own.is_file() else None))
    unit = units.vessel(at or units.vessel_of_scale("plant").name).name
    (found,) = scale(culture_of(recipe, path.parent), units.vessels, recipe, targets=[unit], progress=progress)
    name = f"{recipe.name}, {found.unit}"
    return batch_case(found, table, name=name, finance=finance, targets=_targets(path.parent / "need.yaml"))


def recipe_scale_up(
    path: Path,
    *,
    start: str | None,
    end: str,
    keep: str = "power_per_volume",
    zones: int = 4,
    plant: Path | None = None,
    progress: Progress = silent,
) -> ScaleUp:
    """The recipe carried from the unit `start` (its own, if not given) to the unit `end` of the plant."""
    recipe = read_recipe(path)
    units = read_plant(plant or path.parent / "plant.yaml")
    begin = units.vessel(start or recipe.basis_unit).name
    units.vessel(end)
    culture = culture_of(recipe, path.parent)
    return scale_up(culture, units.vessels, recipe, start=begin, end=end, keep=keep, zones=zones, progress=progress)


def _targets(path: Path) -> dict[str, float]:
    if not path.is_file():
        return {}
    need = read_need(path)
    return {item.attribute: item.limit for item in need.criteria if item.attribute in _TARGETS} | {
        "amount": need.entry.amount.magnitude("kg/year")
    }
