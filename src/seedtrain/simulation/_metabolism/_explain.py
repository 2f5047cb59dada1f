"""Why a metabolic model has no flux or does not grow: which requirement, and what would make it possible.

Each question is a small linear programme that lets some bounds give way at a price and reports the cheapest way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from seedtrain.base import InputError, Position
from seedtrain.simulation._metabolism._network import LARGEST_FLUX, Edits, Network, edit
from seedtrain.simulation._metabolism._program import Floats, Program

SMALL: Final = 1e-6
"""mmol/gDW/h and 1/h: what counts as no flux and no growth."""
TOKEN_GROWTH: Final = 0.1
"""1/h: the growth for which missing substrates are counted."""
LARGEST_LIST: Final = 5


def check_growth(network: Network, original: Network, edits: Edits, program: Program) -> None:
    """Refuse a model that has no flux at a corner of the box, or does not grow with the most that the box allows.

    `original` is the model before `edits`, which are tried one by one as the cause.
    """
    best = np.array([item.high if item.kind == "uptake" else item.low for item in program.moving])
    worst = np.array([item.low if item.kind == "uptake" else item.high for item in program.moving])
    if _growth(program, best) is None:
        raise infeasible(program, best)
    if _growth(program, worst) is None:
        raise infeasible(program, worst)
    growth = _growth(program, best)
    if growth is None or growth > SMALL:
        return
    words = f"{network.name} does not grow ({network.growth} {growth:.2g} 1/h) with the most that the box allows"
    raise InputError(words, position=Position(network.file), remedy=_what_helps(original, edits, program, best))


def infeasible(program: Program, theta: Floats) -> InputError:
    """The error for bounds at which no flux distribution exists: the requirements that fail, and what would help."""
    matrix, lower, upper = _bounds(program, theta)
    names = _columns(program)
    needed = np.flatnonzero((lower > 0) | (upper < 0))
    at = ", ".join(f"{item.reaction} {value:g}" for item, value in zip(program.moving, theta, strict=True))
    relaxed = _relaxed(matrix, lower, upper, needed)
    if relaxed is None:
        words = f"no flux is possible in {program.name} at {at}"
        return InputError(words, position=Position(program.file), remedy="Check the model's bounds.")
    fluxes, slack = relaxed
    parts = []
    for place, column in enumerate(map(int, needed)):
        if slack[place] > SMALL:
            wanted = lower[column] if lower[column] > 0 else upper[column]
            parts.append(f"{names[column]} must carry {wanted:g} and can carry {fluxes[column] + 0.0:.6g}")
    more = _more_uptake(program, matrix, lower, upper)
    remedy = f"Lower what is required, or allow more uptake: {more}." if more else "Lower what is required."
    return InputError(
        f"no flux is possible in {program.name} at {at} mmol/gDW/h: {'; '.join(parts[:LARGEST_LIST])}",
        position=Position(program.file),
        remedy=remedy,
    )


def _growth(program: Program, theta: Floats) -> float | None:
    """Growth (1/h) at `theta` where growth alone is maximised with every demand met as far as it can be."""
    matrix, lower, upper = _bounds(program, theta)
    bare = np.asarray(program.rows[[0]].todense()).ravel()
    cost = np.where(np.arange(len(lower)) < len(lower) - program.deficits, bare, program.cost)
    found = _solve(-cost, matrix, lower, upper)
    return None if found is None else float(bare @ found)


def _what_helps(original: Network, edits: Edits, program: Program, theta: Floats) -> str:
    causes = _to_blame(original, edits, program, theta)
    if causes:
        return f"Undo {' or '.join(causes[:LARGEST_LIST])}: then it grows."
    matrix, lower, upper = _bounds(program, theta)
    growing = lower.copy()
    column = int(program.rows[[0]].tocoo().col[0])
    growing[column] = min(TOKEN_GROWTH, upper[column])
    if upper[column] <= SMALL:
        return "Raise the upper bound of the growth reaction."
    more = _more_uptake(program, matrix, growing, upper)
    if more:
        return f"For {growing[column]:g} 1/h, allow uptake: {more}."
    lacking = _lacking(program, matrix, lower, upper, column)
    return f"No uptake helps; it cannot make: {', '.join(lacking) or 'biomass'}. Check those pathways."


def _to_blame(original: Network, edits: Edits, program: Program, theta: Floats) -> list[str]:
    """The single edits without which the model grows."""
    from seedtrain.simulation._metabolism._program import programme

    single = [(f"the knock-out of {name}", replace(edits, knock_outs=_without(edits.knock_outs, name)))
              for name in edits.knock_outs]  # fmt: skip
    for name in edits.bounds:
        rest = {other: value for other, value in edits.bounds.items() if other != name}
        single.append((f"the bounds of {name}", replace(edits, bounds=rest)))
    found = []
    shown = [name for name in program.outputs if name in original.reactions]
    for words, fewer in single:
        other = programme(edit(original, fewer), program.moving, shown, epsilon=program.epsilon)
        growth = _growth(other, theta)
        if growth is not None and growth > SMALL:
            found.append(words)
    return found


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(item for item in names if item != name)


def _more_uptake(program: Program, matrix: sp.csc_matrix, lower: Floats, upper: Floats) -> str:
    """The least uptake in all that makes everything required possible, in words; empty where none does."""
    border = (np.diff(matrix.indptr) == 1) & (lower <= 0)
    moving = np.isin(np.arange(len(lower)), program.columns)
    for which in (border & moving, border):  # rather more of what moves anyway
        borders = np.flatnonzero(which)
        found = _relaxed(matrix, lower, upper, borders, only_down=True)
        if found is not None:
            break
    else:
        return ""
    names = _columns(program)
    order = sorted((item for item in range(len(borders)) if found[1][item] > 1e-9), key=lambda item: -found[1][item])
    return ", ".join(
        f"{names[borders[item]]} {found[1][item] - lower[borders[item]]:.3g} instead of {abs(lower[borders[item]]):g}"
        for item in order[:LARGEST_LIST]
    )


def _lacking(program: Program, matrix: sp.csc_matrix, lower: Floats, upper: Floats, column: int) -> list[str]:
    """Numbers of the growth reaction's metabolites that cannot be made alone."""
    part = slice(matrix.indptr[column], matrix.indptr[column + 1])
    used = matrix.indices[part][matrix.data[part] < 0]
    found = []
    for row in used:
        drain = sp.csc_matrix(([-1.0], ([int(row)], [0])), shape=(matrix.shape[0], 1))
        wide = sp.hstack([matrix, drain]).tocsc()
        cost = np.append(np.zeros(len(lower)), -1.0)
        fluxes = _solve(cost, wide, np.append(lower, 0.0), np.append(upper, 1.0))
        if fluxes is None or fluxes[-1] < SMALL:
            found.append(program.metabolites[int(row)])
        if len(found) >= LARGEST_LIST:
            break
    return found


