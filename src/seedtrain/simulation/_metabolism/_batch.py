"""The dynamic flux balance problem that others solve by a linear programme at every step, and how they do it.

E. coli in batch: glucose 10 g/L, 0.1 gDW/L, uptake of glucose 10 mmol/gDW/h with K_S 0.015 mM and of acetate
5 mmol/gDW/h with K_S 0.2 mM, oxygen at most 15 mmol/gDW/h, ATP maintenance 0 unless said, 10 h, 101 points.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.simulation._metabolism._ensemble import Span
from seedtrain.simulation._metabolism._kinetics import Constant, GasSupply, Kinetics, Monod
from seedtrain.simulation._metabolism._network import Network
from seedtrain.simulation._metabolism._reactor import Reactor, reactor
from seedtrain.simulation._metabolism._solver import Solver
from seedtrain.simulation._metabolism._table import CompiledMetabolism

Floats = NDArray[np.float64]

GLUCOSE, OXYGEN, ACETATE, AMMONIUM, MAINTENANCE = "EX_glc__D_e", "EX_o2_e", "EX_ac_e", "EX_nh4_e", "ATPM"
Q_GLUCOSE, K_GLUCOSE, Q_ACETATE, K_ACETATE, Q_OXYGEN = 10.0, 0.015, 5.0, 0.2, 15.0
X_START, GLUCOSE_START, END_H, POINTS = 0.1, 10.0 / 180.156 * 1000.0, 10.0, 101
EULER_STEP_H, EULER_STEPS = 0.01, 1000
DEFAULT_MAINTENANCE: Final = {"textbook": 8.39, "iJO1366": 3.15}


def batch(table: CompiledMetabolism, maintenance: float) -> Reactor:
    """The batch of this module, with what only follows left out."""
    kinetics = Kinetics(
        {
            GLUCOSE: Monod(Q_GLUCOSE, K_GLUCOSE),
            OXYGEN: GasSupply(Q_OXYGEN, 1e6, 1.0),  # so much gas that only the cells limit it
            ACETATE: Monod(Q_ACETATE, K_ACETATE),
            AMMONIUM: Constant(12.0),  # never short: growth at 0.9 1/h takes up 9.7
            MAINTENANCE: Constant(maintenance),
        }
    )
    return reactor(table, kinetics, {"X": X_START, GLUCOSE: GLUCOSE_START}, track=())


def random_batch(table: CompiledMetabolism) -> Reactor:
    """A batch where oxygen transfer and ammonium may run short and starving cells die; see `random_spans`."""
    kinetics = Kinetics(
        {
            GLUCOSE: Monod(10.0, 0.1),
            OXYGEN: GasSupply(15.0, 100.0, 1.0),
            ACETATE: Monod(5.0, 0.5),
            AMMONIUM: Monod(10.0, 0.1),
            MAINTENANCE: Constant(3.15),
        },
        k_d=0.005,
    )
    return reactor(table, kinetics, {"X": 0.1, GLUCOSE: 55.5, AMMONIUM: 100.0}, track=())


def random_spans(model: str = "iJO1366") -> Mapping[str, Span]:
    """What varies in the random ensemble, and how far."""
    return {
        f"{GLUCOSE}.q_max": Span(6, 12),
        f"{GLUCOSE}.K_S": Span(0.01, 1.0, log=True),
        f"{ACETATE}.q_max": Span(1, 8),
        f"{ACETATE}.K_S": Span(0.1, 10**0.5, log=True),
        f"{AMMONIUM}.q_max": Span(8, 12),
        f"{AMMONIUM}.K_S": Span(10**-1.5, 1.0, log=True),
        f"{OXYGEN}.q_max": Span(6, 20),
        f"{OXYGEN}.kLa": Span(20, 150),
        f"{MAINTENANCE}.value": Span(4.5, 11) if model == "textbook" else Span(1.5, 7),
        "k_d": Span(0, 0.01),
        "X.initial": Span(0.05, 0.5),
        f"{GLUCOSE}.initial": Span(20, 110),
        f"{ACETATE}.initial": Span(0, 10),
        f"{AMMONIUM}.initial": Span(15, 120),
    }


def lp_route(culture: Reactor, times: Floats) -> Floats:
    """The batch with a linear programme at every evaluation, LSODA at rtol 1e-9: states, shape (time, state)."""
    from scipy.integrate import solve_ivp

    solver = Solver(culture.table.program)
    vector, outputs = culture.vector(), culture.table.program.outputs
    rows = [outputs.index(name) for name in culture.solutes]

    def rate(_: float, state: Floats) -> Floats:
        found = solver.solve(culture.bounds_at(state, vector)).outputs
        change = np.array([found[0], *found[rows]])
        return np.asarray(change * state[0])

    start = vector[culture.initial_places]
    found = solve_ivp(rate, (0.0, float(times[-1])), start, method="LSODA", rtol=1e-9, atol=1e-11, t_eval=times)
    assert found.success, found.message
    return np.asarray(found.y.T)


def glpk_loop(network: Network) -> Floats:
    """What a careful user writes by hand: raw GLPK, warm, one programme at every evaluation of scipy's BDF."""
    from scipy.integrate import solve_ivp

    solve = _glpk(network)

    def rate(_: float, state: Floats) -> Floats:
        return np.asarray(np.array(solve(*_uptakes(state[1], state[2]))) * state[0])

    found = solve_ivp(rate, (0.0, END_H), [X_START, GLUCOSE_START, 0.0], method="BDF", rtol=1e-6, atol=1e-8,
                      t_eval=np.linspace(0.0, END_H, POINTS))  # fmt: skip
    assert found.success, found.message
    return np.asarray(found.y.T)


