"""Where the runs go: the states that a rate would read, and what the culture's own form says there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seedtrain.development._estimation import MeasuredRun
from seedtrain.development._hybrid._form import SURROUNDINGS
from seedtrain.simulation import Culture, simulate

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
POINTS = 120


def visited(culture: Culture, runs: Sequence[MeasuredRun], values: Mapping[str, float]) -> dict[str, Floats]:
    """States, surroundings and expressions at even times of every run, all in a row, with parameters `values`."""
    own = {name: value for name, value in values.items() if name in culture.parameters}
    parts: list[dict[str, list[float]]] = []
    for item in runs:
        run = simulate(
            culture,
            item.vessel,
            item.recipe,
            unit_procedure=item.recipe.production.name,
            parameters={**item.parameters, **own},
            initial=item.initial,
            feed_factor=item.feed_factor,
            points=POINTS,
        )
        columns = {name: run[name] for name in (*culture.species, *SURROUNDINGS)}
        parts.append(_along(culture.with_parameters(own), columns))
    return {name: np.array([value for part in parts for value in part[name]]) for name in parts[0]}


def _along(culture: Culture, columns: Mapping[str, Floats]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: values.tolist() for name, values in columns.items()}
    found |= {name: [] for name in culture.expressions}
    for at in range(len(next(iter(columns.values())))):
        known = culture.values | {name: found[name][at] for name in columns}
        for name, text in culture.expressions.items():
            known[name] = text.evaluate(known)
            found[name].append(known[name])
    return found
