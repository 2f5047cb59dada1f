"""One kernel from a system: programs, a method's step and the drive, laid out, lowered and built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from seedtrain.simulation._engine import _drive as drive
from seedtrain.simulation._engine._by import CARRY, NOTHING
from seedtrain.simulation._engine._factor import Plan, factor_text, plan, solve_lines
from seedtrain.simulation._engine._layout import WHOLES, Layout
from seedtrain.simulation._engine._lower import Unit
from seedtrain.simulation._engine._machine import build, host
from seedtrain.simulation._engine._model import Model
from seedtrain.simulation._engine._programs import LANES, SCALAR, Access, Programs
from seedtrain.simulation._engine._stiff import stiff_dense, stiff_step
from seedtrain.simulation._engine._system import System
from seedtrain.simulation._engine._tableaus import RODAS5P
from seedtrain.simulation._engine._tangents import gauge_slopes, second, start_by, tangent
from seedtrain.simulation._engine._variant import Variant


@dataclass(frozen=True)
class Facts:
    """What a caller must know of a kernel.

    Its `lanes`, how many numbers of `work` and `whole` it needs, and with sensitivities how many `rows` of directions
    and how many `directions` make a block.
    """

    lanes: int
    work: int
    whole: int
    rows: int
    directions: int


def make_kernel(system: System, variant: Variant) -> tuple[bytes, dict[str, Any]]:
    """The object file of a kernel and its `Facts`."""
    text, facts = kernel_text(system, variant)
    return build(text), asdict(facts)


def kernel_text(system: System, variant: Variant) -> tuple[str, Facts]:
    """The intermediate representation of a kernel."""
    known = host()
    model = Model(system)
    programs = Programs(model)
    lanes, by = variant.lanes, variant.sensitivities
    assert lanes == 1 or not by, "the lanes are trajectories or directions"
    unit = Unit(known["lanes"] if by else lanes, fused=known["fused"], spread=lanes > 1)
    access = LANES if unit.spread else SCALAR
    single = Access("D", SCALAR.read, SCALAR.write, "_one", lanes)
    texts = [programs.rates(access), programs.linearise(access), programs.gauges(access)]
    scalar = [programs.observe(single)]
    if unit.spread:
        scalar += [programs.rates(single), programs.gauges(single)]
    else:
        unit.aliases = {"rates_one": "rates", "gauges_one": "gauges"}
    if by:
        model = programs.model
        texts += [tangent(programs, "rates_by", model.rates, "yc"), tangent(programs, "gauges_by", model.gauges, "yc")]
        texts += [tangent(programs, "observe_by", model.observed, "tyc"), second(programs), gauge_slopes(programs)]
        texts.append(start_by(programs))
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
    if by:
        texts.append(_solve_by(factors))
    texts += scalar
    texts.append(programs.start(lanes))
    texts.append(stiff_step(RODAS5P, n, programs.timed, by))
    texts.append(stiff_dense(RODAS5P, n, by))
    texts.append(drive.WATCH)
    texts += [
        drive.ENTER,
        "def begin_method(w: P, l: I, f: P):\n    pass\n",
        "def accept_method(w: P, l: I):\n    pass\n",
    ]
    texts += [drive.EVENTS, drive.SETTLE, CARRY if by else NOTHING]
    directions = _directions_layout(programs)
    layout.words |= {**directions.words, "DIRECTIONS": unit.lanes}
    layout.words |= {"RATES_PER_STEP": RODAS5P.stages, "ORDER": RODAS5P.order}
    unit.add(layout.fill("\n".join(texts)))
    unit.add(layout.fill(drive.MAIN), public=True)
    whole = len(WHOLES) * lanes + 1
    return unit.module(), Facts(lanes, layout.size * lanes, whole, directions.size if by else 0, unit.lanes)


def _solve_by(factors: Plan) -> str:
    """`solve_by(M, d, blocks)`: solve for every block of directions."""
    n = factors.n
    lines = solve_lines(factors, "k{index}", "get(d, {index} * blocks + b)", "")[:-n]
    lines += [f"put(d, {i} * blocks + b, x{i})" for i in range(n)]
    reads = [f"k{i} = M[{i}]" for i in range(factors.size)]
    body = [*reads, "for b in range(blocks):", *(f"    {line}" for line in lines)]
    return "\n    ".join(["def solve_by(M: P, d: P, blocks: I):", *body]) + "\n"


def _directions_layout(programs: Programs) -> Layout:
    """Rows of directions."""
    n, layout = len(programs.model.system.states), Layout()
    for name in ("STATE", "NEW", "POINT", "SLOPE", "BEND"):
        layout.room(f"D_{name}", n)
    layout.room("D_STAGE", RODAS5P.stages * n)
    layout.room("D_DENSE", len(RODAS5P.dense) * n)
    layout.room("D_CONSTANT", len(programs.model.constants))
    layout.room("D_BEGAN", 1)
    layout.room("D_TIME", 1)
    layout.room("D_OUT", max(len(programs.model.gauges), 1))
    return layout


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
