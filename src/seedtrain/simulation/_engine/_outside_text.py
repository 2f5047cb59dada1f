"""The texts of a kernel whose rates are a function elsewhere: dense factors, a Jacobian by differences."""

from __future__ import annotations

from typing import Final

RATES: Final = """
def rates(t: D, y: P, c: P, out: P):
    call_outside(table_outside[0], t, y, c, out)


def start(p: P, y: P, held: P, c: P):
    for i in range(NUMBERS):
        c[i] = p[i]
"""

LINEAR: Final = '''
def linearise(t: D, y: P, c: P, out: P, J: P, by_time: P):
    """Rates, and by differences the Jacobian and the derivative by time."""
    call_outside(table_outside[0], t, y, c, out)
    for j in range(COUNT):
        value = y[j]
        step = 1.5e-8 * select(abs(value) > 1e-5, abs(value), 1e-5)
        y[j] = value + step
        step = y[j] - value
        call_outside(table_outside[0], t, y, c, shift(J, COUNT * j))
        y[j] = value
        for i in range(COUNT):
            J[COUNT * j + i] = (J[COUNT * j + i] - out[i]) / step
    later = 1.5e-8 * select(t > 1e-3, t, 1e-3)
    call_outside(table_outside[0], t + later, y, c, by_time)
    for i in range(COUNT):
        by_time[i] = (by_time[i] - out[i]) / later


def factor(s: D, J: P, M: P) -> D:
    """Factors of s - J by columns, with the largest pivot of each; the rows' order stands behind them."""
    bad = 0.0
    for j in range(COUNT):
        M[COUNT * COUNT + j] = j
        for i in range(COUNT):
            M[COUNT * i + j] = -J[COUNT * j + i]
        M[COUNT * j + j] += s
    for k in range(COUNT):
        best = k
        for i in range(k + 1, COUNT):
            if abs(M[COUNT * i + k]) > abs(M[COUNT * best + k]):
                best = i
        if best != k:
            for j in range(COUNT):
                value = M[COUNT * k + j]
                M[COUNT * k + j] = M[COUNT * best + j]
                M[COUNT * best + j] = value
        M[COUNT * COUNT + k] = best
        pivot = M[COUNT * k + k]
        if not abs(pivot) > 0.0:
            bad = 1.0
        M[COUNT * k + k] = 1.0 / pivot
        for i in range(k + 1, COUNT):
            part = M[COUNT * i + k] * M[COUNT * k + k]
            M[COUNT * i + k] = part
            for j in range(k + 1, COUNT):
                M[COUNT * i + j] = fma(-part, M[COUNT * k + j], M[COUNT * i + j])
    return bad


def solve(M: P, b: P):
    for k in range(COUNT):
        best = whole(M[COUNT * COUNT + k])
        value = b[k]
        b[k] = b[best]
        b[best] = value
    for k in range(COUNT):
        for i in range(k + 1, COUNT):
            b[i] = fma(-M[COUNT * i + k], b[k], b[i])
    for k in range(COUNT - 1, -1, -1):
        total = b[k]
        for j in range(k + 1, COUNT):
            total = fma(-M[COUNT * k + j], b[j], total)
        b[k] = total * M[COUNT * k + k]
'''
