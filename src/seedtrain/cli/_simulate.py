"""`seedtrain simulate`: one trajectory of a recipe in a vessel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seedtrain.base import translate as _
from seedtrain.base import translate as in_words  # for texts that a run carries
from seedtrain.cli._common import Common, print_json, shown_progress


def simulate(
    recipe: Path,
    *,
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file.")] = None,
    vessel: Annotated[str | None, Parameter(help="A unit of plant.yaml; the recipe's own by default.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    plot: Annotated[Path | None, Parameter(help="Write a plot (SVG).")] = None,
    csv: Annotated[Path | None, Parameter(help="Write the trajectory as CSV.")] = None,
    common: Common | None = None,
) -> int:
    """Simulate the production step of a recipe, at the recipe's own scale or in another vessel.

    Example: seedtrain simulate examples/collagen/recipe.yaml --vessel PILOT-200 --plot pilot.svg

    Parameters
    ----------
    recipe
        The recipe file.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.program import run_drawing, simulate_recipe

    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            run = simulate_recipe(recipe, plant=plant, vessel=vessel, culture=culture, progress=progress)
        if csv:
            write_atomic(csv, run.to_csv())
        if plot:
            write_atomic(plot, run_drawing(run))
        if options.json:
            print_json(run.to_data())
            return 0
        print(_("{culture} in {vessel}, simulated").format(culture=run.culture, vessel=run.vessel))
        if run.status != "verified":
            print(_("The culture is unverified: no published number was reproduced with it (docs/validation.md)."))
        species = list(run.variables)[: list(run.variables).index("DCW")]
        for symbol in (*species, "DO_percent", "OUR", "V"):
            item = run.variables[symbol]
            peak = f"{float(item.values.min()):.4g} .. {float(item.values.max()):.4g}"
            print(f"  {symbol:<11} {run.final(symbol):>10.4g} {item.unit:<9} [{peak}] {in_words(item.words)}")
        for event in run.events:
            print(f"  {event.time:8.2f} h {event.kind}: {in_words(event.words)}")
        for balance in run.balances:
            print("  " + _("balance {name}").format(name=balance.name).ljust(22) + f" {balance.relative:+.1e}")
    return 0
