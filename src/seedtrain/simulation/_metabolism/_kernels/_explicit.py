"""The text of an explicit Runge-Kutta pair of order 5(4), with dense output and detection of stiffness.

Coefficients: Dormand & Prince 1980, doi:10.1016/0771-050X(80)90013-3; dense output, step control and stiffness test:
Hairer, Norsett & Wanner 1993, Solving Ordinary Differential Equations I, II.5, II.6 and IV.2 (DOPRI5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seedtrain.simulation._metabolism._kernels._equations import (
    bounds,
    indent,
    parameter,
    passive_rates,
    point,
    rates,
    region,
)
from seedtrain.simulation._metabolism._kernels._search import OPTIONS, fill
from seedtrain.simulation._metabolism._kernels._structure import (
    LEFT_BOX,
    MISSING,
    NEEDS_REGION,
    NOT_FINITE,
    STEP_TOO_SMALL,
    STIFF,
    TOO_MANY_STEPS,
    TRANSFER,
    Structure,
)

NODES: Final = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES: Final[tuple[tuple[float, ...], ...]] = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
ERROR: Final = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
INNER: Final = (
    -12715105075 / 11282082432,
    0.0,
    87487479700 / 32700410799,
    -10690763975 / 1880347072,
    701980252875 / 199316789632,
    -1453857185 / 822651844,
    69997945 / 29380423,
)

_TEXT: Final = '''

STAGES = np.array(${STAGE_VALUES})


@${FOLLOW_SIGNED}
def follow(K, s, Y, h, P, maps, r, ${POINT}, x, volume${FLOWS}):
    """The rates of passive states at stage `s`, in its row of K."""
    for j in range(Y.shape[0]):
${VALUE_LINES}
${RATE_LINES}


@compiled
def explicit(
    P, cut, maps, halves, starts, box, feeding, begun, edges, refuse, options, switch, z, clock, count, times, states,
    theta,
):
    """Integrate from where `clock` and `count` are to the last edge; `z` keeps the last good state.

    Active states are scalars y0, y1 ...; passive ones, from z[${ACTIVE}] on, arrays. `options` is (rtol, atol, most
    steps). With `switch` it hands over with the status STIFF where that pays.
    """
    rtol, atol, most = options[0], options[1], options[2]
    certified = cut.shape[1]
    passive = z.shape[0] - ${ACTIVE}
    Y, W, K = np.zeros(passive), np.zeros(passive), np.zeros((7, passive))
    for j in range(passive):
        Y[j] = z[${ACTIVE} + j]
    t, h, before = clock[0], clock[1], clock[2]
    steps, rejected, evaluations, row, r, segment, stiff, calm = (
        count[0], count[1], count[2], count[3], count[4], count[5], count[6], count[7]
    )
    previous = r
${READ}
${LOAD}
    status = -1
    while status < 0 and segment < edges.shape[0] - 1:
        end = edges[segment + 1]
        fresh, again, landed, kept = True, False, False, 0.0
        while t < end:
            if fresh:
${FIRST}
                fresh = False
                evaluations += 1
                if h <= 0.0:  # a first step that changes the state by about a hundredth of itself
                    reach, speed = 0.0, 0.0
${GUESS}
                    h = min(max(0.01 * math.sqrt(reach / speed) if speed > 0.0 else end - t, 1e-7), 0.1 * (end - t))
            if steps + rejected >= most:
                status = ${TOO_MANY}
                break
            wish = h
            last = t + h * 1.000001 >= end
            if last:
                h = end - t
            if h <= 1e-14 * max(abs(t), 1e-3):
                h, status = wish, ${TOO_SMALL}
                break
            previous = r
${STAGE_LINES}
            evaluations += 6
            e = 0.0
${NORM}
            for j in range(passive):
                W[j] = Y[j] + h * (${WHOLE_STEP})
                e += (h * (${WHOLE_ERROR}) / (atol + rtol * max(abs(Y[j]), abs(W[j])))) ** 2
            e = math.sqrt(e / z.shape[0])
            if (${CHANGED}) and not landed and e < 1e6:
                # The step crosses into another region, where the field has a kink: land there, just behind it.
                after, low, high = r, 0.0, 1.0
${DENSE_EARLY}
                for _ in range(10):
                    a = 0.5 * (low + high)
                    b = 1.0 - a
${TRIAL}
                    r = previous
${LOCATE}
                    if ${SAME}:
                        low = a
                    else:
                        high = a
                r = after
                if high < 0.997:
                    kept = h if e <= 1.0 else 0.5 * h
                    h *= high
                    landed = True
                    r = previous
                    continue
            if not e <= 1.0:
                landed = False
                r = previous
                rejected += 1
                again = True
                if e < math.inf:
                    h /= min(5.0, e ** 0.17 / 0.9)
                elif h < 1e-9:  # a rate that is no number for so short a step is none at all
                    status = ${NO_NUMBER}
                    break
                else:
                    h *= 0.1
                continue
            if switch:
                rise, run = 0.0, 0.0
${STRETCH}
                if run > 0.0 and h * math.sqrt(rise / run) > 3.25:  # beyond what the pair is stable for
                    stiff, calm = stiff + 1, 0
                else:
                    calm += 1
                    if calm >= 6:
                        stiff = 0
            if row < times.shape[0] and times[row] <= (t + h) * (1.0 + 1e-14):
${DENSE}
                first = row
                while row < times.shape[0] and times[row] <= (t + h) * (1.0 + 1e-14):
                    a = min(max((times[row] - t) / h, 0.0), 1.0)
                    b = 1.0 - a
${WRITE}
                    row += 1
                for j in range(passive):
                    step = W[j] - Y[j]
                    ease = h * K[0, j] - step
                    bend = step - h * K[6, j] - ease
                    inner = h * (${WHOLE_INNER})
                    for i in range(first, row):
                        a = min(max((times[i] - t) / h, 0.0), 1.0)
                        b = 1.0 - a
                        states[i, ${ACTIVE} + j] = Y[j] + a * (step + b * (ease + a * (bend + b * inner)))
            t = end if last else t + h
            steps += 1
${ADVANCE}
            for j in range(passive):
                Y[j] = W[j]
                K[0, j] = K[6, j]
            h /= max(1.0 if again else 0.1, min(5.0, e ** 0.17 / before ** 0.04 / 0.9))
            if last:
                h = max(h, wish)  # the end of a segment says nothing about the step, nor does a kink
            if landed:
                h = max(h, kept)
            before = max(e, 1e-4)
            again, landed = False, False
            if stiff >= 15 and end - t > 60.0 * h:
                status = ${HAND_OVER}
                break
        if status < 0:
            segment += 1
    clock[0], clock[1], clock[2] = t, h, before
    count[0], count[1], count[2], count[3], count[4], count[5], count[6], count[7] = (
        steps, rejected, evaluations, row, r, segment, stiff, calm
    )
${STORE}
    for j in range(passive):
        z[${ACTIVE} + j] = Y[j]
    return max(status, 0)
'''


def explicit_text(structure: Structure) -> str:
    """The text of `explicit` for a structure."""
    n = range(structure.active)
    y, w, v = [f"y{i}" for i in n], [f"w{i}" for i in n], [f"v{i}" for i in n]
    k = [[f"k{s}_{i}" for i in n] for s in range(7)]
    stages = []
    for s in range(1, 7):
        trial = v if s == 5 else w
        stages += [f"{trial[i]} = {y[i]} + h * ({_sum(STAGES[s], k, i)})" for i in n]
        stages += _field(structure, trial, k[s], s, f"t + {NODES[s]!r} * h", ["h = wish"])
    inside = [f"w{i} = y{i} + a * (a{i} + b * (b{i} + a * (c{i} + b * d{i})))" for i in n]
    scale = "(atol + rtol * max(abs({0}), abs({1})))"
    norm = [f"e += (h * ({_sum(ERROR, k, i)}) / {scale.format(y[i], w[i])}) ** 2" for i in n]
    dense = []
    for i in n:
        dense += [f"a{i} = {w[i]} - {y[i]}", f"b{i} = h * {k[0][i]} - a{i}", f"c{i} = a{i} - h * {k[6][i]} - b{i}"]
        dense.append(f"d{i} = h * ({_sum(INNER, k, i)})")
    # Only a feed makes a passive state's rate depend on the state itself.
    value = ["value = 0.0", "for i in range(s):", "    value += STAGES[s, i] * K[i, j]", "value = Y[j] + h * value"]
    p, feeds = len(structure.bounds), structure.feeds
    arguments = "float64[:,::1], int64, float64[::1], float64, float64[::1], float64[:,:,::1], int64"
    words = {
        "STAGE_VALUES": repr(tuple((*row, *(0.0,) * (6 - len(row))) for row in STAGES)),
        # Written out, as numba would compile it for each stage.
        "FOLLOW_SIGNED": f'njit("void({arguments}{", float64" * (p + 2 + feeds)})", {OPTIONS})',
        "POINT": point(p),
        "FLOWS": "".join(f", u{i}" for i in range(feeds)),
        "VALUE_LINES": indent(value if feeds else ["value = Y[j]"], 2),
        "RATE_LINES": indent(passive_rates(structure, "x", "volume", "value", "K[s, j]"), 2),
        "READ": indent([f"{parameter(place)} = P[{place}]" for place in range(structure.initial_place)], 1),
        "LOAD": indent([f"{y[i]} = z[{i}]" for i in n], 1),
        "FIRST": indent(_field(structure, y, k[0], 0, "t", []), 4),
        "GUESS": indent([line for i in n for line in _guess(y[i], k[0][i])], 5),
        "STAGE_LINES": indent(stages, 3),
        "NORM": indent(norm, 3),
        "WHOLE_STEP": _sum(STAGES[6], k, -1),
        "WHOLE_ERROR": _sum(ERROR, k, -1),
        "WHOLE_INNER": _sum(INNER, k, -1),
        "ACTIVE": str(structure.active),
        "STRETCH": indent(
            [f"rise += ({k[6][i]} - {k[5][i]}) ** 2" for i in n] + [f"run += ({w[i]} - {v[i]}) ** 2" for i in n], 4
        ),
        "DENSE_EARLY": indent(dense, 4),
        "DENSE": indent(dense, 4),
        "CHANGED": " or ".join(["r != previous", *_switches(structure, y, w)]),
        "TRIAL": indent([line.replace("w", "q", 1) for line in inside], 5),
        "LOCATE": indent([*bounds(structure, [f"q{i}" for i in n]), *region(structure, ["pass"])], 5),
        "SAME": " and ".join(["r == previous", *(f"not ({x})" for x in _switches(structure, y, [f"q{i}" for i in n]))]),
        "WRITE": indent([line.replace(f"w{i}", f"states[row, {i}]", 1) for i, line in enumerate(inside)], 5),
        "ADVANCE": indent([f"{y[i]}, {k[0][i]} = {w[i]}, {k[6][i]}" for i in n], 3),
        "STORE": indent([f"z[{i}] = {y[i]}" for i in n], 1),
        "TOO_MANY": str(TOO_MANY_STEPS),
        "TOO_SMALL": str(STEP_TOO_SMALL),
        "NO_NUMBER": str(NOT_FINITE),
        "HAND_OVER": str(STIFF),
    }
    return fill(_TEXT, words)


def _field(
    structure: Structure, y: Sequence[str], f: Sequence[str], stage: int, time: str, failed: Sequence[str]
) -> list[str]:
    """Set `f`, and the stage's row of K for passive states, to the rate at `y`."""
    here = [f"theta[{k}] = t{k}" for k in range(len(structure.bounds))]
    leave = [*here, f"status = {NEEDS_REGION} if r == {MISSING} else {LEFT_BOX}", *failed, "r = previous", "break"]
    flows = "".join(f", u{i}" for i in range(structure.feeds))
    call = f"follow(K, {stage}, Y, h, P, maps, r, {point(len(structure.bounds))}, {y[0]}, {y[-1]}{flows})"
    follow = ["if passive > 0:", f"    {call}"]
    return [*bounds(structure, y), *region(structure, leave), *rates(structure, y, f, time), *follow]


def k_names() -> list[list[str]]:
    """Names of the stages of a passive state."""
    return [[f"K[{s}, j]"] for s in range(7)]


def _switches(structure: Structure, y: Sequence[str], w: Sequence[str]) -> list[str]:
    """Whether a supply that gas limits begins or ceases to do so between two states."""
    found = []
    for k, bound in enumerate(structure.bounds):
        if bound.kind == TRANSFER:
            o = structure.bound_place(k)
            limits = [f"({parameter(o + 1)} * {parameter(o + 2)} < {parameter(o)} * {x[0]})" for x in (y, w)]
            found.append(f"{limits[0]} != {limits[1]}")
    return found


def _sum(weights: Sequence[float], k: Sequence[Sequence[str]], i: int) -> str:
    """A weighted sum of the stages of active state `i`, or of the passive state j where `i` is -1."""
    if i < 0:
        k, i = k_names(), 0
    return " + ".join(f"{weight!r} * {k[s][i]}" for s, weight in enumerate(weights) if weight)


def _guess(y: str, f: str) -> list[str]:
    return [f"reach += ({y} / (atol + rtol * abs({y}))) ** 2", f"speed += ({f} / (atol + rtol * abs({y}))) ** 2"]
