"""What a system refuses, naming the symbol and the remedy."""

import numpy as np
import pytest

from seedtrain.base import InputError, InputErrors
from seedtrain.simulation._engine import Schedule, Seeds, System, compile_system
from tests.simulation_engine.cases import BALL, DECAY, ball, schedule


def system(**parts):
    whole = {"states": ("x",), "numbers": ("k",), "held": (), "lines": (), "rates": ("-k*x",), **parts}
    return System("faulty", **whole)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"rates": ("-k*z",)}, "rate of 'x' reads the unknown symbol 'z'"),
        ({"lines": (("a", "z"),)}, "line 'a' reads the unknown symbol 'z'"),
        ({"held": (("a", "t*k"),)}, "held symbol 'a' reads the unknown symbol 't'"),
        ({"lines": (("a", "k"), ("a", "x"))}, "'a' is assigned twice"),
        ({"lines": (("k", "x"),)}, "'k' is assigned twice: it is a number and a line"),
        ({"numbers": ("t",)}, "'t' is assigned twice: it is the time"),
        ({"lines": (("a", "b"), ("b", "a"))}, "line 'a' depends on itself: a reads b reads a"),
        ({"lines": (("a", "b"), ("b", "x"))}, "line 'a' reads 'b', which is assigned after it"),
        ({"lines": (("exp", "x"),)}, "'exp' cannot name a line"),
        ({"rates": ("-k*", "2")}, "1 states have 2 rates"),
        ({"rates": ("__import__('os')",)}, "rate of 'x'"),
        ({"gauges": (("g", "x"), ("g", "-x"))}, "two gauges are called 'g'"),
        ({"observed": ("q",)}, "observed reads the unknown symbol 'q'"),
        ({"states": (), "rates": ()}, "no states"),
    ],
)
def test_a_faulty_system_names_its_symbol(parts, words):
    with pytest.raises(InputErrors) as caught:
        system(**parts)
    assert any(words in part.message for part in caught.value.parts), str(caught.value)
    assert all(part.remedy for part in caught.value.parts)


def test_every_fault_is_reported_at_once():
    with pytest.raises(InputErrors) as caught:
        system(rates=("-k*z",), lines=(("a", "q"),), observed=("w",))
    assert len(caught.value.parts) == 3


def test_the_digest_follows_the_equations_and_not_the_name():
    assert system().digest == System("other", ("x",), ("k",), (), (), ("-k*x",)).digest
    assert system().digest != system(rates=("-k*x*x",)).digest


def test_a_schedule_that_does_not_fit_is_refused():
    good, seeds = ball()
    compiled = compile_system(BALL)
    parts = {name: getattr(good, name) for name in ("initial", "numbers", "jumps", "lengths", "actions")}
    for name, wrong in (
        ("numbers", np.zeros((1, 3, 5))),
        ("initial", np.zeros(2)),
        ("lengths", -parts["lengths"]),
        ("jumps", np.full((1, 3, 2), np.nan)),
        ("actions", np.full((1, 3, 3), 7)),
        ("initial", np.zeros((4, 2))),
    ):
        more = {"numbers": np.repeat(parts["numbers"], 3, axis=0)} if np.shape(wrong) == (4, 2) else {}
        with pytest.raises(InputError):
            compiled.run(Schedule(**{**parts, **more, name: wrong}), [0.0, 1.0])
    with pytest.raises(InputError, match="numbers of the seeds"):
        compiled.run(good, [0.0], seeds=Seeds(seeds.initial, seeds.numbers[:2], seeds.jumps, seeds.lengths))
    with pytest.raises(InputError, match="number"):
        compiled.run(Schedule(**{**parts, "numbers": np.full((1, 3, 2), np.inf)}), [0.0])


@pytest.mark.parametrize("options", [{"rtol": 0.0}, {"atol": [1.0, 2.0]}, {"atol": np.nan}, {"method": "guess"}])
def test_options_without_meaning_are_refused(options):
    with pytest.raises(InputError):
        compile_system(DECAY).run(schedule(DECAY, [1.0], [1.0], 1.0), [0.0], **options)


@pytest.mark.parametrize("times", [[1.0, 0.5], [-1.0], [np.nan], [[0.0]]])
def test_output_times_must_be_sorted(times):
    with pytest.raises(InputError):
        compile_system(DECAY).run(schedule(DECAY, [1.0], [1.0], 1.0), times)
