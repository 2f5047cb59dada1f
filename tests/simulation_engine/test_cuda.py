"""The same kernel on a CUDA device: its PTX everywhere, its results where there is a device."""

import ctypes

import numpy as np
import pytest

from seedtrain.base import InputError, UnavailableError
from seedtrain.simulation._engine import Schedule, compile_system
from seedtrain.simulation._engine._compiled import _kernel
from seedtrain.simulation._engine._cuda import OLDEST, has_device, ptx_of
from seedtrain.simulation._engine._layout import ARGUMENTS
from seedtrain.simulation._engine._variant import Variant
from tests.simulation_engine.cases import (
    BALL,
    ball,
    fed_batch_numbers,
    fed_batch_schedule,
    fed_batch_system,
    fed_batch_times,
)


@pytest.mark.parametrize("method", ["explicit", "stiff"])
def test_the_kernel_lowers_to_ptx_in_double_precision(method):
    ptx, facts = ptx_of(BALL, method)
    assert f".target {OLDEST}" in ptx
    assert ".entry seedtrain_cuda" in ptx
    assert "fma.rn.f64" in ptx
    assert ".approx" not in ptx  # nothing is estimated
    assert ".extern" not in ptx  # and nothing is wanted from elsewhere
    assert facts.lanes == 1


class Stand:
    """In place of a driver: its memory is ours, and a thread's work is done by this processor's kernel."""

    def __init__(self):
        self.kept = {}
        self.kernel = None

    def function(self, ptx, name):
        assert f".entry {name}" in ptx
        return name

    def room(self, size):
        array = np.zeros(size // 8 + 1)
        self.kept[array.ctypes.data] = array
        return ctypes.c_uint64(array.ctypes.data)

    def send(self, array):
        place = self.room(array.nbytes)
        ctypes.memmove(place.value, array.ctypes.data, array.nbytes)
        return place

    def fetch(self, array, place):
        ctypes.memmove(array.ctypes.data, place.value, array.nbytes)

    def launch(self, function, threads, argument):
        kernel = self.kernel or _kernel(BALL, Variant(1))
        for thread in range(threads):
            kernel.code.entry(argument.value + thread * len(ARGUMENTS) * 8)

    def call(self, name, place):
        assert name == "cuMemFree_v2"
        del self.kept[place.value]


def test_threads_share_out_the_trajectories_and_the_memory(monkeypatch):
    base, _ = ball()
    numbers = np.repeat(base.numbers, 150, axis=0) * np.random.default_rng(1).uniform(0.7, 1.3, (150, 1, 2))
    item, times = Schedule(base.initial, numbers, base.jumps, base.lengths, base.actions), np.linspace(0, 2, 5)
    stand = Stand()
    monkeypatch.setattr("seedtrain.simulation._engine._cuda.Driver", lambda: stand)
    monkeypatch.setattr("seedtrain.simulation._engine._cuda.MOST_AT_ONCE", 128)
    ours, theirs = compile_system(BALL).run(item, times), compile_system(BALL).run(item, times, device="cuda")
    for name in ("states", "observed", "ends", "held", "status", "steps"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert np.array_equal(ours.crossings.rows, theirs.crossings.rows)
    assert not stand.kept, "memory of the device is left"


def test_sensitivities_stay_on_the_processor():
    item, seeds = ball()
    with pytest.raises(InputError, match="CUDA"):
        compile_system(BALL).run(item, [0.0], seeds=seeds, device="cuda")


@pytest.mark.skipif(has_device(), reason="a CUDA device is here")
def test_without_a_device_the_error_says_so():
    item, _ = ball()
    with pytest.raises(UnavailableError, match="CUDA driver"):
        compile_system(BALL).run(item, [0.0], device="cuda")


@pytest.mark.skipif(not has_device(), reason="no CUDA device is here: the kernel was lowered to PTX, but not run")
def test_a_device_gives_what_the_processor_gives():
    item, times = fed_batch_schedule(fed_batch_numbers(200)), fed_batch_times()
    compiled = compile_system(fed_batch_system())
    ours, theirs = compiled.run(item, times), compiled.run(item, times, device="cuda")
    assert (theirs.status == 0).all()
    assert theirs.states == pytest.approx(ours.states, rel=1e-7, abs=1e-9)
    item, _ = ball()
    ours, theirs = (
        compile_system(BALL).run(item, times[:9] / 9),
        compile_system(BALL).run(item, times[:9] / 9, device="cuda"),
    )
    assert theirs.ends == pytest.approx(ours.ends, abs=1e-9)
    assert np.array_equal(theirs.crossings.counts, ours.crossings.counts)
