"""Kernels on a CUDA device: the same text lowered for NVIDIA's processors, one trajectory per thread.

LLVM makes PTX of the kernel, and the driver, by its C interface, machine code of that. Nothing but the driver needs to
be installed.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np

from seedtrain.base import UnavailableError
from seedtrain.simulation._engine._layout import ARGUMENTS
from seedtrain.simulation._engine._results import Results
from seedtrain.simulation._engine._system import System
from seedtrain.simulation._engine._variant import Variant

TRIPLE: Final = "nvptx64-nvidia-cuda"
OLDEST: Final = "sm_70"  # what the driver makes of it runs on this and every later generation
THREADS: Final = 64  # of a block
MOST_AT_ONCE: Final = 65_536  # trajectories of one launch, which bounds the memory that they work in

_ENTRY: Final = """
define ptx_kernel void @seedtrain_cuda(ptr %a) {{
  %thread = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %size = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %before = mul i32 %block, %size
  %number = add i32 %before, %thread
  %wide = sext i32 %number to i64
  %row = mul i64 %wide, {arguments}
  %own = getelementptr i64, ptr %a, i64 %row
  %done = call i64 @seedtrain_entry(ptr %own)
  ret void
}}
"""


@lru_cache(maxsize=16)
def ptx_of(system: System, method: str) -> tuple[str, Any]:
    """The PTX of a kernel, and its facts."""
    from seedtrain.simulation._engine._kernel import kernel_text

    llvm: Any = importlib.import_module("llvmlite.binding")
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    text, facts = kernel_text(system, Variant(1, method), fused=True)
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu=OLDEST, opt=2)
    module = llvm.parse_assembly(
        text.replace("define i64 @seedtrain_entry", "define internal i64 @seedtrain_entry")
        + _ENTRY.format(arguments=len(ARGUMENTS))
    )
    module.triple, module.data_layout = TRIPLE, str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_assembly(module), facts


def has_device() -> bool:
    """Whether there is a driver with a device."""
    try:
        Driver()
    except UnavailableError:
        return False
    return True


class Driver:
    """The calls of the CUDA driver's interface that a launch needs, on the first device."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise UnavailableError("there is no CUDA driver here", remedy="Run on the CPU.") from error
        self.call("cuInit", ctypes.c_uint(0))
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(0))
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name: str, *arguments: Any) -> None:
        """Call the driver; a refusal is an `UnavailableError` with its number."""
        code = getattr(self._library, name)(*arguments)
        if code:
            raise UnavailableError(f"the CUDA driver refuses {name}: error {code}", remedy="Run on the CPU.")

    def function(self, ptx: str, name: str) -> ctypes.c_void_p:
        """A kernel of a PTX text."""
        module, found = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), ctypes.c_char_p(ptx.encode() + b"\0"))
        self.call("cuModuleGetFunction", ctypes.byref(found), module, ctypes.c_char_p(name.encode()))
        return found

    def room(self, size: int) -> ctypes.c_uint64:
        """Memory of the device, all zeros."""
        place = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(max(size, 8)))
        self.call("cuMemsetD8_v2", place, ctypes.c_ubyte(0), ctypes.c_size_t(max(size, 8)))
        return place

    def send(self, array: Any) -> ctypes.c_uint64:
        """A copy of an array in the device's memory."""
        place = self.room(array.nbytes)
        if array.nbytes:
            self.call("cuMemcpyHtoD_v2", place, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes))
        return place

    def fetch(self, array: Any, place: ctypes.c_uint64) -> None:
        """Fill an array from the device's memory."""
        if array.nbytes:
            self.call("cuMemcpyDtoH_v2", ctypes.c_void_p(array.ctypes.data), place, ctypes.c_size_t(array.nbytes))

    def launch(self, function: ctypes.c_void_p, threads: int, argument: ctypes.c_uint64) -> None:
        """Run a kernel of one argument on `threads` threads, and wait for it."""
        pointers = (ctypes.c_void_p * 1)(ctypes.cast(ctypes.byref(argument), ctypes.c_void_p))
        grid = [ctypes.c_uint(value) for value in (threads // THREADS, 1, 1, THREADS, 1, 1, 0)]
        self.call("cuLaunchKernel", function, *grid, ctypes.c_void_p(0), pointers, ctypes.c_void_p(0))
        self.call("cuCtxSynchronize")


def run_on_device(system: System, method: str, results: Results, more: Mapping[str, Any], count: int) -> None:
    """Fill `results` by running every trajectory in a thread of its own."""
    ptx, facts = ptx_of(system, method)
    driver = Driver()
    function = driver.function(ptx, "seedtrain_cuda")
    values = {**results.arguments(), **more}
    places = {name: driver.send(value) for name, value in values.items() if isinstance(value, np.ndarray)}
    shared = [places[name].value if name in places else int(values.get(name, 0)) for name in ARGUMENTS]
    threads = min(-(-count // THREADS) * THREADS, MOST_AT_ONCE)
    work, whole = driver.room(threads * facts.work * 8), driver.room(threads * facts.whole * 8)
    for first in range(0, count, threads):
        rows = np.tile(np.array(shared, dtype=np.int64), (threads, 1))
        number = np.arange(threads)
        own = {
            "first": np.minimum(first + number, count),
            "end": np.minimum(first + number + 1, count),
            "work": work.value + number * facts.work * 8,
            "whole": whole.value + number * facts.whole * 8,
        }
        for name, column in own.items():
            rows[:, ARGUMENTS.index(name)] = column
        arguments = driver.send(rows)
        driver.launch(function, threads, arguments)
        driver.call("cuMemFree_v2", arguments)
    for name, place in places.items():
        driver.fetch(values[name], place)
    for place in (*places.values(), work, whole):
        driver.call("cuMemFree_v2", place)
