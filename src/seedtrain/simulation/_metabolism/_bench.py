"""The batch of `_batch` by compiled metabolism and by others, measured in one run.

CPU seconds are user and system time of this process; ratios are peer over ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import Progress, silent
from seedtrain.base import translate as _
from seedtrain.simulation._metabolism._batch import (
    ACETATE,
    AMMONIUM,
    DEFAULT_MAINTENANCE,
    END_H,
    EULER_STEPS,
    GLUCOSE,
    MAINTENANCE,
    OXYGEN,
    POINTS,
    batch,
    cobra_euler,
    glpk_loop,
    lp_route,
    random_batch,
    random_spans,
)
from seedtrain.simulation._metabolism._compile import compile_metabolism
from seedtrain.simulation._metabolism._dynamic import simulate_reactor
from seedtrain.simulation._metabolism._ensemble import dynamic_fba_ensemble
from seedtrain.simulation._metabolism._integrate import DynamicSettings, integrate
from seedtrain.simulation._metabolism._moving import demand, uptake
from seedtrain.simulation._metabolism._read import read_network
from seedtrain.simulation._metabolism._solver import Solver
from seedtrain.simulation._metabolism._table import RegionTable

Floats = NDArray[np.float64]

GOALS: Final[Mapping[str, Mapping[str, float]]] = {
    "iJO1366": {"compile": 20.0, "glpk": 500.0, "cobra": 10_000.0, "ensemble": 8000.0},
}
"""CPU s of compiling, ratios of one trajectory, random trajectories per CPU s."""
TIGHT: Final = DynamicSettings(rtol=1e-11, atol=1e-13, method="explicit", most_steps=10**7)

Row = dict[str, Any]
"""One figure: `model`, `what` was done, by which `peer` (`OURS` or another) of which `version`, in how many `cpu_s`;
`value` in `unit`, its `error` where there is a reference, and `ratio` (the peer's CPU seconds over ours); `goal` and
whether it is `met`, where one is set; a `note`, such as why a peer could not run. What is not known is None."""
OURS: Final = "Seedtrain"
SETTINGS: Final = DynamicSettings(rtol=1e-7, atol=1e-9)


def bench_dfba(
    model: str = "iJO1366",
    *,
    trajectories: int = 100_000,
    euler_steps: int = EULER_STEPS,
    progress: Progress = silent,
) -> list[Row]:
    """Compiling, one trajectory against a GLPK loop and cobra's Euler loop, errors, and many random trajectories.

    - `euler_steps`: how many of cobra's 1,000 steps to run; the rest is extrapolated, and the row says so.

    The goals are those of iJO1366; a small model's programmes are quick, so that it has none for its ratios.
    """
    rows: list[Row] = []
    stages: list[tuple[str, Callable[[], list[Row]]]] = [
        (_("compiling {model}"), lambda: bench_compile(model)),
        (_("one trajectory of {model}, and its peers"), lambda: bench_trajectory(model, euler_steps=euler_steps)),
        (_("errors of {model} against a programme at every step"), lambda: bench_errors(model)),
        (_("many trajectories of {model}"), lambda: bench_ensemble(model, trajectories=trajectories)),
    ]
    for number, (words, work) in enumerate(stages):
        progress(number / len(stages), words.format(model=model))
        rows += work()
    progress(1.0, _("all of it measured"))
    return rows


def bench_metabolism(
    model: str = "iJO1366",
    *,
    trajectories: int = 100_000,
    euler_steps: int = EULER_STEPS,
    progress: Progress = silent,
) -> list[Row]:
    """`bench_dfba` in the form that `seedtrain bench` prints: one row a figure of ours, with the peer beside it."""
    rows = bench_dfba(model, trajectories=trajectories, euler_steps=euler_steps, progress=progress)
    ours = {row["what"]: row for row in rows if row["peer"] == OURS}
    nobody = {"peer": None, "peer_name": None, "peer_version": None, "ratio": None, "goal_kind": "limit"}
    found = []
    for row in rows:
        form = {"bench": "simulation", "case": f"dFBA {model}: {row['what']}", "goal": row["goal"], "met": row["met"]}
        form |= {"note": row["note"]}
        if row["peer"] != OURS and row["ratio"] is None and not row["note"]:
            continue  # a reference, which stands behind the error of ours
        if row["peer"] != OURS:
            peer = {"peer": row["cpu_s"], "peer_name": row["peer"], "peer_version": row["version"]}
            form |= {"ours": ours[row["what"]]["cpu_s"], "unit": "CPU s", **peer, "ratio": row["ratio"]}
            found.append(form | {"goal_kind": "ratio"})
        elif row["cpu_s"] is None:
            found.append(form | nobody | {"ours": row["error"], "unit": row["unit"], "case": form["case"] + ", error"})
        else:
            shown = ("value", row["unit"]) if row["unit"].endswith("CPU s") else ("cpu_s", "CPU s")
            found.append(form | nobody | {"ours": row[shown[0]], "unit": shown[1]})
    return found


def bench_compile(model: str = "iJO1366") -> list[Row]:
    """CPU seconds to read a model and to compile five moving bounds of it, and what one evaluation takes."""
    import_module("highspy")
    import_module("scipy.optimize")
    reading, _network = _cpu(lambda: read_network(model))
    seconds, table = _cpu(lambda: _table(model, fresh=True))
    proof = table.proof
    points = _points(table, 100_000)
    table.evaluate(points[:10])
    evaluation, _found = _cpu(lambda: table.evaluate(points))
    solver = Solver(table.program)
    path = points[0] + (points[1] - points[0]) * np.linspace(0, 1, 200)[:, None]
    solver.solve(path[0])
    solving, _found = _cpu(lambda: [solver.solve(theta) for theta in path])
    each, lp = evaluation / len(points), solving / len(path)
    goal = GOALS.get(model, {}).get("compile")
    off = max(proof.random, proof.face, proof.kink)
    return [
        _row(model, "read (0 where it was read before)", OURS, reading),
        _row(model, "compile, five moving bounds", OURS, seconds, value=proof.regions, unit="regions", error=off)
        | _met(goal, goal is not None and seconds <= goal),
        _row(model, "one evaluation of all exchanges", OURS, each),
        _row(model, "one evaluation of all exchanges", "warm HiGHS", lp, version("highspy"), ratio=lp / each),
    ]


def bench_trajectory(model: str = "iJO1366", *, euler_steps: int = EULER_STEPS, repeats: int = 200) -> list[Row]:
    """One trajectory of 10 h against a hand-written GLPK loop and cobra's Euler loop, measured between them."""
    culture = batch(_table(model), 0.0)
    vector, times = culture.vector()[None], np.linspace(0.0, END_H, POINTS)
    what = "one trajectory of 10 h, 101 points"
    network, goals = read_network(model), GOALS.get(model, {})
    exact = integrate(culture, vector, 0.0, times, settings=TIGHT).states[0, -1, 0]
    taken, glpk, found = [], [], None
    missing = _missing("swiglpk")
    for _round in range(3):
        run = [lambda: integrate(culture, vector, 0.0, times, settings=SETTINGS) for _number in range(repeats)]
        seconds, many = _cpu(lambda run=run: [work() for work in run])  # type: ignore[misc]
        taken.append(seconds / repeats)
        if not missing:
            seconds, found = _cpu(lambda: glpk_loop(network))
            glpk.append(seconds)
    ours = min(taken)
    final = float(many[0].states[0, -1, 0])
    as_run = [_cpu(lambda: simulate_reactor(culture, times, settings=SETTINGS, events=False))[0] for _round in range(5)]
    rows = [
        _row(model, what, OURS, ours, value=final, unit="g/L", error=abs(final - exact)),
        _row(model, f"{what}, as a Run with rates and balances", OURS, min(as_run)),
    ]
    if missing or found is None:
        rows.append(_absent(model, what, "GLPK loop", missing))
    else:
        ratio, goal, last = min(glpk) / ours, goals.get("glpk"), float(found[-1, 0])
        row = _row(model, what, "GLPK loop", min(glpk), version("swiglpk"), value=last, unit="g/L", ratio=ratio)
        rows.append(row | {"error": abs(last - exact)} | _met(goal, goal is not None and ratio >= goal))
    missing = _missing("cobra")
    if missing:
        return [*rows, _absent(model, what, "cobra Euler loop", missing)]
    seconds, last = cobra_euler(model, euler_steps)
    seconds *= EULER_STEPS / euler_steps
    ratio, goal, whole = seconds / ours, goals.get("cobra"), euler_steps == EULER_STEPS
    row = _row(model, what, "cobra Euler loop", seconds, version("cobra"), unit="g/L", ratio=ratio)
    row |= {"value": last, "error": abs(last - exact)} if whole else {}
    row |= {"note": "" if whole else f"extrapolated from {euler_steps} of {EULER_STEPS} steps"}
    return [*rows, row | _met(goal, goal is not None and ratio >= goal)]


def bench_ensemble(model: str = "iJO1366", *, trajectories: int = 100_000) -> list[Row]:
    """Random trajectories per CPU second, and their error at these tolerances against much tighter ones."""
    culture = random_batch(_table(model))
    spans, goal = random_spans(model), GOALS.get(model, {}).get("ensemble")
    first = dynamic_fba_ensemble(culture, [END_H], spans, n=100, seed=1, settings=SETTINGS)
    seconds, found = _cpu(
        lambda: dynamic_fba_ensemble(culture, [END_H], spans, n=trajectories, seed=7, settings=SETTINGS)
    )
    exact = dynamic_fba_ensemble(culture, [END_H], spans, n=100, seed=1, settings=TIGHT)
    off = np.abs(first.states[:, 0, 0] - exact.states[:, 0, 0])
    rate, failed = trajectories / seconds, int((found.status != 0).sum())
    row = _row(model, f"{trajectories} random trajectories", OURS, seconds, value=rate, unit="1/CPU s")
    note = f"{failed} failed; error of final biomass: largest of 100, median {np.median(off):.1e} g/L"
    met = goal is not None and rate >= goal and failed == 0
    return [row | {"error": float(off.max()), "note": note} | _met(goal, met)]


def bench_errors(model: str = "iJO1366") -> list[Row]:
    """Final biomass and acetate peak against a linear programme at every step, without and with ATP maintenance."""
    table, rows = _table(model), []
    for maintenance in (0.0, DEFAULT_MAINTENANCE[model]):
        culture = batch(table, maintenance)
        times = np.linspace(0.0, END_H, POINTS)
        ours = integrate(culture, culture.vector()[None], 0.0, times, settings=SETTINGS).states[0]
        seconds, exact = _cpu(lambda culture=culture, times=times: lp_route(culture, times))  # type: ignore[misc]
        pairs = (
            ("final biomass", "g/L", ours[-1, 0], exact[-1, 0], 1e-6),
            ("acetate peak", "mmol/L", ours[:, 2].max(), exact[:, 2].max(), 1e-4),
        )
        for name, unit, here, there, goal in pairs:
            what = f"{name}, ATP maintenance {maintenance:g}"
            error = abs(float(here - there))
            row = _row(model, what, OURS, None, value=float(here), unit=unit, error=error)
            rows.append(row | _met(goal, error <= goal))
            reference = "programme at every step, LSODA 1e-9"
            rows.append(_row(model, what, reference, seconds, version("highspy"), value=float(there), unit=unit))
    return rows


def _table(model: str, *, fresh: bool = False) -> RegionTable:
    moving = [uptake(GLUCOSE, 12.0), uptake(OXYGEN, 20.0), uptake(ACETATE, 8.0), uptake(AMMONIUM, 12.0)]
    found = compile_metabolism(model, moving=[*moving, demand(MAINTENANCE, 0.0, 12.0)], fresh=fresh)
    assert isinstance(found, RegionTable)
    return found


def _points(table: RegionTable, count: int) -> Floats:
    unit = np.random.default_rng(0).random((count, len(table.moving)))
    return np.asarray(table.program.low + (table.program.high - table.program.low) * unit)


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def _missing(package: str) -> str:
    """Why a peer cannot run; empty where it can."""
    from importlib.util import find_spec

    return "" if find_spec(package) else f"{package} is not installed"


def _absent(model: str, what: str, peer: str, note: str) -> Row:
    return _row(model, what, peer, None) | {"note": note}


def _met(goal: float | None, met: bool) -> Row:
    return {"goal": goal, "met": None if goal is None else bool(met)}


def _row(
    model: str,
    what: str,
    peer: str,
    seconds: float | None,
    number: str | None = None,
    *,
    value: float | None = None,
    unit: str = "",
    error: float | None = None,
    ratio: float | None = None,
) -> Row:
    ours = version("seedtrain") if peer == OURS else None
    found: Row = {"model": model, "what": what, "peer": peer, "version": number or ours, "cpu_s": seconds}
    found |= {"value": None if value is None else float(value), "unit": unit, "error": error, "ratio": ratio}
    return found | {"goal": None, "met": None, "note": ""}
