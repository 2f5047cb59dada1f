"""The error model's laws: tails, learning, and a limit of detection that keeps its word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from seedtrain.bioinformatics._reads._statistics import critical, detectable, learn, tail, wilson


@given(st.integers(1, 200), st.floats(0.05, 50), st.floats(0.5, 500))
def test_tails_are_those_of_the_beta_binomial(n, a, b):
    for k in (0, 1, n // 2, n):
        # scipy takes its tail from 1 minus a sum, and so errs by some 1e-12.
        assert tail(k, n, a, b) == pytest.approx(betabinom.sf(k - 1, n, a, b), rel=1e-6, abs=1e-9)
    count = critical(n, a, b, 1e-3)
    assert tail(count, n, a, b) <= 1e-3 < tail(count - 1, n, a, b)


def test_moments_find_the_error_that_was_drawn():
    rng = np.random.default_rng(4)
    depth = rng.integers(100, 400, 20_000)
    rates = rng.beta(0.02 * 49, 0.98 * 49, 20_000)
    found = learn(rng.binomial(depth, rates), depth)
    assert found.mean == pytest.approx(0.02, rel=0.05)
    assert found.dispersion == pytest.approx(0.02, rel=0.15)
    even = learn(rng.binomial(depth, 0.02), depth)
    assert even.dispersion < 5e-4


def test_a_true_difference_does_not_teach_the_first_fit():
    found, depth = np.full(1000, 2), np.full(1000, 200)
    found[7] = 200
    assert learn(found, depth, trim=0.01).mean == pytest.approx(0.01, rel=0.01)


def test_a_mixture_at_the_limit_of_detection_is_found_as_often_as_promised():
    rng = np.random.default_rng(5)
    n, a, b, level = 250, 1.0, 199.0, 1e-4
    count = critical(n, a, b, level)
    limit = detectable((count, count), (n, n), (a / (a + b),) * 2, 0.95)
    hits = rng.binomial(n, limit + (1 - limit) * a / (a + b), (20_000, 2)) >= count
    assert hits.all(axis=1).mean() == pytest.approx(0.95, abs=0.01)
    noise = rng.binomial(n, rng.beta(a, b, (200_000, 2))) >= count
    assert noise.all(axis=1).mean() < 1e-5


@given(st.integers(0, 50), st.integers(0, 200))
def test_a_fraction_lies_in_its_interval(found, rest):
    low, high = wilson(found, found + rest)
    share = found / (found + rest) if found + rest else 0.5
    assert 0 <= low <= share <= high <= 1
