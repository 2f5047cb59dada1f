"""The text that carries sensitivities along the drive: what is done at starts, ends, events and outputs.

Inside a stretch time counts from its start, so that directions meet the equations at a fixed time since the start. An
end that moves by D_TIME moves the state there by rate * D_TIME (implicit function theorem at a gauge: D_TIME = - the
gauge's variation over its slope along the solution), and an output at a fixed absolute time sees its stretch start
D_BEGAN later.
"""

from __future__ import annotations

from typing import Final

NOTHING: Final = """
def by_claim(a: PI, item: I):
    pass


def by_enter(a: PI, w: P, k: PI, y: P):
    pass


def by_leave(a: PI, w: P, k: PI):
    pass


def by_end(a: PI, w: P, k: PI, which: I, part: D):
    pass


def by_row(a: PI, w: P, k: PI, row: I, part: D, t: D, y: P):
    pass


def by_finish(a: PI, w: P, k: PI):
    pass


def by_accept(a: PI):
    pass
"""

CARRY: Final = '''
def by_claim(a: PI, item: I):
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    initial = shift(numbers_at(a[ARG_d_initial]), item * a[ARG_d_initial_step])
    for q in range(COUNT * blocks):
        put(d, D_STATE * blocks + q, get(initial, q))
    for b in range(blocks):
        put(d, D_BEGAN * blocks + b, 0.0)
        put(d, D_TIME * blocks + b, 0.0)


def rows_of(a: PI, base: P, place: I, count: I) -> P:
    """Where the directions of `count` values of a place stand."""
    return shift(base, place * count * a[ARG_blocks] * DIRECTIONS)


def copy_by(a: PI, row: I, count: I, out: P):
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    for q in range(count * blocks):
        put(out, q, get(d, row * blocks + q))


def by_enter(a: PI, w: P, k: PI, y: P):
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    item = k[LANE_TRAJECTORY]
    s = k[LANE_STRETCH]
    place = item * a[ARG_stretches] + s
    jumps = shift(numbers_at(a[ARG_d_jumps]), item * a[ARG_d_jumps_step] + s * COUNT * blocks * DIRECTIONS)
    for q in range(COUNT * blocks):
        put(d, D_STATE * blocks + q, get(d, D_STATE * blocks + q) + get(jumps, q))
    copy_by(a, D_STATE, COUNT, rows_of(a, numbers_at(a[ARG_starts_by]), place, COUNT))
    p = shift(numbers_at(a[ARG_numbers]), item * a[ARG_numbers_step] + s * NUMBERS)
    dp = shift(numbers_at(a[ARG_d_numbers]), item * a[ARG_d_numbers_step] + s * NUMBERS * blocks * DIRECTIONS)
    held = rows_of(a, numbers_at(a[ARG_held_by]), place, HELD)
    unit = blocks * DIRECTIONS
    start_by(p, y, blocks, dp, shift(d, D_STATE * unit), held, shift(d, D_CONSTANT * unit))


def by_leave(a: PI, w: P, k: PI):
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    place = k[LANE_TRAJECTORY] * a[ARG_stretches] + k[LANE_STRETCH]
    for b in range(blocks):
        put(d, D_BEGAN * blocks + b, get(d, D_BEGAN * blocks + b) + get(d, D_TIME * blocks + b))
        put(d, D_TIME * blocks + b, 0.0)
    copy_by(a, D_BEGAN, 1, rows_of(a, numbers_at(a[ARG_ends_by]), place, 1))
    copy_by(a, D_STATE, COUNT, rows_of(a, numbers_at(a[ARG_finals_by]), place, COUNT))


def by_inside(a: PI, part: D, out: P):
    """The sensitivities at a part of the step."""
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    other = 1.0 - part
    size = COUNT * blocks
    for q in range(size):
        e = get(d, D_DENSE * blocks + 2 * size + q)
        e = fma(part, e, get(d, D_DENSE * blocks + size + q))
        e = fma(part, e, get(d, D_DENSE * blocks + q))
        e = fma(other, e, get(d, D_NEW * blocks + q))
        put(out, q, fma(other, get(d, D_STATE * blocks + q), part * e))


def by_end(a: PI, w: P, k: PI, which: I, part: D):
    """Move the lane's end: by its length (`which` -1), by a gauge, or not at all (-2)."""
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    unit = blocks * DIRECTIONS
    t = w[TIME]
    y = shift(w, STATE)
    c = shift(w, CONSTANT)
    f = shift(w, SCRATCH_RATE)
    if which >= 0:
        by_inside(a, part, shift(d, D_POINT * unit))
        for q in range(COUNT * blocks):
            put(d, D_STATE * blocks + q, get(d, D_POINT * blocks + q))
    rates(t, y, c, f)
    if which >= 0:
        slopes = shift(w, SCRATCH_GAUGE)
        gauge_slopes(t, y, c, f, slopes)
        gauges_by(t, y, c, blocks, d, shift(d, D_STATE * unit), shift(d, D_CONSTANT * unit), shift(d, D_OUT * unit))
        slope = slopes[which]
        inverse = 0.0
        if slope != 0.0:
            inverse = -1.0 / slope
        for b in range(blocks):
            put(d, D_TIME * blocks + b, inverse * get(d, (D_OUT + which) * blocks + b))
    elif which == -1:
        place = k[LANE_TRAJECTORY] * a[ARG_d_lengths_step] + k[LANE_STRETCH] * unit
        lengths = shift(numbers_at(a[ARG_d_lengths]), place)
        for b in range(blocks):
            put(d, D_TIME * blocks + b, get(lengths, b))
    else:
        for b in range(blocks):
            put(d, D_TIME * blocks + b, 0.0)
    for i in range(COUNT):
        for b in range(blocks):
            spot = (D_STATE + i) * blocks + b
            put(d, spot, fma(f[i], get(d, D_TIME * blocks + b), get(d, spot)))


def by_row(a: PI, w: P, k: PI, row: I, part: D, t: D, y: P):
    """Sensitivities of an output, at its fixed absolute time."""
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    unit = blocks * DIRECTIONS
    place = k[LANE_TRAJECTORY] * a[ARG_rows] + row
    out = rows_of(a, numbers_at(a[ARG_states_by]), place, COUNT)
    by_inside(a, part, out)
    for b in range(blocks):
        put(d, D_OUT * blocks + b, -get(d, D_BEGAN * blocks + b))
    if k[LANE_STRETCH] > 0:
        f = shift(w, SCRATCH_RATE)
        rates(t, y, shift(w, CONSTANT), f)
        for i in range(COUNT):
            for b in range(blocks):
                put(out, i * blocks + b, fma(f[i], get(d, D_OUT * blocks + b), get(out, i * blocks + b)))
    seen = rows_of(a, numbers_at(a[ARG_observed_by]), place, OBSERVED)
    observe_by(t, y, shift(w, CONSTANT), blocks, shift(d, D_OUT * unit), out, shift(d, D_CONSTANT * unit), seen)


def by_finish(a: PI, w: P, k: PI):
    """What is left to tell stands at the end: of its derivatives too."""
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    unit = blocks * DIRECTIONS
    item = k[LANE_TRAJECTORY]
    count = a[ARG_stretches]
    s = k[LANE_STRETCH]
    held = numbers_at(a[ARG_held_by])
    first = rows_of(a, held, item * count + s, HELD)
    for b in range(blocks):
        put(d, D_OUT * blocks + b, get(d, D_BEGAN * blocks + b) + get(d, D_TIME * blocks + b))
    for later in range(s, count):
        copy_by(a, D_OUT, 1, rows_of(a, numbers_at(a[ARG_ends_by]), item * count + later, 1))
        copy_by(a, D_STATE, COUNT, rows_of(a, numbers_at(a[ARG_finals_by]), item * count + later, COUNT))
        if later > s:
            copy_by(a, D_STATE, COUNT, rows_of(a, numbers_at(a[ARG_starts_by]), item * count + later, COUNT))
            out = rows_of(a, held, item * count + later, HELD)
            for q in range(HELD * blocks):
                put(out, q, get(first, q))
    row = k[LANE_ROW]
    if row < a[ARG_rows]:
        seen = numbers_at(a[ARG_observed_by])
        start = rows_of(a, seen, item * a[ARG_rows] + row, OBSERVED)
        y = shift(w, STATE)
        time = shift(d, D_TIME * unit)
        dc = shift(d, D_CONSTANT * unit)
        observe_by(w[TIME], y, shift(w, CONSTANT), blocks, time, shift(d, D_STATE * unit), dc, start)
        for later in range(row, a[ARG_rows]):
            place = item * a[ARG_rows] + later
            copy_by(a, D_STATE, COUNT, rows_of(a, numbers_at(a[ARG_states_by]), place, COUNT))
            out = rows_of(a, seen, place, OBSERVED)
            for q in range(OBSERVED * blocks):
                put(out, q, get(start, q))


def by_accept(a: PI):
    d = numbers_at(a[ARG_d_work])
    blocks = a[ARG_blocks]
    for q in range(COUNT * blocks):
        put(d, D_STATE * blocks + q, get(d, D_NEW * blocks + q))
'''
