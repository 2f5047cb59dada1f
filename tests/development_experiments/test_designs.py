"""Designs: orthogonal where they should be, as good as theory allows, within their limits, refused where impossible."""

import itertools

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.development import DesignKind, Experiment, ExperimentFactor, Response, design, model_matrix, optimal
from seedtrain.development._experiments._designs import _gains, candidate_points
from seedtrain.development._experiments._entry import Limit
from tests.development_experiments.studies import numbers, plain

pytest.importorskip("pyDOE3", reason="classical designs need pyDOE3")


def coded(points):
    return 2 * points - 1


@pytest.mark.parametrize(("count", "resolution", "runs"), [(5, 5, 16), (7, 3, 8), (7, 4, 16)])
def test_fractions_have_their_runs_and_resolution(count, resolution, runs):
    x = coded(design(plain(count), "fractional", resolution=resolution))
    assert len(x) == runs
    assert x.T @ x == pytest.approx(runs * np.eye(count))
    if resolution >= 4:  # no main effect is a product of two others
        for a, (b, c) in itertools.product(range(count), itertools.combinations(range(count), 2)):
            if a not in (b, c):
                assert x[:, a] @ (x[:, b] * x[:, c]) == pytest.approx(0)


def test_plackett_burman_tells_eleven_factors_in_twelve_runs():
    x = coded(design(plain(11), "plackett-burman"))
    assert x.shape == (12, 11)
    assert x.T @ x == pytest.approx(12 * np.eye(11))


def test_surfaces_lie_on_the_ranges_and_tell_squares():
    cases: list[tuple[DesignKind, int, int]] = [("central-composite", 3, 14), ("box-behnken", 3, 12)]
    for kind, count, runs in cases:
        x = design(plain(count), kind, centre=3)
        assert len(x) == runs + 3
        assert (x >= 0).all()
        assert (x <= 1).all()
        matrix, titles = model_matrix(plain(count), x, "quadratic")
        assert np.linalg.matrix_rank(matrix) == len(titles) == 10


def test_a_d_optimal_main_effects_design_is_orthogonal():
    """Hadamard's bound: the determinant of a design of n runs of p columns from -1 to 1 is at most n^p."""
    x = optimal(plain(7), 8, "linear", "D")
    matrix, _ = model_matrix(plain(7), x, "linear")
    assert np.linalg.det(matrix.T @ matrix) == pytest.approx(8.0**8, rel=1e-9)


def test_a_d_optimal_quadratic_design_comes_near_the_continuous_optimum():
    """Kiefer & Wolfowitz: weights 0.1458, 0.0802, 0.0962 at corners, middles of edges and centre of the square.

    (Weights from the equivalence theorem: the variance of a prediction is at most p = 6 everywhere, tested here.)
    """
    study = plain(2)
    corners, edges = [(0, 0), (0, 1), (1, 0), (1, 1)], [(0, 0.5), (0.5, 0), (1, 0.5), (0.5, 1)]
    points = np.array([*corners, *edges, (0.5, 0.5)])
    weights = np.array([0.1458] * 4 + [0.0802] * 4 + [0.0962])
    weights /= weights.sum()
    matrix, _ = model_matrix(study, points, "quadratic")
    best = matrix.T @ (weights[:, None] * matrix)
    grid = np.array(list(itertools.product(np.linspace(0, 1, 21), repeat=2)))
    rows, _ = model_matrix(study, grid, "quadratic")
    assert np.einsum("ij,jk,ik->i", rows, np.linalg.inv(best), rows).max() == pytest.approx(6, abs=0.02)
    found, _ = model_matrix(study, optimal(study, 13, "quadratic", "D"), "quadratic")
    efficiency = (np.linalg.det(found.T @ found / 13) / np.linalg.det(best)) ** (1 / 6)
    assert 0.98 <= efficiency <= 1 + 1e-9