def cobra_euler(model: str, steps: int) -> tuple[float, float]:
    """A careful user of cobra: Euler steps of 0.01 h with `slim_optimize`; CPU seconds of the loop, last biomass."""
    import logging

    import cobra

    from seedtrain.simulation._metabolism._read import locate

    logging.getLogger("cobra").setLevel(logging.CRITICAL)
    found = cobra.io.read_sbml_model(str(locate(model)))
    glucose, acetate = (found.reactions.get_by_id(name) for name in (GLUCOSE, ACETATE))
    found.reactions.get_by_id(OXYGEN).lower_bound = -Q_OXYGEN
    found.reactions.get_by_id(MAINTENANCE).lower_bound = 0.0
    state = np.array([X_START, GLUCOSE_START, 0.0])

    def loop() -> None:
        nonlocal state
        for _step in range(steps):
            sugar, acid = _uptakes(state[1], state[2])
            glucose.lower_bound, acetate.lower_bound = -sugar, -acid
            growth = found.slim_optimize()
            change = np.zeros(3) if growth != growth else np.array([growth, glucose.flux, acetate.flux])
            state = np.maximum(state + EULER_STEP_H * state[0] * change, 0.0)

    before = time.process_time()
    loop()
    return time.process_time() - before, float(state[0])


def _uptakes(glucose: float, acetate: float) -> tuple[float, float]:
    sugar, acid = max(glucose, 0.0), max(acetate, 0.0)
    return Q_GLUCOSE * sugar / (K_GLUCOSE + sugar), Q_ACETATE * acid / (K_ACETATE + acid)


def _glpk(network: Network) -> Callable[[float, float], tuple[float, float, float]]:
    """Growth, glucose and acetate exchange for two uptake bounds, from a warm GLPK problem."""
    g = import_module("swiglpk")

    problem, matrix = g.glp_create_prob(), network.stoichiometry.tocoo()
    g.glp_set_obj_dir(problem, g.GLP_MAX)
    g.glp_add_rows(problem, matrix.shape[0])
    g.glp_add_cols(problem, matrix.shape[1])
    for row in range(matrix.shape[0]):
        g.glp_set_row_bnds(problem, row + 1, g.GLP_FX, 0.0, 0.0)
    lower = network.lower.copy()
    lower[network.column(OXYGEN)], lower[network.column(MAINTENANCE)] = -Q_OXYGEN, 0.0
    for column, (low, high) in enumerate(zip(lower, network.upper, strict=True)):
        g.glp_set_col_bnds(problem, column + 1, g.GLP_FX if low == high else g.GLP_DB, float(low), float(high))
    size = len(matrix.data)
    rows, columns, values = g.intArray(size + 1), g.intArray(size + 1), g.doubleArray(size + 1)
    for k in range(size):
        rows[k + 1], columns[k + 1] = int(matrix.row[k]) + 1, int(matrix.col[k]) + 1
        values[k + 1] = float(matrix.data[k])
    g.glp_load_matrix(problem, size, rows, columns, values)
    growth, sugar, acid = (network.column(name) + 1 for name in (network.growth, GLUCOSE, ACETATE))
    g.glp_set_obj_coef(problem, growth, 1.0)
    options = g.glp_smcp()
    g.glp_init_smcp(options)
    options.msg_lev, options.meth = g.GLP_MSG_OFF, g.GLP_DUALP
    g.glp_term_out(g.GLP_OFF)
    g.glp_scale_prob(problem, g.GLP_SF_AUTO)
    g.glp_adv_basis(problem, 0)

    def solve(most_sugar: float, most_acid: float) -> tuple[float, float, float]:
        for column, most in ((sugar, most_sugar), (acid, most_acid)):
            g.glp_set_col_bnds(problem, column, g.GLP_DB, -most, 1000.0)
        g.glp_simplex(problem, options)
        if g.glp_get_status(problem) != g.GLP_OPT:  # stalled, or the basis is lost: once more from scratch
            g.glp_std_basis(problem)
            g.glp_adv_basis(problem, 0)
            g.glp_simplex(problem, options)
        if g.glp_get_status(problem) != g.GLP_OPT:
            return 0.0, 0.0, 0.0
        value = g.glp_get_col_prim
        return value(problem, growth), value(problem, sugar), value(problem, acid)

    return solve
