"""Fewer points: laws of both ways, and LTTB against the loop of its paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedtrain.base import InputError
from seedtrain.record import decimate

lines = arrays(np.float64, st.integers(1, 120), elements=st.integers(-1000, 1000).map(float))
methods = st.sampled_from(["minmax", "lttb"])


def largest_triangles(x, y, points):
    """LTTB as Steinarsson 2013 states it, point by point."""
    last = len(x) - 1
    edges = [int(1 + bucket * (last - 1) / (points - 2)) for bucket in range(points - 1)]
    found = [0]
    for bucket in range(points - 2):
        after = range(edges[bucket + 1], edges[bucket + 2]) if bucket < points - 3 else [last]
        cx, cy = (sum(axis[i] for i in after) / len(after) for axis in (x, y))
        ax, ay = x[found[-1]], y[found[-1]]
        areas = [
            abs((ax - cx) * (y[i] - ay) - (ax - x[i]) * (cy - ay)) for i in range(edges[bucket], edges[bucket + 1])
        ]
        found.append(edges[bucket] + areas.index(max(areas)))
    return [*found, last]


@settings(max_examples=50)
@given(y=lines, points=st.integers(4, 60), method=methods)
def test_places_rise_and_keep_both_ends(y, points, method):
    places = decimate(np.arange(len(y)), y, points, method)
    assert len(places) == min(len(y), points) if method == "lttb" else len(places) <= points
    assert np.all(np.diff(places) > 0)
    assert (places[0], places[-1]) == (0, len(y) - 1)


@settings(max_examples=50)
@given(y=lines, points=st.integers(4, 60))
def test_minmax_loses_no_peak(y, points):
    kept = y[decimate(np.arange(len(y)), y, points)]
    assert (kept.min(), kept.max()) == (y.min(), y.max())


def test_minmax_keeps_the_peak_of_every_bucket():
    y = np.zeros(10_002)
    peaks = np.arange(1, 10_001, 100) + np.random.default_rng(3).integers(0, 100, 100)
    y[peaks] = 1.0
    assert set(peaks) <= set(decimate(np.arange(len(y)), y, 202).tolist())


@settings(max_examples=50)
@given(y=lines.filter(lambda y: len(y) > 40), points=st.integers(4, 40))
def test_lttb_is_that_of_the_paper(y, points):
    x = np.arange(len(y), dtype=float)
    ours, theirs = decimate(x, y, points, "lttb").tolist(), largest_triangles(x.tolist(), y.tolist(), points)
    if ours != theirs:  # where two triangles are equal but for rounding, either may be taken: the first that differs
        first = next(at for at, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other)
        ax, ay = x[ours[first - 1]], y[ours[first - 1]]
        edges = [int(1 + bucket * (len(x) - 2) / (points - 2)) for bucket in range(points - 1)]
        after = slice(edges[first], edges[first + 1]) if first < points - 2 else slice(len(x) - 1, len(x))
        cx, cy = x[after].mean(), y[after].mean()
        one, other = (
            abs((ax - cx) * (y[place] - ay) - (ax - x[place]) * (cy - ay)) for place in (ours[first], theirs[first])
        )
        assert one == pytest.approx(other, rel=1e-9, abs=1e-6)


@settings(max_examples=50)
@given(y=lines, points=st.integers(4, 60), method=methods, shift=st.integers(-5, 5), power=st.integers(-3, 3))
def test_neither_depends_on_where_zero_is_or_on_the_unit(y, points, method, shift, power):
    x = np.arange(len(y), dtype=float)
    moved = decimate(x * 1024 + 2.0**50, y * 2.0**power, points, method)
    assert moved.tolist() == decimate(x, y, points, method).tolist()
    turned = decimate(x, -y, points, "lttb")
    assert turned.tolist() == decimate(x, y, points, "lttb").tolist()


@settings(max_examples=50)
@given(y=lines, points=st.integers(4, 60), method=methods, seed=st.integers(0, 99))
def test_what_is_no_number_is_as_if_it_were_not_there(y, points, method, seed):
    x = np.arange(len(y), dtype=float)
    holes = np.random.default_rng(seed).random(len(y)) < 0.3
    places = decimate(x, np.where(holes, np.nan, y), points, method)
    kept = np.flatnonzero(~holes)
    assert places.tolist() == kept[decimate(x[kept], y[kept], points, method)].tolist()


@pytest.mark.parametrize(
    ("x", "y", "points", "method", "words"),
    [
        ([0.0], [0.0], 3, "minmax", "3 points"),
        ([0.0, 1.0], [0.0], 10, "minmax", "shape"),
        ([0.0], [0.0], 10, "median", "'median'"),
    ],
)
def test_what_cannot_be_decimated_is_refused(x, y, points, method, words):
    with pytest.raises(InputError, match=words):
        decimate(x, y, points, method)
