"""One kernel from a system: programs, a method's step and the drive, laid out, lowered and built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from seedtrain.simulation._engine import _drive as drive
from seedtrain.simulation._engine._factor import factor_text, plan, solve_lines
from seedtrain.simulation._engine._layout import WHOLES, Layout
from seedtrain.simulation._engine._lower import Unit
from seedtrain.simulation._engine._machine import build, host
from seedtrain.simulation._engine._model import Model
from seedtrain.simulation._engine._programs import LANES, SCALAR, Access, Programs
from seedtrain.simulation._engine._stiff import stiff_dense, stiff_step
from seedtrain.simulation._engine._system import System
from seedtrain.simulation._engine._tableaus import RODAS5P
from seedtrain.simulation._engine._variant import Variant


@dataclass(frozen=True)
class Facts:
    """What a caller must know of a kernel: numbers of `work` and `whole` that it needs, and its lanes."""

    lanes: int
    work: int
    whole: int


def make_kernel(system: System, variant: Variant) -> tuple[bytes, dict[str, Any]]:
    """The object file of a kernel and its `Facts`."""
    text, facts = kernel_text(system, variant)
    return build(text), asdict(facts)


def kernel_text(system: System, variant: Variant) -> tuple[str, Facts]:
    """The intermediate representation of a kernel."""
    known = host()
    model = Model(system)
    programs = Programs(model)
    lanes = variant.lanes
    unit = Unit(lanes, fused=known["fused"], spread=lanes > 1)
    access = LANES if unit.spread else SCALAR
    single = Access("D", SCALAR.read, SCALAR.write, "_one", lanes)
    texts = [programs.rates(access), programs.linearise(access), programs.gauges(access)]
    scalar = [programs.observe(single)]
    if unit.spread:
        scalar += [programs.rates(single), programs.gauges(single)]
    else:
        unit.aliases = {"rates_one": "rates", "gauges_one": "gauges"}
    layout = _layout(programs, lanes)
    n = len(system.states)
    places, _, _ = programs.jacobian
    factors = plan(n, places)
    layout.room("FACTORS", factors.size)
    kind = access.kind
    texts.append(factor_text(factors, access.read, access.write, kind))
    solve = solve_lines(factors, access.read, access.read.format(array="b", index="{index}"), "")[:-n]
    solve += [access.write.format(array="b", index=i, value=f"x{i}") for i in range(n)]
    texts.append("\n    ".join(["def solve(M: P, b: P):", *solve]) + "\n")
    texts += scalar
    texts.append(programs.start(lanes))
    texts.append(stiff_step(RODAS5P, n, programs.timed))
    texts.append(stiff_dense(RODAS5P, n))
    texts.append(drive.WATCH)
    texts += [
        drive.ENTER,
        "def begin_method(w: P, l: I, f: P):\n    pass\n",
        "def accept_method(w: P, l: I):\n    pass\n",
    ]
    texts += [drive.EVENTS, drive.SETTLE]
    layout.words |= {"RATES_PER_STEP": RODAS5P.stages, "ORDER": RODAS5P.order}
    unit.add(layout.fill("\n".join(texts)))
    unit.add(layout.fill(drive.MAIN), public=True)
    whole = len(WHOLES) * lanes + 1
    return unit.module(), Facts(lanes, layout.size * lanes, whole)


def _layout(programs: Programs, lanes: int) -> Layout:
    system = programs.model.system
    n, gauges = len(system.states), len(system.gauges)
    layout = Layout()
    for name in ("TIME", "STEP", "LENGTH", "BEGAN", "ERROR", "FACTOR", "STOP"):
        layout.room(name, 1)
    for name in ("STATE", "NEW", "POINT", "RATE", "SLOPE", "BY_TIME"):
        layout.room(name, n)
    layout.room("STAGE", RODAS5P.stages * n)
    layout.room("DENSE", len(RODAS5P.dense) * n)
    layout.room("JACOBIAN", len(programs.jacobian[0]))
    layout.room("CONSTANT", programs.constants)
    for name in ("GAUGE", "GAUGE_MIDDLE", "GAUGE_NEW", "SCRATCH_GAUGE"):
        layout.room(name, gauges)
    layout.room("CROSSED_AT", 2 * gauges)
    for name in ("SCRATCH", "SCRATCH_RATE", "SCRATCH_MORE"):
        layout.room(name, n)
    layout.words |= {
        "WIDTH": lanes,
        "COUNT": n,
        "NUMBERS": len(system.numbers),
        "HELD": len(system.held),
        "GAUGES": gauges,
        "OBSERVED": len(system.observed),
        "NEXT": len(WHOLES) * lanes,
        "NUMBER_OF_WHOLES": len(WHOLES),
    }
    return layout
