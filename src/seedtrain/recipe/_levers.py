"""Every number of a recipe that can be moved, for sensitivities and searches."""

from __future__ import annotations

from dataclasses import dataclass

from seedtrain.quantity import Quantity
from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._kinds import Scaling
from seedtrain.recipe._recipe import MasterRecipe


@dataclass(frozen=True)
class Lever:
    """A number that `MasterRecipe.with_value(path, parameter, ...)` takes; `lowest` and `highest` in its own unit.

    The bounds are the catalogue's (what can be meant), infinite where there are none.
    """

    path: str
    parameter: str
    quantity: Quantity
    scaling: Scaling
    lowest: float
    highest: float


def levers(recipe: MasterRecipe) -> tuple[Lever, ...]:
    """Every numeric lever: parameters, thresholds of transitions (`until`), durations, concentrations."""
    found: list[Lever] = []
    infinity = float("inf")
    for place in recipe.phases():
        kinds = PHASE_KINDS[place.phase.do].parameters
        for name, value in place.phase.set.items():
            if isinstance(value, Quantity):
                kind = kinds[name]
                low, high = (Quantity(edge, kind.unit).magnitude(value.unit) for edge in (kind.lowest, kind.highest))
                found.append(Lever(place.path, name, value, kind.scaling, low, high))
        for name in ("until", "duration"):
            number = place.phase.quantity(name)
            if number is not None:
                found.append(Lever(place.path, name, number, "intensive", 0.0, infinity))
    for material, composition in recipe.materials.items():
        for name, value in composition.items():
            found.append(Lever(f"materials/{material}", name, value, "intensive", 0.0, infinity))
    return tuple(found)
