"""The text that runs trajectories through a step function: stretches, events, outputs, step sizes, failures.

Every lane has its own trajectory, time and step. What differs from lane to lane is done lane by lane, as one number at
a time, so that it does not matter who the neighbours are; a lane that ends takes the next trajectory.
"""

from __future__ import annotations

from typing import Final

ENTER: Final = '''
def sound(x: D) -> B:
    return x - x == 0.0


def finish(a: PI, w: P, k: PI, l: I, status: I) -> I:
    """End a lane's trajectory; what is left to tell is its last good state."""
    item = k[LANE_TRAJECTORY * WIDTH + l]
    count = a[ARG_stretches]
    s = k[LANE_STRETCH * WIDTH + l]
    t = w[TIME * WIDTH + l]
    now = w[BEGAN * WIDTH + l] + t
    y = shift(w, SCRATCH * WIDTH)
    for i in range(COUNT):
        y[i] = w[(STATE + i) * WIDTH + l]
    starts = numbers_at(a[ARG_starts])
    finals = numbers_at(a[ARG_finals])
    held = numbers_at(a[ARG_held])
    gauges = numbers_at(a[ARG_gauges])
    ends = numbers_at(a[ARG_ends])
    for later in range(s, count):
        place = item * count + later
        ends[place] = now
        for i in range(COUNT):
            finals[place * COUNT + i] = y[i]
            if later > s:
                starts[place * COUNT + i] = y[i]
        if later > s:
            for i in range(HELD):
                held[place * HELD + i] = held[(item * count + s) * HELD + i]
            for i in range(GAUGES):
                gauges[place * GAUGES + i] = gauges[(item * count + s) * GAUGES + i]
    rows = a[ARG_rows]
    row = k[LANE_ROW * WIDTH + l]
    states = numbers_at(a[ARG_states])
    observed = numbers_at(a[ARG_observed])
    if row < rows:
        look(a, w, item, row, t, y, l)
    for later in range(row, rows):
        for i in range(COUNT):
            states[(item * rows + later) * COUNT + i] = y[i]
        for i in range(OBSERVED):
            observed[(item * rows + later) * OBSERVED + i] = observed[(item * rows + row) * OBSERVED + i]
    by_finish(a, w, k)
    numbers_at(a[ARG_reached])[item] = now
    wholes_at(a[ARG_status])[item] = status
    wholes_at(a[ARG_stretch])[item] = s
    wholes_at(a[ARG_steps])[item] = k[LANE_STEPS * WIDTH + l]
    wholes_at(a[ARG_rejected])[item] = k[LANE_REJECTED * WIDTH + l]
    wholes_at(a[ARG_rates])[item] = k[LANE_RATES * WIDTH + l]
    wholes_at(a[ARG_crossed])[item] = k[LANE_CROSSED * WIDTH + l]
    return 0


def look(a: PI, w: P, item: I, row: I, t: D, y: P, l: I):
    """What is observed at (t, y) into a row; a line without a finite value keeps the one before."""
    if OBSERVED > 0:
        out = shift(numbers_at(a[ARG_observed]), (item * a[ARG_rows] + row) * OBSERVED)
        observe_one(t, y, shift(w, CONSTANT * WIDTH + l), out)
        for i in range(OBSERVED):
            if not sound(out[i]):
                if row > 0:
                    out[i] = out[i - OBSERVED]
                else:
                    out[i] = 0.0


def leave(a: PI, w: P, k: PI, l: I) -> I:
    """End a stretch at the lane's time and state; 1 where another follows."""
    item = k[LANE_TRAJECTORY * WIDTH + l]
    s = k[LANE_STRETCH * WIDTH + l]
    if s + 1 >= a[ARG_stretches]:
        return finish(a, w, k, l, 0)
    now = w[BEGAN * WIDTH + l] + w[TIME * WIDTH + l]
    place = item * a[ARG_stretches] + s
    finals = shift(numbers_at(a[ARG_finals]), place * COUNT)
    for i in range(COUNT):
        finals[i] = w[(STATE + i) * WIDTH + l]
    numbers_at(a[ARG_ends])[place] = now
    by_leave(a, w, k)
    w[BEGAN * WIDTH + l] = now
    w[TIME * WIDTH + l] = 0.0
    k[LANE_STRETCH * WIDTH + l] = s + 1
    return 1


def hold(a: PI, w: P, k: PI, l: I, y: P) -> B:
    """Constants, held symbols and gauges of the lane's stretch from its start `y`; whether all have a value."""
    place = k[LANE_TRAJECTORY * WIDTH + l] * a[ARG_stretches] + k[LANE_STRETCH * WIDTH + l]
    numbers = k[LANE_TRAJECTORY * WIDTH + l] * a[ARG_numbers_step] + k[LANE_STRETCH * WIDTH + l] * NUMBERS
    held = shift(numbers_at(a[ARG_held]), place * HELD)
    c = shift(w, CONSTANT * WIDTH + l)
    good = True
    start(shift(numbers_at(a[ARG_numbers]), numbers), y, held, c)
    for i in range(HELD):
        if not sound(held[i]):
            good = False
            held[i] = 0.0
            if k[LANE_STRETCH * WIDTH + l] > 0:
                held[i] = held[i - HELD]
    gauges = shift(numbers_at(a[ARG_gauges]), place * GAUGES)
    gauges_one(0.0, y, c, gauges)
    for i in range(GAUGES):
        w[(GAUGE + i) * WIDTH + l] = gauges[i]
        if not sound(gauges[i]):
            good = False
            gauges[i] = 0.0
            if k[LANE_STRETCH * WIDTH + l] > 0:
                gauges[i] = gauges[i - GAUGES]
    return good


def enter(a: PI, w: P, k: PI, l: I) -> I:
    """Start the lane's stretch, and the next where one ends at once; 1 where there is something to integrate."""
    item = k[LANE_TRAJECTORY * WIDTH + l]
    y = shift(w, SCRATCH * WIDTH)
    f = shift(w, SCRATCH_RATE * WIDTH)
    going = 1
    while going == 1:
        s = k[LANE_STRETCH * WIDTH + l]
        jumps = shift(numbers_at(a[ARG_jumps]), item * a[ARG_jumps_step] + s * COUNT)
        starts = shift(numbers_at(a[ARG_starts]), (item * a[ARG_stretches] + s) * COUNT)
        for i in range(COUNT):
            value = w[(STATE + i) * WIDTH + l] + jumps[i]
            w[(STATE + i) * WIDTH + l] = value
            y[i] = value
            starts[i] = value
        good = hold(a, w, k, l, y)
        by_enter(a, w, k, y)
        rates_one(0.0, y, shift(w, CONSTANT * WIDTH + l), f)
        for i in range(COUNT):
            good = good & sound(f[i])
        if not good:
            return finish(a, w, k, l, 4)
        length = numbers_at(a[ARG_lengths])[item * a[ARG_lengths_step] + s]
        over = False
        raised = False
        watched = 0
        for i in range(GAUGES):
            action = bytes_at(a[ARG_actions])[item * a[ARG_actions_step] + s * GAUGES + i]
            if action > 0:
                watched += 1
                if action == 2 and w[(GAUGE + i) * WIDTH + l] >= 0.0:
                    over = True
                if action == 3 and w[(GAUGE + i) * WIDTH + l] >= 0.0:
                    raised = True
        if raised:
            return finish(a, w, k, l, 1)
        why = -2
        if length <= 0.0 and not over:
            why = -1
            over = True
        if not over:
            w[LENGTH * WIDTH + l] = length
            k[LANE_WATCHED * WIDTH + l] = watched
            k[LANE_AGAIN * WIDTH + l] = 0
            k[LANE_RATES * WIDTH + l] += 2
            propose(w, k, l, first_step(a, w, l, y, f, length))
            begin_method(w, l, f)
            return 1
        by_end(a, w, k, why, 0.0)
        going = leave(a, w, k, l)
    return 0


def first_step(a: PI, w: P, l: I, y: P, f: P, length: D) -> D:
    """A first step by Hairer, Norsett & Wanner 1993, II.4; `y` and `f` are the state and its rate."""
    tol = numbers_at(a[ARG_tolerances])
    size = 0.0
    speed = 0.0
    for i in range(COUNT):
        scale = tol[0] * abs(y[i]) + tol[i + 1]
        size += (y[i] / scale) * (y[i] / scale)
        speed += (f[i] / scale) * (f[i] / scale)
    h = 1e-6 * length
    if size > 1e-10 * COUNT and speed > 1e-10 * COUNT:
        h = 0.01 * sqrt(size / speed)
    if h > length:
        h = length
    g = shift(w, SCRATCH_MORE * WIDTH)
    for i in range(COUNT):
        y[i] += h * f[i]
    rates_one(h, y, shift(w, CONSTANT * WIDTH + l), g)
    bend = 0.0
    for i in range(COUNT):
        y[i] -= h * f[i]
        scale = tol[0] * abs(y[i]) + tol[i + 1]
        bend += ((g[i] - f[i]) / scale) * ((g[i] - f[i]) / scale)
    steep = sqrt(bend / COUNT) / h
    if sqrt(speed / COUNT) > steep:
        steep = sqrt(speed / COUNT)
    more = 1000.0 * h
    if steep > 1e-15:
        more = exp(log(0.01 / steep) * (1.0 / (ORDER + 1)))
    if not sound(more):
        more = h
    if more > 100.0 * h:
        more = 100.0 * h
    if more > length:
        more = length
    return more


def propose(w: P, k: PI, l: I, h: D):
    """The lane's next step, no further than its stretch lasts and without a very short last one."""
    left = w[LENGTH * WIDTH + l] - w[TIME * WIDTH + l]
    k[LANE_LAST * WIDTH + l] = 0
    w[STEP * WIDTH + l] = h
    if h >= 0.999999 * left:
        k[LANE_LAST * WIDTH + l] = 1
        w[STEP * WIDTH + l] = left
    elif h > 0.5 * left:
        w[STEP * WIDTH + l] = 0.5 * left


def refill(a: PI, w: P, k: PI, l: I) -> I:
    """Take trajectories into a lane until one has something to integrate; 0 where none is left."""
    while k[NEXT] < a[ARG_end]:
        item = k[NEXT]
        k[NEXT] = item + 1
        for i in range(NUMBER_OF_WHOLES):
            k[i * WIDTH + l] = 0
        k[LANE_TRAJECTORY * WIDTH + l] = item
        w[BEGAN * WIDTH + l] = 0.0
        w[TIME * WIDTH + l] = 0.0
        initial = shift(numbers_at(a[ARG_initial]), item * a[ARG_initial_step])
        for i in range(COUNT):
            w[(STATE + i) * WIDTH + l] = initial[i]
        by_claim(a, item)
        if enter(a, w, k, l) == 1:
            return 1
    k[LANE_TRAJECTORY * WIDTH + l] = -1
    return 0
'''

