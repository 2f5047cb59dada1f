"""The published load-wash-elute example (Puettmann et al. 2013), and CADET where the user has installed it.

Golden figures: CADET-Core 5.1.1 (cadet-core from PyPI), discontinuous Galerkin, 32 axial elements of degree 5 and 4 of
degree 4 inside the beads, relative tolerance 1e-9, its own `createLWE` configuration. Only these figures are used.
"""

from __future__ import annotations

import dataclasses
import os
import sys

import numpy as np
import pytest

from seedtrain.base import InputError, UnavailableError
from seedtrain.simulation._downstream._chromatography import (
    Bed,
    Chromatogram,
    Grid,
    Inlet,
    Isotherm,
    Langmuir,
    Linear,
    elute,
)
from seedtrain.simulation._downstream._chromatography._cadet import VARIABLE, Cadet
from seedtrain.simulation._downstream._chromatography._published import BED, INITIAL, INLETS, ISOTHERM
from tests.simulation_chromatography.cases import BED as SMALL
from tests.simulation_chromatography.cases import PULSE

HEIGHTS = (0.0265578941, 0.0404974150, 0.0460475444)
"""mol/m3, of the three proteins."""
MOMENTS = (1102.0, 665.0, 401.0)
"""s, of the highest of one sample a second."""


def published(grid: Grid | None = None, rtol: float = 1e-4) -> Chromatogram:
    return elute(BED, ISOTHERM, INLETS, initial=INITIAL, times=np.arange(1501.0), grid=grid, rtol=rtol)


def test_peaks_of_the_published_example() -> None:
    found = published()
    assert found.outlet.max(axis=0)[1:] == pytest.approx(HEIGHTS, rel=1e-3)
    assert found.times[found.outlet.argmax(axis=0)[1:]] == pytest.approx(MOMENTS, abs=1.0)
    finer = published(Grid(8, 5, 1, 6), 1e-6)
    assert finer.outlet.max(axis=0)[1:] == pytest.approx(HEIGHTS, rel=2e-5)
    assert np.abs(found.outlet - finer.outlet).max(axis=0)[1:] == pytest.approx(
        (0.0, 0.0, 0.0), abs=1e-3 * min(HEIGHTS)
    )


def test_mass_is_kept_to_rounding_and_nothing_is_far_below_zero() -> None:
    found = published()
    assert np.abs(found.closure).max() < 1e-12
    assert found.outlet.min() > -1e-3 * min(HEIGHTS)
    total = found.collected(0.0, 1500.0)[1:]
    assert total == pytest.approx(found.loaded[1:], rel=2e-3)


def cadet() -> Cadet:
    found = Cadet.found()
    if found is None:
        if os.environ.get("SEEDTRAIN_REQUIRE_JUDGES") == "1" and sys.version_info >= (3, 12):
            pytest.fail(f"CADET is not installed; {VARIABLE} names no interpreter that has it")
        pytest.skip(f"CADET is not installed; set {VARIABLE} to a Python 3.12 or newer with cadet-core and h5py")
    return found


@pytest.mark.parametrize("kind", ["published", "langmuir", "langmuir at two speeds", "lumped", "kinetic", "surface"])
def test_cadet_finds_the_same(kind: str) -> None:
    langmuir = Langmuir((10.0, 20.0), (0.5, 0.8))
    quick = (PULSE[0], Inlet(900.0, 1e-3, (0.0, 0.0)))
    problems: dict[str, tuple[Bed, Isotherm, tuple[Inlet, ...], tuple[float, ...]]] = {
        "published": (BED, ISOTHERM, INLETS, INITIAL),
        "langmuir": (SMALL, langmuir, PULSE, ()),
        "langmuir at two speeds": (SMALL, langmuir, quick, ()),
        "lumped": (dataclasses.replace(SMALL, pore_diffusion=()), langmuir, PULSE, ()),
        "kinetic": (SMALL, Linear((3.0, 2.0), (0.1, 0.02)), PULSE, ()),
        "surface": (dataclasses.replace(SMALL, surface_diffusion=(1e-12, 2e-12)), langmuir, PULSE, ()),
    }
    bed, isotherm, inlets, initial = problems[kind]
    judge = cadet().elute(bed, isotherm, inlets, initial=initial, times=301, grid=Grid(12, 3, 1, 6))
    ours = elute(bed, isotherm, inlets, initial=initial, times=301, grid=Grid(12, 3, 1, 5), rtol=1e-5)
    assert (np.abs(ours.outlet - judge.outlet).max(axis=0) < 1e-3 * judge.outlet.max(axis=0)).all()
    assert judge.engine.startswith("CADET-Core")


def test_the_engine_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(UnavailableError, match="not installed") as caught:
        elute(BED, ISOTHERM, INLETS, initial=INITIAL, engine="cadet")
    assert VARIABLE in caught.value.remedy
    with pytest.raises(InputError, match="no engine"):
        elute(BED, ISOTHERM, INLETS, initial=INITIAL, engine="comsol")  # type: ignore[arg-type]
    first = elute(SMALL, Linear((1.0, 1.0)), PULSE, times=2)
    with pytest.raises(InputError, match="go on from a state"):
        elute(SMALL, Linear((1.0, 1.0)), PULSE, start=first.state, engine="cadet")


def test_an_engine_that_is_not_there_is_said_with_its_remedy() -> None:
    with pytest.raises(UnavailableError, match="cannot be run") as caught:
        Cadet("/nowhere/python").version()
    assert VARIABLE in caught.value.remedy
    with pytest.raises(UnavailableError, match=r"CADET"):
        Cadet(sys.executable).version()  # this Python has neither h5py nor CADET, or no program beside it
