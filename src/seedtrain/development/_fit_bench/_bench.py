"""What a fit takes and how well it ends, beside pyPESTO with AMICI in the same run where a Python has them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, part, silent
from seedtrain.development._estimation import Problem, fit_problem, petab_problem, read_petab_tables
from seedtrain.development._fit_bench import _boehm
from seedtrain.development._fit_bench._fed_batch import TRUTH, fed_batch_problem
from seedtrain.development._fit_bench._peer import Peer, first_value, run_peer

Row = dict[str, Any]
STARTS: Final = 20
SEED: Final = 0
HOPS: Final = 2
NEAR: Final = 0.1
SETS: Final = 200
LIMIT: Final = 30.0
"""CPU s of the fed-batch fit."""


def bench_fit(*, quick: bool = False, peer_python: str | None = None, progress: Progress = silent) -> list[Row]:
    """Rows `{bench, case, ours, peer, peer_name, peer_version, unit, ratio, goal, goal_kind, met}`.

    `quick`: little work, to see that it runs; no measurement. `peer_python`: a Python that has pyPESTO, fides and
    AMICI; the environment's SEEDTRAIN_AMICI, or this one, if not given. Where there is none, its rows say so.
    """
    starts, sets = (2, 4) if quick else (STARTS, SETS)
    with tempfile.TemporaryDirectory() as folder:
        path = _boehm.write(Path(folder))
        progress(0.0, "Boehm 2014")
        found, spent = _boehm_fit(petab_problem(read_petab_tables(path)), starts, part(progress, 0.0, 0.3))
        progress(0.3, "pyPESTO")
        peer = run_peer(path, starts, SEED, peer_python)
        made = first_value(path)
    rows = _boehm_rows(found, spent, made, starts, peer)
    progress(0.4, "fed batch")
    rows.append(_fed_batch_row(quick))
    progress(0.6, "intervals")
    return [*rows, _coverage_row(sets, part(progress, 0.6, 1.0))]


def _boehm_fit(problem: Problem, starts: int, progress: Progress) -> tuple[list[float], float]:
    """Ends of the starts, and CPU s, once the kernel is made (AMICI's model is compiled beforehand too)."""
    problem.evaluate(problem.scaled({}))
    problem.objectives(np.stack([problem.scaled({})] * 16))
    began = time.process_time()
    found = fit_problem(problem, count=starts, seed=SEED, hops=HOPS, nominal=False, profiles=(), progress=progress)
    return [item.objective for item in found.starts], time.process_time() - began


def _boehm_rows(ends: list[float], spent: float, made: float, starts: int, peer: Peer) -> list[Row]:
    ours = sum(value < _boehm.BEST + NEAR for value in ends)
    theirs = None if peer.ends is None else sum(value < _boehm.BEST + NEAR for value in peer.ends)
    case = f"Boehm 2014, {starts} starts"
    best = _row(f"{case}: lowest negative log likelihood above 138.222", min(ends) - _boehm.BEST, "", NEAR, "limit")
    reached = _row(f"{case}: starts within 0.1 of it", float(ours), "starts", 1.0, "ratio", theirs, peer)
    taken = _row(f"{case}: work, once compiled", spent, "CPU s", 1.0, "ratio", peer.spent, peer)
    first = _row("Boehm 2014: a new process to its first value and derivatives, nothing cached", made, "CPU s", None,
                 "ratio", peer.made, peer)  # fmt: skip
    if theirs is not None and peer.spent is not None and peer.made is not None:
        reached |= {"ratio": ours / max(theirs, 1e-9), "met": ours >= theirs}
        taken |= {"ratio": peer.spent / spent, "met": spent <= peer.spent}
        first |= {"ratio": peer.made / made}
    return [best, reached, taken, first]


def _fed_batch_row(quick: bool) -> Row:
    problem = fed_batch_problem(runs=2 if quick else 6)
    problem.evaluate(problem.scaled({}))
    began = time.process_time()
    found = fit_problem(problem, count=0, profiles=())
    spent = time.process_time() - began
    count = len(problem.experiments)
    off = [abs(found.values[name] / value - 1) for name, value in TRUTH.items()]
    row = _row(f"fed batch, {len(problem.parameters)} parameters, {count} runs, {problem.count} readings",
               spent, "CPU s", LIMIT, "limit")  # fmt: skip
    return row | {"origin": "simulated", "note": f"kinetic constants off by {100 * max(off):.2g} % at most"}


def _coverage_row(sets: int, progress: Progress) -> Row:
    """Profile intervals of a decay with unknown scatter: how many of those at 90 % hold the truth."""
    from seedtrain.development._fit_bench._decay import decay_problem

    truth = {"k": 0.3, "A_0": 20.0}
    covered = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(sets):
            found = fit_problem(decay_problem(Path(folder), truth, seed), count=0, profiles=tuple(truth))
            for name, value in truth.items():
                item = found.intervals[name]
                covered += item.low is not None and item.high is not None and item.low <= value <= item.high
                count += 1
            progress((seed + 1) / sets, "intervals")
    share = 100.0 * covered / count
    row = _row(f"90 % intervals of {sets} simulated data sets: share that covers, off 90", abs(share - 90), "%", 3.0,
               "limit")  # fmt: skip
    return row | {"origin": "simulated", "note": f"{covered} of {count} cover"}


def _row(
    case: str, ours: float, unit: str, goal: float | None, kind: str, peer: float | None = None,
    about: Peer | None = None,
) -> Row:  # fmt: skip
    return {
        "bench": "fit",
        "case": case,
        "ours": ours,
        "peer": peer,
        "peer_name": "pyPESTO with AMICI and fides" if about else None,
        "peer_version": about.version if about else None,
        "unit": unit,
        "ratio": None,
        "goal": goal,
        "goal_kind": kind,
        "met": None if goal is None else ours <= goal if kind == "limit" else False,
        **({"note": about.fault} if about and about.fault else {}),
    }
