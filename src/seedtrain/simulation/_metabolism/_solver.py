"""Linear programmes solved warm by HiGHS, and the critical region that an optimal basis stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from seedtrain.base import UnavailableError
from seedtrain.simulation._metabolism._program import Floats, Program

TOLERANCE: Final = 1e-9
"""Primal and dual feasibility, mmol/gDW/h and growth per unit of flux."""
INSTALL: Final = "Install the group of packages for metabolic models: pip install 'seedtrain[metabolism]'."


class InfeasibleError(Exception):
    """No flux distribution meets every bound at `theta`; turned into an `InputError` by whoever can explain it."""

    def __init__(self, theta: Floats) -> None:
        super().__init__(f"infeasible at {theta}")
        self.theta = theta


@dataclass(frozen=True)
class Optimum:
    """The optimal value and what is reported of the fluxes there, shape "outputs"."""

    value: float
    outputs: Floats


@dataclass(frozen=True)
class Region:
    """One critical region: with theta in it, value = alpha theta + beta and outputs = A theta + b.

    - `alpha` (p), `beta`: also an upper bound of the value for every other theta, as the basis is dual feasible.
    - `A` (outputs x p), `b` (outputs).
    - `H` (k x p), `g` (k): the region is H theta <= g, where every basic variable keeps within its bounds.
    - `dual_slack`: how far the bound `alpha theta + beta` may be off from rounding, in units of the value.
    """

    alpha: Floats
    beta: float
    A: Floats
    b: Floats
    H: Floats
    g: Floats
    dual_slack: float


class Solver:
    """One warm HiGHS instance for `program`; every solve starts from the basis of the one before.

    A solve is deterministic given the ones before it. `solves` counts them.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.solves = 0
        rows = program.matrix.shape[0]
        self._all = sp.hstack([program.matrix, sp.identity(rows)]).tocsc()  # a slack for each row: S v + r = 0
        self._highs, self._api = _instance(program, program.cost)
        self._ceiling = program.upper[program.columns]
        self._where = program.columns.astype(np.int32)
        self._extended_cost = np.concatenate([program.cost, np.zeros(rows)])

    def solve(self, theta: Floats) -> Optimum:
        """The optimum at `theta`; raises `InfeasibleError` where there is none."""
        self._run(theta)
        fluxes = np.asarray(self._highs.getSolution().col_value)
        return Optimum(float(self._highs.getInfo().objective_function_value), self.program.rows @ fluxes)

    def region(self, theta: Floats) -> Region:
        """The critical region of the optimal basis at `theta`, each solution with one refinement."""
        self._run(theta)
        program, everything = self.program, self._all
        rows, width = program.matrix.shape[0], everything.shape[1]
        basic, upper_side = self._basis()
        free = np.ones(width, dtype=bool)
        free[basic] = False
        low = np.concatenate([program.lower, np.zeros(rows)])
        high = np.concatenate([program.upper, np.zeros(rows)])
        # Non-basic variables sit at a bound: a number, or one of the moving bounds.
        fixed = np.where(free, np.where(upper_side, high, low), 0.0)
        slope = np.zeros((width, len(program.moving)))
        for number, column in enumerate(program.columns):
            if free[column] and not upper_side[column]:
                slope[column, number] = program.moving[number].sign
        matrix = everything[:, basic].tocsc()
        wanted = -(everything[:, free] @ np.column_stack([slope[free], fixed[free]]))
        found = self._forwards(wanted)
        found += self._forwards(wanted - matrix @ found)
        prices = self._backwards(self._extended_cost[basic])
        prices += self._backwards(self._extended_cost[basic] - matrix.T @ prices)
        slope[basic], fixed[basic] = found[:, :-1], found[:, -1]
        reduced = np.where(free, self._extended_cost - everything.T @ prices, 0.0)
        halves = self._half_spaces(basic, slope[basic], fixed[basic], low[basic], high[basic])
        columns = program.matrix.shape[1]
        return Region(
            alpha=self._extended_cost @ slope,
            beta=float(self._extended_cost @ fixed),
            A=program.rows @ slope[:columns],
            b=program.rows @ fixed[:columns],
            H=halves[0],
            g=halves[1],
            dual_slack=_dual_slack(reduced, low, high, upper_side),
        )

    def _run(self, theta: Floats) -> None:
        theta = np.asarray(theta, dtype=float)
        highs, good = self._highs, self._api.HighsModelStatus.kOptimal
        floor = self.program.signs * theta
        highs.changeColsBounds(len(floor), self._where, floor, np.maximum(self._ceiling, floor))
        highs.run()
        self.solves += 1
        if highs.getModelStatus() == good:
            return
        highs.clearSolver()  # a warm start may stall where a cold one does not
        highs.run()
        status = highs.getModelStatus()
        if status == self._api.HighsModelStatus.kInfeasible:
            raise InfeasibleError(theta)
        if status != good:
            words = highs.modelStatusToString(status)
            raise UnavailableError(f"HiGHS stopped with {words!r} at {theta}", remedy="Report this model.")

    def _basis(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Basic columns (slacks after the structural ones), and which variables sit at their upper bound."""
        columns = self.program.matrix.shape[1]
        _, basic = self._highs.getBasicVariables()
        basic = np.asarray(basic, dtype=np.int64)
        basis = self._highs.getBasis()
        status = np.fromiter(map(int, [*basis.col_status, *basis.row_status]), dtype=np.int64)
        upper = status == int(self._api.HighsBasisStatus.kUpper)
        return np.where(basic >= 0, basic, columns - 1 - basic), upper

    def _forwards(self, wanted: Floats) -> Floats:
        """B^-1 times each column of `wanted`."""
        return np.column_stack([np.asarray(self._highs.getBasisSolve(column)[1]) for column in wanted.T])

    def _backwards(self, wanted: Floats) -> Floats:
        """B^-T times `wanted`."""
        return np.array(self._highs.getBasisTransposeSolve(wanted)[1])

    def _half_spaces(
        self, basic: NDArray[np.int64], slope: Floats, fixed: Floats, low: Floats, high: Floats
    ) -> tuple[Floats, Floats]:
        """low <= slope theta + fixed <= high of the basic variables as H theta <= g, scaled, without idle rows."""
        program = self.program
        floor = np.zeros_like(slope)
        place = {int(column): number for number, column in enumerate(program.columns)}
        for row, column in enumerate(basic):
            if int(column) in place:
                number = place[int(column)]
                floor[row, number] = program.moving[number].sign
        normals = np.vstack([floor - slope, slope])
        offsets = np.concatenate([fixed - low, high - fixed])
        size = np.abs(normals * (program.high - program.low)).max(axis=1)
        use = size > TOLERANCE
        normals, offsets, size = normals[use], offsets[use], size[use]
        normals, offsets = normals / size[:, None], offsets / size
        _, first = np.unique(np.round(np.column_stack([normals, offsets]), 9), axis=0, return_index=True)
        first.sort()
        return normals[first], offsets[first]


def best_growth(program: Program) -> Solver:
    """A solver of the same programme without its tie-break: its value is what growth alone could be."""
    from dataclasses import replace

    cost = program.cost.copy()
    bare = np.asarray(program.rows[[0]].todense()).ravel()
    deficits = program.matrix.shape[1] - program.deficits
    cost[:deficits] = bare[:deficits]
    return Solver(replace(program, cost=cost))


def _instance(program: Program, cost: Floats) -> tuple[Any, Any]:
    try:
        import highspy

        api: Any = highspy
    except ImportError:
        raise UnavailableError("metabolism is compiled with highspy, which is not installed", remedy=INSTALL) from None
    rows, columns = program.matrix.shape
    model = api.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, program.lower.copy(), program.upper.copy()
    model.row_lower_, model.row_upper_ = np.zeros(rows), np.zeros(rows)
    model.a_matrix_.format_ = api.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = program.matrix.indptr, program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    model.sense_ = api.ObjSense.kMaximize
    found = api.Highs()
    options: dict[str, Any] = {"output_flag": False, "threads": 1, "presolve": "off", "solver": "simplex"}
    options |= {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    for name, value in options.items():
        found.setOptionValue(name, value)
    found.passModel(model)
    return found, api


def _dual_slack(reduced: Floats, low: Floats, high: Floats, upper_side: NDArray[np.bool_]) -> float:
    """What reduced costs of the wrong sign could add to the value, each over its variable's whole range."""
    wrong = np.maximum(np.where(upper_side, -reduced, reduced), 0.0)
    return float((wrong * np.where(high > low, high - low, 0.0)).max())
