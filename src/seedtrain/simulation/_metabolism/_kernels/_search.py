"""Finding the region of a point, and the outputs there, as generated text.

- `cut` (p + 1, R): slopes and, last, offsets of the R certified cuts, valid inside the box `box` (2, p);
- `maps` (R + C, rows, p + 1): slopes and, last, offset of each output on each region, certified ones first;
- `halves` (H, p + 1) and `starts` (C + 1): the C cached regions as half-spaces, row h meaning
  sum_k halves[h, k] theta_k <= halves[h, p].
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Final

from seedtrain.simulation._metabolism._kernels._equations import affine, indent, point, region
from seedtrain.simulation._metabolism._kernels._structure import CONSTANT, MISSING, OUTSIDE, Bound, Structure

EDGE: Final = 1e-9
"""In units of the box: a point this near to a half-space is inside."""
TIE: Final = 1e-13
"""1/h: another cut must be lower by more than this to be taken in place of the one found last."""

# Sums may be reordered and fused, but not-a-number keeps its meaning, so that a failing trajectory is noticed.
OPTIONS: Final = 'cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"}'
# For what is known to be finite.
_FINITE: Final = OPTIONS.replace("}", ', "nnan", "ninf"}')

HEAD: Final = f"""\
import math

import numpy as np
from numba import njit

compiled = njit({OPTIONS})
compiled_finite = njit({_FINITE})
"""

_SEARCH: Final = '''

@compiled_finite
def lowest(cut, ${POINT}, current):
    """The lowest cut at a point; `current`, the one found last, where no other is lower."""
    height = ${AT_CURRENT} - ${TIE}
    lower = 0
    for i in range(cut.shape[1]):  # no branch inside, so that it runs on several cuts at once
        value = ${AT_I}
        lower += 1 if value < height else 0
    if lower == 0:
        return current
    best, least = current, 1e300
    for i in range(cut.shape[1]):
        value = ${AT_I}
        if value < least:
            best, least = i, value
    return best


@compiled
def holds(halves, first, last, ${POINT}):
    """Whether a point keeps to the half-spaces `first` to `last`."""
    for h in range(first, last):
        if not ${INNER} - halves[h, ${P_COUNT}] <= ${EDGE}:
            return False
    return True


@compiled
def inside(box, ${POINT}):
    """Whether a point lies in the box."""
    return ${IN_BOX}


@${OUTPUT_SIGNED}
def output(maps, r, row, ${POINT}):
    """One output in a region."""
    return ${VALUE}


@compiled
def cached(halves, starts, box, certified, refuse, ${POINT}, current):
    """The cached region that holds a point, `current` first, or a code."""
    if refuse and not inside(box, ${POINT}):
        return ${OUTSIDE}
    c = current - certified
    if 0 <= c < starts.shape[0] - 1 and holds(halves, starts[c], starts[c + 1], ${POINT}):
        return current
    for c in range(starts.shape[0] - 1):
        if holds(halves, starts[c], starts[c + 1], ${POINT}):
            return certified + c
    return ${MISSING}
'''

_EVALUATE: Final = '''

@compiled
def evaluate(cut, maps, halves, starts, box, refuse, theta, outputs, regions):
    """Outputs (n, rows) and region (n) of each point of `theta` (n, p); a point without a region gets its code."""
    certified = cut.shape[1]
    for n in range(theta.shape[0]):
${READ}
        r = 0  # the same start for every point: the answer must not depend on their order
${REGION}
        regions[n] = r
        for row in range(maps.shape[1]):
            outputs[n, row] = ${VALUE} if r >= 0 else 0.0
'''


def search(p: int) -> str:
    """The text of `lowest`, `holds` and `cached` for `p` bounds."""

    def height(column: str) -> str:
        return " + ".join([f"cut[{p}, {column}]", *(f"cut[{k}, {column}] * t{k}" for k in range(p))])

    words = {
        "AT_CURRENT": height("current"),
        "AT_I": height("i"),
        "INNER": " + ".join(f"halves[h, {k}] * t{k}" for k in range(p)),
        # Written out, as numba would compile it for each row that is asked for by a constant.
        "OUTPUT_SIGNED": f'njit("float64(float64[:,:,::1], int64, int64{", float64" * p})", {OPTIONS})',
        "IN_BOX": " and ".join(f"t{k} >= box[0, {k}] and t{k} <= box[1, {k}]" for k in range(p)),
        "VALUE": " + ".join([f"maps[r, row, {p}]", *(f"maps[r, row, {k}] * t{k}" for k in range(p))]),
        "POINT": point(p),
        "P_COUNT": str(p),
        "TIE": repr(TIE),
        "EDGE": repr(EDGE),
        "OUTSIDE": str(OUTSIDE),
        "MISSING": str(MISSING),
    }
    return fill(_SEARCH, words)


def evaluation_text(p: int) -> str:
    """The text of a module that evaluates a table with `p` bounds."""
    structure = Structure((Bound(CONSTANT),) * p, ())
    words = {
        "READ": indent([f"t{k} = theta[n, {k}]" for k in range(p)], 2),
        "REGION": indent(region(structure, ["pass"]), 2),
        "VALUE": affine("row", p),
    }
    return HEAD + search(p) + fill(_EVALUATE, words)


def fill(text: str, words: Mapping[str, str]) -> str:
    """`text` with each ${WORD} replaced; a word without a value is a `KeyError`."""
    return Template(text).substitute(words)
