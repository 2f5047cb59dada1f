"""The text that finds where gauges cross zero within a step, and writes it down.

A gauge is read at the start, the middle and the end of every accepted step, so that it may cross twice in one. A
crossing lies where the step's interpolant puts it, to 1e-13 h, on the far side.
"""

from __future__ import annotations

from typing import Final

EVENTS: Final = '''
def gauge_inside(w: P, l: I, number: I, part: D) -> D:
    """A gauge at a part of the step."""
    y = shift(w, SCRATCH * WIDTH)
    g = shift(w, SCRATCH_GAUGE * WIDTH)
    inside(part, w, l, y)
    gauges_one(w[TIME * WIDTH + l] + part * w[STEP * WIDTH + l], y, shift(w, CONSTANT * WIDTH + l), g)
    return g[number]


def locate(w: P, l: I, number: I, low: D, high: D, at_low: D, at_high: D) -> D:
    """Where a gauge changes sign between two parts of the step, on the far side; to 1e-13 h, by secants and halves."""
    a = low
    b = high
    ga = at_low
    gb = at_high
    least = 1e-13 / w[STEP * WIDTH + l]
    if least < 4e-16:
        least = 4e-16
    turn = 0
    while b - a > least and turn < 120:
        x = 0.5 * (a + b)
        if turn % 3 != 2 and gb != ga:
            x = a - ga * (b - a) / (gb - ga)
            near = 0.4 * least
            if turn % 3 == 1:  # past the root, so that the other side moves too
                x = select(b - x < x - a, x - near, x + near)
            if not (x > a + near and x < b - near):
                x = select(x > 0.5 * (a + b), b - near, a + near)
        gx = gauge_inside(w, l, number, x)
        if (gx >= 0.0) == (at_low >= 0.0):
            a = x
            ga = gx
        else:
            b = x
            gb = gx
        turn += 1
    return b


def cross(a: PI, w: P, k: PI, l: I) -> I:
    """Find the crossings of the lane's step into CROSSED_AT; the gauge that ends the stretch first, or -1."""
    item = k[LANE_TRAJECTORY * WIDTH + l]
    s = k[LANE_STRETCH * WIDTH + l]
    at_part = shift(w, CROSSED_AT * WIDTH)
    stop = 2.0
    which = -1
    which_action = 0
    found = 0
    for i in range(GAUGES):
        action = bytes_at(a[ARG_actions])[item * a[ARG_actions_step] + s * GAUGES + i]
        g0 = w[(GAUGE + i) * WIDTH + l]
        g1 = w[(GAUGE_MIDDLE + i) * WIDTH + l]
        g2 = w[(GAUGE_NEW + i) * WIDTH + l]
        at_part[2 * i] = 3.0
        at_part[2 * i + 1] = 3.0
        if action > 0:
            for half in range(2):
                before = g0
                after = g1
                if half == 1:
                    before = g1
                    after = g2
                if (before >= 0.0) != (after >= 0.0):
                    part = locate(w, l, i, 0.5 * half, 0.5 * half + 0.5, before, after)
                    at_part[2 * i + half] = part
                    found += 1
                    if action > 1 and after >= 0.0 and (part < stop or (part == stop and action > which_action)):
                        stop = part
                        which = i
                        which_action = action
    if found > 0:
        note(a, w, k, l, stop)
    w[STOP * WIDTH + l] = stop
    return which


def note(a: PI, w: P, k: PI, l: I, stop: D):
    """Write down the step's crossings up to `stop`, the earliest first."""
    item = k[LANE_TRAJECTORY * WIDTH + l]
    at_part = shift(w, CROSSED_AT * WIDTH)
    more = True
    while more:
        best = 2.5
        which = -1
        for i in range(2 * GAUGES):
            if at_part[i] < best and at_part[i] <= stop:
                best = at_part[i]
                which = i
        more = which >= 0
        if more:
            at_part[which] = 3.0
            count = k[LANE_CROSSED * WIDTH + l]
            k[LANE_CROSSED * WIDTH + l] = count + 1
            if count < a[ARG_kept]:
                row = (item * a[ARG_kept] + count) * 4
                rising = 0.0
                if which % 2 == 0:
                    rising = w[(GAUGE_MIDDLE + which // 2) * WIDTH + l]
                else:
                    rising = w[(GAUGE_NEW + which // 2) * WIDTH + l]
                when = w[BEGAN * WIDTH + l] + w[TIME * WIDTH + l] + best * w[STEP * WIDTH + l]
                numbers_at(a[ARG_crossings])[row] = when
                rows = wholes_at(a[ARG_crossings])
                rows[row + 1] = k[LANE_STRETCH * WIDTH + l]
                rows[row + 2] = which // 2
                rows[row + 3] = -1
                if rising >= 0.0:
                    rows[row + 3] = 1
'''

WATCH: Final = """
def watch(w: P):
    t = at(w, TIME)
    h = at(w, STEP)
    middle(w)
    c = shift(w, CONSTANT * WIDTH)
    gauges(fma(0.5, h, t), shift(w, POINT * WIDTH), c, shift(w, GAUGE_MIDDLE * WIDTH))
    gauges(t + h, shift(w, NEW * WIDTH), c, shift(w, GAUGE_NEW * WIDTH))
"""
