"""One unit procedure of a recipe, run by one culture in one vessel: `simulate` returns the `Run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from seedtrain.base import Progress, part, silent
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._assemble import assemble
from seedtrain.simulation._culture import Culture, Override
from seedtrain.simulation._ensemble import simulate_ensemble
from seedtrain.simulation._flight import fly, fly_along
from seedtrain.simulation._run import Run
from seedtrain.simulation._setup import Setup, setup_of
from seedtrain.simulation._vessel import Vessel


@overload
def simulate(
    culture: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    *,
    n: None = None,
    unit_procedure: str = "production",
    initial: Mapping[str, float] | None = None,
    parameters: Mapping[str, Override] | None = None,
    feed_factor: float = 1.0,
    inoculum: Run | None = None,
    rtol: float = 1e-6,
    points: int = 200,
    progress: Progress = silent,
) -> Run: ...


@overload
def simulate(
    culture: Culture, vessel: Vessel | Sequence[Vessel], recipe: MasterRecipe, *, n: int, **options: Any
) -> Any: ...


def simulate(culture: Culture, vessel: Any, recipe: MasterRecipe, *, n: int | None = None, **options: Any) -> Any:
    """`culture` in `vessel` through the phases of the recipe's `unit_procedure`, from inoculation (time 0) on.

    - `initial`: concentrations right after inoculation by symbol (g/L; `I`, `NH`, `DO` mmol/L), over what the recipe
      gives; `inoculum`: the run of the seed vessel before, whose broth inoculates.
    - `parameters`: new values of the culture's or of the surroundings' parameters.
    - `feed_factor`: multiplies every feed rate. - `points`: how many times are stored, evenly, beside phase ends.
    - `n`: run so many with values that vary, as an xarray Dataset; the other arguments are then those of
      `simulate_ensemble` (`seed`, `spread`, `vary`, `to`, `executor` ...), and `vessel` may be several.

    **Returns** a simulated `Run` in the units of docs/symbols.md. Raises `InputError` for what cannot be run,
    `OverfillError` with volume and limit, `TrajectoryError` with the last good state.
    """
    if n is not None:
        return simulate_ensemble(culture, vessel, recipe, n=n, **options)
    return _run(culture, vessel, recipe, **options)


def _run(
    culture: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    *,
    unit_procedure: str = "production",
    initial: Mapping[str, float] | None = None,
    parameters: Mapping[str, Override] | None = None,
    feed_factor: float = 1.0,
    inoculum: Run | None = None,
    rtol: float = 1e-6,
    points: int = 200,
    progress: Progress = silent,
) -> Run:
    setup = setup_of(
        culture,
        vessel,
        recipe,
        unit_procedure=unit_procedure,
        initial=initial,
        parameters=parameters,
        feed_factor=feed_factor,
        inoculum=inoculum,
    )
    run = assemble(fly(setup, rtol=rtol, points=points, progress=part(progress, 0.0, 0.99)))
    progress(1.0, unit_procedure)
    return run


def simulate_neighbours(
    setup: Setup, neighbours: Sequence[Setup], *, rtol: float = 1e-6, points: int = 200, progress: Progress = silent
) -> tuple[Run, tuple[Run, ...]]:
    """The run of `setup`, and those of setups near it, by forward sensitivities in one integration.

    The states and the ends of the phases of a neighbour follow to first order in what tells it from `setup`; everything
    that a run computes from them is computed for it as for any run. So differences of neighbouring runs carry no error
    of the integration. Neighbours have the same phases, and equations (`Setup.layout`), as `setup`.

    Raises as `simulate` does.
    """
    for other in neighbours:
        assert other.layout.key == setup.layout.key
        assert len(other.plan.segments) == len(setup.plan.segments)
    flight, slope = fly_along(setup, neighbours, rtol=rtol, points=points, progress=progress)
    moved = (flight.moved(other, slope, number) for number, other in enumerate(neighbours))
    return assemble(flight), tuple(assemble(item) for item in moved)
