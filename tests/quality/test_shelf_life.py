"""Shelf lives: a published worked example, an independent computation, and the laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seedtrain.base import InputError
from seedtrain.quality import StabilityPoint, out_of_trend, shelf_life

# Potency, % of label claim, against months: LeBlond, Griffith and Aubuchon, J. Validation Technology 17(3), 2011,
# 47-68, tables IV, VI and VIII (a published measurement). What is expected: their tables V, VII and IX.
POTENCY = {
    "2": ((0, 1, 3, 3, 6, 6, 12, 12, 24, 24), (101.0, 101.3, 99.8, 99.2, 99.5, 97.8, 97.4, 97.2, 96.9, 96.0)),
    "3": ((0, 3, 3, 6, 6, 12, 12, 24, 24), (104.8, 103.0, 101.2, 100.8, 99.2, 98.6, 97.2, 97.6, 98.0)),
    "4": ((0, 3, 6, 6, 12, 12, 24, 24), (104.0, 103.2, 102.8, 103.3, 102.4, 101.2, 99.1, 99.5)),
    "5": (
        (0, 1, 2, 3, 3, 6, 6, 12, 12, 24, 24),
        (102.0, 101.4, 100.8, 100.2, 99.7, 98.8, 98.5, 98.0, 97.1, 96.6, 96.1),
    ),
    "7": ((0, 1, 3, 3, 6, 6, 12, 12, 24, 24), (101.3, 101.5, 100.2, 99.8, 99.0, 98.5, 98.5, 97.4, 96.6, 96.4)),
    "8": ((0, 3, 6, 12, 12), (101.6, 100.0, 99.0, 97.8, 97.0)),
}


def points(*batches: str) -> list[StabilityPoint]:
    return [StabilityPoint(name, time, value) for name in batches for time, value in zip(*POTENCY[name], strict=True)]


@pytest.mark.parametrize(
    ("batches", "model", "months", "f_slopes", "f_intercepts", "lines"),
    [
        ("257", "common", 26, 0.229, 0.436, [(100.567, -0.192994)]),
        ("345", "common slope", 23.4, 0.183, 21.738, [(102.176, -0.213121), (104.255, -0.213121), (100.82, -0.213121)]),
        # 15.6 in the paper from the pooled error; 15.844878 is what JMP 12.0.1 gives batch by batch, as here.
        (
            "458",
            "separate",
            15.844878,
            1.955,
            72.124,
            [(104.071, -0.196151), (100.782, -0.208609), (101.259, -0.330208)],
        ),
    ],
)
def test_the_published_example_is_reproduced(batches, model, months, f_slopes, f_intercepts, lines):
    found = shelf_life(points(*batches), low=95, high=None, direction="falling")
    assert found.model == model
    assert found.months == pytest.approx(months, rel=1e-6 if months == 15.844878 else 2e-3)
    assert found.f_slopes == pytest.approx(f_slopes, abs=6e-4)
    assert found.f_intercepts == pytest.approx(f_intercepts, abs=6e-4)
    assert [(item.intercept, item.slope) for item in found.lines] == [
        (pytest.approx(start, abs=6e-4), pytest.approx(slope, abs=6e-7)) for start, slope in lines
    ]


@given(
    st.floats(-0.6, -0.1),
    st.floats(0.05, 0.5),
    st.integers(0, 2**20),
    st.sampled_from([("falling", 0.95), ("unknown", 0.975)]),
)
def test_one_batch_agrees_with_an_independent_computation(slope, noise, seed, known):
    direction, probability = known
    times = np.array([0.0, 3, 6, 9, 12, 18, 24])
    values = 100 + slope * times + noise * np.random.default_rng(seed).standard_normal(len(times))
    given_points = [StabilityPoint("A", float(time), float(value)) for time, value in zip(times, values, strict=True)]
    found = shelf_life(given_points, low=95, high=None, direction=direction)
    fit: Any = stats.linregress(times, values)
    error = np.sqrt(np.sum((values - fit.intercept - fit.slope * times) ** 2) / (len(times) - 2))
    width = stats.t.ppf(probability, len(times) - 2) * error
    spread = np.sum((times - times.mean()) ** 2)

    def limit(time):
        return fit.intercept + fit.slope * time - width * np.sqrt(1 / len(times) + (time - times.mean()) ** 2 / spread)

    if found.months is None:
        assert all(limit(time) >= 95 - 1e-9 for time in np.linspace(0, 240, 2001))
    else:
        assert limit(found.months) == pytest.approx(95, abs=1e-6)
        assert all(limit(time) > 95 - 1e-9 for time in np.linspace(0, found.months, 50))
        assert found.longest <= min(found.months, 36)


@given(st.permutations(["2", "3", "4", "5", "7", "8"]), st.integers(1, 4))
def test_the_order_of_batches_and_points_does_not_matter(names, count):
    chosen = points(*names[:count])
    one = shelf_life(chosen, low=95, high=None, direction="falling")
    other = shelf_life(chosen[::-1], low=95, high=None, direction="falling")
    assert (one.model, one.batch) == (other.model, other.batch)
    assert one.months == pytest.approx(other.months, rel=1e-9)


@given(st.permutations(["2", "3", "4", "5", "7"]), st.floats(94, 99))
def test_a_tighter_limit_never_lengthens_the_shelf_life(names, limit):
    chosen = points(*names[:3])
    wide = shelf_life(chosen, low=limit - 1, high=None, direction="falling")
    tight = shelf_life(chosen, low=limit, high=None, direction="falling")
    assert tight.months is not None
    assert wide.months is None or tight.months <= wide.months + 1e-9


def test_a_mirror_image_rises_as_fast_as_the_original_falls():
    chosen = points("2", "5", "7")
    mirrored = [StabilityPoint(item.batch, item.time, -item.value) for item in chosen]
    falling = shelf_life(chosen, low=95, high=None, direction="falling")
    rising = shelf_life(mirrored, low=None, high=-95, direction="rising")
    assert rising.months == pytest.approx(falling.months, rel=1e-9)


def test_a_point_out_of_trend_is_found_and_one_in_trend_is_not():
    times = [0.0, 3.0, 6.0, 9.0, 12.0, 18.0]
    values = [100.0, 99.1, 98.2, 96.9, 96.1, 94.2]
    usual = [StabilityPoint("A", time, value) for time, value in zip(times, values, strict=True)]
    assert out_of_trend(usual) == ()
    strange = [*usual[:-1], StabilityPoint("A", 18.0, 91.0)]
    assert out_of_trend(strange) == (strange[-1],)
    assert out_of_trend(strange[-2:]) == ()  # too little came before


def test_what_cannot_be_evaluated_is_refused():
    with pytest.raises(InputError, match="needs a limit"):
        shelf_life(points("2"), low=None, high=None)
    with pytest.raises(InputError, match="no stability results"):
        shelf_life([], low=95, high=None)
    with pytest.raises(InputError, match="batch 8 has 2 results"):
        shelf_life(points("8")[:2], low=95, high=None)
