"""exp, log, power and tanh as intermediate representation, the same operations for one lane and for many.

A library's vector functions differ from its scalar ones in the last bit; these do not. Within 2 units in the last place
where the result is normal (tests compare them with mpmath). Reduction and polynomials: exp by Cody & Waite 1980 and a
Taylor polynomial of degree 13 on |r| <= ln(2) / 2; log as in FreeBSD's `e_log.c` (Sun Microsystems 1993, freely
granted); tanh by a continued fraction (Lambert) near zero and exp elsewhere.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Final

CLOSED: Final = '"no-builtins"'
"""An attribute of every function: no loop becomes a call of the C library, so that nothing outside is linked to."""

_LOG: Final = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10


def vector_type(lanes: int, element: str) -> str:
    """`element` once or in a vector of `lanes`."""
    return element if lanes == 1 else f"<{lanes} x {element}>"


class _Body:
    """Instructions of one function, written from Python."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.double = vector_type(lanes, "double")
        self.whole = vector_type(lanes, "i64")
        self.truth = vector_type(lanes, "i1")
        self.lines: list[str] = []

    def add(self, text: str) -> str:
        self.lines.append(f"  %r{len(self.lines)} = {text}")
        return f"%r{len(self.lines) - 1}"

    def number(self, value: float) -> str:
        bits = f"double 0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return bits.removeprefix("double ") if self.lanes == 1 else f"splat ({bits})"

    def count(self, value: int) -> str:
        return str(value) if self.lanes == 1 else f"splat (i64 {value})"

    def op(self, kind: str, a: str, b: str) -> str:
        return self.add(f"{kind} {self.double} {a}, {b}")

    def bits(self, kind: str, a: str, b: str) -> str:
        return self.add(f"{kind} {self.whole} {a}, {b}")

    def call(self, name: str, *given: str) -> str:
        text = ", ".join(f"{self.double} {a}" for a in given)
        suffix = "f64" if self.lanes == 1 else f"v{self.lanes}f64"
        full = f"{name}.{suffix}" if name.startswith("llvm.") else f"{name}_{self.lanes}"
        return self.add(f"call {self.double} @{full}({text})")

    def fma(self, a: str, b: str, c: str) -> str:
        return self.op("fadd", self.op("fmul", a, b), c) if not MATHS.fused else self.call("llvm.fma", a, b, c)

    def test(self, sign: str, a: str, b: str) -> str:
        return self.add(f"fcmp {sign} {self.double} {a}, {b}")

    def choose(self, test: str, a: str, b: str) -> str:
        return self.add(f"select {self.truth} {test}, {self.double} {a}, {self.double} {b}")

    def choose_bits(self, test: str, a: str, b: str) -> str:
        return self.add(f"select {self.truth} {test}, {self.whole} {a}, {self.whole} {b}")

    def as_bits(self, a: str) -> str:
        return self.add(f"bitcast {self.double} {a} to {self.whole}")

    def as_double(self, a: str) -> str:
        return self.add(f"bitcast {self.whole} {a} to {self.double}")

    def polynomial(self, x: str, coefficients: Iterable[float]) -> str:
        """By Horner, the highest power first."""
        found = ""
        for value in coefficients:
            found = self.fma(found, x, self.number(value)) if found else self.number(value)
        return found


def _exp(b: _Body) -> str:
    low, high = -745.2, 709.8
    x = b.choose(b.test("olt", "%a", b.number(low)), b.number(low), "%a")
    x = b.choose(b.test("ogt", x, b.number(high)), b.number(high), x)
    k = b.call("llvm.rint", b.op("fmul", x, b.number(1 / math.log(2))))
    r = b.fma(k, b.number(-_LN2_HIGH), x)
    r = b.fma(k, b.number(-_LN2_LOW), r)
    p = b.polynomial(r, [1 / math.factorial(n) for n in range(13, -1, -1)])
    half = b.call("llvm.floor", b.op("fmul", k, b.number(0.5)))
    for part in (half, b.op("fsub", k, half)):  # in two factors, as 2**k itself may not be a normal number
        shifted = b.as_bits(b.op("fadd", part, b.number(1.5 * 2.0**52 + 1023)))
        p = b.op("fmul", p, b.as_double(b.bits("shl", shifted, b.count(52))))
    return p


