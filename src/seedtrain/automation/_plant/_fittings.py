"""What a plant file and a recipe say of a tank's gas lines, its base and the bicarbonate in its medium."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from seedtrain.automation._control import ControlScheme
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, Liquid, VesselEntry, base_liquid

SODIUM_HYDROXIDE: Final = 39.997  # g/mol
SODIUM_BICARBONATE: Final = 84.007  # g/mol


@dataclass(frozen=True)
class Base:
    """What raises the pH: the recipe's `material`, empty where it prepares none; `strong`: mmol/L of hydroxide."""

    material: str = ""
    liquid: Liquid = field(default_factory=Liquid)
    strong: float = 0.0


def scheme_of(entry: VesselEntry) -> ControlScheme:
    """The gas lines of a vessel and the order of its actuators."""
    given = {"oxygen_cascade": entry.oxygen_cascade, "pH_lowered_by": entry.pH_lowered_by}
    return ControlScheme(
        entry.number("oxygen_share", "", 0.0),
        entry.number("carbon_dioxide_share", "", 0.0),
        **{name: tuple(order) for name, order in given.items() if order is not None},
    )


def base_of(culture: Culture, recipe: MasterRecipe) -> Base:
    """The material with ammonia water, as in every run; else one with sodium hydroxide that no phase names, for one
    that is named there cleans."""
    for name, parts in recipe.materials.items():
        if "ammonia-water" in parts:
            return Base(name, base_liquid(culture, recipe) or Liquid())
    named = {value for step in recipe.phases() for value in step.phase.set.values() if isinstance(value, str)}
    for name, parts in recipe.materials.items():
        if "sodium-hydroxide" in parts and name not in named:
            water = parts["water"].magnitude("g/L") if "water" in parts else 0.0
            strong = parts["sodium-hydroxide"].magnitude("g/L") / SODIUM_HYDROXIDE * 1000.0
            return Base(name, Liquid(water=water), strong)
    return Base()


def bicarbonate(recipe: MasterRecipe, material: str) -> float:
    """mmol/L of it in a medium."""
    amount = recipe.materials.get(material, {}).get("sodium-bicarbonate")
    return 0.0 if amount is None else amount.magnitude("g/L") / SODIUM_BICARBONATE * 1000.0
