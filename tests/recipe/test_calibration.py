"""Calibration of a probe: the line through its references undoes what the probe does, whatever that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.recipe import Calibration, Phase, calibration, parse_recipe, references, settled
from tests.recipe.examples import SMALL, faults

PHASE = """\
          - phase: probe
            do: calibrate
            set: {pH_reference: 7.00, pH_second_reference: 4.01, valid: 30 d}
            limits: {slope: 92 .. 105 %, offset: -0.3 .. 0.3}
            duration: 30 min
"""
OXYGEN = """\
          - phase: probe
            do: calibrate
            set: {dissolved_oxygen_reference: 100 %, valid: 7 d}
            limits: {offset: -15 .. 15 %}
            duration: 20 min
"""


def text(phase: str = PHASE) -> str:
    before = "          - phase: inoculate\n"
    return SMALL.replace(before, phase + before, 1)


def phase(written: str = PHASE) -> Phase:
    return parse_recipe(text(written)).phase("production/culture/probe")


numbers = st.floats(-1.0, 1.0)
gains = st.floats(0.5, 1.5)


@given(gain=gains, zero=numbers, value=st.floats(0.0, 14.0))
def test_two_points_undo_any_gain_and_offset(gain: float, zero: float, value: float):
    def shown(true: float) -> float:
        return gain * true + zero

    tag, known = references(phase())
    made = calibration(phase(), [shown(item) for item in known])
    assert (tag, known) == ("pH", (7.0, 4.01))
    assert made.slope == pytest.approx(100.0 * gain)
    assert made.offset == pytest.approx(shown(7.0) - 7.0)
    assert made.corrected(shown(value)) == pytest.approx(value, abs=1e-9)


@given(zero=st.floats(-50.0, 50.0), value=st.floats(0.0, 150.0))
def test_one_point_undoes_an_offset(zero: float, value: float):
    made = calibration(phase(OXYGEN), [100.0 + zero])
    assert (made.slope, made.unit) == (100.0, "%")
    assert made.corrected(value + zero) == pytest.approx(value, abs=1e-9)
    assert made.outside(phase(OXYGEN)) == (("offset",) if abs(zero) > 15.0 else ())


@given(st.lists(st.floats(0, 14), min_size=2, max_size=2))
def test_what_lies_outside_is_said(readings: list[float]):
    made = calibration(phase(), readings)
    outside = {"slope"} if not 92.0 <= made.slope <= 105.0 else set()
    outside |= {"offset"} if not -0.3 <= made.offset <= 0.3 else set()
    assert set(made.outside(phase())) == outside


def test_a_probe_that_answers_to_nothing_is_out_whatever_the_limits():
    wide = PHASE.replace("92 .. 105 %", "-10 .. 200 %")
    assert calibration(phase(wide), [7.0, 7.0]).outside(phase(wide)) == ("slope",)


@given(st.integers(8, 200), st.floats(-1, 1), st.floats(-1, 1))
def test_each_reference_counts_once_the_probe_has_settled(count: int, first: float, second: float):
    """A probe that needs a fifth of its time in a reference to show it."""
    times = [0.5 * (number + 1) / count for number in range(count)]
    values = [99.0 if time % 0.25 < 0.05 and time < 0.5 else (first if time < 0.25 else second) for time in times]
    assert settled(phase(), 0.5, times, values) == pytest.approx((first, second))


def test_a_reference_without_a_reading_is_no_calibration():
    with pytest.raises(InputError, match="pH has no reading in reference 2"):
        settled(phase(), 0.5, [0.2], [7.0])
    with pytest.raises(InputError, match="1 readings of pH for 2 references"):
        calibration(phase(), [7.0])
    assert isinstance(calibration(phase(), [7, 4]), Calibration)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("pH_second_reference: 4.01", "pH_second_reference: 7.0"), "both references are 7"),
        (("pH_reference: 7.00, ", ""), "a calibrate phase needs one of pH_reference and dissolved_oxygen_reference"),
        (
            ("valid: 30 d", "dissolved_oxygen_second_reference: 0 %, valid: 30 d"),
            "no first reference of dissolved_oxygen",
        ),
        ((", offset: -0.3 .. 0.3", ""), "a calibrate phase has limits of its offset"),
        (("slope: 92 .. 105 %, ", ""), "a calibrate phase has limits of its slope"),
        (("offset: -0.3 .. 0.3", "offset: -3 .. 3 %"), "the offset of this probe is in no unit"),
        ((", valid: 30 d", ""), "a calibrate phase needs 'valid'"),
        (("            duration: 30 min\n", ""), "a calibrate phase needs 'duration'"),
        (("pH_reference: 7.00", "pH_reference: 17"), "17 is above 14"),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(change: tuple[str, str], words: str):
    found = faults(text(PHASE.replace(*change)))
    assert any(words in item.message for item in found), [item.message for item in found]
