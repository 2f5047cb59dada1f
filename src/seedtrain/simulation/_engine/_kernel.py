"""One kernel from a system: programs, a method's step and the drive, laid out, lowered and built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from seedtrain.simulation._engine import _drive as drive
from seedtrain.simulation._engine._by import CARRY, NOTHING
from seedtrain.simulation._engine._events import EVENTS, WATCH
from seedtrain.simulation._engine._explicit import explicit_step
from seedtrain.simulation._engine._factor import MOST_WRITTEN, Plan, factor_text, loops_text, plan, solve_lines, tables
from seedtrain.simulation._engine._layout import WHOLES, Layout
from seedtrain.simulation._engine._lower import Unit
from seedtrain.simulation._engine._machine import build, host
from seedtrain.simulation._engine._maths import MATHS
from seedtrain.simulation._engine._model import Model
from seedtrain.simulation._engine._outside_text import LINEAR, RATES
from seedtrain.simulation._engine._programs import LANES, SCALAR, Access, Programs
from seedtrain.simulation._engine._step import dense_text
from seedtrain.simulation._engine._stiff import stiff_step
from seedtrain.simulation._engine._system import System
from seedtrain.simulation._engine._tableaus import DORMAND_PRINCE, RODAS5P, Explicit, Rosenbrock
from seedtrain.simulation._engine._tangents import (
    curvature,
    curved_places,
    gauge_slopes,
    second,
    start_by,
    tangent,
)
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


@dataclass(frozen=True)
class Entries:
    """How many numbers the Jacobian, its factors and its variation along a direction are."""

    jacobian: int = 0
    factors: int = 0
    curvatures: int = 0


def make_kernel(system: System, variant: Variant) -> tuple[bytes, dict[str, Any]]:
    """The object file of a kernel and its `Facts`."""
    text, facts = kernel_text(system, variant)
    return build(text, inlining=60 if variant.sensitivities else 225), asdict(facts)


def kernel_text(system: System, variant: Variant, *, fused: bool | None = None) -> tuple[str, Facts]:
    """The intermediate representation of a kernel; `fused` for another processor than this."""
    lanes, by = variant.lanes, variant.sensitivities
    assert lanes == 1 or not by, "the lanes are trajectories or directions"
    known = host()
    unit = Unit(known["lanes"] if by else lanes, fused=known["fused"] if fused is None else fused, spread=lanes > 1)
    MATHS.fused = unit.fused
    programs = Programs(Model(system))
    access = LANES if unit.spread else SCALAR
    stiff = variant.method == "stiff"
    method: Rosenbrock | Explicit = RODAS5P if stiff else DORMAND_PRINCE
    n = len(system.states)
    if variant.outside:
        texts, entries = _outside(programs, unit, stiff=stiff)
    else:
        texts, entries = _equations(programs, unit, access, by=by), Entries()
        if stiff:
            more, entries = _linear_algebra(programs, unit, access, by=by)
            texts += more
        texts.append(programs.start(lanes))
    timed = variant.outside or programs.timed
    if stiff:
        texts.append(stiff_step(RODAS5P, n, timed=timed, by=by, curved=entries.curvatures > 0))
    else:
        texts.append(explicit_step(DORMAND_PRINCE, n, by=by))
    texts += [dense_text(method, n, by=by), WATCH, drive.ENTER, EVENTS, drive.SETTLE]
    texts.append(CARRY if by else NOTHING)
    layout, directions = _layout(programs, lanes, method, entries), _directions_layout(programs, method, entries)
    layout.words |= {**directions.words, "DIRECTIONS": unit.lanes}
    layout.words |= {"RATES_PER_STEP": method.stages if stiff else method.stages - 1, "ORDER": method.order}
    unit.add(layout.fill("\n".join(texts)))
    unit.add(layout.fill(drive.MAIN), public=True)
    whole = len(WHOLES) * lanes + 1
    return unit.module(), Facts(lanes, layout.size * lanes, whole, directions.size if by else 0, unit.lanes)


def _equations(programs: Programs, unit: Unit, access: Access, *, by: bool) -> list[str]:
    """The texts of what the system says, but for what belongs to the stiff method."""
    model = programs.model
    single = Access("D", SCALAR.read, SCALAR.write, "_one", unit.lanes if unit.spread else 1)
    texts = [programs.rates(access), programs.gauges(access), programs.observe(single)]
    texts.append("def begin_kernel(a: PI):\n    pass\n")
    if unit.spread:
        texts += [programs.rates(single), programs.gauges(single)]
    else:
        unit.aliases = {"rates_one": "rates", "gauges_one": "gauges"}
    if by:
        texts += [tangent(programs, "rates_by", model.rates, "yc"), tangent(programs, "gauges_by", model.gauges, "yc")]
        texts += [tangent(programs, "observe_by", model.observed, "tyc"), gauge_slopes(programs), start_by(programs)]
    return texts


def _outside(programs: Programs, unit: Unit, *, stiff: bool) -> tuple[list[str], Entries]:
    """The texts of a system whose rates are a function elsewhere, and how many entries Jacobian and factors have."""
    n = len(programs.model.rates)
    unit.table("outside", 1)
    unit.aliases = {"rates_one": "rates", "gauges_one": "gauges"}
    single = Access("D", SCALAR.read, SCALAR.write, "_one")
    texts = [RATES, programs.gauges(SCALAR), programs.observe(single), LINEAR if stiff else ""]
    texts.append("def begin_kernel(a: PI):\n    table_outside[0] = a[ARG_outside]\n")
    return texts, Entries(n * n, n * n + n) if stiff else Entries()


def _linear_algebra(programs: Programs, unit: Unit, access: Access, *, by: bool) -> tuple[list[str], Entries]:
    """The texts of the Jacobian, its factors and solving with them, and how many entries both have."""
    n = len(programs.model.rates)
    texts = [programs.linearise(access)]
    factors = plan(n, programs.jacobian[0])
    if factors.work > MOST_WRITTEN:
        for name, values in tables(factors).items():
            unit.constants(name, values)
        texts.append(loops_text(factors, access.kind, by=by))
    else:
        texts.append(factor_text(factors, access.read, access.write, access.kind))
        solve = solve_lines(factors, access.read, access.read.format(array="b", index="{index}"))
        solve += [access.write.format(array="b", index=i, value=f"x{i}") for i in range(n)]
        texts.append("\n    ".join(["def solve(M: P, b: P):", *solve]) + "\n")
        if by:
            texts.append(_solve_by(factors))
    curved = curved_places(programs) if by else None
    if by:
        texts += curvature(programs, curved) if curved else [second(programs)]
    return texts, Entries(len(factors.given), factors.size, len(curved or ()))


def _solve_by(factors: Plan) -> str:
    """`solve_by(M, d, blocks)`: solve for every block of directions."""
    n = factors.n
    lines = solve_lines(factors, "k{index}", "get(d, {index} * blocks + b)")
    lines += [f"put(d, {i} * blocks + b, x{i})" for i in range(n)]
    reads = [f"k{i} = M[{i}]" for i in range(factors.size)]
    body = [*reads, "for b in range(blocks):", *(f"    {line}" for line in lines)]
    return "\n    ".join(["def solve_by(M: P, d: P, blocks: I):", *body]) + "\n"


def _directions_layout(programs: Programs, method: Rosenbrock | Explicit, entries: Entries) -> Layout:
    """Rows of directions."""
    n, layout = len(programs.model.system.states), Layout()
    for name in ("STATE", "NEW", "POINT", "SLOPE", "BEND"):
        layout.room(f"D_{name}", n)
    layout.room("D_STAGE", method.stages * n)
    layout.room("D_DENSE", len(method.dense) * n)
    layout.room("D_CONSTANT", len(programs.model.constants))
    layout.room("D_CURVE", entries.curvatures)
    layout.room("D_BEGAN", 1)
    layout.room("D_TIME", 1)
    layout.room("D_OUT", max(len(programs.model.gauges), 1))
    return layout


def _layout(programs: Programs, lanes: int, method: Rosenbrock | Explicit, entries: Entries) -> Layout:
    """Numbers of each lane, and what else the texts name."""
    system = programs.model.system
    n, gauges = len(system.states), len(system.gauges)
    layout = Layout()
    for name in ("TIME", "STEP", "LENGTH", "BEGAN", "ERROR", "FACTOR", "STOP", "STIFFNESS"):
        layout.room(name, 1)
    for name in ("STATE", "NEW", "POINT", "RATE", "SLOPE", "BY_TIME"):
        layout.room(name, n)
    layout.room("STAGE", method.stages * n)
    layout.room("DENSE", len(method.dense) * n)
    layout.room("JACOBIAN", entries.jacobian)
    layout.room("FACTORS", entries.factors)
    layout.room("CONSTANT", max(programs.constants, len(system.numbers)))
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