def _log(b: _Body) -> str:
    tiny = b.test("olt", "%a", b.number(2.2250738585072014e-308))
    x = b.choose(tiny, b.op("fmul", "%a", b.number(2.0**54)), "%a")
    bits = b.as_bits(x)
    # The exponent of x / sqrt(1/2), so that the mantissa lies between sqrt(1/2) and sqrt(2).
    root = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0]
    moved = b.bits("sub", bits, b.count(root))
    exponent = b.bits("ashr", moved, b.count(52))
    m = b.as_double(b.bits("sub", bits, b.bits("shl", exponent, b.count(52))))
    magic = struct.unpack("<q", struct.pack("<d", 1.5 * 2.0**52))[0]
    k = b.op("fsub", b.as_double(b.bits("add", exponent, b.count(magic))), b.number(1.5 * 2.0**52))
    k = b.choose(tiny, b.op("fsub", k, b.number(54.0)), k)
    f = b.op("fsub", m, b.number(1.0))
    s = b.op("fdiv", f, b.op("fadd", b.number(2.0), f))
    z = b.op("fmul", s, s)
    R = b.op("fmul", z, b.polynomial(z, reversed(_LOG)))
    half = b.op("fmul", b.number(0.5), b.op("fmul", f, f))
    inner = b.fma(k, b.number(_LN2_LOW), b.op("fmul", s, b.op("fadd", half, R)))
    found = b.op("fsub", b.op("fmul", k, b.number(_LN2_HIGH)), b.op("fsub", b.op("fsub", half, inner), f))
    found = b.choose(b.test("oeq", "%a", b.number(math.inf)), b.number(math.inf), found)
    found = b.choose(b.test("oeq", "%a", b.number(0.0)), b.number(-math.inf), found)
    return b.choose(b.test("oge", "%a", b.number(0.0)), found, b.number(math.nan))


def _power(b: _Body) -> str:
    found = b.call("exp", b.op("fmul", "%b", b.call("log", "%a")))
    found = b.choose(b.test("oeq", "%b", b.number(0.0)), b.number(1.0), found)
    return b.choose(b.test("oeq", "%a", b.number(1.0)), b.number(1.0), found)


def _tanh(b: _Body) -> str:
    x = b.call("llvm.fabs", "%a")
    e = b.call("exp", b.op("fmul", x, b.number(2.0)))
    far = b.op("fsub", b.number(1.0), b.op("fdiv", b.number(2.0), b.op("fadd", e, b.number(1.0))))
    z = b.op("fmul", x, x)
    above = b.op("fmul", x, b.polynomial(z, (1.0, 990.0, 135135.0, 4729725.0, 34459425.0)))
    near = b.op("fdiv", above, b.polynomial(z, (45.0, 13860.0, 945945.0, 16216200.0, 34459425.0)))
    found = b.choose(b.test("olt", x, b.number(0.5)), near, far)
    return b.call("llvm.copysign", found, "%a")


class _Maths:
    """The functions by name."""

    fused = True

    def __init__(self) -> None:
        self._known = {
            "exp": (_exp, ()),
            "log": (_log, ()),
            "power": (_power, ("exp", "log")),
            "tanh": (_tanh, ("exp",)),
        }

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._known)

    def closure(self, needs: Iterable[str], lanes: int) -> set[tuple[str, int]]:
        """What `needs` ("exp/8") call, themselves included."""
        found = set()
        for item in needs:
            name, _, width = item.partition("/")
            found |= {(name, int(width))} | {(other, int(width)) for other in self._known[name][1]}
        return found

    def text(self, name: str, lanes: int) -> str:
        """The definition for one width."""
        body = _Body(lanes)
        result = self._known[name][0](body)
        given = f"{body.double} %a" + (f", {body.double} %b" if name == "power" else "")
        head = f"define internal {body.double} @{name}_{lanes}({given}) {CLOSED} {{"
        return "\n".join([head, *body.lines, f"  ret {body.double} {result}", "}"])


MATHS: Final = _Maths()