def _relaxed(
    matrix: sp.csc_matrix, lower: Floats, upper: Floats, columns: NDArray[np.int64], *, only_down: bool = False
) -> tuple[Floats, Floats] | None:
    """Fluxes with the least relative violation of the bounds of `columns`, and each violation; none if none is enough.

    With `only_down` only lower bounds give way, at equal price.
    """
    count, extra = matrix.shape[1], len(columns)
    sign = np.where(lower[columns] > 0, 1.0, -1.0)
    if only_down:
        sign[:] = 1.0
    # v + sign * slack keeps the bounds, v itself only the widest.
    loose_low, loose_high = lower.copy(), upper.copy()
    loose_low[columns] = np.where(sign > 0, -LARGEST_FLUX, loose_low[columns])
    loose_high[columns] = np.where(sign < 0, LARGEST_FLUX, loose_high[columns])
    pick = sp.csc_matrix((np.ones(extra), (np.arange(extra), columns)), shape=(extra, count))
    wanted = np.where(sign > 0, lower[columns], upper[columns])
    rows = sp.hstack([sp.diags(-sign) @ pick, -sp.identity(extra)]).tocsc()
    price = np.ones(extra) if only_down else 1.0 / np.maximum(np.abs(wanted), 1e-3)
    found = _solve(
        np.concatenate([np.zeros(count), price]),
        sp.hstack([matrix, sp.csc_matrix((matrix.shape[0], extra))]).tocsc(),
        np.concatenate([loose_low, np.zeros(extra)]),
        np.concatenate([loose_high, np.full(extra, 2 * LARGEST_FLUX)]),
        rows,
        -sign * wanted,
    )
    return None if found is None else (found[:count], found[count:])


def _solve(
    cost: Floats,
    matrix: sp.csc_matrix,
    lower: Floats,
    upper: Floats,
    rows: sp.csc_matrix | None = None,
    limits: Floats | None = None,
) -> Floats | None:
    """Minimise cost v over matrix v = 0, rows v <= limits and the bounds; nothing where that is impossible."""
    from scipy.optimize import linprog

    found = linprog(
        cost,
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        A_ub=rows,
        b_ub=limits,
        bounds=np.column_stack([lower, upper]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    return np.asarray(found.x, dtype=float) if found.status == 0 else None


def _bounds(program: Program, theta: Floats) -> tuple[sp.csc_matrix, Floats, Floats]:
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[program.columns] = program.signs * theta
    upper[program.columns] = np.maximum(upper[program.columns], lower[program.columns])
    return program.matrix, lower, upper


def _columns(program: Program) -> Sequence[str]:
    deficits = [f"deficit:{item.reaction}" for item in program.moving if item.kind == "demand"]
    return [*program.reactions, *deficits]
