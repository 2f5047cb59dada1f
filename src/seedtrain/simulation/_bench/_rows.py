"""The form of what a bench reports: one row a figure, as the command line's contract has it, with its spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
"""bench, case, ours, peer, peer_name, peer_version, unit, ratio, goal, goal_kind, met, and what else is known:
`ours_range` and `peer_range` ([min, median, max] of the repeats), `ours_error`, `peer_error`, `note`.
"""

BENCH = "simulation"


@dataclass(frozen=True)
class Figures:
    """What one of the compared did: `rates` in work per CPU second by repeat, and its errors (median, largest)."""

    name: str
    version: str | None
    rates: Sequence[float] = ()
    error: tuple[float, float] | None = None
    note: str = ""

    @property
    def best(self) -> float:
        """The least disturbed repeat: other work on the machine only ever slows one down."""
        return max(self.rates)


def spread(values: Sequence[float]) -> list[float]:
    """Smallest, median and largest."""
    return [min(values), statistics.median(values), max(values)]


def compared(case: str, ours: Figures, peer: Figures, *, unit: str, goal: float | None) -> Row:
    """How many times the work per CPU second of `peer` ours does; a goal is met only at no larger median error."""
    row: Row = {
        "bench": BENCH,
        "case": case,
        "ours": ours.best,
        "peer": None,
        "peer_name": peer.name,
        "peer_version": peer.version,
        "unit": unit,
        "ratio": None,
        "goal": goal,
        "goal_kind": "ratio",
        "met": None if goal is None else False,
        "ours_range": spread(ours.rates),
        "ours_error": _pair(ours.error),
    }
    if not peer.rates:
        return row | {"note": peer.note}
    ratio = ours.best / peer.best
    row |= {
        "peer": peer.best,
        "ratio": ratio,
        "peer_range": spread(peer.rates),
        "peer_error": _pair(peer.error),
        "note": peer.note,
    }
    if goal is not None:
        row["met"] = bool(ratio >= goal) and not less_exact(ours, peer)
    if less_exact(ours, peer):
        row["note"] = "; ".join(filter(None, [row["note"], "ours errs more than this peer"]))
    if wrong(peer):
        row["note"] = "; ".join(filter(None, [row["note"], "the peer's result is wrong"]))
    return row


def limited(case: str, values: Sequence[float], *, unit: str, goal: float | None, note: str = "") -> Row:
    """A figure of ours against a limit that it must not pass; the least disturbed repeat counts."""
    least = min(values)
    return {
        "bench": BENCH,
        "case": case,
        "ours": least,
        "peer": None,
        "peer_name": None,
        "peer_version": None,
        "unit": unit,
        "ratio": None,
        "goal": goal,
        "goal_kind": "limit",
        "met": None if goal is None else bool(least <= goal),
        "ours_range": spread(values),
        "note": note,
    }


def compared_once(case: str, ours: float, peer: Figures, taken: float) -> Row:
    """CPU seconds of something that is done once, beside what it takes `peer`."""
    return {
        "bench": BENCH,
        "case": case,
        "ours": ours,
        "peer": taken,
        "peer_name": peer.name,
        "peer_version": peer.version,
        "unit": "CPU s",
        "ratio": taken / ours,
        "goal": None,
        "goal_kind": "ratio",
        "met": None,
        "note": "",
    }


WRONG = 0.01
"""A median error from which a result is called wrong: 10,000 times the tolerance that everybody was given."""


def wrong(figures: Figures) -> bool:
    """Whether what it found is not a solution of the problem; not a number counts."""
    return figures.error is not None and not figures.error[0] < WRONG


def less_exact(ours: Figures, peer: Figures) -> bool:
    """Whether ours errs more than the peer does, in the median; a peer that is wrong is no measure."""
    if ours.error is None or peer.error is None or wrong(peer):
        return False
    return not ours.error[0] <= peer.error[0]


def _pair(error: tuple[float, float] | None) -> dict[str, float] | None:
    return None if error is None else {"median": error[0], "largest": error[1]}
