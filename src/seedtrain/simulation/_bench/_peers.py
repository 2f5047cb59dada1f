"""Those who integrate the fed-batch of `_problem`: each a function that builds itself and returns what runs draws.

They run one at a time in a process of their own (`_worker`), with one thread each, at the same tolerances. What a peer
is called here is what the package registry calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

from seedtrain.simulation._bench import _problem as problem
from seedtrain.simulation._bench._problem import ATOL, END_H, OUTPUTS, RTOL, Floats

MOST_STEPS: Final = 100_000

Integrate = Callable[[Floats], Floats]
"""Numbers of shape (trajectory, 26) in; states (trajectory, time, 7) out, or derivatives (trajectory, time, 7, 22)."""


@dataclass(frozen=True)
class Peer:
    """One that is compared: `package` is what to install, `module` what must be found for it."""

    name: str
    package: str
    module: str
    build: Callable[[], Integrate]


def numbalsoda() -> Integrate:
    """LSODA in C++ with a right-hand side compiled by numba."""
    numba = import_module("numba")

    lsoda = import_module("numbalsoda")
    kernel, pointer_of = _compiled(), lsoda.lsoda_sig

    @numba.cfunc(pointer_of)
    def called(t, u, du, p):  # type: ignore[no-untyped-def]
        kernel(t, numba.carray(u, (7,)), numba.carray(p, (26,)), numba.carray(du, (7,)))

    address, start, times, solve = called.address, problem.start(), problem.times(), lsoda.lsoda

    @numba.njit
    def run(numbers):  # type: ignore[no-untyped-def]
        found = np.empty((len(numbers), len(times), 7))
        for at in range(len(numbers)):
            found[at], _ok = solve(address, start, times, data=numbers[at].copy(), rtol=RTOL, atol=ATOL)
        return found

    return lambda numbers: np.asarray(run(numbers))


def roadrunner() -> Integrate:
    """libroadrunner: SBML compiled by LLVM, CVODE inside."""
    module = import_module("roadrunner")
    runner = module.RoadRunner(problem.sbml())
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = RTOL, ATOL
    runner.integrator.maximum_num_steps = MOST_STEPS
    runner.timeCourseSelections = list(problem.START)
    names = list(runner.model.getGlobalParameterIds())
    places = [names.index(name) for name in problem.NUMBERS]

    def one(numbers: Floats) -> Floats:
        runner.reset()
        runner.model.setGlobalParameterValues(places, numbers)
        return np.array(runner.simulate(0, END_H, OUTPUTS))

    return lambda numbers: np.stack([one(row) for row in numbers])


def odeint() -> Integrate:
    """SciPy's odeint (LSODA in Fortran) with a right-hand side compiled by numba."""
    from scipy.integrate import odeint as solve

    function, start, times = _returning(), problem.start(), problem.times()

    def one(row: Floats) -> Floats:
        found = solve(function, start, times, args=(row,), tfirst=True, rtol=RTOL, atol=ATOL, mxstep=MOST_STEPS)
        return np.asarray(found)

    return lambda numbers: np.stack([one(row) for row in numbers])


def solve_ivp() -> Integrate:
    """SciPy's solve_ivp with LSODA and a right-hand side in plain Python, as most people write it."""
    import math

    from scipy.integrate import solve_ivp as solve

    written, start, times = problem.rhs({"exp": math.exp}), problem.start(), problem.times()

    def function(t: float, y: Floats, p: list[float]) -> list[float]:
        d = [0.0] * 7
        written(t, y.tolist(), p, d)
        return d

    def one(row: Floats) -> Floats:
        found = solve(
            function, (0.0, END_H), start, method="LSODA", t_eval=times, args=(row.tolist(),), rtol=RTOL, atol=ATOL
        )
        return np.asarray(found.y.T)

    return lambda numbers: np.stack([one(row) for row in numbers])


def sundae() -> Integrate:
    """scikit-sundae: CVODE with a right-hand side compiled by numba."""
    solver = import_module("sksundae.cvode").CVODE
    kernel, start, times = _compiled(), problem.start(), problem.times()

    def function(t: float, y: Floats, d: Floats, given: tuple[Floats]) -> None:
        kernel(t, y, given[0], d)

    def one(row: Floats) -> Floats:
        made = solver(function, userdata=(row,), method="BDF", rtol=RTOL, atol=ATOL, max_num_steps=MOST_STEPS)
        return np.asarray(made.solve(times, start).y)

    return lambda numbers: np.stack([one(row) for row in numbers])


def casadi() -> Integrate:
    """CVODES as casadi drives it, with exact Jacobians."""
    integrator, times = _casadi(RTOL, ATOL), problem.times()

    def one(row: Floats) -> Floats:
        ends = np.asarray(integrator(x0=problem.start(), p=row)["xf"]).T
        return np.vstack([problem.start()[None], ends])

    assert times[0] == 0
    return lambda numbers: np.stack([one(row) for row in numbers])


