"""Laws that hold whatever the bed, the isotherm and the inlet."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

import seedtrain.simulation._downstream._chromatography as package
from seedtrain.base import InputError
from seedtrain.simulation._downstream._chromatography import (
    Bed,
    ColumnError,
    Grid,
    Inlet,
    Isotherm,
    Langmuir,
    Linear,
    StericMassAction,
    elute,
)
from seedtrain.simulation._downstream._chromatography._published import BED as COLUMN
from seedtrain.simulation._downstream._chromatography._published import INITIAL, INLETS, ISOTHERM
from tests.simulation_chromatography.cases import BED, PULSE, SPEED

few = limits(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def isotherms(draw: st.DrawFn) -> Isotherm:
    """Any of the three, at equilibrium or with rates; component 0 is salt where it is steric mass action."""
    kind = draw(st.sampled_from(["linear", "langmuir", "steric"]))
    rates = draw(st.booleans())
    if kind == "linear":
        return Linear(tuple(draw(st.floats(0.0, 50.0)) for _ in range(2)), (0.1, 0.01) if rates else ())
    if kind == "langmuir":
        capacity = tuple(draw(st.floats(0.1, 100.0)) for _ in range(2))
        affinity = tuple(draw(st.floats(0.01, 50.0)) for _ in range(2))
        return Langmuir(capacity, affinity, (0.1, 0.01) if rates else ())
    charge = draw(st.floats(1.0, 8.0))
    shielding = draw(st.floats(0.0, 20.0))
    k = 10.0 ** draw(st.floats(-4.0, 0.0))
    off = (0.1 / 50.0**charge,) if rates else ()
    return StericMassAction(draw(st.floats(100.0, 1500.0)), (charge,), (shielding,), (k,), off)


@few
@given(isotherms(), st.booleans(), st.floats(1e-12, 1e-10), st.floats(0.05, 5.0))
def test_what_came_in_left_or_is_held(isotherm: Isotherm, lumped: bool, pore: float, load: float) -> None:
    bed = dataclasses.replace(BED, pore_diffusion=() if lumped else (5e-10, pore))
    salty = isinstance(isotherm, StericMassAction)
    before = (50.0, 0.0) if salty else (0.2, 0.0)
    inlets = (
        Inlet(100.0, SPEED, (before[0], load)),
        Inlet(50.0, 2 * SPEED, before),
        Inlet(600.0, SPEED, before, slope=(0.5, 0.0) if salty else ()),
    )
    found = elute(bed, isotherm, inlets, initial=before, grid=Grid(3, 3, 1, 2), rtol=1e-3)
    assert np.abs(found.closure).max() < 1e-10
    assert np.isfinite(found.outlet).all()
    highest = max(load, before[0])
    assert found.outlet[:, 1].min() > -0.1 * highest  # a coarse grid overshoots at a front, never more
    assert (found.left[-1] >= -1e-2 * highest).all()


def test_a_section_in_two_parts_is_the_same_section_and_a_state_goes_on() -> None:
    whole = elute(COLUMN, ISOTHERM, INLETS, initial=INITIAL, times=np.array([1500.0]), rtol=1e-6)
    first = elute(COLUMN, ISOTHERM, INLETS[:2], initial=INITIAL, rtol=1e-6)
    gradient = INLETS[2]
    halves = (
        dataclasses.replace(gradient, duration=700.0),
        dataclasses.replace(gradient, duration=710.0, start=tuple(gradient.at(700.0))),
    )
    second = elute(COLUMN, ISOTHERM, halves, start=first.state, times=np.array([1410.0]), rtol=1e-6)
    assert second.outlet[-1] == pytest.approx(whole.outlet[-1], rel=1e-4, abs=1e-9)
    assert second.held == pytest.approx(whole.held, rel=1e-5, abs=1e-9)
    assert first.left[-1] + second.left[-1] == pytest.approx(whole.left[-1], rel=1e-6, abs=1e-9)


def test_the_order_of_components_does_not_matter() -> None:
    langmuir, turned = Langmuir((10.0, 20.0), (0.5, 0.8)), Langmuir((20.0, 10.0), (0.8, 0.5))
    bed = dataclasses.replace(BED, film=BED.film[::-1], pore_diffusion=BED.pore_diffusion[::-1])
    inlets = tuple(dataclasses.replace(inlet, start=inlet.start[::-1]) for inlet in PULSE)
    one, other = elute(BED, langmuir, PULSE, rtol=1e-6), elute(bed, turned, inlets, rtol=1e-6)
    assert np.abs(one.outlet - other.outlet[:, ::-1]).max() < 1e-6


def test_a_chromatogram_is_the_same_in_another_unit_of_length_and_time() -> None:
    """A bed ten times as long with beads and flow to match: the same in its own time."""
    large = Bed(0.5, 0.4, 5e-3, 4e-4, 0.6, (1e-4, 2e-4), (1e-8, 5e-9))
    inlets = tuple(dataclasses.replace(inlet, velocity=10 * inlet.velocity) for inlet in PULSE)
    linear = Linear((3.0, 1.5))
    assert elute(large, linear, inlets).outlet == pytest.approx(elute(BED, linear, PULSE).outlet, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("sharp", [False, True])
def test_the_upwind_scheme_stays_above_zero_and_converges_to_the_same(sharp: bool) -> None:
    """Sharp: a front of a strongly bound product through beads without resistance, which only the grid smears."""
    bed = Bed(0.1, 0.4, 2e-6, 2e-5, 0.6, (1e-4,)) if sharp else Bed(0.1, 0.4, 1e-3, 4e-5, 0.6, (1e-5,), (1e-10,))
    langmuir = Langmuir((30.0,), (50.0,) if sharp else (0.2,))
    inlets = (Inlet(600.0, SPEED, (1.0,)), Inlet(6000.0, SPEED, (0.0,)))
    upwind = elute(bed, langmuir, inlets, grid=Grid(200, 0, 1, 3), rtol=1e-5)
    assert upwind.undershoot[0] < 1e-6
    assert upwind.outlet.max() < 1.0 + 1e-6
    assert np.abs(upwind.closure).max() < 1e-12
    if not sharp:
        fine = elute(bed, langmuir, inlets, grid=Grid(8, 3, 1, 3), rtol=1e-5)
        coarse = elute(bed, langmuir, inlets, grid=Grid(100, 0, 1, 3), rtol=1e-5)
        off, more = (float(np.abs(found.outlet - fine.outlet).max()) for found in (upwind, coarse))
        assert off < 0.03
        assert more / off == pytest.approx(2.0, rel=0.15)  # first order
        assert fine.undershoot[0] < 1e-3


def test_a_competitor_displaces_the_weaker() -> None:
    both = elute(BED, Langmuir((10.0, 10.0), (0.2, 5.0)), (Inlet(1500.0, SPEED, (1.0, 1.0)),), grid=Grid(12, 3))
    assert both.outlet[:, 0].max() > 1.05  # above its own inlet: rolled up by the stronger
    assert both.outlet[-1] == pytest.approx((1.0, 1.0), rel=0.02)


def test_the_same_run_twice_is_the_same_to_the_bit() -> None:
    one, other = (elute(COLUMN, ISOTHERM, INLETS, initial=INITIAL) for _ in range(2))
    assert (one.outlet == other.outlet).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: dataclasses.replace(BED, length=0.0), "length"),
        (lambda: dataclasses.replace(BED, porosity=1.2), "porosity"),
        (lambda: dataclasses.replace(BED, film=(1e-5, -1.0)), "film"),
        (lambda: dataclasses.replace(BED, pore_diffusion=(1e-10,)), "pore_diffusion has 1"),
        (lambda: dataclasses.replace(BED, pore_diffusion=(), surface_diffusion=(1e-12, 1e-12)), "lumped"),
        (lambda: Inlet(0.0, SPEED, (1.0,)), "duration"),
        (lambda: Inlet(100.0, SPEED, (1.0,), slope=(-0.1,)), "falls to"),
        (lambda: Inlet(100.0, SPEED, (float("nan"),)), "finite"),
        (lambda: Grid(0), "elements"),
        (lambda: Grid(4, -1), "degree"),
        (lambda: elute(BED, Linear((1.0, 1.0)), PULSE, grid=Grid(512, 7)), "unknowns"),
        (lambda: Linear((1.0,), (1.0, 1.0)), "desorption has 2"),
        (lambda: Langmuir((1.0,), (-1.0,)), "affinity"),
        (lambda: StericMassAction(0.0, (1.0,), (1.0,), (1.0,)), "binds nothing"),
        (lambda: elute(BED, Linear((1.0,)), PULSE), "film has 2"),
        (lambda: elute(BED, Linear((1.0, 1.0)), ()), "no inlet"),
        (lambda: elute(BED, Linear((1.0, 1.0)), PULSE, rtol=1.0), "rtol"),
        (lambda: elute(BED, Linear((1.0, 1.0)), PULSE, times=np.array([2000.0])), "times"),
        (lambda: elute(COLUMN, ISOTHERM, INLETS), "counter-ion"),
        (lambda: elute(BED, Linear((1.0, 1.0)), PULSE, initial=(-1.0, 0.0)), "initial"),
        (
            lambda: elute(BED, Linear((1.0, 1.0)), PULSE, start=elute(COLUMN, ISOTHERM, INLETS, initial=INITIAL).state),
            "state to go on from",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)
    assert caught.value.remedy


def test_a_run_that_takes_too_many_steps_tells_how_far_it_came() -> None:
    with pytest.raises(ColumnError, match="steps were not enough") as caught:
        elute(COLUMN, ISOTHERM, INLETS, initial=INITIAL, most_steps=60)
    assert 0.0 < caught.value.reached < 1500.0


def test_the_compiled_kernel_is_made_anew_when_what_it_calls_changes() -> None:
    """numba's cache on disk looks at the caller's file alone, so that file states the digests of the others."""
    folder = Path(package.__file__).parent
    text = (folder / "_kernel.py").read_text(encoding="utf-8")
    for name in ("_eliminate.py", "_local.py"):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16]
        assert f'"{name}": "{digest}"' in text, (name, digest)
