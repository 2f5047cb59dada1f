"""A process that streams many fed-batches to a file: what it needs of memory is measured from outside."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from seedtrain.simulation._bench import _ours
from seedtrain.simulation._bench import _problem as problem
from seedtrain.simulation._bench._problem import Floats
from seedtrain.simulation._bench._whole import SAVED
from seedtrain.simulation._engine import Schedule
from seedtrain.simulation._ensemble import Problem, Shown, run_ensemble
from seedtrain.simulation._metabolism import Span

UNITS = dict(zip(problem.START, ("g/L", "g/L", "g/L", "g/L", "%", "%", "L"), strict=True))


def fill(columns: Mapping[str, Floats], count: int) -> Schedule:
    """The schedule of a chunk."""
    numbers = np.tile(np.array(list(problem.NUMBERS.values())), (count, 1))
    for name, values in columns.items():
        numbers[:, list(problem.NUMBERS).index(name)] = values
    return _ours.schedule(numbers)


def fed_batch(outputs: int = SAVED) -> tuple[Problem, dict[str, Span]]:
    """The fed-batch as an ensemble, and how its 22 parameters vary."""
    found = Problem(_ours.system(), problem.times(outputs), {name: Shown(unit) for name, unit in UNITS.items()}, fill)
    low, high = 1 - problem.SPREAD, 1 + problem.SPREAD
    spreads = {name: Span(problem.NUMBERS[name] * low, problem.NUMBERS[name] * high) for name in problem.VARIED}
    return found, spreads


def run(count: int, path: Path) -> None:
    """Stream `count` trajectories to `path`."""
    found, spreads = fed_batch()
    with run_ensemble(found, spreads, n=count, seed=problem.SEED, to=path) as dataset:
        assert dataset.sizes["trajectory"] == count
        assert int((np.asarray(dataset["status"]) != 0).sum()) == 0


if __name__ == "__main__":
    run(int(sys.argv[1]), Path(sys.argv[2]))