def casadi_forward() -> Integrate:
    """CVODES with forward sensitivities as casadi offers it: 22 directions beside the states."""
    forward = _casadi(RTOL, ATOL).forward(len(problem.VARIED))
    seeds = np.zeros((len(problem.NUMBERS), len(problem.VARIED)))
    seeds[problem.varied(), np.arange(len(problem.VARIED))] = 1

    def one(row: Floats) -> Floats:
        flat = np.asarray(forward(x0=problem.start(), p=row, fwd_p=seeds)["fwd_xf"])
        found = flat.reshape(7, len(problem.VARIED), OUTPUTS - 1).transpose(2, 0, 1)
        return np.concatenate([np.zeros((1, *found.shape[1:])), found])

    return lambda numbers: np.stack([one(row) for row in numbers])


def amici() -> Integrate:
    """AMICI: SBML compiled to C++, CVODES inside; it builds for minutes when it is installed and when it is used."""
    model, solver, simulation = _amici(sensitivities=False)

    def one(row: Floats) -> Floats:
        model.set_free_parameters([float(row[at]) for at in _amici_order(model)])
        order = [list(model.get_state_ids()).index(name) for name in problem.START]
        return np.asarray(simulation.run_simulation(model, solver).x)[:, order]

    return lambda numbers: np.stack([one(row) for row in numbers])


def amici_forward() -> Integrate:
    """AMICI with forward sensitivities to the 22 varied numbers."""
    model, solver, simulation = _amici(sensitivities=True)
    ids = list(model.get_free_parameter_ids())
    model.set_parameter_list([ids.index(name) for name in problem.VARIED])

    def one(row: Floats) -> Floats:
        model.set_free_parameters([float(row[at]) for at in _amici_order(model)])
        order = [list(model.get_state_ids()).index(name) for name in problem.START]
        found = np.asarray(simulation.run_simulation(model, solver).sx)  # (time, direction, state)
        return np.asarray(found[:, :, order].transpose(0, 2, 1))

    return lambda numbers: np.stack([one(row) for row in numbers])


def _amici(*, sensitivities: bool) -> tuple[Any, Any, Any]:
    import tempfile

    importer = import_module("amici.importers.sbml").SbmlImporter(problem.sbml(), from_file=False)
    simulation = import_module("amici.sim.sundials")
    folder = tempfile.mkdtemp(prefix="amici_")
    model = importer.sbml2amici("fedbatch", folder, observation_model=[], generate_sensitivity_code=sensitivities)
    if model is None:
        model = import_module("amici").import_model_module("fedbatch", folder).get_model()
    solver = model.create_solver()
    solver.set_relative_tolerance(RTOL)
    solver.set_absolute_tolerance(ATOL)
    solver.set_max_steps(MOST_STEPS)
    if sensitivities:
        solver.set_sensitivity_order(simulation.SensitivityOrder.first)
        solver.set_sensitivity_method(simulation.SensitivityMethod.forward)
    model.set_timepoints(problem.times())
    return model, solver, simulation


def _amici_order(model: Any) -> list[int]:
    names = list(problem.NUMBERS)
    return [names.index(name) for name in model.get_free_parameter_ids()]


def _casadi(rtol: float, atol: float) -> Any:
    module = import_module("casadi")
    x, p, t = module.SX.sym("x", 7), module.SX.sym("p", 26), module.SX.sym("t")
    values: dict[str, Any] = {"t": t, "exp": module.exp}
    values |= {name: x[at] for at, name in enumerate(problem.START)}
    values |= {name: p[at] for at, name in enumerate(problem.NUMBERS)}
    model = {"t": t, "x": x, "p": p, "ode": module.vertcat(*problem.symbolic(values))}
    options = {"reltol": rtol, "abstol": atol, "max_num_steps": MOST_STEPS}
    return module.integrator("fedbatch", "cvodes", model, 0.0, problem.times()[1:], options)


def _compiled() -> Any:
    import math

    numba = import_module("numba")

    return numba.njit(problem.rhs({"exp": math.exp}))


def _returning() -> Any:
    numba = import_module("numba")

    kernel = _compiled()

    @numba.njit
    def function(t, y, p):  # type: ignore[no-untyped-def]
        d = np.empty(7)
        kernel(t, y, p, d)
        return d

    return function


ENSEMBLE: Final = (
    Peer("numbalsoda", "numbalsoda", "numbalsoda", numbalsoda),
    Peer("libroadrunner", "libroadrunner", "roadrunner", roadrunner),
    Peer("scipy odeint with numba", "scipy", "scipy", odeint),
    Peer("casadi CVODES", "casadi", "casadi", casadi),
    Peer("scikit-sundae CVODE with numba", "scikit-sundae", "sksundae", sundae),
    Peer("AMICI", "amici", "amici", amici),
    Peer("scipy solve_ivp LSODA", "scipy", "scipy", solve_ivp),
)
SENSITIVITIES: Final = (
    Peer("casadi CVODES, forward", "casadi", "casadi", casadi_forward),
    Peer("AMICI, forward", "amici", "amici", amici_forward),
)
