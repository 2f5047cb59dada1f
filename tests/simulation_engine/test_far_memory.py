"""Machine code is loaded whole, however memory is taken up by others."""

import subprocess
import sys

import pytest

from seedtrain.simulation._engine._kernel import make_kernel
from seedtrain.simulation._engine._machine import build
from seedtrain.simulation._engine._variant import Variant
from tests.simulation_engine.cases import DECAY

LOAD = """
import ctypes
from seedtrain.simulation._engine import _machine

PAGE, APART = 4096, 8 * 2**30
NOTHING, PRIVATE = 0, 0x22 | 0x4000  # no access; private, anonymous, not reserved
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

lines = ["define double @seedtrain_entry(double %x) {", "  %v0 = fadd double %x, 1.5"]
for i in range(1, 12000):
    kind = "fmul" if i % 2 else "fadd"
    lines.append(f"  %v{i} = {kind} double %v{i - 1}, {1 + (i % 1000) * 1e-6:.6e}")
raw = _machine.build("\\n".join([*lines, "  ret double %v11999", "}"]))

def taken(size):
    return libc.mmap(None, size, NOTHING, PRIVATE, -1, 0)

block = taken(APART)
for size in (PAGE * 2**power for power in range(16, -1, -1)):
    while (place := taken(size)) is not None and place > block:
        pass
    libc.munmap(place, size)
libc.munmap(block + APART - 4 * PAGE, 3 * PAGE)  # room for the constants
libc.munmap(block + PAGE, 400 * PAGE)  # room for the code, 8 GiB below
code = _machine.Code(raw)
print(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(ctypes.cast(code.entry, ctypes.c_void_p).value)(0.5))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is laid out as Linux does it")
def test_code_and_constants_lie_together_where_memory_is_in_pieces():
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    value = 0.5 + 1.5
    for i in range(1, 12000):
        factor = float(f"{1 + (i % 1000) * 1e-6:.6e}")
        value = value * factor if i % 2 else value + factor
    assert float(done.stdout) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("method", ["explicit", "stiff"])
@pytest.mark.parametrize(("lanes", "sensitivities"), [(1, False), (1, True), (4, False)])
def test_kernels_link_to_nothing_outside(method, lanes, sensitivities):
    """One block of memory has no room for links; a loop that fills numbers must not become a call of the C library."""
    raw, _facts = make_kernel(DECAY, Variant(lanes, method, sensitivities, False))
    filled = build("""
define void @seedtrain_entry(ptr %a, i64 %n) {
entry:
  br label %next
next:
  %i = phi i64 [0, %entry], [%more, %next]
  %at = getelementptr double, ptr %a, i64 %i
  store double 0.0, ptr %at
  %more = add i64 %i, 1
  %again = icmp slt i64 %more, %n
  br i1 %again, label %next, label %end
end:
  ret void
}
""")
    assert b"\0memset\0" in filled  # what LLVM does without being told
    assert not any(name in raw for name in (b"\0memset\0", b"\0memcpy\0", b"\0memmove\0"))
