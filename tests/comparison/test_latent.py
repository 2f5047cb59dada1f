"""Components, PLS and OPLS: laws of linear algebra, limits that hold, groups that can and cannot be told apart."""

import numpy as np
import pytest

from seedtrain.comparison import components, multivariate, opls, pls
from tests.judges import needs


def low_rank(rng, rows, noise=0.1):
    loadings = np.random.default_rng(0).normal(size=(3, 12))
    return rng.normal(size=(rows, 3)) @ loadings + noise * rng.normal(size=(rows, 12)) + 5


def test_components_are_those_of_the_correlation_matrix():
    x = low_rank(np.random.default_rng(1), 30)
    found = components(x, 3)
    values, vectors = np.linalg.eigh(np.corrcoef(x.T))
    assert found.variances == pytest.approx(values[::-1][:3], rel=1e-9)
    assert np.abs(np.diag(found.loadings.T @ vectors[:, ::-1][:, :3])) == pytest.approx(1, abs=1e-9)
    assert found.explained == pytest.approx(values[::-1][:3] / 12, rel=1e-9)


def test_pls_with_every_component_is_least_squares_and_one_is_the_covariance():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 5))
    y = x @ [1, -2, 0.5, 0, 3] + 0.1 * rng.normal(size=40) + 7
    whole = pls(x, y, 5)
    exact = np.column_stack([x, np.ones(40)]) @ np.linalg.lstsq(np.column_stack([x, np.ones(40)]), y, rcond=None)[0]
    assert whole.predicted(x) == pytest.approx(exact, rel=1e-9)
    scaled = (x - x.mean(0)) / x.std(0, ddof=1)
    direction = scaled.T @ (y - y.mean())
    assert whole.weights[:, 0] == pytest.approx(direction / np.linalg.norm(direction))
    scores = whole.scores
    assert scores.T @ scores - np.diag(np.diag(scores.T @ scores)) == pytest.approx(np.zeros((5, 5)), abs=1e-9)


def test_opls_predicts_as_pls_with_as_many_components_and_its_rest_is_apart():
    """Trygg & Wold 2002: OPLS rotates PLS, its predictions with 1 + n components are the same."""
    rng = np.random.default_rng(3)
    x = low_rank(rng, 40)
    y = x[:, 0] - x[:, 3] + 0.1 * rng.normal(size=40)
    for apart in (0, 1, 2):
        assert opls(x, y, apart).predicted(x) == pytest.approx(pls(x, y, 1 + apart).predicted(x), rel=1e-6)
    found = opls(x, y, 2)
    assert found.orthogonal.T @ (y - y.mean()) == pytest.approx(np.zeros(2), abs=1e-8)


def rows(x):
    return {f"r{k}": {f"c{j}": float(v) for j, v in enumerate(row)} for k, row in enumerate(x)}


def test_runs_of_the_same_kind_lie_within_the_limits_as_often_as_they_say(monkeypatch):
    monkeypatch.setattr("seedtrain.comparison._multivariate.SHUFFLES", 9)
    rng = np.random.default_rng(6)
    outside = 0
    for seed in range(150):
        given = rows(low_rank(rng, 24))
        names = list(given)
        outside += multivariate(given, names[:20], names[20:], seed=seed).verdict == "fail"
    assert outside / 150 <= 0.10  # 5 % with few reference runs: SPE's chi-squared is an approximation


def test_a_run_off_the_plane_and_groups_that_differ_are_found():
    rng = np.random.default_rng(7)
    x = low_rank(rng, 26)
    x[22:, 4] += 3  # another relation between columns
    found = multivariate(rows(x), [f"r{k}" for k in range(22)], [f"r{k}" for k in range(22, 26)])
    assert found.verdict == "fail"
    assert set(found.outside) == {"r22", "r23", "r24", "r25"}
    assert found.q2 > 0.3
    assert found.p <= 0.01
    assert found.telling[0][0] == "c4"


def test_shuffled_groups_are_not_told_apart():
    x = low_rank(np.random.default_rng(8), 20)
    found = multivariate(rows(x), [f"r{k}" for k in range(12)], [f"r{k}" for k in range(12, 20)])
    assert found.p > 0.05


def test_columns_that_a_run_lacks_are_named_and_few_runs_say_nothing():
    given = rows(low_rank(np.random.default_rng(9), 12))
    del given["r3"]["c5"]
    found = multivariate(given, [f"r{k}" for k in range(9)], ["r10", "r11"])
    assert found.left_out == ("c5",)
    assert multivariate(given, ["r0", "r1"], ["r10"]).verdict == "inconclusive"


@needs("process_improve")
def test_components_and_opls_are_those_of_process_improve():
    """Dunn's process-improve (MIT) is an independent program: T2, SPE and the scores of OPLS on rows it never saw."""
    import pandas as pd
    from process_improve.multivariate.methods import OPLS, PCA

    rng = np.random.default_rng(8)
    x, fresh = low_rank(rng, 40), low_rank(rng, 7)
    y = x[:, 0] - x[:, 3] + 0.1 * rng.normal(size=40)
    ours = components(x, 3)
    judge = PCA(n_components=3).fit(pd.DataFrame(ours.scaling(x)))
    told = judge.diagnose(pd.DataFrame(ours.scaling(fresh)))
    t2, spe = ours.judged(fresh)
    assert t2 == pytest.approx(told["hotellings_t2"].to_numpy()[:, -1], rel=1e-9)
    assert np.sqrt(spe) == pytest.approx(told["spe"].to_numpy(), rel=1e-9)
    assert ours.limits(0.95)[0] == pytest.approx(judge.hotellings_t2_limit(0.95), rel=1e-9)
    mine, theirs = opls(x, y, 2), OPLS(2).fit(pd.DataFrame(x), y)
    assert mine.predicted(fresh) == pytest.approx(theirs.predict(pd.DataFrame(fresh)).to_numpy()[:, 0], rel=1e-9)
    scores = np.column_stack([mine.predictive, mine.orthogonal])
    signs = np.sign((scores * theirs.scores_.to_numpy()).sum(0))
    assert scores * signs == pytest.approx(theirs.scores_.to_numpy(), abs=1e-9)
