"""Equivalence of means: other implementations' numbers, limits of the tests, and how often they err."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seedtrain.base import InputError
from seedtrain.comparison import Group, Margin, MarginKind, equivalence

REFERENCE = [4.1, 3.9, 4.3, 4.0, 4.2, 3.8]
PILOT = [4.0, 4.2, 3.9, 4.1]


def test_the_interval_is_the_one_of_welch_and_p_is_of_both_tests():
    found = equivalence(REFERENCE, PILOT, Margin(0.4))
    welch = stats.ttest_ind(PILOT, REFERENCE, equal_var=False).confidence_interval(0.90)
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), rel=1e-12)
    above = stats.ttest_ind(np.add(PILOT, 0.4), REFERENCE, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(np.subtract(PILOT, 0.4), REFERENCE, equal_var=False, alternative="less").pvalue
    assert found.p == pytest.approx(max(above, below), rel=1e-9)
    assert found.verdict == "pass"


def test_a_relative_margin_tests_the_ratio_with_its_uncertain_mean():
    found = equivalence(REFERENCE, PILOT, Margin(0.10, "relative"))
    for ratio, side in ((0.9, "greater"), (1.1, "less")):
        alone = stats.ttest_ind(PILOT, np.multiply(REFERENCE, ratio), equal_var=False, alternative=side).pvalue
        assert found.p >= alone - 1e-12
    for end in (found.low, found.high):  # at its ends the interval's own test is at 5 %
        two_sided = stats.ttest_ind(PILOT, np.multiply(REFERENCE, 1 + end), equal_var=False).pvalue
        assert two_sided == pytest.approx(0.10, rel=1e-6)


@given(st.integers(0, 10_000), st.sampled_from(["absolute", "relative"]))
def test_the_verdict_and_p_say_the_same(seed, kind):
    rng = np.random.default_rng(seed)
    reference, tested = rng.normal(-3 if seed % 2 else 3, 0.2, 5), rng.normal(-3 if seed % 2 else 3, 0.3, 4)
    found = equivalence(reference, tested, Margin(0.3 if kind == "absolute" else 0.1, kind))
    assert (found.verdict == "pass") == (found.p < 0.05)
    scaled = equivalence(reference * 1e3, tested * 1e3, Margin(300 if kind == "absolute" else 0.1, kind))
    assert scaled.verdict == found.verdict


@pytest.mark.parametrize(
    ("margin", "apart", "draws"),
    [(Margin(1.0), 1.0, 600), (Margin(0.1, "relative"), 1.0, 300), (Margin(1.5, "deviations"), 1.5, 300)],
)
def test_it_errs_as_rarely_as_it_says_where_the_means_differ_by_the_margin(margin, apart, draws, monkeypatch):
    monkeypatch.setattr("seedtrain.comparison._equivalence.DRAWS", 2000)
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(draws):
        reference, tested = rng.normal(10, 1.0, 8), rng.normal(10 + apart, 1.0, 6)
        wrong += equivalence(reference, tested, margin).verdict == "pass"
    assert wrong / draws <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)


def test_too_few_runs_and_no_variation_are_inconclusive_with_the_reason():
    assert "runs" in equivalence([1.0], [1.0, 2.0], Margin(1)).why
    assert equivalence([1.0, 2.0], [1.0, 1.5], Margin(1, "deviations")).verdict == "inconclusive"
    assert equivalence([1.0, 1.0, 1.0], [1.0, 1.5], Margin(1, "deviations")).why
    assert equivalence([-1.0, 1.0], [1.0, 1.5], Margin(0.1, "relative")).why
    assert "scatter" in equivalence([2.0, 2.0], [2.1, 2.1], Margin(0.2)).why


def test_a_margin_that_is_none_is_refused():
    kinds: list[tuple[float, MarginKind]] = [
        (0.0, "absolute"),
        (-1.0, "deviations"),
        (math.nan, "absolute"),
        (1.2, "relative"),
    ]
    for value, kind in kinds:
        with pytest.raises(InputError):
            Margin(value, kind)


def test_the_group_of_one_run_has_no_spread():
    assert Group.of([2.0]) == Group(1, 2.0, 0.0)
