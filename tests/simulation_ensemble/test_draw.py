"""What a trajectory draws depends on the seed, the name and its own number, and has the distribution asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seedtrain.base import InputError
from seedtrain.simulation._ensemble import LogNormal, Normal, Spread, draw
from seedtrain.simulation._ensemble._draw import check_spreads, uniform
from seedtrain.simulation._metabolism import Span

SPREADS: dict[str, Spread] = {
    "even": Span(2.0, 5.0),
    "log": Span(0.01, 10.0, log=True),
    "normal": Normal(1.0, 0.2),
    "cut": Normal(1.0, 0.5, 0.9, 1.4),
    "skewed": LogNormal(3.0, 2.0),
}


@given(first=st.integers(0, 10**12), parts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_numbers_are_the_same_in_any_chunks(first: int, parts: list[int]) -> None:
    whole = draw(SPREADS, 11, first, sum(parts))
    at = 0
    for count in parts:
        part = draw(SPREADS, 11, first + at, count)
        for name in SPREADS:
            assert np.array_equal(part[name], whole[name][at : at + count])
        at += count


def test_numbers_do_not_depend_on_the_other_parameters_and_do_on_seed_and_name() -> None:
    alone = draw({"normal": SPREADS["normal"]}, 11, 5, 8)["normal"]
    assert np.array_equal(alone, draw(dict(reversed(SPREADS.items())), 11, 5, 8)["normal"])
    assert not np.isin(alone, draw(SPREADS, 12, 5, 8)["normal"]).any()
    assert not np.isin(uniform(11, "a", 0, 8), uniform(11, "b", 0, 8)).any()
    # "1" and "1\n2": a seed and a name never run into each other
    assert not np.isin(uniform(1, "1\n2", 0, 4), uniform(11, "2", 0, 4)).any()


def test_numbers_follow_their_distributions() -> None:
    """Kolmogorov and Smirnov at 20,000 numbers: a wrong shape gives p far below this."""
    found = draw(SPREADS, 3, 0, 20_000)
    exact = {
        "even": stats.uniform(2, 3).cdf,
        "log": stats.loguniform(0.01, 10).cdf,
        "normal": stats.norm(1, 0.2).cdf,
        "cut": stats.truncnorm(-0.2, 0.8, 1, 0.5).cdf,
        "skewed": stats.lognorm(math.log(2), scale=3).cdf,
    }
    for name, cdf in exact.items():
        assert stats.kstest(found[name], cdf).pvalue > 1e-3, name
    both = np.corrcoef(found["even"], found["normal"])[0, 1]
    assert abs(both) < 0.03
    assert found["cut"].min() >= 0.9
    assert found["cut"].max() <= 1.4


def test_a_spread_of_nothing_is_its_value() -> None:
    found = draw({"a": Normal(2.0, 0.0), "b": Span(3.0, 3.0), "c": LogNormal(4.0, 1.0)}, 0, 0, 3)
    for values, value in zip(found.values(), (2.0, 3.0, 4.0), strict=True):
        assert values == pytest.approx(np.full(3, value), rel=1e-15)


@pytest.mark.parametrize(
    "spread",
    [
        Span(2, 1),
        Span(0, 1, log=True),
        Span(0, math.inf),
        Normal(0, -1),
        Normal(0, 1, 2, 1),
        Normal(0, 1, 20, 21),
        LogNormal(-1, 2),
        LogNormal(1, 0.5),
        np.array([1.0, 2.0]),
        np.array([1.0, 2.0, math.nan]),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(spread) -> None:
    with pytest.raises(InputError, match=r"^q_S: ") as caught:
        check_spreads({"q_S": spread}, 3)
    assert caught.value.remedy
