"""The seed train: every unit procedure before production, each inoculated by the broth of the one before."""

from __future__ import annotations

from collections.abc import Mapping

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.recipe import ControlRecipe, UnitProcedure
from seedtrain.simulation._culture import Culture, Override
from seedtrain.simulation._run import Run
from seedtrain.simulation._simulate import simulate
from seedtrain.simulation._vessel import Vessel


def simulate_seed_train(
    culture: Culture,
    vessels: Mapping[str, Vessel],
    control: ControlRecipe,
    *,
    parameters: Mapping[str, Override] | None = None,
    rtol: float = 1e-6,
    points: int = 100,
    progress: Progress = silent,
) -> tuple[Run, ...]:
    """The runs of the seed vessels of `control`, in order; the last one's broth inoculates production.

    Hand it on as `simulate(..., inoculum=runs[-1])`. Raises `InputError` where a unit procedure has no vessel, or where
    a seed vessel holds less broth than the next one wants.
    """
    seeds = seed_procedures(control)
    runs: list[Run] = []
    for number, procedure in enumerate(seeds):
        name = procedure.unit
        if name is None or name not in vessels:
            seeds_of = f"Name the seed train of {control.unit} in the plant file, smallest first: seeds: [FLASK, SEED]."
            raise InputError(
                f"unit procedure {procedure.name!r} has no vessel ({name or 'none named'})",
                position=control.recipe.position(procedure.name),
                remedy=f"Give it one of: {', '.join(vessels)}." if name else seeds_of,
            )
        runs.append(
            simulate(
                culture,
                vessels[name],
                control.recipe,
                unit_procedure=procedure.name,
                parameters=parameters,
                inoculum=runs[-1] if runs else None,
                rtol=rtol,
                points=points,
                progress=part(progress, number / len(seeds), (number + 1) / len(seeds)),
            )
        )
    return tuple(runs)


def seed_procedures(control: ControlRecipe) -> list[UnitProcedure]:
    """The unit procedures before production that grow a culture."""
    found: list[UnitProcedure] = []
    for procedure in control.recipe.unit_procedures:
        if procedure is control.recipe.production:
            break
        if any(phase.do == "grow" for operation in procedure.operations for phase in operation.phases):
            found.append(procedure)
    return found
