"""One door to the solvers of a packed bed: our own, and CADET where the user has installed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from seedtrain.base import InputError, Progress, UnavailableError, silent
from seedtrain.simulation._downstream._chromatography._bed import Bed, Chromatogram, Grid, Inlet, State
from seedtrain.simulation._downstream._chromatography._cadet import REMEDY, VARIABLE, Cadet
from seedtrain.simulation._downstream._chromatography._elute import integrate
from seedtrain.simulation._downstream._chromatography._isotherm import Isotherm
from seedtrain.simulation._run import Floats

Engine = Literal["seedtrain", "cadet"]


def elute(
    bed: Bed,
    isotherm: Isotherm,
    inlets: Sequence[Inlet],
    *,
    initial: Sequence[float] = (),
    start: State | None = None,
    times: int | Floats = 501,
    grid: Grid | None = None,
    rtol: float = 1e-4,
    most_steps: int = 100_000,
    engine: Engine = "seedtrain",
    progress: Progress = silent,
) -> Chromatogram:
    """The chromatogram of `inlets`, one after another.

    - `initial`: concentrations of the liquid that the bed is equilibrated with, mol/m3, by component; all 0 by default.
    - `start`: go on from the state that an earlier call left, instead.
    - `times`: when to tell the outlet, s from the start, rising; or how many, evenly spread.
    - `rtol`: relative tolerance of the integration in time. `most_steps`: tried in a section before it gives up.
    - `engine`: "cadet" asks the interpreter that `SEEDTRAIN_CADET` names, in a process of its own.

    **Returns** a `Chromatogram`; the `closure` of our own is rounding. Raises `InputError` for what cannot be meant,
    `ColumnError` where the integration fails, with the time it reached, and `UnavailableError` where CADET is not.
    """
    if engine == "seedtrain":
        return integrate(
            bed,
            isotherm,
            inlets,
            initial=initial,
            start=start,
            times=times,
            grid=grid,
            rtol=rtol,
            most_steps=most_steps,
            progress=progress,
        )
    if engine != "cadet":
        raise InputError(f"there is no engine {engine!r}", remedy="Use seedtrain or cadet.")
    if start is not None:
        raise InputError("CADET cannot go on from a state of ours", remedy="Give all sections in one call.")
    judge = Cadet.found()
    if judge is None:
        raise UnavailableError(f"CADET is not installed: {VARIABLE} names no interpreter", remedy=REMEDY)
    return judge.elute(bed, isotherm, inlets, initial=initial, times=times, grid=grid, rtol=rtol)
