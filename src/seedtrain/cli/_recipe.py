"""`seedtrain recipe`: check a recipe, compare two, and lead one to where batches may be made with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import translate as _
from seedtrain.cli import _recipe_life as life
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl

if TYPE_CHECKING:
    from seedtrain.program import Comparison
    from seedtrain.recipe import MasterRecipe

app = App(name="recipe", help="Check and compare recipes; submit, review and approve them, and make them effective.")
app.command(life.submit)
app.command(life.review)
app.command(life.approve)
app.command(life.effective)
app.command(life.retire)
app.command(life.history)
app.command(life.list_recipes, name="list")
Keep = Literal[
    "power_per_volume", "tip_speed", "mixing_time", "gas_velocity", "kLa", "oxygen_transfer", "carbon_dioxide"
]


@app.command
def check(recipe: Path, *, common: Common | None = None) -> int:
    """Read a recipe and report every fault at once, each with file, line and column.

    Two digests are shown: of what the file says, and of the recipe with its unit and volume, as `recipe submit` puts it
    into the ledger.

    Example: seedtrain recipe check examples/collagen/recipe.yaml

    Parameters
    ----------
    recipe
        The recipe file.
    """
    from seedtrain.base import use_language
    from seedtrain.recipe import at_scale, read_recipe

    options = common or Common()
    master = read_recipe(recipe)
    control = at_scale(master, unit=master.basis_unit, volume=master.basis_volume)
    count = sum(1 for _phase in master.phases())
    if options.json:
        data = {"recipe": master.name, "version": master.version, "digest": master.digest, "phases": count}
        print_json(data | {"control_digest": control.digest, "unit": control.unit, "volume": str(control.volume)})
        return 0
    with use_language(options.lang):
        words = _("{file}: {name} version {version}, {count} phases, digest {digest} of what the file says")
        print(words.format(file=recipe, name=master.name, version=master.version, count=count, digest=master.digest))
        words = _("  digest {digest} as it is submitted, signed and pinned by a batch: with {volume} in {unit}")
        print(words.format(digest=control.digest, volume=control.volume, unit=control.unit))
    return 0


@app.command
def diff(
    recipe: str,
    other: str | None = None,
    *,
    at: Annotated[str | None, Parameter(help="Compare with the same recipe in this unit of the plant.")] = None,
    keep: Annotated[
        Keep | None, Parameter(help="What agitation keeps at the other scale; power per volume by default.")
    ] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Compare two recipes value by value, or one recipe with itself in another vessel.

    A recipe is a file, or with `--record` a version in the ledger: NAME@VERSION, or the beginning of its digest. At
    another scale not everything can stay: choose with `--keep` what does, and see what the rest becomes.

    Example: seedtrain recipe diff examples/collagen/recipe.yaml --at PLANT-20M3 --keep tip_speed

    Parameters
    ----------
    recipe
        The recipe.
    other
        The recipe to compare with.
    """
    options = common or Common()
    from seedtrain.base import use_language

    comparison = _comparison(recipe, other, at, keep, plant, record)
    if options.json:
        print_json(comparison.to_data())
    else:
        with use_language(options.lang):
            print(comparison.words())
    return 0


def _comparison(
    recipe: str, other: str | None, at: str | None, keep: str | None, plant: Path | None, record: str | None
) -> Comparison:
    from seedtrain.program import Comparison, compare_recipes
    from seedtrain.recipe import diff as differences
    from seedtrain.recipe import read_recipe

    def found(reference: str) -> MasterRecipe:
        path = Path(reference)
        return read_recipe(path) if not record or path.exists() else life.stored_recipe(record, reference)

    if record and other is not None and at is None:
        return Comparison(differences(found(recipe), found(other)), None)
    return compare_recipes(Path(recipe), None if other is None else Path(other), at=at, keep=keep, plant=plant)
