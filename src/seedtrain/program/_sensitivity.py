"""Total sensitivities of what a need asks for, with the feed moving along the vessel's limit.

Where the vessel limits the feed of a phase, a lever moves the attribute directly and moves the largest feed. With the
attribute f(p, u), the feeds u and the margins g(p, u) = 0 of the limited phases,

    df/dp = f_p - f_u (g_u)^-1 g_p

by the implicit function theorem. What a lever does to the culture comes from forward sensitivities, all levers in one
integration (`simulate_neighbours`); what follows from the run (downstream train, cost, carbon) from central differences
of closed forms along them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import Progress, SeedtrainError, part, silent
from seedtrain.program._levers import Lever
from seedtrain.program._situation import Outcome, Situation

Floats = NDArray[np.float64]
FEED_STEP = 0.005


@dataclass(frozen=True)
class Sensitivity:
    """The effect of one lever on one attribute.

    - `total`: relative change of the attribute for the lever's step in words (`lever.scale.words`, +1 %), the feed
      moving along the limit; `direct`: with the feed held.
    """

    lever: Lever
    attribute: str
    total: float
    direct: float


@dataclass(frozen=True)
class Sensitivities:
    """All effects, and the levers that could not be moved, with the reason."""

    base: Outcome
    effects: tuple[Sensitivity, ...]
    skipped: tuple[tuple[str, str], ...]


def sensitivities(situation: Situation, levers: Sequence[Lever], *, progress: Progress = silent) -> Sensitivities:
    """The effect of every lever on every attribute of a need; see the module for the method."""
    pairs = [_pair(situation, lever) for lever in levers]
    feeds = [[situation.with_feed(n, 1 + sign * FEED_STEP) for sign in (1, -1)] for n in range(len(situation.limited))]
    movable = [item for pair in (*pairs, *feeds) for item in pair if isinstance(item, Situation)]
    situation.know(movable, part(progress, 0.0, 0.5))
    base = situation.outcome()
    names = tuple(base.values)
    feed_f, feed_g = feed_derivatives(feeds, names)
    effects: list[Sensitivity] = []
    skipped: list[tuple[str, str]] = []
    for number, (lever, pair) in enumerate(zip(levers, pairs, strict=True)):
        progress(0.5 + 0.5 * number / len(levers), f"{lever.group}: {lever.name}")
        try:
            direct, margin = _difference(pair, lever.scale.step, base, names)
        except SeedtrainError as error:
            skipped.append((lever.name, error.message))
            continue
        total = direct + _along_limit(feed_f, feed_g, margin)
        effects += [
            Sensitivity(lever, name, float(total[row] * lever.scale.per), float(direct[row] * lever.scale.per))
            for row, name in enumerate(names)
        ]
    progress(1.0, "sensitivities")
    return Sensitivities(base, tuple(effects), tuple(skipped))


def _along_limit(feed_f: Floats, feed_g: Floats, margin: Floats) -> Floats:
    """What the moving feeds add: -f_u (g_u)^-1 g_p."""
    if not feed_g.size:
        return np.zeros(feed_f.shape[0])
    along: Floats = np.asarray(feed_f @ np.linalg.solve(feed_g, -margin), dtype=np.float64)
    return along


Moved = Situation | SeedtrainError
"""A situation with a lever moved, or why it cannot be."""


def _pair(situation: Situation, lever: Lever) -> tuple[Moved, Moved]:
    """The lever moved up and down by its step."""

    def moved(sign: int) -> Moved:
        try:
            return lever.moved(situation, sign * lever.scale.step)
        except SeedtrainError as error:
            return error

    return moved(1), moved(-1)


def feed_derivatives(feeds: Sequence[Sequence[Situation]], names: tuple[str, ...]) -> tuple[Floats, Floats]:
    """f_u, shape "attribute feed", of the logarithms, and g_u, shape "margin feed"; `feeds`: each up and down."""
    feed_f, feed_g = np.zeros((len(names), len(feeds))), np.zeros((len(feeds), len(feeds)))
    for column, (up, down) in enumerate(feeds):
        feed_f[:, column], feed_g[:, column] = _slope(up.outcome(), down.outcome(), names, 2 * FEED_STEP)
    return feed_f, feed_g


def _difference(pair: Sequence[Moved], step: float, base: Outcome, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    """f_p of the logarithms and g_p; one-sided where the lever can move one way only."""
    outcomes: list[Outcome | None] = []
    failure: SeedtrainError | None = None
    for item in pair:
        try:
            if isinstance(item, SeedtrainError):
                raise item
            outcomes.append(item.outcome())
        except SeedtrainError as error:
            failure = error
            outcomes.append(None)
    up, down = outcomes
    if up is None and down is None:
        assert failure is not None
        raise failure
    width = step * (2 if up is not None and down is not None else 1)
    return _slope(up or base, down or base, names, width)


def _slope(up: Outcome, down: Outcome, names: tuple[str, ...], width: float) -> tuple[Floats, Floats]:
    values = np.array([_log(up.values[name]) - _log(down.values[name]) for name in names]) / width
    margins = (np.array(up.margins) - np.array(down.margins)) / width
    return values, margins


def _log(value: float) -> float:
    return math.log(max(value, 1e-300))
