"""A recipe of one's own as a case for its cost, and at two scales for its transfer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.development import (
    BatchCase,
    DesignSpace,
    Finance,
    Input,
    ScaleUp,
    attributes_of,
    batch_case,
    check_reliability,
    design_space,
    factor,
    fitted_culture_inputs,
    raw_material,
    read_factors,
    scale,
    scale_up,
    spread_culture,
    strategy_factors,
    strategy_lines,
    study,
    with_strategy,
)
from seedtrain.program._directory import culture_of
from seedtrain.program._need import read_need
from seedtrain.program._plant import read_plant
from seedtrain.recipe import MasterRecipe, read_recipe
from seedtrain.simulation import check_device, read_culture

_TARGETS = ("cost", "carbon", "amount")


def recipe_case(
    subject: Path,
    *,
    at: str | None = None,
    plant: Path | None = None,
    factors: Path | None = None,
    culture: str | None = None,
    finance: Finance | None = None,
    progress: Progress = silent,
) -> BatchCase:
    """The batch that a recipe makes in a vessel, with prices and targets.

    - `subject`: a recipe file, or a program directory. `at`: a unit; the plant's of scale `plant` if not given.
    - `plant`, `factors`: files; plant.yaml and factors.yaml beside the recipe if not given and there.
    - `culture`: a shipped culture's name or a file, a fitted one for instance; the recipe's if not given.

    A need.yaml beside the recipe gives the targets.
    """
    path = subject / "recipe.yaml" if subject.is_dir() else subject
    recipe = read_recipe(path)
    units = read_plant(plant or path.parent / "plant.yaml")
    own = path.parent / "factors.yaml"
    table = read_factors(factors or (own if own.is_file() else None))
    unit = units.vessel(at or units.vessel_of_scale("plant").name).name
    grown = read_culture(culture) if culture else culture_of(recipe, path.parent)
    (found,) = scale(grown, units.vessels, recipe, targets=[unit], progress=progress)
    name = f"{recipe.name}, {found.unit}"
    return batch_case(found, table, name=name, finance=finance, targets=_targets(path.parent / "need.yaml"))


def recipe_scale_up(
    path: Path,
    *,
    start: str | None,
    end: str,
    keep: str | None = None,
    zones: int = 4,
    foaminess: float | None = None,
    plant: Path | None = None,
    culture: str | None = None,
    progress: Progress = silent,
) -> ScaleUp:
    """The recipe carried from the unit `start` (its own, if not given) to the unit `end` of the plant.

    - `culture`: a shipped culture's name or a file, a fitted one for instance; the recipe's if not given.
    """
    recipe = read_recipe(path)
    units = read_plant(plant or path.parent / "plant.yaml")
    begin = units.vessel(start or recipe.basis_unit).name
    units.vessel(end)
    grown = read_culture(culture) if culture else culture_of(recipe, path.parent)
    return scale_up(
        grown, units.vessels, recipe, start=begin, end=end, keep=keep, zones=zones, foaminess=foaminess,
        progress=progress,
    )  # fmt: skip


def _targets(path: Path) -> dict[str, float]:
    if not path.is_file():
        return {}
    need = read_need(path)
    return {item.attribute: item.limit for item in need.criteria if item.attribute in _TARGETS} | {
        "amount": need.entry.amount.magnitude("kg/year")
    }


def recipe_design_space(
    path: Path,
    *,
    at: str | None = None,
    factors: Sequence[str] = (),
    raw_materials: Sequence[str] = (),
    limits: Sequence[str] = (),
    fit: Path | None = None,
    spread: float | None = None,
    noise: float = 0.03,
    runs: int = 512,
    reliability: float = 0.9,
    seed: int = 0,
    plant: Path | None = None,
    device: Literal["cpu", "cuda"] = "cpu",
    progress: Progress = silent,
) -> tuple[DesignSpace, MasterRecipe, str]:
    """The design space of a recipe in a unit (the plant's of scale `plant` if not given), the recipe with its limits in
    the control strategy, and what they rest on.

    - `factors`: "PATH:NAME=LOW .. HIGH"; the numbers of the control strategy if not given. `noise`: of the control,
      part of a factor's range. `raw_materials`: "MATERIAL:CONSTITUENT=2 %". `limits`: "titre >= 3 g/L", beside the
      specification.
    - `fit`: a fit.json whose intervals the culture's parameters vary in, or `spread`: one relative deviation for all.
    - `device`: "cuda" integrates the cultures on the first CUDA device.
    """
    check_device(device)
    recipe = read_recipe(path)
    units = read_plant(plant or path.parent / "plant.yaml")
    unit = units.vessel(at or units.vessel_of_scale("plant").name).name
    culture = culture_of(recipe, path.parent)
    chosen = [factor(recipe, text, noise) for text in factors] or list(strategy_factors(recipe, noise))
    chosen += [raw_material(recipe, text) for text in raw_materials]
    source = f"recipe {recipe.digest[:12]}, {unit}, {runs} runs, seed {seed}"
    if fit is not None and spread is not None:
        raise InputError("a fit and a spread", remedy="Give one of the two: the fit says what varies.")
    if fit is not None:
        more, digest = fitted_culture_inputs(culture, fit)
        chosen, source = [*chosen, *more], f"{source}, fit {digest[:12]}"
    elif spread is not None:
        chosen += spread_culture(culture, spread)
    wanted = attributes_of(recipe, limits)
    check_reliability(reliability)
    (base,) = scale(culture, units.vessels, recipe, targets=[unit], progress=part(progress, 0.0, 0.1))
    given = _at_scale(chosen, base.control.recipe)
    found = study(culture, base, given, wanted, runs=runs, seed=seed, device=device, progress=part(progress, 0.1, 1.0))
    space = design_space(found, reliability)
    return space, with_strategy(recipe, strategy_lines(space, recipe, source)), source


def _at_scale(inputs: Sequence[Input], control: MasterRecipe) -> list[Input]:
    """The inputs with their targets as the control recipe has them: a limit of the vessel may have lowered a feed."""
    found = []
    for item in inputs:
        if item.kind == "factor":
            value = control.phase(item.path).number(item.name, item.unit)
            low, high = min(item.low, value), max(item.high, value)
            item = dataclasses.replace(item, target=value, low=low, high=high)
        found.append(item)
    return found