@pytest.mark.parametrize("criterion", ["D", "I"])
def test_the_gain_of_an_exchange_is_what_the_exchange_gives(criterion):
    study = plain(3)
    candidates = candidate_points(study, "quadratic", 0)
    matrix, _ = model_matrix(study, candidates, "quadratic")
    moments = matrix.T @ matrix / len(matrix)
    chosen = np.random.default_rng(1).integers(len(matrix), size=14)
    information = matrix[chosen].T @ matrix[chosen]
    gains = _gains(matrix, np.asarray(np.linalg.inv(information), float), matrix[chosen[0]], moments, criterion)
    for to in (0, 17, 60, 124):
        swapped = [to, *chosen[1:]]
        after = matrix[swapped].T @ matrix[swapped]
        if criterion == "D":
            exact = np.linalg.det(after) / np.linalg.det(information) - 1
        else:
            before = np.trace(np.linalg.solve(information, moments))
            exact = (before - np.trace(np.linalg.solve(after, moments))) / before
        assert gains[to] == pytest.approx(exact, rel=1e-6, abs=1e-9)


def test_i_optimal_predicts_better_and_d_optimal_estimates_better():
    study = plain(3)
    grid, _ = model_matrix(study, candidate_points(study, "quadratic", 0), "quadratic")
    moments = grid.T @ grid / len(grid)
    values = {}
    for criterion in ("D", "I"):
        matrix, _ = model_matrix(study, optimal(study, 15, "quadratic", criterion), "quadratic")
        information = matrix.T @ matrix
        values[criterion] = np.linalg.slogdet(information)[1], np.trace(np.linalg.solve(information, moments))
    assert values["D"][0] >= values["I"][0]
    assert values["I"][1] <= values["D"][1]


def test_limits_and_levels_are_held():
    factors = (
        ExperimentFactor("a", high=10),
        ExperimentFactor("b", high=4),
        ExperimentFactor("c", levels=("u", "v", "w")),
    )
    limit = Limit("a + b <= 9", {"a": 1.0, "b": 1.0}, 9.0)
    study = Experiment("limited", factors, (Response("y", "", "maximise"),), (limit,))
    kinds: list[DesignKind] = ["d-optimal", "i-optimal", "space-filling"]
    for kind in kinds:
        points = design(study, kind, runs=16, terms="interactions")
        values = [study.values(point) for point in points]
        assert all(float(v["a"]) + float(v["b"]) <= 9 + 1e-6 for v in values)
        assert {v["c"] for v in values} == {"u", "v", "w"}
    with pytest.raises(InputError, match="break a limit"):
        design(study, "factorial")
    impossible = Limit("a <= -1", {"a": 1.0}, -1.0)
    with pytest.raises(InputError, match="no run holds"):
        design(Experiment("none", factors, study.responses, (impossible,)), "d-optimal", runs=16, terms="linear")


def test_mixtures_are_whole():
    factors = tuple(ExperimentFactor(name, low=low, mixture=True) for name, low in (("a", 0.2), ("b", 0), ("c", 0)))
    study = Experiment("mixture", factors, (Response("y", "", "maximise"),))
    cases: list[tuple[DesignKind, int]] = [("simplex-lattice", 0), ("simplex-centroid", 0), ("d-optimal", 9)]
    for kind, runs in cases:
        for point in design(study, kind, runs=runs, terms="interactions"):
            values = numbers(study.values(point))
            assert sum(values.values()) == pytest.approx(1, abs=1e-5)
            assert values["a"] >= 0.2
    assert len(design(study, "simplex-centroid")) == 7
    assert len(design(study, "simplex-lattice", levels=3)) == 10


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [("box-behnken", {}, "needs 3"), ("d-optimal", {"runs": 3}, "terms"), ("d-optimal", {}, "number of runs"),
     ("fractional", {"resolution": 9}, "resolution"), ("simplex-lattice", {}, "mixtures"),
     ("factorial", {"levels": 200}, "40000 runs")],
)  # fmt: skip
def test_what_cannot_be_is_refused(kind, more, words):
    with pytest.raises(InputError) as said:
        design(plain(2), kind, **more)
    assert words in str(said.value)
