"""Sensors against assays, spectra across scales, predictions against measurements: known answers, other programs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from seedtrain.base import InputError
from seedtrain.comparison import (
    Errors,
    Pair,
    Spectra,
    bounds,
    conformal,
    deming,
    derivative,
    fewest,
    prediction_errors,
    reconcile,
    snv,
    transfer,
)
from seedtrain.simulation import Run, Variable

HOURS = np.linspace(0, 12, 13)


def run(**series):
    made = {name: Variable(name, "g/L", np.asarray(values, float)) for name, values in series.items()}
    return Run("measured", "", "", "", "production", HOURS, made)


def sensed(seed, bias=0.0, drift=0.0, factor=1.0):
    rng = np.random.default_rng(seed)
    true = 1 + 0.8 * HOURS
    assay = true + rng.normal(0, 0.1, len(HOURS))
    return run(X=assay, X_online=factor * true + bias + drift * (HOURS - 6) + rng.normal(0, 0.1, len(HOURS)))


def test_deming_is_the_line_of_least_orthogonal_distance():
    """Which is the first principal axis of the cloud."""
    item = sensed(1, factor=1.1, bias=0.3)
    x, y = item["X"], item["X_online"]
    axis = np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]))[2][0]
    slope = axis[1] / axis[0]
    assert deming(x, y) == pytest.approx((slope, y.mean() - slope * x.mean()), rel=1e-9)


def test_a_bias_and_a_drift_are_told_with_intervals_that_hold_them():
    runs = {f"B{k}": sensed(k, bias=0.5, drift=0.05) for k in range(6)}
    found = reconcile(runs, "X_online", "X", 0.2)
    assert found.verdict == "fail"
    assert found.low < 0.5 < found.high
    assert found.drift[1] < 0.05 < found.drift[2]
    assert found.agreement[0] < 0.5 < found.agreement[1]
    right = reconcile({f"B{k}": sensed(k) for k in range(6)}, "X_online", "X", 0.2)
    assert right.verdict == "pass"
    assert right.slope[1] < 1 < right.slope[2]


def test_few_pairs_say_nothing():
    assert reconcile({"B1": sensed(1)}, "X_online", "X", 0.2).verdict == "inconclusive"


def spectra(treated_by=lambda x, k: x, runs=(12, 4), seed=0):
    """A peak that is the analyte's, another that is not, and what a vessel does to light: offset and gain."""
    rng = np.random.default_rng(seed)
    channels = np.linspace(400, 1800, 200)

    def peak(at, wide):
        return np.exp(-0.5 * ((channels - at) / wide) ** 2)

    x, y, run_of, scale_of = [], [], [], []
    for scale, count in zip(("bench", "plant"), runs, strict=True):
        for k in range(count):
            other = rng.uniform(1, 5)
            for level in rng.uniform(0, 10, 8):
                light = level * peak(1125, 15) + other * peak(900, 40) + 20 * peak(1300, 500)
                x.append(treated_by(light, scale) + rng.normal(0, 0.02, len(channels)))
                y.append(level + rng.normal(0, 0.05))
                run_of.append(f"{scale}{k}")
                scale_of.append(scale)
    return Spectra(channels, np.array(x), np.array(y), "g/L", tuple(run_of), tuple(scale_of))


def test_the_error_at_the_plant_is_its_own_and_not_that_of_cross_validation():
    """Another vessel's offset and gain ruin a plain calibration that looked good at the bench."""
    given = spectra(lambda light, scale: light * 1.2 + 8 if scale == "plant" else light)
    by_name = {item.treatment: item for item in transfer(given, "bench")}
    plain, treated = by_name["none"], by_name["SNV, first derivative"]
    assert plain.own < 0.3
    assert plain.at["plant"][0] > 3 * plain.own
    assert treated.at["plant"][0] < 0.5 * plain.at["plant"][0]
    assert abs(plain.at["plant"][1]) > abs(treated.at["plant"][1])


def test_without_another_scale_or_runs_there_is_no_calibration_to_transfer():
    with pytest.raises(InputError, match="another scale is unknown"):
        transfer(spectra(runs=(4, 0)), "bench")
    with pytest.raises(InputError, match="1 runs at bench"):
        transfer(spectra(runs=(1, 3)), "bench")


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_snv_takes_offset_and_gain_away_and_the_derivative_an_offset(gain, offset):
    x = np.random.default_rng(0).normal(size=(3, 60)).cumsum(1)
    assert snv(gain * x + offset) == pytest.approx(snv(x), abs=1e-6)
    assert derivative(x + offset) == pytest.approx(signal.savgol_filter(x, 15, 2, deriv=1), abs=1e-9)


