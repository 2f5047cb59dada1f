"""The search for the largest feed: on a law with a known root, and in vessels with a weak drive or jacket."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.development import largest_feed, margins, scale
from seedtrain.development._feed import LOWEST_FACTOR, SEARCH_TOLERANCE, fed_at, feed_phases, oxygen_floor
from seedtrain.recipe import at_scale
from seedtrain.simulation import PhaseSpan, Run, Variable
from tests.development.plant import PILOT, PLANT, batches, culture, recipe, tank, vessels

PATHS = [path for path, _ in feed_phases(recipe())]


def run_of(oxygen: Mapping[str, float], cooling: Mapping[str, float], fed: float) -> Run:
    """A run of one hour a phase with constant dissolved oxygen (%) and heat over capacity."""
    time = np.array([value for at in range(len(PATHS)) for value in (at, at + 1.0)])
    spans = tuple(PhaseSpan(path, at, at + 1.0) for at, path in enumerate(PATHS))
    values = {
        "DO_percent": [oxygen[path] for path in PATHS for _ in range(2)],
        "heat": [cooling[path] for path in PATHS for _ in range(2)],
        "cooling_capacity": [1.0] * len(time),
    }
    variables = {name: Variable(name, "", np.array(column)) for name, column in values.items()}
    totals = {"titre": (4.0 * fed, "g/L"), "glucose_fed": (fed, "g")}
    return Run("simulated", "", "", "", "production", time, variables, spans, totals=totals)


@given(st.floats(0.1, 3.0), st.floats(0.1, 3.0), st.booleans())
@settings(max_examples=60)
def test_the_search_finds_the_root_of_a_known_law_in_few_runs(first: float, second: float, by_heat: bool) -> None:
    """Dissolved oxygen falls with the feed to nothing; the largest feed of each phase is known."""
    largest = dict(zip(PATHS, (first, second), strict=True))
    floors = {path: oxygen_floor(phase) or 0.0 for path, phase in feed_phases(recipe())}
    calls = []

    def simulated(factors: Mapping[str, float]) -> Run:
        calls.append(dict(factors))
        part = {path: factors.get(path, 1.0) / largest[path] for path in PATHS}
        oxygen = {path: 90.0 if by_heat else max(2 * floors[path] - floors[path] * part[path], 0.1) for path in PATHS}
        heat = {path: part[path] if by_heat else 0.1 for path in PATHS}
        return run_of(oxygen, heat, sum(factors.get(path, 1.0) for path in PATHS))

    found = largest_feed(simulated, recipe())
    for path in PATHS:
        if largest[path] >= 1.0:
            assert path not in found.factors
        else:
            assert largest[path] - SEARCH_TOLERANCE - 1e-9 <= found.factors[path] <= largest[path] + 1e-9
    assert found.limited.smallest >= -1e-9
    assert found.limited_by == ("none" if min(first, second) >= 1.0 else "cooling" if by_heat else "oxygen")
    assert found.runs == len(calls) <= 1 + 8 * sum(value < 1.0 for value in (first, second))
    assert found.titre <= found.titre_full


def test_where_no_feed_helps_the_factor_is_zero() -> None:
    hopeless = run_of(dict.fromkeys(PATHS, 0.1), dict.fromkeys(PATHS, 0.1), 1.0)
    found = largest_feed(lambda _: hopeless, recipe())
    assert set(found.factors.values()) == {0.0}
    assert found.limited_by == "oxygen"
    assert fed_at(recipe(), found.factors) == {}


def test_a_lowered_feed_stays_inside_the_control_strategy() -> None:
    for factor in (0.9, 0.5, LOWEST_FACTOR):
        points = fed_at(recipe(), dict.fromkeys(PATHS, factor))
        changed = recipe()
        for (path, name), value in points.items():
            before = changed.phase(path).quantity(name)
            assert before is not None
            assert value.value <= before.value
            changed = changed.with_value(path, name, value)
        for line in changed.control_strategy:
            value_ = changed.phase(line.at).quantity(line.parameter)
            if value_ is not None:
                assert line.range.contains(value_), line


@pytest.mark.parametrize(
    ("name", "change", "limit"),
    [(PLANT, {"motor_power": 10_000.0}, "oxygen"), (PILOT, {"cooling_area": 0.18}, "cooling")],
)
def test_a_weak_vessel_limits_the_feed_and_the_lowered_feed_keeps_the_limits(
    name: str, change: Mapping[str, float], limit: str
) -> None:
    weak = dataclasses.replace(tank(name), **change)  # type: ignore[arg-type]
    (found,) = scale(culture(), {**vessels(), name: weak}, recipe(), targets=[name])
    normal = batches()[name]
    assert found.limited_by == limit
    assert found.feed.factor < min(normal.feed.factor, 1.0)
    assert found.titre < normal.titre
    assert found.feed.margins.smallest < 0 <= margins(found.production, found.control.recipe).smallest
    # The control recipe itself holds the lowered feed: simulated as it stands, it is the production run.
    assert found.production.recipe_digest == found.control.recipe.digest
    own = at_scale(recipe(), unit=name, volume=found.control.volume, set_points=fed_at(found.control.recipe, {})).recipe
    for path, phase in feed_phases(found.control.recipe):
        rate = "rate" if "rate" in phase.set else "initial_rate"
        if found.feed.factors.get(path, 1.0) < 1.0:
            assert phase.number(rate, "L/h") < own.phase(path).number(rate, "L/h")
