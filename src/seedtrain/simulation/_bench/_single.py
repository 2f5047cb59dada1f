"""One trajectory of the fed-batch in a fresh process; a first argument makes a model of its own, to be compiled."""

from __future__ import annotations

import sys

import numpy as np


def run(words: list[str]) -> None:
    """`words`: a number that goes into the text of the model, and `seeds` for sensitivities as well."""
    from seedtrain.simulation._bench import _ours
    from seedtrain.simulation._bench import _problem as problem
    from seedtrain.simulation._engine import compile_system

    # Adds nothing: zero times a number that no other model has, so that nothing compiled before can be used.
    extra = f" + 0 * {1 + int(words[0].split()[1]) / 1000}{len(words)}" if words else ""
    compiled = compile_system(_ours.system(extra=extra))
    seeds = _ours.seeds() if "seeds" in words else None
    found = compiled.run(_ours.schedule(problem.draws(1)), problem.times(), seeds=seeds, threads=1)
    assert np.isfinite(found.states).all()


if __name__ == "__main__":
    run(sys.argv[1:])
