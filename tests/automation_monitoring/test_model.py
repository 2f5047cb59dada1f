"""Batch PCA and PLS against scikit-learn, their limits by how many good points keep them, and what they find."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.automation import Golden, GoldenModel, fit_golden
from seedtrain.automation._monitoring._fit import _box_limit, alarm_factor, outstanding, with_false_alarms
from seedtrain.automation._monitoring._latent import components_of, pca, pls
from seedtrain.automation._monitoring._model import IN_A_ROW, MEAN, WINDOW, index_of, moving_mean
from seedtrain.base import InputError
from tests.judges import needs

TAGS = ("pH", "oxygen", "stirrer", "feed", "CER")
TIMES = 40
BEHIND = np.random.default_rng(11)
LOADINGS = np.cumsum(BEHIND.standard_normal((2, TIMES, len(TAGS))), axis=1) / 4


@cache
def model_of_good() -> GoldenModel:
    return fit_golden(batches(60, 0))


def batches(count: int, seed: int, *, shift: float = 0.0, tag: int = 0, start: int = 15) -> Golden:
    """Batches that differ by two things that people do not see, and by noise; from `start` on a tag may be off."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((count, 2)) * (1.5, 1.0)
    values = 10.0 + np.einsum("ba,atk->btk", scores, LOADINGS) + 0.3 * rng.standard_normal((count, TIMES, len(TAGS)))
    values[:, start:, tag] += shift
    outcome = 100.0 + 5.0 * scores[:, 0] + 0.5 * rng.standard_normal(count)
    return Golden(TAGS, np.arange(1, TIMES + 1) / 10, values, outcome)


@pytest.fixture(scope="module")
def golden() -> Golden:
    return batches(60, 0)


def same_but_for_signs(ours: np.ndarray, theirs: np.ndarray) -> None:
    signs = np.sign(np.sum(ours * theirs, axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=1e-8 * np.abs(theirs).max())


@needs("sklearn")
@pytest.mark.parametrize(("rows", "columns", "count"), [(30, 200, 3), (200, 12, 5)])
def test_pca_and_pls_are_those_of_scikit_learn(rows: int, columns: int, count: int) -> None:
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(rows)
    table = rng.standard_normal((rows, 4)) @ rng.standard_normal((4, columns)) + 0.1 * rng.standard_normal(
        (rows, columns)
    )
    table = (table - table.mean(axis=0)) / table.std(axis=0, ddof=1)
    outcome = table[:, :3].sum(axis=1) + 0.1 * rng.standard_normal(rows)
    outcome = (outcome - outcome.mean()) / outcome.std(ddof=1)
    judge = PCA(count).fit(table)
    ours = pca(table, count)
    same_but_for_signs(ours.scores, judge.transform(table))
    same_but_for_signs(ours.loadings, judge.components_.T)
    np.testing.assert_allclose(ours.variance, judge.explained_variance_, rtol=1e-9)
    partial = PLSRegression(count, scale=False).fit(table, outcome)
    mine = pls(table, outcome, count)
    same_but_for_signs(mine.scores, partial.x_scores_)
    same_but_for_signs(mine.loadings, partial.x_loadings_)
    assert mine.outcome is not None
    np.testing.assert_allclose(mine.scores @ mine.outcome, np.ravel(partial.predict(table)), atol=1e-9)


@needs("sklearn")
def test_a_whole_batch_has_the_t2_and_spe_that_scikit_learn_gives(golden: Golden) -> None:
    from sklearn.decomposition import PCA

    model = fit_golden(golden, components=2)
    table = (golden.values.reshape(60, -1) - model.mean) / model.scale
    judge = PCA(2).fit(table)
    fresh = batches(20, 1).values
    z = (fresh.reshape(20, -1) - model.mean) / model.scale
    scores = judge.transform(z)
    residual = (z - judge.inverse_transform(scores)).reshape(20, TIMES, -1)
    for row in range(20):
        trace = model.trace(fresh[row])
        assert trace.t2[-1] == pytest.approx(np.sum(scores[row] ** 2 / judge.explained_variance_), rel=0.03)
        assert trace.spe[-1] == pytest.approx(np.sum((residual[row, -1] / model.usual) ** 2), rel=0.03, abs=0.1)


def test_limits_are_quantiles_of_their_distributions() -> None:
    from scipy import stats

    rng = np.random.default_rng(3)
    spe = 0.7 * rng.chisquare(6, size=(4000, 9))
    np.testing.assert_allclose(_box_limit(spe, 0.99), 0.7 * stats.chi2.ppf(0.99, 6), rtol=0.03)
    means = moving_mean(np.arange(30.0))
    np.testing.assert_allclose([means[0], means[1], means[29]], [0.0, 0.5, 29.0 - (WINDOW - 1) / 2])


@pytest.mark.parametrize(("count", "share"), [(12, 0.05), (20, 0.05), (20, 0.2), (40, 0.01)])
def test_a_new_batch_passes_the_factor_as_often_as_it_says(count: int, share: float) -> None:
    rng = np.random.default_rng(count)
    drawn = np.exp(0.3 * rng.standard_normal((2500, count + 1)) - 0.5)
    passed = np.mean([row[-1] > alarm_factor(row[:-1], share) for row in drawn])
    assert passed == pytest.approx(share, abs=3.5 * np.sqrt(share * (1 - share) / 2500))


def test_the_index_is_the_least_of_three_in_a_row_and_the_mean_as_it_is() -> None:
    ratios = np.array([[5, 0.2, 3, 2, 4.0, 1], [0, 0, 7, 8, 9.0, 0], [9, 9, 1, 1.5, 0, 0]])
    found = index_of(ratios)
    np.testing.assert_array_equal(found[0], [0, 0, 0.2, 0.2, 2, 1])
    np.testing.assert_array_equal(found[1], [0, 0, 0, 0, 7, 0])
    np.testing.assert_array_equal(found[2], [0, 0, 1, 1.5, 0, 0])
    assert IN_A_ROW == 3


@pytest.mark.parametrize(("count", "models"), [(12, 30), (20, 20), (40, 10)])
def test_of_exchangeable_batches_as_many_have_an_alarm_as_were_asked_for(count: int, models: int) -> None:
    """Whole batches, of 40 times each, judged by models of others: every model with batches of its own, since the share
    of one model is a draw, and so is that of one set of batches.

    The standard error has both in it: how far the models' own shares lie apart.
    """
    shares: dict[float, list[float]] = {0.05: [], 0.5: []}
    for seed in range(models):
        drawn = batches(count + 25, 5000 + seed)
        model = fit_golden(drawn.batches(range(count)), components=2)
        for asked, found in shares.items():
            watched = with_false_alarms(model, asked)
            found.append(float(np.mean([watched.first_alarm(item) is not None for item in drawn.values[count:]])))
    for asked, found in shares.items():
        error = max(np.std(found, ddof=1), np.sqrt(asked * (1 - asked) / 25)) / np.sqrt(models)
        assert np.mean(found) <= asked + 3.0 * error
        assert np.mean(found) >= 0.4 * asked - 3.0 * error, "few batches are on the safe side, but not blind"


def test_a_batch_that_does_not_belong_is_named() -> None:
    good = np.exp(0.3 * np.random.default_rng(4).standard_normal(20))
    assert outstanding(good) == {}
    odd = good.copy()
    odd[7] = 12.0
    assert list(outstanding(odd)) == [7]
    assert 12.0 / alarm_factor(np.delete(odd, 7), 0.01) == pytest.approx(outstanding(odd)[7])


def test_what_few_batches_have_read_is_not_judged() -> None:
    drawn = batches(24, 6)
    values = drawn.values.copy()
    values[6:, :10, 2] = np.nan  # a quarter of them have it
    model = fit_golden(Golden(TAGS, drawn.hours, values, drawn.outcome), components=2)
    fresh = batches(1, 7).values[0]
    wild = fresh.copy()
    wild[:10, 2] += 100.0
    np.testing.assert_array_equal(model.trace(fresh).spe, model.trace(wild).spe)
    wild[10, 2] += 100.0
    assert model.trace(wild).spe[10] > 10.0 * model.trace(fresh).spe[10]


@pytest.mark.parametrize("towards_outcome", [False, True])
def test_scores_are_as_many_as_there_are_and_the_outcome_is_told(golden: Golden, towards_outcome: bool) -> None:
    model = fit_golden(golden, towards_outcome=towards_outcome)
    assert model.latent.count == 2, "as many as there are behind it"
    if towards_outcome:
        fresh = batches(200, 5)
        assert fresh.outcome is not None
        assert model.outcome_error is not None
        told = np.array([model.trace(values).outcome for values in fresh.values])
        error = np.sqrt(np.mean((told - fresh.outcome[:, None]) ** 2, axis=0))
        np.testing.assert_allclose(error, model.outcome_error, rtol=0.35)
        assert error[-1] < 0.25 * fresh.outcome.std()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), place=st.integers(0, TIMES - 1), gone=st.sets(st.integers(0, 3), max_size=2))
