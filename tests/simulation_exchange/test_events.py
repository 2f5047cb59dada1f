"""Events: exact times, delays, priorities, persistence, chains; closed solutions judge."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation import simulate_sbml
from tests.simulation_exchange.small import box, event, math, parameter, reaction, read, rule, sbml, species

TIMES = np.linspace(0.0, 5.0, 11)


def delay(formula: str) -> str:
    return f"<delay>{math(formula)}</delay>"


def priority(formula: str) -> str:
    return f"<priority>{math(formula)}</priority>"


def run(tmp_path, events, names=("x",), rules="", times=TIMES, **options):
    text = sbml(
        Parameters="".join(parameter(name, "0") for name in names), **({"Rules": rules} if rules else {}), Events=events
    )
    return simulate_sbml(read(tmp_path, text), times, integrator="plain", rtol=1e-10, **options)


def test_a_ball_bounces_at_its_exact_times(tmp_path):
    """From 1 m with g 9.81 and restitution 0.8: after the first fall each flight lasts 2 * 0.8^n * sqrt(2 / g)."""
    text = sbml(
        Parameters=parameter("h", "1") + parameter("v", "0"),
        Rules=rule("rate", "h", "v") + rule("rate", "v", "-9.81"),
        Events=event("h < 0", {"v": "-0.8 * v", "h": "0"}),
    )
    found = simulate_sbml(read(tmp_path, text), np.linspace(0, 2.6, 6), integrator="plain", rtol=1e-11)
    fall = np.sqrt(2 / 9.81)
    expected = fall + np.concatenate([[0.0], np.cumsum(2 * fall * 0.8 ** np.arange(1, 5))])
    assert [when for when, _ in found.events][:5] == pytest.approx(expected, abs=1e-8)


def test_an_output_time_at_an_event_shows_what_holds_after_it(tmp_path):
    found = run(tmp_path, event("time >= 2.5", {"x": "7"}))
    assert found["x"].tolist() == [0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7]
    assert found.events == ((2.5, "line 8"),)


def test_a_delay_executes_later_with_the_values_of_the_trigger_or_of_then(tmp_path):
    rules = rule("rate", "y", "1")
    both = event("time >= 1", {"x": "y"}, more=delay("1.5"), id="early") + event(
        "time >= 1", {"z": "y"}, more=delay("1.5"), id="late", useValuesFromTriggerTime="false"
    )
    found = run(tmp_path, both, ("x", "y", "z"), rules)
    assert found.final("x") == pytest.approx(1.0, abs=1e-9)
    assert found.final("z") == pytest.approx(2.5, abs=1e-9)
    assert found["x"][TIMES < 2.5].max() == 0


def test_priorities_order_what_happens_at_once(tmp_path):
    both = event("time >= 1", {"x": "x * 10 + 1"}, more=priority("1"), useValuesFromTriggerTime="false") + event(
        "time >= 1", {"x": "x * 10 + 2"}, more=priority("5"), useValuesFromTriggerTime="false"
    )
    assert run(tmp_path, both).final("x") == 21


def test_an_event_that_is_not_persistent_is_undone_when_its_trigger_ends(tmp_path):
    rules = rule("assignment", "y", "piecewise(1, time > 1 && time < 2, 0)")
    both = event("y > 0.5", {"x": "1"}, more=delay("1.5"), persistent="false") + event(
        "y > 0.5", {"z": "1"}, more=delay("1.5"), persistent="true"
    )
    found = run(tmp_path, both, ("x", "y", "z"), rules)
    assert found.final("x") == 0
    assert found.final("z") == 1


def test_a_trigger_that_holds_from_the_start_fires_where_it_counts_as_new(tmp_path):
    both = event("time >= 0", {"x": "1"}, initially="false") + event("time >= 0", {"y": "1"}, initially="true")
    found = run(tmp_path, both, ("x", "y"))
    assert found["x"][0] == 1
    assert found.final("y") == 0


def test_one_event_calls_the_next_at_the_same_time(tmp_path):
    chain = event("time >= 1", {"x": "1"}) + event("x > 0.5", {"y": "x + 1"}) + event("y > 1.5", {"z": "y + 1"})
    found = run(tmp_path, chain, ("x", "y", "z"))
    assert found.final("z") == 3
    assert [when for when, _ in found.events] == pytest.approx([1.0, 1.0, 1.0], abs=1e-12)


def test_a_trigger_fires_again_each_time_it_turns_true(tmp_path):
    """A saw: y rises by 1 and is set back at 1: five times in five units of time, at the whole numbers."""
    found = run(tmp_path, event("y >= 1", {"y": "0", "x": "x + 1"}), ("x", "y"), rule("rate", "y", "1"))
    assert found.final("x") == 5
    assert [when for when, _ in found.events] == pytest.approx([1, 2, 3, 4, 5], abs=1e-9)


def test_equality_and_logic_in_triggers(tmp_path):
    rules = rule("rate", "y", "1")
    events = (
        event("y == 2", {"x": "x + 1"})
        + event("y > 1 && !(y > 3)", {"z": "z + 1"})
        + event("xor(y > 1, y > 4)", {"w": "time"})
    )
    found = run(tmp_path, events, ("x", "y", "z", "w"), rules)
    assert found.final("x") == 1
    assert found.final("z") == 1
    assert found.final("w") == pytest.approx(1.0, abs=1e-9)


def test_a_concentration_and_its_compartment_set_together_take_the_old_size(tmp_path):
    """The assignments of one event are made from the state before it: 0.2 in 0.5 L is 0.1, in 0.25 L then 0.4."""
    text = sbml(
        Compartments=box("0.5", constant=False),
        Species=species("S", 'initialConcentration="0"', boundary=True),
        Events=event("time >= 1", {"S": "0.2", "c": "0.25"}),
    )
    found = simulate_sbml(read(tmp_path, text), [0.0, 2.0], integrator="plain")
    assert found.final("S") == pytest.approx(0.4)
    assert found.amounts["S"][-1] == pytest.approx(0.1)


def test_events_that_call_each_other_without_end_are_an_error(tmp_path):
    both = event("time >= 1 && x < 0.5", {"x": "1"}) + event("x > 0.5", {"x": "0"})
    with pytest.raises(InputError, match="without end"):
        run(tmp_path, both)


def test_events_that_come_ever_faster_are_an_error_at_the_time_where_they_pile_up(tmp_path):
    """Each refill makes the decay half as fast again: ln(1 / 0.3) / (1 - 2 / 3) = 3.612 holds infinitely many."""
    text = sbml(
        Compartments=box(),
        Species=species("S", 'initialAmount="1"'),
        Parameters=parameter("k", "1"),
        Reactions=reaction("r", {"S": "1"}, {}, "k * S"),
        Events=event("S < 0.3", {"S": "1", "k": "k * 1.5"}),
    )
    with pytest.raises(InputError, match=r"at time 3\.6119.*without end"):
        simulate_sbml(read(tmp_path, text), TIMES, integrator="plain")


def test_a_negative_delay_is_an_error_at_its_line(tmp_path):
    with pytest.raises(InputError, match=r"small\.xml:8:1: .* delay is -1"):
        run(tmp_path, event("time >= 1", {"x": "1"}, more=delay("-1")))


def test_chance_decides_between_equal_priorities_and_follows_the_seed(tmp_path):
    both = "".join(
        event("time - r >= 0.01", {name: f"{name} + 1", "r": "time"}, more=priority("1"), persistent="false")
        for name in "xy"
    )
    runs = [run(tmp_path, both, ("x", "y", "r"), times=[0.0, 2.0], seed=seed) for seed in (1, 1, 2)]
    counts = [(item.final("x"), item.final("y")) for item in runs]
    assert counts[0] == counts[1] != counts[2]
    assert sum(counts[0]) in (199, 200)
    assert 70 < counts[0][0] < 130


def test_the_engine_finds_the_same_events(tmp_path):
    text = sbml(
        Compartments=box(),
        Species=species("S", 'initialAmount="1"'),
        Parameters=parameter("k", "1"),
        Reactions=reaction("r", {"S": "1"}, {}, "k * S"),
        Events=event("S < 0.3", {"S": "1", "k": "k * 0.8"}, id="refill"),
    )
    model = read(tmp_path, text)
    ours, plain = (simulate_sbml(model, TIMES, integrator=kind, rtol=1e-10) for kind in ("engine", "plain"))
    # From 1 to 0.3 takes ln(1 / 0.3) / k, with k a fifth smaller each time.
    expected = np.cumsum(np.log(1 / 0.3) / 0.8 ** np.arange(20))
    found = [when for when, _ in ours.events]
    assert found == pytest.approx(expected[: len(found)], abs=1e-7)
    assert len(found) == len(plain.events) == int((expected < 5).sum())
    assert ours["S"] == pytest.approx(plain["S"], rel=1e-6)
