"""One recipe in one vessel, and two recipes side by side: what the commands `simulate` and `recipe diff` show."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.development import KEEP, Agitation, ScaleResult, scale
from seedtrain.program._directory import culture_of
from seedtrain.program._plant import Plant, read_plant
from seedtrain.program._run_figures import run_figure
from seedtrain.recipe import Change, MasterRecipe, diff, read_recipe
from seedtrain.simulation import Culture, Run, Vessel, read_culture, simulate


def simulate_recipe(
    path: Path,
    *,
    plant: Path | None = None,
    vessel: str | None = None,
    culture: str | None = None,
    progress: Progress = silent,
) -> Run:
    """The production of a recipe in its own vessel, or in another one with the largest feed which that allows.

    - `plant`: the plant file; plant.yaml beside the recipe if not given. `culture`: a name or a file.
    """
    recipe = read_recipe(path)
    units = _plant(path, plant)
    grown = read_culture(culture) if culture else culture_of(recipe, path.parent)
    if vessel is None or vessel == recipe.basis_unit:
        progress(0.0, recipe.basis_unit)
        name = recipe.production.name
        return simulate(grown, units.vessel(recipe.basis_unit), recipe, unit_procedure=name, progress=progress)
    return _scaled(recipe, grown, units, vessel, None, progress).production


def recipe_in_vessel(
    path: Path,
    *,
    plant: Path | None = None,
    vessel: str | None = None,
    culture: str | None = None,
    progress: Progress = silent,
) -> tuple[Culture, Vessel, MasterRecipe]:
    """Culture, vessel and recipe of `simulate_recipe`; in another vessel the recipe is scaled, its feed lowered."""
    recipe = read_recipe(path)
    units = _plant(path, plant)
    grown = read_culture(culture) if culture else culture_of(recipe, path.parent)
    if vessel is None or vessel == recipe.basis_unit:
        return grown, units.vessel(recipe.basis_unit), recipe
    found = _scaled(recipe, grown, units, vessel, None, progress)
    return grown, found.vessel, found.control.recipe


def recipe_culture(path: Path, culture: str | None = None) -> Culture:
    """The culture of a recipe, or another by its name or file."""
    return read_culture(culture) if culture else culture_of(read_recipe(path), path.parent)


def run_drawing(run: Run) -> str:
    """A plot of a run as SVG, marked as simulated where it is."""
    from seedtrain.report import draw

    mark = _("simulated, unverified culture") if run.status == "unverified" else _("simulated")
    return draw(run_figure(run), mark if run.origin == "simulated" else "").svg


@dataclass(frozen=True)
class Comparison:
    """Two recipes: what differs, and for a recipe in another vessel what its agitation keeps and gives up."""

    changes: tuple[Change, ...]
    agitation: Agitation | None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "changes": [
                {
                    "path": change.path,
                    "parameter": change.parameter,
                    "before": change.before,
                    "after": change.after,
                    "position": str(change.position),
                }
                for change in self.changes
            ],
            "agitation": self.agitation.to_data() if self.agitation else None,
        }

    def words(self) -> str:
        """For people: one line a change, then the table of what conflicts."""
        lines = [
            f"{change.position}: {change.path} {change.parameter}: {change.before} -> {change.after}"
            for change in self.changes
        ] or [_("no value differs")]
        if self.agitation:
            heads = (_("criterion"), _("recipe"), _("there"), _("ratio"))
            lines += ["", f"{heads[0]:<18} {heads[1]:>12} {heads[2]:>12} {heads[3]:>8}"]
            for row in self.agitation.criteria:
                mark = _("kept") if row.held and self.agitation.reached else ""
                values = ((row.reference, 12, 4), (row.scaled, 12, 4), (row.ratio, 8, 3))
                figures = " ".join("–".rjust(at) if isnan(it) else f"{it:>{at}.{to}g}" for it, at, to in values)
                lines.append(f"{row.name:<18} {figures} {row.unit} {mark}".rstrip())
            if self.agitation.words:
                lines.append(self.agitation.words)
        return "\n".join(lines)


def compare_recipes(
    path: Path, other: Path | None = None, *, at: str | None = None, keep: str | None = None, plant: Path | None
) -> Comparison:
    """Two recipe files value by value, or one with itself in the unit `at` of the plant, holding `keep`."""
    if (other is None) == (at is None):
        raise InputError("there is nothing to compare with", remedy="Give a second recipe, or a unit with --at.")
    recipe = read_recipe(path)
    if other is not None:
        return Comparison(diff(recipe, read_recipe(other)), None)
    assert at is not None
    if keep is not None and keep not in KEEP:
        raise InputError(f"{keep!r} cannot be kept", remedy=f"Use one of: {', '.join(KEEP)}.")
    found = _scaled(recipe, culture_of(recipe, path.parent), _plant(path, plant), at, keep, silent)
    return Comparison(diff(recipe, found.control.recipe), found.agitation)


def _plant(recipe: Path, plant: Path | None) -> Plant:
    return read_plant(plant or recipe.parent / "plant.yaml")


def _scaled(
    recipe: MasterRecipe, culture: Culture, plant: Plant, vessel: str, keep: str | None, progress: Progress
) -> ScaleResult:
    plant.vessel(vessel)
    return scale(culture, plant.vessels, recipe, targets=[vessel], keep=keep, progress=progress)[0]