def pairs(counts, spread):
    rng = np.random.default_rng(2)
    found = []
    for scale, count in counts.items():
        for k in range(count):
            true = 1 + HOURS
            measured = true + rng.normal(0, spread[scale]) + rng.normal(0, 0.05, len(HOURS))
            found.append(Pair(f"{scale}{k}", scale, run(P=measured), run(P=true)))
    return found


def test_errors_are_by_scale_and_runs_weigh_alike():
    known = [Pair("a", "bench", run(P=HOURS), run(P=HOURS + 1)), Pair("b", "bench", run(P=HOURS), run(P=HOURS - 3))]
    (found,) = prediction_errors(known)
    assert found.bias == pytest.approx(-1)
    assert found.rmse == pytest.approx(np.sqrt((1 + 9) / 2))
    assert list(found.largest) == pytest.approx([1, 3])
    assert found.relative == pytest.approx(np.sqrt(5) / 12)
    with pytest.raises(InputError, match="both predicted and measured"):
        prediction_errors(known, ["X"])


def test_a_bound_is_of_the_scale_where_it_has_runs_else_approximate_and_refused_where_there_are_none():
    errors = prediction_errors(
        pairs({"bench": 12, "pilot": 10, "plant": 3}, {"bench": 0.2, "pilot": 0.2, "plant": 2.0})
    )
    by_scale = {item.scale: item for item in bounds(errors, ["bench", "pilot", "plant"])}
    assert not by_scale["bench"].approximate
    assert by_scale["plant"].approximate
    assert by_scale["plant"].held[0] < by_scale["plant"].held[1]
    (one,) = bounds(prediction_errors(pairs({"bench": 12}, {"bench": 0.2})), ["plant"])
    assert "one scale alone" in one.why
    assert fewest(0.90) == 9
    (few,) = bounds(prediction_errors(pairs({"bench": 8}, {"bench": 0.2})), ["bench"])
    assert "9 are needed" in few.why


def test_few_runs_of_a_scale_are_not_drowned_by_many_of_another():
    """Two scales, 40 runs and 2: nine tenths of all runs say nothing of the two that lie ten times as far off."""
    errors = prediction_errors(pairs({"bench": 40, "pilot": 2}, {"bench": 0.2, "pilot": 2.0}))
    bench, pilot = bounds(errors, ["bench", "pilot"])
    own = next(item.largest.max() for item in errors if item.scale == "pilot")
    assert pilot.value == pytest.approx(own)
    assert pilot.widened > 1.0
    assert (pilot.own_runs, pilot.own_probability) == (2, pytest.approx(2 / 3))
    assert pilot.held == (0, 1), "the two alone cannot bound the bench, the bench does not bound the two"
    assert not bench.approximate
    assert bench.widened == 1.0


def test_a_scale_without_runs_is_bounded_as_wide_as_the_worst_that_was_left_out():
    """Errors that grow with the scale: the others' bound at the plant is widened by what leaving one out told."""
    known = pairs({"bench": 12, "pilot": 12}, {"bench": 0.2, "pilot": 0.8})
    errors = prediction_errors(known)
    (plant,) = bounds(errors, ["plant"])
    largest = {item.scale: item.largest for item in errors}
    left_out = largest["pilot"].max() / conformal(largest["bench"], 0.9)
    assert left_out > 1
    assert plant.widened == pytest.approx(left_out)
    assert plant.value == pytest.approx(left_out * conformal(np.concatenate(list(largest.values())), 0.9))
    alike = bounds(prediction_errors(pairs({"bench": 12, "pilot": 12}, {"bench": 0.2, "pilot": 0.2})), ["plant"])[0]
    assert alike.widened < 1.5


def test_a_widened_bound_holds_at_scales_whose_errors_differ():
    """Two scales of twelve runs, errors of every scale drawn e^1 apart: at a third scale the plain bound holds too
    seldom, the widened one as often as it says."""
    random, held = np.random.default_rng(5), []
    for _repeat in range(400):
        sizes = np.exp(random.normal(0.0, 1.0, 3))
        known = [errors_of(f"s{at}", np.abs(random.normal(0.0, sizes[at], 12))) for at in range(2)]
        (found,) = bounds(known, ["new"])
        fresh = abs(random.normal(0.0, sizes[2]))
        held.append((fresh <= found.value / found.widened, fresh <= found.value))
    plain, widened = np.mean(held, axis=0)
    assert plain < 0.87
    assert 0.89 < widened < 0.97


def errors_of(scale, largest):
    return Errors("X", "g/L", scale, len(largest), len(largest), 0.0, 0.0, 0.0, largest, largest)


def test_a_conformal_bound_holds_as_often_as_it_says():
    rng = np.random.default_rng(3)
    drawn = rng.exponential(size=(4000, 20))
    held = np.mean([row[-1] <= conformal(row[:-1], 0.9) for row in drawn])
    assert held == pytest.approx(0.9, abs=0.015)
