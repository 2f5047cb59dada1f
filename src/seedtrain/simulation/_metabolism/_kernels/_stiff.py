"""The text of a stiff Rosenbrock method of order 4(3), L-stable, with the exact Jacobian and dense output.

Coefficients: RODAS of Hairer & Wanner 1996, Solving Ordinary Differential Equations II, IV.7. It carries forward
sensitivities as further states under the same error control: their block of the Jacobian is that of the state, and
what couples them to the state is a directional derivative inside the region. The field is continuous across regions,
so that sensitivities need no jumps there.
"""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._metabolism._kernels._equations import (
    bounds,
    indent,
    parameter,
    passive_rates,
    rates,
    region,
    slopes,
)
from seedtrain.simulation._metabolism._kernels._search import OPTIONS, fill
from seedtrain.simulation._metabolism._kernels._structure import (
    LEFT_BOX,
    MISSING,
    NEEDS_REGION,
    NOT_FINITE,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    Structure,
)

NODES: Final = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
DRIFTS: Final = (0.25, -0.1043, 0.1035, -0.03620000000000023, 0.0, 0.0)
STAGES: Final = (
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (1.544, 0.0, 0.0, 0.0, 0.0),
    (0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0),
)
CARRY: Final = (
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (-5.6688, 0.0, 0.0, 0.0, 0.0),
    (-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0),
    (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
)
INNER: Final = (
    (10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662),
    (-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872),
)

# Written out, as constants among the arguments would make numba compile the field for each of them.
_VECTOR, _TABLE, _CUBE, _PLACES = "float64[::1]", "float64[:,::1]", "float64[:,:,::1]", "int64[::1]"
_ARGUMENTS: Final = ("float64", _VECTOR, _VECTOR, _TABLE, _CUBE, _TABLE, _PLACES, _TABLE, _TABLE, _VECTOR, "int64")
_MORE: Final = ("boolean", "int64", "boolean", "boolean", _PLACES, _TABLE, _TABLE, _VECTOR, _VECTOR)
_SIGNATURE: Final = f"int64({', '.join((*_ARGUMENTS, *_MORE))})"

_FIELD: Final = '''

NODES = np.array(${NODES_VALUES})
DRIFTS = np.array(${DRIFTS_VALUES})
STAGES = np.array(${STAGES_VALUES})
CARRY = np.array(${CARRY_VALUES})
INNER = np.array(${INNER_VALUES})


@${SIGNED}
def field(
    t, y, P, cut, maps, halves, starts, box, feeding, begun, segment, refuse, r, fixed, full, wanted, J, G, f, theta
):
    """The rate `f` of the state in `y` and of its sensitivities; with `full`, J and G as well. A region, or a code.

    `r`: the region found last; with `fixed` it is taken as it is.
    """
    certified = cut.shape[1]
    n = y.shape[0] // (1 + wanted.shape[0])
${READ}
${LOAD}
${BOUNDS}
    if not fixed:
${REGION}
${RATES}
${STORE}
    for j in range(n - ${ACTIVE}):
${PASSIVE}
    if full or wanted.shape[0] > 0:
${SLOPES}
        for w in range(wanted.shape[0]):
            at = n * (w + 1)
            for i in range(n):
                value = G[wanted[w], i]
                for j in range(n):
                    value += J[i, j] * y[at + j]
                f[at + i] = value
    return r


@compiled
def factorise(M, pivots):
    """LU with partial pivoting, in place; false for a singular matrix."""
    n = M.shape[0]
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(M[i, k]) > abs(M[p, k]):
                p = i
        pivots[k] = p
        if not abs(M[p, k]) > 0.0:
            return False
        for j in range(n):
            held = M[k, j]
            M[k, j] = M[p, j]
            M[p, j] = held
        for i in range(k + 1, n):
            M[i, k] /= M[k, k]
            for j in range(k + 1, n):
                M[i, j] -= M[i, k] * M[k, j]
    return True


@compiled
def substitute(M, pivots, x, at):
    """Solve for the entries of `x` from `at` on, in place."""
    n = M.shape[0]
    for k in range(n):
        # LU rows were swapped whole, so all swaps come first.
        held = x[at + k]
        x[at + k] = x[at + pivots[k]]
        x[at + pivots[k]] = held
    for i in range(n):
        for j in range(i):
            x[at + i] -= M[i, j] * x[at + j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[at + i] -= M[i, j] * x[at + j]
        x[at + i] /= M[i, i]


@compiled
def error_norm(error, z, new, P, wanted, n, rtol, atol):
    """The largest of the root mean squares of the scaled error: of the state, and of each sensitivity.

    A sensitivity counts times its parameter, so that it is as exact as the state that it belongs to.
    """
    largest = 0.0
    for w in range(wanted.shape[0] + 1):
        total, factor = 0.0, 1.0
        if w > 0:
            factor = max(abs(P[wanted[w - 1]]), 1e-12)
        for i in range(n):
            reach = max(abs(new[i]), factor * max(abs(z[w * n + i]), abs(new[w * n + i])))
            if w == 0:
                reach = max(abs(z[i]), abs(new[i]))
            total += (error[w * n + i] * factor / (atol + rtol * reach)) ** 2
        if not total <= largest:  # keeps not-a-number
            largest = total
    return math.sqrt(largest / n)
'''

_STIFF: Final = '''

@compiled
def stiff(
    P, cut, maps, halves, starts, box, feeding, begun, edges, refuse, options, wanted, z, clock, count, times, states,
    theta,
):
    """Integrate from where `clock` and `count` are to the last edge; `z` keeps the last good state.

    `z` holds the state and, after it, its sensitivities by each parameter in `wanted`. `options` is (rtol, atol, most
    steps).
    """
    rtol, atol, most = options[0], options[1], options[2]
    width = z.shape[0]
    n = width // (1 + wanted.shape[0])
    J, M, G, pivots = np.zeros((n, n)), np.zeros((n, n)), np.zeros((P.shape[0], n)), np.zeros(n, dtype=np.int64)
    f, new, trial, moved, drift = (
        np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width)
    )
    K, dense = np.zeros((6, width)), np.zeros((2, width))
    t, h, row, r, segment = clock[0], clock[1], count[3], count[4], count[5]
    status = -1
    while status < 0 and segment < edges.shape[0] - 1:
        end = edges[segment + 1]
        varies = False
        for feed in range(begun.shape[0]):
            varies = varies or feeding[segment, feed] != 0.0
        fresh, again = True, False
        while t < end:
            if count[0] + count[1] >= most:
                status = ${TOO_MANY}
                break
            if fresh:
                found = field(
                    t, z, P, cut, maps, halves, starts, box, feeding, begun, segment, refuse, r, False, True, wanted,
                    J, G, f, theta,
                )
                if found < 0:
                    status = ${NEEDS} if found == ${MISSING} else ${LEFT}
                    break
                r = found
                count[2] += 1
                if varies:
                    delta = 1e-7 * max(abs(h), 1e-3)
                    field(
                        t + delta, z, P, cut, maps, halves, starts, box, feeding, begun, segment, refuse, r, True,
                        False, wanted, M, G, moved, theta,
                    )
                    for i in range(width):
                        drift[i] = (moved[i] - f[i]) / delta
                else:
                    for i in range(width):
                        drift[i] = 0.0
                fresh = False
                if h <= 0.0:  # a first step that changes the state by about a hundredth of itself
                    reach, speed = 0.0, 0.0
                    for i in range(n):
                        reach += (z[i] / (atol + rtol * abs(z[i]))) ** 2
                        speed += (f[i] / (atol + rtol * abs(z[i]))) ** 2
                    h = min(max(0.01 * math.sqrt(reach / speed) if speed > 0.0 else end - t, 1e-7), 0.1 * (end - t))
            wish = h
            last = t + h * 1.000001 >= end
            if last:
                h = end - t
            if h <= 1e-14 * max(abs(t), 1e-3):
                h, status = wish, ${TOO_SMALL}
                break
            for i in range(n):
                for j in range(n):
                    M[i, j] = -J[i, j]
                M[i, i] += 4.0 / h
            if not factorise(M, pivots):
                h, status = wish, ${NO_NUMBER}
                break
            found = r
            for s in range(6):
                if s > 0:
                    for i in range(width):
                        total = 0.0
                        for j in range(s):
                            total += STAGES[s, j] * K[j, i]
                        new[i] = z[i] + total
                    found = field(
                        t + NODES[s] * h, new, P, cut, maps, halves, starts, box, feeding, begun, segment, refuse,
                        found, False, False, wanted, J, G, K[s], theta,
                    )
                    if found < 0:
                        break
                for i in range(width):
                    total = K[s, i] if s > 0 else f[i]
                    for j in range(s):
                        total += CARRY[s, j] / h * K[j, i]
                    K[s, i] = total + h * DRIFTS[s] * drift[i]
                substitute(M, pivots, K[s], 0)
                if width > n:
                    reach = 0.0
                    for i in range(n):
                        reach = max(reach, abs(K[s, i]) / (abs(z[i]) + 1e3 * atol))
                    nudge = 1e-7 / reach if reach > 0.0 else 0.0
                    if nudge > 0.0:  # how the sensitivities' rates follow the state, inside the region
                        for i in range(width):
                            trial[i] = z[i] + (nudge * K[s, i] if i < n else 0.0)
                        field(
                            t, trial, P, cut, maps, halves, starts, box, feeding, begun, segment, refuse, r, True,
                            False, wanted, J, G, moved, theta,
                        )
                    for at in range(n, width, n):
                        if nudge > 0.0:
                            for i in range(n):
                                K[s, at + i] += (moved[at + i] - f[at + i]) / nudge
                        substitute(M, pivots, K[s], at)
            if found < 0:
                h, status = wish, ${NEEDS} if found == ${MISSING} else ${LEFT}
                break
            for i in range(width):
                new[i] += K[5, i]
            count[2] += 5
            e = error_norm(K[5], z, new, P, wanted, n, rtol, atol)
            if not e <= 1.0:
                count[1] += 1
                again = True
                if width > n:
                    fresh = True  # the stages overwrote J
                if e < math.inf:
                    h /= min(5.0, math.sqrt(math.sqrt(e)) / 0.9)
                elif h < 1e-9:  # a rate that is no number for so short a step is none at all
                    status = ${NO_NUMBER}
                    break
                else:
                    h *= 0.1
                continue
            if row < times.shape[0] and times[row] <= (t + h) * (1.0 + 1e-14):
                for i in range(width):
                    for k in range(2):
                        total = 0.0
                        for s in range(5):
                            total += INNER[k, s] * K[s, i]
                        dense[k, i] = total
                while row < times.shape[0] and times[row] <= (t + h) * (1.0 + 1e-14):
                    a = min(max((times[row] - t) / h, 0.0), 1.0)
                    b = 1.0 - a
                    for i in range(width):
                        states[row, i] = b * z[i] + a * (new[i] + b * (dense[0, i] + a * dense[1, i]))
                    row += 1
            t = end if last else t + h
            for i in range(width):
                z[i] = new[i]
            r = found
            count[0] += 1
            h /= max(1.0 if again else 1.0 / 6.0, min(5.0, math.sqrt(math.sqrt(e)) / 0.9))
            if last:
                h = max(h, wish)  # the end of a segment says nothing about the step
            fresh, again = True, False
        if status < 0:
            segment += 1
    clock[0], clock[1] = t, h
    count[3], count[4], count[5] = row, r, segment
    return max(status, 0)
'''


def stiff_text(structure: Structure) -> str:
    """The text of `field`, `stiff` and what they need, for a structure."""
    n, p = range(structure.active), len(structure.bounds)
    y, k = [f"y{i}" for i in n], [f"k{i}" for i in n]
    leave = [*(f"theta[{i}] = t{i}" for i in range(p)), "return r"]
    words = {
        "SIGNED": f'njit("{_SIGNATURE}", {OPTIONS})',
        "NODES_VALUES": repr(NODES),
        "DRIFTS_VALUES": repr(DRIFTS),
        "STAGES_VALUES": repr(STAGES),
        "CARRY_VALUES": repr(CARRY),
        "INNER_VALUES": repr(INNER),
        "READ": indent([f"{parameter(place)} = P[{place}]" for place in range(structure.initial_place)], 1),
        "LOAD": indent([f"y{i} = y[{i}]" for i in n], 1),
        "BOUNDS": indent(bounds(structure, y), 1),
        "REGION": indent(region(structure, leave), 2),
        "RATES": indent(rates(structure, y, k, "t"), 1),
        "STORE": indent([f"f[{i}] = k{i}" for i in n], 1),
        "SLOPES": indent(slopes(structure, y, k), 2),
        "PASSIVE": indent(passive_rates(structure, "y0", y[-1], f"y[{len(y)} + j]", f"f[{len(y)} + j]"), 2),
        "ACTIVE": str(structure.active),
    }
    tail = {
        "TOO_MANY": str(TOO_MANY_STEPS),
        "TOO_SMALL": str(STEP_TOO_SMALL),
        "NO_NUMBER": str(NOT_FINITE),
        "NEEDS": str(NEEDS_REGION),
        "LEFT": str(LEFT_BOX),
        "MISSING": str(MISSING),
    }
    return fill(_FIELD, words) + fill(_STIFF, tail)
