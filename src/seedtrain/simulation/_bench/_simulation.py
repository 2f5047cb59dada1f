"""`seedtrain bench simulation`: every figure that the simulator is judged by, measured in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.simulation._bench._rows import BENCH, Row

QUICK_TRAJECTORIES: Final = 2_000


def bench_simulation(*, quick: bool = False, only: Sequence[str] = (), progress: Progress = silent) -> list[Row]:
    """Rows of the bench's form (see `_rows`): speed as ratios against peers, limits as absolute figures.

    - `quick`: the same with less work: a check that everything runs, not a measurement.
    - `only`: some of `PARTS`; all of them where empty.
    """
    for name in only:
        if name not in PARTS:
            raise InputError(f"the bench has no part {name!r}", remedy=f"Use one of: {', '.join(PARTS)}.")
    chosen = [name for name in PARTS if not only or name in only]
    rows: list[Row] = []
    for at, name in enumerate(chosen):
        rows += PARTS[name](quick, part(progress, at / len(chosen), (at + 1) / len(chosen)))
    return rows


def _ensemble(quick: bool, progress: Progress) -> list[Row]:
    from seedtrain.simulation._bench._speed import FULL, QUICK, bench_ensemble

    return bench_ensemble((QUICK if quick else FULL)["ensemble"], progress=progress)


def _sensitivities(quick: bool, progress: Progress) -> list[Row]:
    from seedtrain.simulation._bench._speed import FULL, QUICK, bench_sensitivities

    return bench_sensitivities((QUICK if quick else FULL)["sensitivities"], progress=progress)


def _cold(quick: bool, progress: Progress) -> list[Row]:
    from seedtrain.simulation._bench._whole import bench_cold

    return bench_cold(repeats=2 if quick else 5, progress=progress)


def _memory(quick: bool, progress: Progress) -> list[Row]:
    from seedtrain.simulation._bench._whole import MILLION, bench_memory

    return bench_memory(trajectories=QUICK_TRAJECTORIES if quick else MILLION, progress=progress)


def _dfba(quick: bool, progress: Progress) -> list[Row]:
    """Compiled metabolism on iJO1366; on the small textbook model where quick."""
    if find_spec("cobra") is None or find_spec("highspy") is None:
        return [_missing("dFBA", "cobra and highspy")]
    from seedtrain.simulation._metabolism._bench import bench_metabolism

    if quick:
        return bench_metabolism("textbook", trajectories=QUICK_TRAJECTORIES, euler_steps=20, progress=progress)
    return bench_metabolism("iJO1366", progress=progress)


def _chromatography(quick: bool, progress: Progress) -> list[Row]:
    """The published load-wash-elute example against CADET, where it is installed; the same work where quick."""
    from seedtrain.simulation._downstream._bench import bench_chromatography

    ours, *peers = bench_chromatography(progress=progress)
    rows = []
    for peer in peers:
        note = peer["value"] if peer["cpu_s"] is None else f"ours with {ours['value']}; peer: {peer['value']}"
        row = {"bench": BENCH, "case": f"chromatography: {ours['what']}", "ours": ours["cpu_s"], "unit": "CPU s"}
        row |= {"peer": peer["cpu_s"], "peer_name": peer["peer"], "peer_version": peer["version"]}
        row |= {"ratio": peer["ratio"], "goal": None, "goal_kind": "ratio", "met": None, "note": note}
        row |= {"ours_error": _error(ours), "peer_error": _error(peer)}
        rows.append(row)
    return rows


def _error(row: Row) -> dict[str, float] | None:
    """The largest over all proteins and times, of the highest outlet; there is one column only."""
    return None if row["error"] is None else {"median": row["error"], "largest": row["error"]}


def _missing(case: str, packages: str) -> Row:
    nobody = {"peer": None, "peer_name": None, "peer_version": None, "ratio": None, "goal": None, "goal_kind": "ratio"}
    row = {"bench": BENCH, "case": case, "ours": None, "unit": "", "met": None}
    return row | nobody | {"note": f"not installed: {packages}"}


PARTS: Final[dict[str, Callable[[bool, Progress], list[Row]]]] = {
    "ensemble": _ensemble,
    "sensitivities": _sensitivities,
    "cold": _cold,
    "memory": _memory,
    "dfba": _dfba,
    "chromatography": _chromatography,
}
