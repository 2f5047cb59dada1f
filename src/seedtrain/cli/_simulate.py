"""`seedtrain simulate`: one run of a recipe in a vessel, or many with values that vary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, EXIT_INCONCLUSIVE, InputError
from seedtrain.base import translate as _
from seedtrain.base import translate as in_words  # for texts that a run carries
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.program import Ensemble


def simulate(
    recipe: Path,
    *,
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file.")] = None,
    vessel: Annotated[str | None, Parameter(help="A unit of plant.yaml; the recipe's own by default.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    plot: Annotated[Path | None, Parameter(help="Write a plot (SVG).")] = None,
    csv: Annotated[Path | None, Parameter(help="Write the trajectory (percentiles, of many) as CSV.")] = None,
    n: Annotated[int | None, Parameter(name=["--n", "-n"], help="Run so many, with values that vary.")] = None,
    spread: Annotated[float | None, Parameter(help="%: how far every parameter of the culture varies.")] = None,
    vary: Annotated[
        list[str] | None, Parameter(negative="", help="q_S_max=0.5..0.7 or feed_factor=0.9..1.1; repeat it.")
    ] = None,
    seed: Annotated[int, Parameter(help="Which values are drawn.")] = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Stream many runs to netCDF.")] = None,
    scheduler: Annotated[str | None, Parameter(help="Run on this Dask cluster, tcp://host:8786.")] = None,
    common: Common | None = None,
) -> int:
    """Simulate the production step of a recipe, at the recipe's own scale or in another vessel.

    With --n many runs on all cores: parameters of the culture vary over the ranges of its file, by --spread, or what
    --vary names (a parameter, feed_factor, initial.X, or a value of the recipe as PATH:NAME). Killed, the same command
    with the same --output goes on where it was. Exit code 3: a rate that was learned from data left what it was
    trained on.

    Example: seedtrain simulate examples/collagen/recipe.yaml --vessel PILOT-200 --plot pilot.svg

    Example: seedtrain simulate examples/collagen/recipe.yaml --n 1000 --spread 20 --seed 7 -o ensemble.nc

    Parameters
    ----------
    recipe
        The recipe file.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.program import run_drawing, simulate_recipe, simulate_recipe_ensemble

    if n is not None:
        with use_language(options.lang):
            with shown_progress(as_json=options.json) as progress:
                many = simulate_recipe_ensemble(
                    recipe, n=n, seed=seed, spread=None if spread is None else spread / 100, vary=vary or (),
                    plant=plant, vessel=vessel, culture=culture, to=output, scheduler=scheduler, progress=progress,
                )  # fmt: skip
            return _tell(many, plot, csv, as_json=options.json)
    _only_with_n(spread=spread, vary=vary, output=output, scheduler=scheduler)
    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            run = simulate_recipe(recipe, plant=plant, vessel=vessel, culture=culture, progress=progress)
        if csv:
            write_atomic(csv, run.to_csv())
        if plot:
            write_atomic(plot, run_drawing(run))
        beyond = [event for event in run.events if event.kind == "untrained"]
        if options.json:
            print_json(run.to_data())
            return EXIT_INCONCLUSIVE if beyond else EXIT_DONE
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
        for event in beyond:
            print(_("inconclusive: {words}").format(words=in_words(event.words)))
    return EXIT_INCONCLUSIVE if beyond else EXIT_DONE


def _tell(many: Ensemble, plot: Path | None, csv: Path | None, *, as_json: bool) -> int:
    """Write and print what many runs gave."""
    from seedtrain.base import write_atomic

    if csv and many.good.any():
        write_atomic(csv, many.to_csv())
    if plot and many.good.any():
        write_atomic(plot, many.drawing())
    if as_json:
        print_json(many.to_data())
        return _ended(many)
    print(many.words())
    if many.file:
        print(_("kept: {path}").format(path=many.file))
    return _ended(many)


def _ended(many: Ensemble) -> int:
    """Done, unless no run came to its end."""
    if many.good.any():
        return EXIT_INCONCLUSIVE if any(name.startswith("untrained:") for name, _words, _share in many.events()) else 0
    raise InputError("no run came to its end", remedy="Vary less, or mend what the reasons above name.")


def _only_with_n(**options: object) -> None:
    """Options of many runs that were given for one."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{', '.join(given)} without --n", remedy="Say how many runs: --n 1000.")