SETTLE: Final = '''
def reject(a: PI, w: P, k: PI, l: I, error: D) -> I:
    """Try the step again, shorter; 0 where that has no point."""
    k[LANE_REJECTED * WIDTH + l] += 1
    k[LANE_AGAIN * WIDTH + l] = 1
    factor = 0.1
    if sound(error):
        factor = w[FACTOR * WIDTH + l]
        if factor < 0.2:
            factor = 0.2
    t = w[TIME * WIDTH + l]
    h = w[STEP * WIDTH + l] * factor
    reach = 1e-6 * w[LENGTH * WIDTH + l]
    if t > reach:
        reach = t
    if h <= 1e-15 * reach:
        if sound(error):
            return finish(a, w, k, l, 2)
        return finish(a, w, k, l, 4)
    if k[LANE_STEPS * WIDTH + l] + k[LANE_REJECTED * WIDTH + l] >= a[ARG_most_steps]:
        return finish(a, w, k, l, 3)
    propose(w, k, l, h)
    return 1


def write_rows(a: PI, w: P, k: PI, l: I, limit: D):
    """Every output before the time `limit` of the stretch that lies in the step."""
    item = k[LANE_TRAJECTORY * WIDTH + l]
    rows = a[ARG_rows]
    times = numbers_at(a[ARG_times])
    began = w[BEGAN * WIDTH + l]
    t = w[TIME * WIDTH + l]
    h = w[STEP * WIDTH + l]
    row = k[LANE_ROW * WIDTH + l]
    states = numbers_at(a[ARG_states])
    while row < rows and times[row] - began < limit:
        part = (times[row] - began - t) / h
        if part < 0.0:
            part = 0.0
        if part > 1.0:
            part = 1.0
        out = shift(states, (item * rows + row) * COUNT)
        inside(part, w, l, out)
        look(a, w, item, row, t + part * h, out, l)
        by_row(a, w, k, row, part, t + part * h, out)
        row += 1
    k[LANE_ROW * WIDTH + l] = row


def settle(a: PI, w: P, k: PI, l: I) -> I:
    """Take or refuse the lane's step and prepare the next; 0 where its trajectory ended."""
    error = w[ERROR * WIDTH + l]
    k[LANE_RATES * WIDTH + l] += RATES_PER_STEP
    if k[LANE_WATCHED * WIDTH + l] > 0:
        for i in range(GAUGES):
            error += 0.0 * w[(GAUGE_NEW + i) * WIDTH + l] + 0.0 * w[(GAUGE_MIDDLE + i) * WIDTH + l]
    if not error <= 1.0:
        return reject(a, w, k, l, error)
    t = w[TIME * WIDTH + l]
    h = w[STEP * WIDTH + l]
    k[LANE_STEPS * WIDTH + l] += 1
    which = -1
    if k[LANE_WATCHED * WIDTH + l] > 0:
        which = cross(a, w, k, l)
    end = t + h
    if k[LANE_LAST * WIDTH + l] == 1:
        end = w[LENGTH * WIDTH + l]
    if which >= 0:
        end = t + w[STOP * WIDTH + l] * h
    limit = end
    if which >= 0 or k[LANE_LAST * WIDTH + l] == 1:
        whole = w[BEGAN * WIDTH + l] + end
        limit = end - 1e-12 * select(whole > 1.0, whole, 1.0)
    write_rows(a, w, k, l, limit)
    if which >= 0:
        y = shift(w, SCRATCH * WIDTH)
        inside(w[STOP * WIDTH + l], w, l, y)
        for i in range(COUNT):
            w[(STATE + i) * WIDTH + l] = y[i]
        w[TIME * WIDTH + l] = end
        by_end(a, w, k, which, w[STOP * WIDTH + l])
        item = k[LANE_TRAJECTORY * WIDTH + l]
        place = item * a[ARG_actions_step] + k[LANE_STRETCH * WIDTH + l] * GAUGES + which
        if bytes_at(a[ARG_actions])[place] == 3:
            return finish(a, w, k, l, 1)
        if leave(a, w, k, l) == 1:
            return enter(a, w, k, l)
        return 0
    for i in range(COUNT):
        w[(STATE + i) * WIDTH + l] = w[(NEW + i) * WIDTH + l]
    for i in range(GAUGES):
        w[(GAUGE + i) * WIDTH + l] = w[(GAUGE_NEW + i) * WIDTH + l]
    by_accept(a)
    w[TIME * WIDTH + l] = end
    if k[LANE_LAST * WIDTH + l] == 1:
        by_end(a, w, k, -1, 1.0)
        if leave(a, w, k, l) == 1:
            return enter(a, w, k, l)
        return 0
    if k[LANE_STEPS * WIDTH + l] + k[LANE_REJECTED * WIDTH + l] >= a[ARG_most_steps]:
        return finish(a, w, k, l, 3)
    if accept_method(a, w, k, l) == 1:
        return finish(a, w, k, l, 6)
    factor = w[FACTOR * WIDTH + l]
    most = 6.0
    if k[LANE_AGAIN * WIDTH + l] == 1:
        most = 1.0
    if factor > most:
        factor = most
    if factor < 0.2:
        factor = 0.2
    k[LANE_AGAIN * WIDTH + l] = 0
    propose(w, k, l, h * factor)
    return 1
'''

MAIN: Final = """
def seedtrain_entry(a: PI) -> I:
    begin_kernel(a)
    w = numbers_at(a[ARG_work])
    k = wholes_at(a[ARG_whole])
    tol = numbers_at(a[ARG_tolerances])
    times = numbers_at(a[ARG_times])
    rows = a[ARG_rows]
    k[NEXT] = a[ARG_first]
    live = 0
    for l in range(WIDTH):
        live += refill(a, w, k, l)
    while live > 0:
        step(a, w, tol)
        watched = 0
        wanted = False
        for l in range(WIDTH):
            watched += k[LANE_WATCHED * WIDTH + l]
            row = k[LANE_ROW * WIDTH + l]
            if row < rows and times[row] - w[BEGAN * WIDTH + l] < w[TIME * WIDTH + l] + w[STEP * WIDTH + l]:
                wanted = True
        if wanted or watched > 0:
            dense(a, w)
        if watched > 0:
            watch(w)
        for l in range(WIDTH):
            if k[LANE_TRAJECTORY * WIDTH + l] >= 0 and settle(a, w, k, l) == 0:
                live += refill(a, w, k, l) - 1
    return 0
"""
