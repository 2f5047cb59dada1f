"""`seedtrain recipe`: check a recipe and compare two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.cli._common import Common, print_json

app = App(name="recipe", help="Check a recipe, compare two, or see what another vessel changes.")
Keep = Literal["power_per_volume", "tip_speed", "mixing_time", "gas_velocity", "kLa"]


@app.command
def check(recipe: Path, *, common: Common | None = None) -> int:
    """Read a recipe and report every fault at once, each with file, line and column.

    Example: seedtrain recipe check examples/collagen/recipe.yaml

    Parameters
    ----------
    recipe
        The recipe file.
    """
    options = common or Common()
    from seedtrain.recipe import read_recipe

    master = read_recipe(recipe)
    count = sum(1 for _ in master.phases())
    if options.json:
        print_json({"recipe": master.name, "version": master.version, "digest": master.digest, "phases": count})
    else:
        print(f"{recipe}: {master.name} version {master.version}, {count} phases, digest {master.digest}")
    return 0


@app.command
def diff(
    recipe: Path,
    other: Path | None = None,
    *,
    at: Annotated[str | None, Parameter(help="Compare with the same recipe in this unit of the plant.")] = None,
    keep: Annotated[Keep, Parameter(help="What the stirrer keeps at the other scale.")] = "power_per_volume",
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    common: Common | None = None,
) -> int:
    """Compare two recipes value by value, or one recipe with itself in another vessel.

    At another scale not everything can stay: choose with `--keep` what does, and see what the rest becomes.

    Example: seedtrain recipe diff examples/collagen/recipe.yaml --at PLANT-20M3 --keep tip_speed

    Parameters
    ----------
    recipe
        The recipe file.
    other
        The recipe to compare with.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.program import compare_recipes

    comparison = compare_recipes(recipe, other, at=at, keep=keep, plant=plant)
    if options.json:
        print_json(comparison.to_data())
    else:
        with use_language(options.lang):
            print(comparison.words())
    return 0
