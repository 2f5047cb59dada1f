"""How the unit operations answer when a parameter moves, and figures that can be had another way."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from scipy import integrate

from seedtrain.base import InputError
from seedtrain.simulation._downstream._centrifuge import recovery, settling_velocity
from seedtrain.simulation._downstream._column import captured
from seedtrain.simulation._downstream._homogeniser import release, temperature_rise
from seedtrain.simulation._downstream._membrane import exchanged, exchanged_detergent, product_sieving
from seedtrain.simulation._downstream._operation import Carry
from seedtrain.simulation._downstream._train import OPERATIONS
from seedtrain.simulation._stream import StepResult, Stream
from tests.simulation_downstream.cases import broth, clear, settings

positive = st.floats(0.01, 100.0)


def _step(kind: str, stream: Stream, numbers: dict[str, float], words: dict[str, str] | None = None) -> StepResult:
    return OPERATIONS[kind].run(settings(kind, numbers, words), Carry(stream, membrane_area=2.0))[0]


def _column(*, load: float = 35.0, wash: float = 12.0, parts: int = 1, stream: Stream | None = None) -> StepResult:
    """A bind-and-elute column; the detergent wash may be given in parts."""
    carry = Carry(stream or clear())
    flow = {"velocity": 200.0}
    bed = {**flow, "bed_height": 0.2, "load": load, "volumes": 4.0}
    phases = [settings("equilibrate", bed, {"resin": "r", "material": "buffer"}), settings("load", flow)]
    phases += [settings("wash", {**flow, "volumes": wash / parts}, {"material": "wash"})] * parts
    phases += [settings("wash", {**flow, "volumes": 8.0}, {"material": "buffer"})]
    phases += [settings("elute", {**flow, "volumes": 3.0}, {"material": "strong"})]
    for phase in phases:
        step, carry = OPERATIONS[phase.kind].run(phase, carry)
    return step


@given(st.floats(1e-10, 1e-6), st.floats(1e-10, 1e-6), st.floats(1.05, 3.0))
@limits(max_examples=25, deadline=None)
def test_recovery_in_closed_form_is_the_integral_over_the_sizes(velocity: float, flux: float, spread: float) -> None:
    sigma = math.log(spread)

    def density(z: float) -> float:
        return math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) * min(1.0, velocity / flux * math.exp(2 * sigma * z))

    kink = math.log(flux / velocity) / (2 * sigma)
    edges = sorted({-12.0, min(max(kink, -12.0), 12.0), 12.0})
    expected = sum(integrate.quad(density, low, high)[0] for low, high in pairwise(edges))
    assert recovery(velocity, spread, flux) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_settling_velocity_of_a_cell_is_stokes_and_is_hindered_by_others() -> None:
    alone = settling_velocity(1.0, 70.0, 1.0, 0.0)
    assert alone == pytest.approx(70 * 9.81 * 1e-12 / 18e-3)
    assert settling_velocity(2.0, 70.0, 1.0, 0.0) == pytest.approx(4 * alone)
    assert settling_velocity(1.0, 70.0, 1.0, 0.2) == pytest.approx(alone * 0.8**4.65)


def test_a_smaller_flux_loses_fewer_cells() -> None:
    losses = [
        _step("centrifuge", broth(), {"flux": flux, "solids_fraction": 0.5}).performance["cell_loss"][0]
        for flux in (1e-9, 4e-9, 2e-8, 1e-7)
    ]
    assert losses == sorted(losses)
    assert losses[0] < 2.0
    assert losses[-1] > 30.0


def test_the_centrifuge_keeps_the_cells_before_and_the_liquid_after_disruption() -> None:
    spin = {"flux": 2e-9, "solids_fraction": 0.5}
    cells = _step("centrifuge", broth(), spin).outlet
    assert cells.concentration("cells") > broth().concentration("cells")
    lysate = _step("homogenise", broth(), {"pressure": 80.0, "passes": 3.0}).outlet
    clarified = _step("centrifuge", lysate, spin).outlet
    assert clarified.concentration("debris") < 0.6 * lysate.concentration("debris")
    assert clarified.masses["product"] > 0.5 * lysate.masses["product"]


@given(st.floats(20.0, 150.0), st.integers(1, 6))
def test_more_passes_and_more_pressure_release_more(pressure: float, passes: int) -> None:
    base = release(7.5e-5, 2.2, pressure, passes)
    assert release(7.5e-5, 2.2, pressure, passes + 1) >= base
    assert release(7.5e-5, 2.2, pressure * 1.1, passes) >= base
    assert 1 - release(7.5e-5, 2.2, pressure, 2 * passes) == pytest.approx((1 - base) ** 2, rel=1e-9, abs=1e-15)


def test_homogeniser_figures() -> None:
    assert release(7.5e-5, 2.2, 80.0, 2) == pytest.approx(0.90, abs=0.005)
    assert temperature_rise(10.0) == pytest.approx(2.4, abs=0.02)
    step = _step("homogenise", broth(), {"pressure": 80.0, "passes": 3.0})
    fine = _step("homogenise", broth(), {"pressure": 80.0, "passes": 6.0})
    assert fine.outlet.particle_size < step.outlet.particle_size < broth().particle_size
    assert fine.step_yield < step.step_yield
    # 80 MPa is 80 kJ/L a pass, made by a pump of 80 %, and all of it is cooled away.
    work = 3 * 80.0 * broth().volume / 3600.0
    assert step.utilities["electricity"] == (pytest.approx(work / 0.8), "kWh")
    assert step.utilities["cooling"] == (pytest.approx(work), "kWh")
    assert sum(step.converted.values()) == pytest.approx(0.0, abs=1e-9)


def test_precipitation_is_best_at_its_pH_and_spares_collagen() -> None:
    def left(pH: float) -> Stream:
        numbers = {"pH": pH, "acid_fraction": 2.0, "residence_time": 1.0}
        return _step("precipitate", clear(), numbers, {"material": "acid"}).outlet

    shares = [left(pH).in_solids["host_protein"] for pH in (4.0, 4.5, 5.5, 7.0)]
    assert shares == sorted(shares, reverse=True)
    best = left(4.0)
    assert best.in_solids["product"] / best.masses["product"] < 0.05
    assert best.in_solids["host_protein"] / best.masses["host_protein"] > 0.9


def test_a_bigger_load_on_the_depth_filter_raises_pressure_and_saves_product() -> None:
    lysate = _step("homogenise", broth(), {"pressure": 80.0, "passes": 3.0}).outlet
    steps = [
        _step("depth_filter", lysate, {"load": load, "flux": 100.0}, {"filter": "f"}) for load in (20.0, 80.0, 200.0)
    ]
    pressures = [step.performance["pressure"][0] for step in steps]
    assert pressures == sorted(pressures)
    assert [step.step_yield for step in steps] == sorted(step.step_yield for step in steps)
    assert steps[0].materials["f"][0] == pytest.approx(lysate.volume / 20.0)
    assert steps[1].duration == pytest.approx(0.8)


@given(st.floats(0.0, 5.0), st.floats(0.02, 0.3))
@limits(max_examples=25, deadline=None)
def test_capture_is_the_integral_of_the_breakthrough(loading: float, width: float) -> None:
    front = np.linspace(0.0, max(loading, 1e-6), 4001)
    passed = 1.0 / (1.0 + np.exp(-(front - 1.0) / width))
    expected = 1.0 - float(np.trapezoid(passed, front)) / max(loading, 1e-6)
    assert captured(max(loading, 1e-6), width) == pytest.approx(expected, abs=1e-4)


def test_a_bigger_load_than_the_capacity_loses_product() -> None:
    yields = [_column(load=load).performance["step_yield"][0] for load in (20.0, 35.0, 60.0, 120.0)]
    assert yields == sorted(yields, reverse=True)
    assert yields[0] > 88.0
    assert yields[-1] < 60.0


def test_salt_in_the_feed_takes_capacity() -> None:
    thin, salty = _column(stream=clear(salts=4.0)), _column(stream=clear(salts=30.0))
    assert salty.performance["step_yield"][0] < thin.performance["step_yield"][0] - 10.0


def test_more_detergent_wash_leaves_less_endotoxin_down_to_what_is_irreducible() -> None:
    found = [_column(wash=wash).outlet.endotoxin for wash in (2.0, 6.0, 12.0, 40.0, 80.0)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(found[-2], rel=0.2)


def test_an_endless_detergent_wash_takes_the_stated_log_reduction_of_what_was_bound() -> None:
    bed = {"velocity": 200.0, "bed_height": 0.2, "load": 35.0, "volumes": 4.0}
    carry = Carry(clear())
    bound = []
    for phase in (
        settings("equilibrate", bed, {"resin": "r", "material": "buffer"}),
        settings("load", {"velocity": 200.0}),
        settings("wash", {"volumes": 500.0, "velocity": 200.0}, {"material": "wash"}),
    ):
        _, carry = OPERATIONS[phase.kind].run(phase, carry)
        assert carry.column is not None
        bound.append(carry.column.tight.get("endotoxin", 0.0))
    assert bound[1] == pytest.approx(0.1 * clear().endotoxin)
    assert bound[2] / bound[1] == pytest.approx(10**-2.5, rel=1e-6)


def test_a_wash_in_two_parts_is_the_same_wash() -> None:
    whole, parts = _column(parts=1).outlet, _column(parts=3).outlet
    assert parts.endotoxin == pytest.approx(whole.endotoxin, rel=1e-9)
    for name, mass in whole.masses.items():
        assert parts.masses[name] == pytest.approx(mass, rel=1e-9, abs=1e-12), name


def test_detergent_is_washed_out_by_plain_buffer() -> None:
    rich = _column().outlet
    assert 0 < rich.masses["detergent"] / rich.masses["product"] < 2e-3


def test_anion_exchange_needs_time_low_salt_and_enough_resin() -> None:
    def lrv(*, velocity: float = 200.0, endotoxin: float = 1e5, **changes: float) -> float:
        stream = clear(**changes)
        stream = Stream(stream.name, stream.volume, stream.masses, endotoxin * stream.volume)
        carry = Carry(stream)
        bed = {"velocity": velocity, "bed_height": 0.2, "load": 100.0, "volumes": 4.0}
        for phase in (
            settings("equilibrate", bed, {"resin": "r", "material": "buffer"}),
            settings("flow_through", {"velocity": velocity}),
        ):
            step, carry = OPERATIONS[phase.kind].run(phase, carry)
        return step.endotoxin_lrv

    assert 1.9 < lrv() < 2.2
    assert lrv(velocity=1000.0) < lrv(velocity=200.0) < lrv(velocity=50.0)
    assert lrv(salts=40.0) < 0.3
    # 8 g/L of product at 100 g/L of resin: 12.5 L of feed a litre of resin, so 2e8 EU/L is 2.8 times the capacity.
    assert lrv(endotoxin=2e8) < 0.5


@given(st.floats(0.0, 1e3), st.floats(0.0, 1e3), positive, positive, st.floats(0.0, 1.0))
@example(before=0.0, comes=1.0, a=1.0, b=1.01, s=6.4e-13)  # two large numbers must not be subtracted
def test_diafiltration_in_two_parts_is_the_same(before: float, comes: float, a: float, b: float, s: float) -> None:
    whole = exchanged(before, comes, a + b, s)
    assert exchanged(exchanged(before, comes, a, s), comes, b, s) == pytest.approx(whole, rel=1e-6, abs=1e-6)


@given(st.floats(0.0, 50.0), st.floats(0.01, 5.0), st.floats(0.01, 30.0), st.floats(0.01, 30.0))
def test_micelles_stay_until_they_have_dissolved(before: float, monomer: float, a: float, b: float) -> None:
    whole = exchanged_detergent(before, a + b, monomer)
    parts = exchanged_detergent(exchanged_detergent(before, a, monomer), b, monomer)
    assert parts == pytest.approx(whole, rel=1e-9, abs=1e-12)
    assert whole >= before * math.exp(-(a + b)) * (1 - 1e-9)


def test_more_diafiltration_volumes_leave_less_salt_and_detergent() -> None:
    steps = [
        _step("diafilter", clear(), {"volumes": volumes, "flux": 25.0}, {"material": "buffer"})
        for volumes in (1.0, 4.0, 8.0)
    ]
    iptg = [step.outlet.masses["iptg"] for step in steps]
    assert iptg[2] / clear().masses["iptg"] == pytest.approx(0.985 * math.exp(-8.0))
    assert iptg == sorted(iptg, reverse=True)
    assert steps[2].outlet.concentration("salts") == pytest.approx(5.0, rel=0.01)
    assert [step.step_yield for step in steps] == sorted((step.step_yield for step in steps), reverse=True)


def test_concentration_reaches_its_target_and_a_tighter_membrane_loses_less() -> None:
    base = {"load": 60.0, "flux": 30.0, "concentration": 40.0}
    tight = _step("concentrate", clear(), {**base, "cut_off": 10.0}, {"membrane": "m"})
    wide = _step("concentrate", clear(), {**base, "cut_off": 30.0}, {"membrane": "m"})
    assert tight.outlet.concentration("product") == pytest.approx(40.0)
    assert wide.step_yield < tight.step_yield
    assert product_sieving(10.0, 10.0, 2.0) == pytest.approx(0.1)
    permeate = tight.wastes[0].volume
    assert tight.duration == pytest.approx(permeate / (30.0 * tight.equipment["membrane_area"][0]))


def test_equipment_that_is_too_small_takes_more_cycles_or_more_time() -> None:
    bed = {"velocity": 200.0, "bed_height": 0.2, "load": 35.0, "volumes": 4.0}
    words = {"resin": "r", "material": "buffer"}
    wide = OPERATIONS["equilibrate"].run(settings("equilibrate", bed, words), Carry(clear()))[0]
    narrow = OPERATIONS["equilibrate"].run(
        settings("equilibrate", bed, words, limits={"column_volume": 5.0}), Carry(clear())
    )[0]
    assert narrow.equipment["cycles"][0] == math.ceil(clear().masses["product"] / 35.0 / 5.0)
    assert narrow.duration == pytest.approx(wide.duration * narrow.equipment["cycles"][0])
    assert narrow.materials["buffer"] == pytest.approx(wide.materials["buffer"])
    spin = {"flux": 4e-9, "solids_fraction": 0.5}
    free = OPERATIONS["centrifuge"].run(settings("centrifuge", spin), Carry(broth()))[0]
    half = {"sigma": free.equipment["sigma"][0] / 2}
    small = OPERATIONS["centrifuge"].run(settings("centrifuge", spin, limits=half), Carry(broth()))[0]
    assert small.duration == pytest.approx(2 * free.duration)


def test_phases_of_a_column_in_the_wrong_order_are_refused() -> None:
    wash = settings("wash", {"volumes": 2.0, "velocity": 200.0}, {"material": "buffer"})
    with pytest.raises(InputError, match="no column"):
        OPERATIONS["wash"].run(wash, Carry(clear()))
    bed = {"velocity": 200.0, "bed_height": 0.2, "load": 35.0, "volumes": 4.0}
    equilibrate = settings("equilibrate", bed, {"resin": "r", "material": "buffer"})
    _, carry = OPERATIONS["equilibrate"].run(equilibrate, Carry(clear()))
    with pytest.raises(InputError, match="nothing on the column"):
        OPERATIONS["wash"].run(wash, carry)
    _, loaded = OPERATIONS["load"].run(settings("load", {"velocity": 200.0}), carry)
    with pytest.raises(InputError, match="still on the column"):
        OPERATIONS["equilibrate"].run(equilibrate, loaded)
    with pytest.raises(InputError, match="no product"):
        OPERATIONS["equilibrate"].run(equilibrate, Carry(clear(product=0.0)))
    with pytest.raises(InputError, match="no membrane"):
        OPERATIONS["diafilter"].run(settings("diafilter", {"volumes": 2.0}, {"material": "buffer"}), Carry(clear()))


def test_filling_makes_whole_containers_and_one_of_the_rest() -> None:
    powder = Stream("dried", 0.1, {"product": 95.0, "salts": 3.05, "water": 2.0}, 10.0)
    step = _step("fill", powder, {"mass": 0.1, "loss": 0.5}, {"container": "vial"})
    available = 100.05 * 0.995
    whole = math.floor(available / 0.1)
    assert step.performance["containers"][0] == whole + 1
    assert step.performance["last_container"][0] == pytest.approx(1000 * (available - 0.1 * whole))
    assert step.performance["content"][0] == pytest.approx(95.0 / 100.05 * 100.0)
    assert step.outlet.mass == pytest.approx(available)


def test_less_than_one_container_fills_one_in_part() -> None:
    powder = Stream("dried", 0.002, {"product": 1.5, "water": 0.03}, 10.0)
    step = _step("fill", powder, {"mass": 10.0, "loss": 0.0}, {"container": "bottle"})
    assert step.performance["containers"][0] == 1
    assert step.performance["mass"][0] == pytest.approx(1530.0)
    assert step.performance["content"][0] == pytest.approx(1500.0)
    assert step.step_yield == pytest.approx(1.0)
