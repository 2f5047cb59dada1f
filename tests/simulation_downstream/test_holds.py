"""Holds in a vessel: virus inactivation and precipitation by salt."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from seedtrain.base import InputError
from seedtrain.simulation._downstream import product_quality
from seedtrain.simulation._downstream._inactivation import log_reduction
from seedtrain.simulation._downstream._operation import Carry
from seedtrain.simulation._downstream._salting import MOLAR_MASS, fallen, solubility
from seedtrain.simulation._downstream._train import OPERATIONS
from seedtrain.simulation._stream import StepResult, Stream
from tests.simulation_downstream.cases import MATERIALS, check, clear, factors, settings, streams

STOCK = {"salts": 500.0, "water": 780.0}


def _hold(stream: Stream | None = None, scale: dict[str, float] | None = None, **numbers: float) -> StepResult:
    material = "wash" if "pH" not in numbers else "acid"
    base = {"volume_fraction": 5.0, "temperature": 20.0, "residence_time": 1.0, **numbers}
    return OPERATIONS["inactivate"].run(
        settings("inactivate", base, {"material": material}, scale), Carry(stream or clear())
    )[0]


def _salt(stream: Stream | None = None, scale: dict[str, float] | None = None, **numbers: float) -> StepResult:
    base = {"salt": 1.5, "residence_time": 1.0, **numbers}
    phase = settings("salt_out", base, {"material": "stock"}, scale)
    object.__setattr__(phase, "materials", {**MATERIALS, "stock": STOCK})
    return OPERATIONS["salt_out"].run(phase, Carry(stream or clear()))[0]


@given(st.floats(0.0, 100.0), st.floats(0.0, 1.0), st.floats(1e-8, 1.0), st.floats(0.0, 5.0))
@limits(max_examples=50, deadline=None)
def test_biphasic_decay_is_the_sum_of_its_parts(fast: float, part: float, resistant: float, hours: float) -> None:
    slow = part * fast
    left = (1 - resistant) * math.exp(-fast * hours) + resistant * math.exp(-slow * hours)
    if left > 0:
        assert log_reduction(fast, slow, resistant, hours) == pytest.approx(-math.log10(left), rel=1e-9, abs=1e-12)
    assert log_reduction(fast, slow, resistant, 2 * hours) >= log_reduction(fast, slow, resistant, hours) - 1e-12


def test_a_long_hold_does_not_lose_its_number() -> None:
    """exp(-1e5) is no number; its logarithm is."""
    assert log_reduction(1e5, 1e5, 0.0, 1.0) == pytest.approx(1e5 / math.log(10))
    assert log_reduction(1e5, 0.0, 1e-4, 1.0) == pytest.approx(4.0, abs=1e-3)


def test_a_retrovirus_at_low_pH_falls_as_published() -> None:
    """XMuLV in acetate at pH 3.6: more than 4 log10 in 60 min (University of Arkansas 2019)."""
    assert _hold(pH=3.6).performance["virus_lrv"][0] > 4.0


def test_inactivation_needs_acid_warmth_and_time_and_no_more_is_claimed_than_can_be_shown() -> None:
    def lrv(**numbers: float) -> float:
        return _hold(None, None, **{"pH": 3.8, "residence_time": 0.1, **numbers}).performance["virus_lrv"][0]

    assert lrv(pH=4.5) < lrv(pH=4.0) < lrv() < lrv(pH=3.4)
    assert lrv(temperature=4.0) < lrv() < lrv(temperature=25.0)
    assert lrv(residence_time=0.05) < lrv() < lrv(residence_time=0.5)
    assert lrv(pH=3.0, residence_time=50.0) == 6.0
    step = _hold(pH=3.6)
    assert step.trajectory["virus_lrv"][-1] == step.performance["virus_lrv"][0]
    assert list(step.trajectory["virus_lrv"]) == sorted(step.trajectory["virus_lrv"])


def test_detergent_alone_inactivates_and_spares_what_acid_harms() -> None:
    plain, rich = _hold(volume_fraction=1.0), _hold(volume_fraction=100.0)
    assert 0.0 < plain.performance["inactivation_rate"][0] < rich.performance["inactivation_rate"][0]
    assert not rich.converted
    acid = _hold(pH=3.6)
    assert acid.converted["denatured_product"] == pytest.approx(-acid.converted["product"])
    assert acid.converted["denatured_product"] > 0


def test_reductions_of_several_steps_add_up_and_small_ones_count_as_none() -> None:
    acid, weak = _hold(pH=3.6), _hold(pH=5.5, residence_time=0.1)
    assert weak.performance["virus_lrv"][0] < 1.0
    assert product_quality([acid, weak])["virus_lrv"][0] == acid.performance["virus_lrv"][0]
    assert product_quality([acid, acid])["virus_lrv"][0] == 2 * acid.performance["virus_lrv"][0]
    assert "virus_lrv" not in product_quality([_salt()])


@given(streams(cells=True), st.floats(2.5, 8.0), st.floats(0.1, 50.0), st.floats(0.01, 5.0), factors("inactivate"))
@limits(max_examples=30, deadline=None)
def test_inactivation_keeps_mass(
    stream: Stream, pH: float, part: float, hours: float, factor: dict[str, float]
) -> None:
    check(_hold(stream, factor, pH=pH, volume_fraction=part, residence_time=hours))


@given(streams(cells=True), st.floats(0.01, 3.5), st.floats(0.0, 5.0), factors("salt_out"))
@limits(max_examples=30, deadline=None)
def test_salting_out_keeps_mass(stream: Stream, molarity: float, hours: float, factor: dict[str, float]) -> None:
    check(_salt(stream, factor, salt=molarity, residence_time=hours))


def test_solubility_is_cohns_line() -> None:
    low, high = (math.log10(solubility(8.0, 2.6, ionic)) for ionic in (2.0, 3.0))
    assert high - low == pytest.approx(-2.6)
    assert low == pytest.approx(8.0 - 5.2)


@given(st.floats(0.1, 50.0), st.floats(0.001, 100.0), st.floats(0.0, 3.0), st.floats(0.05, 2.0))
@limits(max_examples=25, deadline=None)
def test_ageing_is_the_differential_equation(start: float, soluble: float, hours: float, constant: float) -> None:
    solved = solve_ivp(
        lambda _, c: -np.maximum(c - soluble, 0.0) / constant, (0.0, max(hours, 1e-9)), [start], rtol=1e-10, atol=1e-12
    )
    assert fallen(start, soluble, hours, constant) == pytest.approx(1 - solved.y[0, -1] / start, abs=1e-6)


def test_more_salt_takes_more_down_and_a_long_hold_leaves_the_solubility() -> None:
    down = [_salt(salt=molarity).performance["precipitated_product"][0] for molarity in (0.8, 1.0, 1.2, 1.6)]
    assert down == sorted(down)
    assert down[0] == 0.0
    assert down[-1] > 95.0
    long = _salt(salt=1.1, residence_time=20.0)
    left = (long.outlet.masses["product"] - long.outlet.in_solids["product"]) / long.outlet.volume
    assert left == pytest.approx(solubility(8.0, 2.6, 3.0 * long.outlet.concentration("salts") / MOLAR_MASS), rel=1e-6)


def test_the_salt_reaches_its_molarity_with_what_the_stream_held() -> None:
    step = _salt(salt=1.2)
    assert step.outlet.concentration("salts") == pytest.approx(1.2 * MOLAR_MASS)
    assert step.performance["salt"] == (pytest.approx(1.2), "mol/L")
    none = _salt(clear(salts=300.0), salt=1.2)
    assert none.materials["stock"][0] == 0.0


def test_a_centrifuge_brings_back_what_was_salted_out() -> None:
    numbers = {"flux": 2e-9, "solids_fraction": 0.5}
    sediment = OPERATIONS["centrifuge"].run(settings("centrifuge", numbers), Carry(_salt(salt=1.6).outlet))[0]
    assert sediment.outlet.name == "sediment"
    assert sediment.step_yield > 0.9


def test_a_stock_too_weak_for_the_molarity_is_refused() -> None:
    with pytest.raises(InputError, match="cannot bring the stream to 4"):
        _salt(salt=4.0)
