"""The gap: states follow from what was found, and effects agree with moving a lever and searching the feed again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedtrain.base import silent
from seedtrain.program import ATTRIBUTES, read_need
from seedtrain.program._batch_stage import BatchStage
from seedtrain.program._design_stages import DesignStages
from seedtrain.program._directory import read_program
from seedtrain.program._engine import run_stage
from seedtrain.program._gap_stage import GapStage, best_levers
from seedtrain.program._levers import Lever, program_levers
from seedtrain.program._run import program_stages
from seedtrain.program._sensitivity import sensitivities
from seedtrain.program._situation import Situation
from seedtrain.quantity import parse


@pytest.fixture(scope="module")
def gap(finished: Path) -> dict[str, Any]:
    return dict(json.loads((finished / "out" / "gap.json").read_text()))


@pytest.fixture(scope="module")
def situation(finished: Path) -> Situation:
    """The worked example at production scale, from what its stages left."""
    program = read_program(finished)
    design = DesignStages(program)
    results: dict[str, Any] = {}
    for stage in program_stages(program, design, BatchStage(program, design)):
        results[stage.name] = run_stage(stage, results, program.out / "stages", silent)
        assert not results[stage.name].ran
    base = design.scaled(results, program.production.name)
    return GapStage(program, design).situation(base, results)


# states


def test_states_follow_from_values_intervals_and_the_batch(finished, gap) -> None:
    """Worked out again: a criterion is met or missed only where all that is known of it agrees."""
    need = read_need(finished / "need.yaml")
    asked = {item.attribute: item for item in need.criteria}
    assert {row["attribute"] for row in gap["criteria"]} == {*asked, "amount"}
    for row in gap["criteria"]:
        unit = ATTRIBUTES[row["attribute"]].unit
        if unit is None:
            assert row["state"] == {"pass": "met", "fail": "missed"}.get(row["batch"]["verdict"], "unknown")
            continue
        text = asked[row["attribute"]].value if row["attribute"] in asked else str(need.entry.amount)
        limit = parse(text).magnitude(unit)
        assert row["limit"] == pytest.approx(limit)
        sign = 1 if row["operator"] == ">=" else -1
        found = row["prediction"]
        known = [found[name] for name in ("low", "value", "high") if found[name] is not None]
        assert known == sorted(known)
        meets = [sign * value >= sign * limit for value in known]
        judged = ["fail" if not any(meets) else "pass" if all(meets) and len(meets) == 3 else "inconclusive"]
        assert found["verdict"] == judged[0]
        if row["batch"]:
            measured = parse(row["batch"]["value"]).magnitude(unit)
            judged.append("pass" if sign * measured >= sign * limit else "fail")
            assert row["batch"]["verdict"] == judged[1]
        assert row["state"] == ("missed" if "fail" in judged else "met" if set(judged) == {"pass"} else "unknown")


def test_the_example_shows_all_three_states(gap) -> None:
    assert {row["state"] for row in gap["criteria"]} == {"met", "missed", "unknown"}


def test_only_what_is_not_met_names_levers_and_the_largest_comes_first(gap) -> None:
    for row in gap["criteria"]:
        levers = row["levers"]
        if row["state"] == "met":
            assert levers == []
            continue
        if row["prediction"] is None:
            continue
        sizes = [abs(item["total"]) for item in levers]
        assert sizes == sorted(sizes, reverse=True)
        groups = [item["group"] for item in levers]
        assert len(set(groups)) == len(groups) > 0


# sensitivities, by brute force


def solved(start: Situation, target: tuple[float, ...]) -> Situation:
    """`start` with the feeds of its limited phases found again: each margin brought back to `target`, phase by phase
    in the order of the recipe (a later feed cannot change an earlier phase), by secants."""
    now = start
    for column in range(len(start.limited)):

        def off(factor: float, now: Situation = now, column: int = column) -> float:
            return now.with_feed(column, factor).outcome().margins[column] - target[column]

        factor = root(off, now.feeds[column], 1.01 * now.feeds[column])
        now = now.with_feed(column, factor)
    return now


def root(off: Callable[[float], float], first: float, second: float) -> float:
    """A root by secants, to 1e-7."""
    low, high = off(first), off(second)
    for _ in range(12):
        if abs(high) < 1e-9 or second == first or high == low:
            break
        first, second, low = second, second - high * (second - first) / (high - low), high
        high = off(second)
    assert abs(high) < 2e-5  # of the limit
    return second


LEVERS = {
    "vessel": "motor_power",
    "pressure": "head_pressure",
    "culture": "Y_em",
    "gene": "q_P_max",
    "recipe": "production/induction/express.temperature",
    "downstream": "",
}


def lever(situation: Situation, kind: str) -> Lever:
    levers = program_levers(situation)
    if kind == "downstream":
        return next(item for item in levers if item.group == "downstream" and "yield" in item.name)
    return next(item for item in levers if item.name == LEVERS[kind])


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind in ("pressure", "gene") else []) for kind in LEVERS]
)
def test_total_effects_agree_with_central_differences_with_the_feed_searched_again(situation, kind) -> None:
    assert situation.limited, "the example is meant to be limited"
    chosen = lever(situation, kind)
    found = {item.attribute: item for item in sensitivities(situation, [chosen]).effects}
    target = situation.outcome().margins
    step = chosen.scale.step * 2  # not that of the stage: agreement is not to be that of the same two runs
    up, down = (solved(chosen.moved(situation, sign * step), target).outcome().values for sign in (1, -1))
    for name in ("titre", "cost", "carbon", "amount", "endotoxin", "purity"):
        brute = (math.log(up[name]) - math.log(down[name])) / (2 * step) * chosen.scale.per
        assert found[name].total == pytest.approx(brute, rel=0.03, abs=2e-5), name


def test_the_feed_moves_only_where_production_does(situation) -> None:
    chosen = lever(situation, "downstream")
    for effect in sensitivities(situation, [chosen]).effects:
        assert effect.total == pytest.approx(effect.direct, abs=1e-12)


@pytest.mark.parametrize("kind", ["culture", pytest.param("gene", marks=pytest.mark.slow)])
def test_first_order_moves_close_most_of_the_gap(situation, kind) -> None:
    """`needed` is a first-order answer: going there with the feed searched again must land near the limit."""
    chosen = lever(situation, kind)
    found = sensitivities(situation, [chosen])
    value = found.base.values["titre"]
    row = {"attribute": "titre", "operator": ">=", "limit": 1.05 * value, "prediction": {"value": value}}
    (told,) = best_levers(row, found)
    assert told["needed"] is not None
    moved = solved(chosen.moved(situation, told["needed"]), situation.outcome().margins)
    closed = math.log(moved.outcome().values["titre"] / value) / math.log(1.05)
    assert 0.5 < closed < 1.7
