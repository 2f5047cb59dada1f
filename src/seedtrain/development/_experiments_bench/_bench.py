"""Whose runs find more: Seedtrain's with and without a model as prior, BoFire's, and runs that only spread."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from seedtrain.base import InputError, Progress, UnavailableError, silent
from seedtrain.development._experiments import Bofire
from seedtrain.development._experiments_bench._campaign import (
    ByBofire,
    Campaign,
    Chooser,
    WithPrior,
    by_seedtrain,
    by_spreading,
    campaign,
)
from seedtrain.development._experiments_bench._problems import Problem, problems

Row = dict[str, Any]
Which = Literal["hartmann", "fed-batch", "media"]
AT: Final = (30, 60)
FASTER: Final = 10.0
"""Suggestions in a peer's CPU time that ours are to reach."""
SURE: Final = 0.05
OURS, PRIOR, SPREAD, BOFIRE = "Seedtrain", "Seedtrain with a model as prior", "Sobol sequence", "BoFire"


def bench_experiments(
    *, seeds: int = 16, first_seed: int = 0, runs: int = AT[-1], only: Sequence[Which] = (),
    peer_python: str | None = None, keep: Path | None = None, progress: Progress = silent,
) -> list[Row]:  # fmt: skip
    """Rows `{bench, case, ours, peer, peer_name, peer_version, unit, ratio, goal, goal_kind, met}`.

    The figure of a case is the median over `seeds` of the true best value that holds the limits after 30 and 60 runs.

    - `peer_python`: a Python that has BoFire; the environment's SEEDTRAIN_BOFIRE, or this one, if not given. - `keep`:
      a folder that keeps finished campaigns, so that the same bench goes on where it was interrupted.
    """
    if seeds < 1 or first_seed < 0 or runs < AT[0]:
        raise InputError(f"{seeds} seeds from {first_seed}, {runs} runs", remedy="Give 1 seed and 30 runs, or more.")
    chosen = [item for item in problems() if not only or any(item.name.lower().startswith(name) for name in only)]
    try:
        peer = Bofire(peer_python)
    except UnavailableError as error:
        return _all(chosen, None, error.message, range(first_seed, first_seed + seeds), runs, keep, progress)
    with peer:
        return _all(chosen, peer, "", range(first_seed, first_seed + seeds), runs, keep, progress)


def _all(
    chosen: Sequence[Problem], peer: Bofire | None, missing: str, seeds: range, runs: int, keep: Path | None,
    progress: Progress,
) -> list[Row]:  # fmt: skip
    rows: list[Row] = []
    for at, problem in enumerate(chosen):
        tools: dict[str, Chooser] = {OURS: by_seedtrain, SPREAD: by_spreading}
        if problem.model is not None:
            tools[PRIOR] = WithPrior()
        if peer is not None:
            tools[BOFIRE] = ByBofire(peer)
        found: dict[str, list[Campaign]] = {name: [] for name in tools}
        for turn, seed in enumerate(seeds):
            for name, choose in tools.items():
                done = (at + turn / len(seeds)) / len(chosen)
                progress(done, f"{problem.name}: seed {seed}, {name}")
                version = peer.version if peer is not None and name == BOFIRE else _code()
                found[name].append(campaign(problem, f"{name} {version}", choose, runs, seed, keep))
        rows += _rows(problem, found, peer.version if peer else None, missing, runs)
    progress(1.0, "done")
    return rows


def _rows(
    problem: Problem, found: dict[str, list[Campaign]], version: str | None, missing: str, runs: int
) -> list[Row]:
    rows = []
    count = len(found[OURS])
    for after in (number for number in AT if number <= runs):
        best = {name: [item.best[after - 1] for item in done] for name, done in found.items()}
        case = f"{problem.name}, best of {problem.best:g} after {after} runs, median of {count} seeds"
        row = _row(case, best[OURS], best.get(BOFIRE), BOFIRE, version, 1.0, missing)
        if BOFIRE in best:
            equal = _sure(best[OURS], best[BOFIRE], "two-sided")
            row["note"] = f"p {equal:.2g} that both find as much (Wilcoxon, by seed)"
        rows.append(row)
        rows.append(_row(case, best[OURS], best[SPREAD], SPREAD, None, None))
        if PRIOR in best:
            case = f"{problem.name}, the same with a model as prior, after {after} runs"
            unhelped = _sure(best[PRIOR], best[OURS], "greater")
            row = _row(case, best[PRIOR], best[OURS], "Seedtrain without it", None, 1.0)
            row["met"] = row["met"] and unhelped <= SURE
            rows.append(row | {"note": f"p {unhelped:.2g} that it does not help (Wilcoxon, by seed)"})
            rows.append(_row(case, best[PRIOR], best.get(BOFIRE), BOFIRE, version, 1.0, missing))
    speed = {name: [1 / item.cpu_s for item in done] for name, done in found.items() if name != SPREAD}
    case = f"{problem.name}, choosing the next run"
    rows.append(_row(case, speed[OURS], speed.get(BOFIRE), BOFIRE, version, FASTER, missing, unit="per CPU s"))
    return rows


def _sure(ones: Sequence[float], others: Sequence[float], alternative: Literal["greater", "two-sided"]) -> float:
    """p of Wilcoxon's signed-rank test over seeds: that `ones` are not above `others`, or do not differ from them.

    A campaign that never held the limits (minus infinity) lies below all others, and with its like.
    """
    from scipy import stats

    apart = [0.0 if one == other else one - other for one, other in zip(ones, others, strict=True)]
    return float(stats.wilcoxon(apart, alternative=alternative).pvalue) if any(apart) else 1.0


def _row(
    case: str, ours: Sequence[float], peer: Sequence[float] | None, name: str, version: str | None,
    goal: float | None, note: str = "", unit: str = "",
) -> Row:  # fmt: skip
    mine = statistics.median(ours)
    row: Row = {
        "bench": "experiments", "case": case, "ours": mine, "peer": None, "peer_name": name, "peer_version": version,
        "unit": unit, "ratio": None, "goal": goal, "goal_kind": "ratio", "met": None if goal is None else False,
        "ours_range": [min(ours), mine, max(ours)],
    }  # fmt: skip
    if peer is None:
        return row | {"note": note}
    theirs = statistics.median(peer)
    ratio = mine / theirs
    row |= {"peer": theirs, "ratio": ratio, "peer_range": [min(peer), theirs, max(peer)]}
    return row if goal is None else row | {"met": bool(ratio >= goal)}


def _code() -> str:
    """A digest of the files that choose: kept campaigns of other code are not taken for this one's."""
    folder = Path(__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.with_name("_experiments").glob("*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
