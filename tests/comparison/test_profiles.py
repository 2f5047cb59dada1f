"""Numbers and shapes over time: exact on lines, the margin at every time, and the band's coverage."""

import numpy as np
import pytest

from seedtrain.comparison import _profiles, feature, profiles
from seedtrain.simulation import Run, Variable


def run(times, values, symbol="P", unit="g/L"):
    return Run("measured", "", "", "", "production", np.asarray(times, float),
               {symbol: Variable(symbol, unit, np.asarray(values, float))})  # fmt: skip


def test_features_of_a_line_are_exact():
    hours = np.linspace(0, 10, 21)
    line = run(hours, 1 + 0.5 * hours)
    assert feature(line, "P", "slope", start=2, end=8) == pytest.approx(0.5)
    assert feature(line, "P", "mean", start=2, end=8) == pytest.approx(3.5)
    assert feature(line, "P", "value", end=3.25) == pytest.approx(2.625)
    assert feature(line, "P", "end", end=9.1) == pytest.approx(5.5)
    assert feature(line, "P", "maximum") == pytest.approx(6.0)
    grown = run(hours, 0.2 * np.exp(0.3 * hours))
    assert feature(grown, "P", "log slope") == pytest.approx(0.3)


def test_what_the_readings_do_not_reach_is_not_a_number():
    short = run([0, 1, 2], [1, 2, np.nan])
    assert np.isnan(feature(short, "P", "value", end=2))
    assert np.isnan(feature(short, "P", "slope"))
    assert np.isnan(feature(short, "P", "end", start=5))


def test_readings_at_one_time_are_averaged():
    assert feature(run([0, 1, 1], [1, 2, 4]), "P", "end") == pytest.approx(3.0)


def curves(rng, count, shift=lambda t: 0 * t):
    hours = np.linspace(0, 10, 11)
    return [run(hours, hours + shift(hours) + rng.normal(0, 0.3) + rng.normal(0, 0.1, 11)) for _ in range(count)]


def test_same_end_another_course_is_found():
    rng = np.random.default_rng(3)
    reference, bent = curves(rng, 8), curves(rng, 8, lambda t: 2.0 * np.sin(np.pi * t / 10))
    found = profiles(reference, bent, "P", 1.0, "absolute")
    assert found.verdict == "fail"
    assert 3 < found.time[found.worst] < 7
    same = profiles(reference, curves(rng, 8), "P", 1.0, "absolute")
    assert same.verdict == "pass"
    assert (same.band >= same.point * 0.98).all()


@pytest.mark.parametrize("counts", [(6, 5), (3, 3)])
def test_the_band_holds_the_true_difference_as_often_as_it_says(counts, monkeypatch):
    monkeypatch.setattr(_profiles, "DRAWS", 1000)
    rng = np.random.default_rng(4)
    held = 0
    for seed in range(200):
        found = profiles(curves(rng, counts[0]), curves(rng, counts[1]), "P", 1.0, "absolute", seed=seed)
        held += bool((np.abs(found.difference) <= found.band).all())
    assert 0.83 <= held / 200 <= 0.97


def level(rng, count, shift):
    """Runs that differ in height alone, with a deviation of 1."""
    hours = np.linspace(0, 10, 5)
    return [run(hours, shift + rng.normal() + rng.normal(0, 1e-3, 5)) for _ in range(count)]


@pytest.mark.parametrize(
    ("verdict", "margin", "runs", "most"), [("pass", 4.0, (10, 30), 0.1), ("fail", 1.5, (4, 30), 0.12)]
)
def test_a_margin_in_deviations_that_few_runs_tell_is_rarely_passed_or_failed_by_what_lies_at_it(
    verdict, margin, runs, most, monkeypatch
):
    """5 % of studies at most (level 90 %); with the margin taken for known it is 20 %."""
    monkeypatch.setattr(_profiles, "DRAWS", 400)
    rng = np.random.default_rng(3)
    told = [
        profiles(level(rng, runs[0], 0.0), level(rng, runs[1], margin), "P", margin, "deviations", seed=study).verdict
        for study in range(200)
    ]
    assert told.count(verdict) / 200 < most


def test_margins_are_of_the_reference():
    rng = np.random.default_rng(5)
    reference, other = curves(rng, 6), curves(rng, 6)
    part = profiles(reference, other, "P", 0.1, "relative")
    assert part.margin[0] == pytest.approx(0.1 * part.reference.mean(0).max())
    own = profiles(reference, other, "P", 1.5, "deviations")
    assert own.margin[0] == pytest.approx(1.5 * np.sqrt(own.reference.var(0, ddof=1).mean()))


def test_runs_that_never_overlap_say_nothing():
    one, other = [run([0, 1, 2], [1, 2, 3])] * 2, [run([5, 6, 7], [1, 2, 3])] * 2
    assert profiles(one, other, "P", 1.0, "absolute").why
    assert profiles(one, other[:1], "P", 1.0, "absolute").verdict == "inconclusive"


def test_a_shape_of_which_the_runs_cover_but_a_part_cannot_pass():
    """One run stopped at 4 h of 10: the shapes are alike as far as it goes, and nothing is known of the rest."""
    rng = np.random.default_rng(6)
    reference, tested = curves(rng, 8), curves(rng, 8)
    assert profiles(reference, tested, "P", 1.0, "absolute").verdict == "pass"
    hours = np.linspace(0, 4, 5)
    stopped = [*tested[:-1], run(hours, hours)]
    found = profiles(reference, stopped, "P", 1.0, "absolute")
    assert found.partial
    assert found.whole == (0, 10)
    assert found.verdict == "inconclusive"
    assert found.to_data()["partial"]
    asked = profiles(reference, stopped, "P", 1.0, "absolute", end=4.0)  # where only that much is asked for
    assert asked.verdict == "pass"
    assert not asked.partial
    apart = profiles(reference, [run(hours, hours + 5.0)] * 2, "P", 1.0, "absolute")
    assert apart.verdict == "fail"  # what differs in a part differs
