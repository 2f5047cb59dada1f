"""What must not change a result: neighbours, chunks, threads, the number of lanes; and what changes it as it should."""

import numpy as np
import pytest

from seedtrain.simulation._engine import Schedule, System, compile_system
from seedtrain.simulation._engine import _compiled as door
from tests.simulation_engine.cases import (
    BALL,
    ball,
    fed_batch_numbers,
    fed_batch_schedule,
    fed_batch_seeds,
    fed_batch_system,
    fed_batch_times,
)

NAMES = ("states", "observed", "starts", "finals", "ends", "held", "status", "reached", "steps", "rejected")


def equal(one, other, places=slice(None)):
    return all(np.array_equal(getattr(one, name)[places], getattr(other, name)) for name in NAMES)


def part(item, places):
    return Schedule(
        *(x[places] if len(x) > 1 else x for x in (item.initial, item.numbers, item.jumps, item.lengths, item.actions))
    )


@pytest.mark.parametrize("method", ["stiff", "explicit"])
def test_bit_for_bit_the_same_alone_among_others_and_on_any_number_of_threads(method, monkeypatch):
    base, _ = ball()
    rng = np.random.default_rng(3)
    numbers = np.repeat(base.numbers, 60, axis=0) * rng.uniform(0.5, 1.5, (60, 1, 2))
    item = Schedule(base.initial, numbers, base.jumps, base.lengths, base.actions)
    times, compiled = np.linspace(0.0, 2.0, 9), compile_system(BALL)
    whole = compiled.run(item, times, threads=1, method=method)
    assert equal(whole, compiled.run(item, times, threads=3, method=method))
    monkeypatch.setattr(door, "_CHUNK", 7)
    assert equal(whole, compiled.run(item, times, threads=2, method=method))
    for places in ([5], [17], list(range(20, 33)), [59, 3, 3]):
        assert equal(whole, compiled.run(part(item, places), times, method=method), places)


def test_the_benchmark_problem_is_bit_for_bit_the_same_in_lanes():
    item, times = fed_batch_schedule(fed_batch_numbers(30)), fed_batch_times()
    compiled = compile_system(fed_batch_system())
    whole = compiled.run(item, times)
    assert (whole.status == 0).all()
    for place in (0, 13, 29):
        assert equal(whole, compiled.run(part(item, [place]), times), [place])


def test_four_lanes_and_eight_give_the_same_bits(monkeypatch):
    item, times = fed_batch_schedule(fed_batch_numbers(10)), fed_batch_times()
    whole = compile_system(fed_batch_system()).run(item, times)
    monkeypatch.setattr(door, "host", lambda: {"lanes": 4})
    assert equal(whole, compile_system(fed_batch_system()).run(item, times))


def test_sensitivities_do_not_depend_on_threads():
    item, times = fed_batch_schedule(fed_batch_numbers(9)), fed_batch_times()[::10]
    compiled = compile_system(fed_batch_system())
    one = compiled.run(item, times, seeds=fed_batch_seeds(), threads=1)
    two = compiled.run(item, times, seeds=fed_batch_seeds(), threads=2)
    assert equal(one, two)
    assert np.array_equal(one.states_by, two.states_by)


def test_the_order_of_states_does_not_matter():
    system = fed_batch_system()
    order = [4, 2, 6, 0, 5, 1, 3]
    turned = System(
        "turned",
        tuple(system.states[i] for i in order),
        system.numbers,
        system.held,
        system.lines,
        tuple(system.rates[i] for i in order),
    )
    item, times = fed_batch_schedule(fed_batch_numbers(2)), fed_batch_times()
    other = Schedule(item.initial[:, order], item.numbers, item.jumps, item.lengths, item.actions)
    one = compile_system(system).run(item, times).states
    assert compile_system(turned).run(other, times).states == pytest.approx(one[..., order], rel=1e-7, abs=1e-9)


def test_units_do_not_matter():
    """Concentrations in other units, with the absolute tolerance in them, give the same steps."""
    system = fed_batch_system()
    scale = np.array([1e3, 1e3, 1e-3, 1.0, 1e2, 1e-2, 1e6])
    text = {}
    for symbol, factor in zip(system.states, scale.tolist(), strict=True):
        text[symbol] = f"({symbol}_s/{factor!r})"

    def scaled(expression):
        import re

        return re.sub(r"\b(X|S|A|Pr|O|Om|V)\b", lambda found: text[found[0]], expression)

    other = System(
        "scaled",
        tuple(f"{symbol}_s" for symbol in system.states),
        system.numbers,
        (),
        tuple((symbol, scaled(line)) for symbol, line in system.lines),
        tuple(f"{factor!r}*({scaled(rate)})" for rate, factor in zip(system.rates, scale.tolist(), strict=True)),
    )
    item, times = fed_batch_schedule(fed_batch_numbers(1)), fed_batch_times()
    moved = Schedule(item.initial * scale, item.numbers, item.jumps, item.lengths, item.actions)
    one = compile_system(system).run(item, times)
    two = compile_system(other).run(moved, times, atol=1e-8 * scale)
    assert abs(int(one.steps[0]) - int(two.steps[0])) <= 2
    assert two.states / scale == pytest.approx(one.states, rel=1e-6, abs=1e-8)


def test_progress_is_told():
    told = []
    item = fed_batch_schedule(fed_batch_numbers(600))
    compile_system(fed_batch_system()).run(item, [24.0], progress=lambda done, words: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 2
