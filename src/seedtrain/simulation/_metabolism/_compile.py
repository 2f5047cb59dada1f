"""From a model to its region table: read, edit, check, certify, keep."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.base import translate as _
from seedtrain.simulation._metabolism import _store
from seedtrain.simulation._metabolism._explain import check_growth
from seedtrain.simulation._metabolism._moving import MovingBound, usual_bounds, usual_outputs
from seedtrain.simulation._metabolism._network import Edits, Network
from seedtrain.simulation._metabolism._program import EPSILON, Program, programme
from seedtrain.simulation._metabolism._read import locate, read_network
from seedtrain.simulation._metabolism._solver import InfeasibleError, Solver
from seedtrain.simulation._metabolism._table import CompiledMetabolism, LazyTable, RegionTable, TableCertificate

MOST_CERTIFIED: Final = 6
"""Moving bounds above which certifying takes too long: iJO1366 has 73 regions with five, 168 with six, then many."""
_BLOCK: Final = 50
"""Points between two words on progress."""


def compile_metabolism(
    model: str | Path,
    *,
    moving: Sequence[MovingBound] | None = None,
    outputs: Sequence[str] | None = None,
    edits: Edits | None = None,
    epsilon: float = EPSILON,
    lazy: bool | None = None,
    fresh: bool = False,
    progress: Progress = silent,
) -> RegionTable | LazyTable:
    """The region table of a genome-scale model: what it grows and exchanges as `moving` bounds move in their box.

    - `model`: an SBML or JSON file, or the name of a model that cobra ships (`iJO1366`, `textbook`).
    - `moving`: the bounds that move, by default glucose, oxygen, acetate and ammonium uptake and ATP maintenance as
      far as a BiGG model has them. `outputs`: further exchanges to report.
    - `edits`: knock-outs, bounds and product drains. `epsilon`: size of the tie-break among fluxes of equal growth.
    - `lazy`: find regions as they are met instead of certifying them; by default only above six moving bounds.
    - `fresh`: compile again although a table is cached.

    A certified table is cached by the digest of all of these, a lazy one as far as `keep_regions` stored it. Raises
    `InputError` for a model that cannot be used, with the reaction and the remedy, and where it does not grow or has no
    flux somewhere in the box.
    """
    started = time.process_time()
    network, program = _program(model, moving, outputs, edits or Edits(), epsilon, progress)
    if lazy is None:
        lazy = len(program.moving) > MOST_CERTIFIED
    key = _key(program, lazy)
    stored = None if fresh else _store.load(key)
    if stored is not None:
        return _restore_lazy(program, stored[0]) if lazy else _restore(program, *stored, progress)
    if not fresh and _store.kept(key):
        progress(0.0, _("what the cache held is damaged, and is made again"))
    original = network if edits is None else read_network(model)
    check_growth(network, original, edits or Edits(), program)
    if lazy:
        return LazyTable(program)
    table = _certify(program, started, progress)
    arrays = {"alpha": table.alpha, "beta": table.beta, "A": table.A, "b": table.b}
    _store.save(key, arrays, {"model": network.name, "certificate": table.certificate.to_data()})
    return table


def explore_regions(table: LazyTable, points: int, *, seed: int = 0, progress: Progress = silent) -> None:
    """Fill a lazy table at the corners of uptake and demand and at `points` random points of its box, and keep it."""
    program = table.program
    unit = np.vstack([np.zeros(len(program.low)), np.ones(len(program.low)),
                      np.random.default_rng(seed).random((points, len(program.low)))])  # fmt: skip
    for at in range(0, len(unit), _BLOCK):
        table.evaluate(program.low + (program.high - program.low) * unit[at : at + _BLOCK])
        done = min(at + _BLOCK, len(unit))
        words = _("{done} of {total} points, {regions} regions")
        progress(done / len(unit), words.format(done=done, total=len(unit), regions=table.regions))
    keep_regions(table)


def keep_regions(table: LazyTable) -> None:
    """Store the regions that a lazy table has met, for the next `compile_metabolism` of the same programme."""
    if table.regions:
        _store.save(_key(table.program, True), table.stored, {"model": table.program.name})


def stored_at(table: CompiledMetabolism) -> Path:
    """Where a table is cached: the description beside the arrays."""
    return _store.folder() / f"{_key(table.program, not isinstance(table, RegionTable))}.json"


def _key(program: Program, lazy: bool) -> str:
    return _store.key_of("regions" if lazy else "table", program.digest)


def _program(
    model: str | Path,
    moving: Sequence[MovingBound] | None,
    outputs: Sequence[str] | None,
    edits: Edits,
    epsilon: float,
    progress: Progress,
) -> tuple[Network, Program]:
    if not 0 < epsilon < 0.1:
        raise InputError(f"the tie-break {epsilon:g} must lie between 0 and 0.1", remedy="Leave it at 1e-3.")
    path = locate(model)
    progress(0.0, _("reading {file}").format(file=path.name))
    network = read_network(model, edits)
    bounds = usual_bounds(network) if moving is None else moving
    both = [item.reaction for item in bounds if item.kind == "uptake" and item.reaction in edits.bounds]
    if both:
        raise InputError(
            f"{both[0]} is given a limit, and its uptake moves: the limit would say nothing",
            remedy="Leave out the limit, or name the bounds that move without it.",
        )
    shown = usual_outputs(network) if outputs is None else outputs
    return network, programme(network, bounds, shown, epsilon=epsilon)


def _certify(program: Program, started: float, progress: Progress) -> RegionTable:
    from seedtrain.simulation._metabolism._certify import cover, flux_maps
    from seedtrain.simulation._metabolism._examine import examine

    solver = Solver(program)
    try:
        found, facets = cover(program, solver, progress=part(progress, 0.1, 0.9))
        maps = flux_maps(found, facets)
        progress(0.92, _("tests against fresh linear programmes"))
        tested = examine(program, solver, facets, maps)
    except InfeasibleError as error:
        from seedtrain.simulation._metabolism._explain import infeasible

        raise infeasible(program, error.theta) from None
    certificate = TableCertificate(
        regions=len(facets.beta),
        vertices=len(np.unique(np.round(np.vstack(facets.corners), 6), axis=0)),
        solves=solver.solves,
        gap=found.gap,
        dual_slack=found.dual_slack,
        flux_gap=float(maps.gap.max()),
        random=tested.random,
        face=tested.face,
        kink=tested.kink,
        growth_loss=tested.growth_loss,
        growth_while_short=tested.growth_while_short,
        fitted=maps.fitted,
        cpu_seconds=time.process_time() - started,
        versions={name: version(name) for name in ("highspy", "scipy", "numpy")},
    )
    progress(1.0, _("{regions} regions certified").format(regions=certificate.regions))
    return RegionTable(program, facets.alpha, facets.beta, maps.A, maps.b, certificate)


def _restore_lazy(program: Program, arrays: dict[str, Any]) -> LazyTable:
    found = LazyTable(program)
    found.restore(arrays)
    return found


def _restore(program: Program, arrays: dict[str, Any], data: dict[str, Any], progress: Progress) -> RegionTable:
    progress(1.0, _("certified table found in the cache"))
    certificate = TableCertificate(**data["certificate"])
    return RegionTable(program, arrays["alpha"], arrays["beta"], arrays["A"], arrays["b"], certificate)
