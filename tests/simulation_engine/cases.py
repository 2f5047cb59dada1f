"""Systems with known solutions, and schedules for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from seedtrain.simulation._bench import _ours, _problem
from seedtrain.simulation._engine import Schedule, Seeds, System

DECAY = System("decay", ("x",), ("k",), (), (), ("-k*x",), observed=("x",))
LOGISTIC = System("logistic", ("x",), ("r", "K"), (), (("left", "1 - x/K"),), ("r*x*left",), observed=("left",))
PREDATORS = System("Lotka and Volterra", ("x", "y"), ("a", "b"), (), (), ("a*x - b*x*y", "b*x*y - a*y"))
FORCED = System(
    "forced and not linear",
    ("x", "y"),
    ("k",),
    (),
    (("push", "exp(-0.3*t)"),),
    ("-k*(x - y**2/(1 + y**2)) + push", "x*tanh(y) - y"),
)
ROBERTSON = System(
    "Robertson", ("a", "b", "c"), (), (), (), ("-0.04*a + 1e4*b*c", "0.04*a - 1e4*b*c - 3e7*b**2", "3e7*b**2")
)
VAN_DER_POL = System("van der Pol", ("x", "v"), ("eps",), (), (), ("v", "((1 - x**2)*v - x)/eps"))
BALL = System(
    "a ball that is thrown up again",
    ("x", "v"),
    ("g", "e"),
    (("v_start", "v"),),
    (("energy", "0.5*v**2 + g*x"),),
    ("v", "-g - 0.01*v*abs(v)"),
    (("ground", "-x"), ("falls", "-v"), ("fast", "v - 100")),
    ("x", "v_start", "energy"),
)


def schedule(
    system: System, initial: Any, numbers: Any, lengths: Any, *, jumps: Any = None, actions: Any = None
) -> Schedule:
    """Stretches as long as `lengths`; `numbers` for all of them, or on three axes (trajectory, stretch, number)."""
    lengths = np.atleast_2d(np.asarray(lengths, dtype=float))
    stretches, n, gauges = lengths.shape[1], len(system.states), len(system.gauges)
    given = np.asarray(numbers, dtype=float)
    if given.ndim < 3:
        given = np.repeat(given.reshape(1, 1, -1), stretches, axis=1)
    given = given.reshape(-1, stretches, len(system.numbers)) if given.size else np.zeros((1, stretches, 0))
    moved = np.zeros((1, stretches, n)) if jumps is None else np.asarray(jumps, dtype=float).reshape(1, stretches, n)
    acted = np.zeros((1, stretches, gauges)) if actions is None else np.reshape(actions, (1, stretches, gauges))
    return Schedule(np.atleast_2d(np.asarray(initial, dtype=float)), given, moved, lengths, acted.astype(np.int8))


def ball() -> tuple[Schedule, Seeds]:
    """Three flights, each thrown up as the one before reaches the ground; directions: height, g, throw, last length."""
    found = schedule(
        BALL,
        [1.0, 0.0],
        [9.81, 0.8],
        [5.0, 5.0, 0.1],
        jumps=[[0, 0], [1e-3, 8.0], [1e-3, 8.0]],
        actions=[[2, 1, 3], [2, 1, 3], [1, 1, 3]],
    )
    seeds = Seeds(np.zeros((2, 4)), np.zeros((3, 2, 4)), np.zeros((3, 2, 4)), np.zeros((3, 4)))
    seeds.initial[0, 0] = 1.0
    seeds.numbers[:, 0, 1] = 1.0
    seeds.jumps[1, 1, 2] = 1.0
    seeds.lengths[2, 3] = 1.0
    return found, seeds


def moved(item: Schedule, seeds: Seeds, direction: int, step: float) -> Schedule:
    """`item` a step along a direction."""
    names = ("initial", "numbers", "jumps", "lengths")
    parts = {name: getattr(item, name) + step * getattr(seeds, name)[..., direction] for name in names}
    return Schedule(**parts, actions=item.actions)


# The fed-batch that the bench measures.
fed_batch_system, fed_batch_schedule, fed_batch_seeds = _ours.system, _ours.schedule, _ours.seeds
fed_batch_numbers, fed_batch_times = _problem.draws, _problem.times
