"""`seedtrain vector`: recipes of vectors at scale, and where transfection gives most full capsids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.recipe import MasterRecipe
    from seedtrain.simulation import Culture, StirredTank

app = App(
    name="vector", help="Vectors at scale, simulated: a recipe in every vessel, and the window of a transfection."
)


@app.command
def scales(recipe: Path, *, plant: Path | None = None, common: Common | None = None) -> int:
    """Simulate a recipe in every stirred tank of the plant.

    Example: seedtrain vector scales examples/vectors/aav/recipe.yaml

    Parameters
    ----------
    recipe
        The recipe; its culture may be a file beside it.
    plant
        The plant file; plant.yaml beside the recipe by default.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.vectors import simulate_scales

    master, culture, vessels = _given(recipe, plant)
    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            found = simulate_scales(master, culture, vessels, progress=progress)
        if options.json:
            print_json([item.to_data() for item in found])
            return EXIT_DONE
        print(_("{culture}, {status}; simulated").format(culture=culture.name, status=culture.status))
        for item in found:
            full = "" if item.full is None else f", {100 * item.full:.2f} % {_('full')}"
            print(
                f"  {item.vessel:<10} {item.charged:8.4g} L  {item.hours:6.4g} h  DO >= {item.oxygen:5.3g} %  "
                f"{item.product:.4g} {item.unit}{full}"
            )
            for words in item.events:
                print(f"    {words}")
    return EXIT_DONE


@app.command
def window(
    recipe: Path,
    *,
    unit: str | None = None,
    plant: Path | None = None,
    dose: Annotated[str, Parameter(help="DNA over the recipe's, apart by commas.")] = "0.5,1,2,4",
    ratio: Annotated[str, Parameter(help="Copies of vector over Rep/Cap, apart by commas.")] = "0.25,0.5,1,2,4",
    hours: Annotated[str, Parameter(help="Of harvest after transfection, apart by commas.")] = "24,36,48,60",
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Find where a triple transfection gives most full capsids per litre, and the highest share of full ones.

    Example: seedtrain vector window examples/vectors/aav/recipe.yaml --unit SUB-50 --html window.html

    Parameters
    ----------
    recipe
        The recipe, with a material transfection-mix of rep_cap_plasmid, vector_plasmid and helper_plasmid.
    unit
        The vessel; the recipe's own by default.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.report import render_html
    from seedtrain.vectors import at_edge, best_points, transfection_window, window_page

    numbers = [_numbers(name, text) for name, text in (("dose", dose), ("ratio", ratio), ("hours", hours))]
    master, culture, vessels = _given(recipe, plant)
    wanted = unit or master.basis_unit
    vessel = next((item for item in vessels if item.name == wanted), None)
    if vessel is None:
        raise InputError(
            f"the plant has no stirred tank {wanted!r}", remedy=f"Use: {', '.join(v.name for v in vessels)}."
        )
    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            points = transfection_window(
                master, culture, vessel, doses=numbers[0], ratios=numbers[1], hours=numbers[2], progress=progress
            )
        if html is not None:
            write_atomic(html, render_html(window_page(master.title, culture, points)))
        if options.json:
            print_json([item.to_data() for item in points])
            return EXIT_DONE
        print(_("{culture}, {status}; simulated").format(culture=culture.name, status=culture.status))
        for item in best_points(points):
            print(
                f"  {_('dose')} {item.dose:g}, {_('vector over Rep/Cap')} {item.ratio:g}, {item.hours:g} h: "
                f"{item.full_per_litre:.3g} {_('full per litre')}, {100 * item.full:.2f} % {_('full')}"
            )
        for name in at_edge(points):
            print("  " + _("the best lies at the end of what was tried: {name}").format(name=name))
    return EXIT_DONE


def _given(recipe: Path, plant: Path | None) -> tuple[MasterRecipe, Culture, list[StirredTank]]:
    from seedtrain.program import read_plant
    from seedtrain.recipe import read_recipe
    from seedtrain.simulation import StirredTank, read_culture

    master = read_recipe(recipe)
    own = recipe.parent / master.culture
    here = read_plant(plant or recipe.parent / "plant.yaml")
    vessels = [item for item in here.vessels.values() if isinstance(item, StirredTank)]
    return master, read_culture(own if own.is_file() else master.culture), vessels


def _numbers(name: str, text: str) -> list[float]:
    try:
        found = [float(item) for item in text.split(",")]
    except ValueError:
        found = []
    if not found or any(not 0 < item <= 1000 for item in found):
        raise InputError(f"--{name} {text!r}", remedy="Write numbers above 0, apart by commas.")
    return found