def test_contributions_add_up_to_the_statistic_whatever_was_read(seed: int, place: int, gone: set[int]) -> None:
    model = model_of_good()
    values = batches(1, seed, shift=1.0).values[0]
    values[seed % TIMES :, sorted(gone)] = np.nan
    trace = model.trace(values[: place + 1])
    assert np.isfinite(trace.t2).all()
    for name, seen in (("SPE", trace.spe), ("T2", trace.t2), (MEAN, trace.spe_mean)):
        parts = model.contributions(values, place, name)
        assert sum(parts.values()) == pytest.approx(seen[-1], rel=1e-9, abs=1e-12)


def test_what_is_planted_is_found_soon_and_names_its_tag() -> None:
    model = model_of_good()
    large = [model.first_alarm(values) for values in batches(20, 8, shift=2.5, tag=1).values]
    small = [model.first_alarm(values) for values in batches(20, 9, shift=1.4, tag=3).values]
    assert all(item is not None and 15 <= item.place <= 19 for item in large)
    assert all(next(iter(item.contributions)) == "oxygen" for item in large if item)
    found = [item for item in small if item is not None and item.place >= 15]
    assert len(found) >= 18
    assert sum(item.statistic == MEAN for item in found) > 4, "the mean of an hour sees what one point does not"
    assert sum(next(iter(item.contributions)) == "feed" for item in found) >= 16


def test_a_model_needs_batches_and_their_shape(golden: Golden) -> None:
    with pytest.raises(InputError, match="11 batches are too few"):
        fit_golden(Golden(TAGS, golden.hours, golden.values[:11]))
    with pytest.raises(InputError, match="no outcome"):
        fit_golden(Golden(TAGS, golden.hours, golden.values), towards_outcome=True)
    with pytest.raises(InputError, match="shape batch, time, tag"):
        Golden(TAGS[:2], golden.hours, golden.values)
    assert components_of(np.random.default_rng(0).standard_normal((40, 100))) == 1
