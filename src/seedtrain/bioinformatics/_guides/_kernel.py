"""The two loops that touch every site of a genome, compiled. Imported only when a search begins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

BLOCK = 8192
"""Words compared with every guide before the next ones: 64 KiB, which stay in the cache."""

_EVEN = np.uint64(0x5555555555555555)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_ROOM = np.uint64(61)
_THREE = np.uint64(3)


def _count_ones(typing_context: Any, value: Any) -> Any:
    """The number of set bits of an unsigned 64-bit word: one instruction."""
    del typing_context

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


_ones: Any = intrinsic(_count_ones)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def scan(words, guides, length, most, guide_of, site_of, count_of):  # type: ignore[no-untyped-def]
    """Sites within `most` mismatches of a guide, without gaps.

    - `words`, `guides`: uint64; `length`: bases compared; the three outputs are filled up to their size.

    **Returns** the number of hits, which may exceed the outputs' size: then call again with larger ones.
    """
    even = _EVEN & ((_ONE << np.uint64(2 * length)) - _ONE)
    limit = np.uint64(most)
    found = 0
    for start in range(0, len(words), BLOCK):
        end = min(start + BLOCK, len(words))
        for guide in range(len(guides)):
            target = guides[guide]
            for at in range(start, end):
                differ = words[at] ^ target
                count = _ones((differ | (differ >> _ONE)) & even)
                if count <= limit and ((words[at] >> _ROOM) & _THREE) != np.uint64(0):
                    if found < len(guide_of):
                        guide_of[found] = guide
                        site_of[found] = at
                        count_of[found] = count
                    found += 1
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _best_bulge(straight, shifted, length, skipped):  # type: ignore[no-untyped-def]
    """The place `i` of least mismatches: bases below `i` straight, those from `i + skipped` on shifted.

    **Returns** (mismatches, place); of equal places the one nearest to the PAM.
    """
    full = ((_ONE << np.uint64(2 * length)) - _ONE) & _EVEN
    best, place = np.uint64(64), 0
    for at in range(1, length - skipped):
        low = (_ONE << np.uint64(2 * at)) - _ONE
        high = ~((_ONE << np.uint64(2 * (at + skipped))) - _ONE)
        count = _ones(straight & low) + _ones(shifted & full & high)
        if count < best:
            best, place = count, at
    return best, place


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def scan_bulges(words, guides, length, most, guide_of, site_of, count_of, kind_of, place_of):  # type: ignore[no-untyped-def]
    """Sites within `most` mismatches of a guide beside one bulge, where that explains more than no gap does.

    A base takes either the straight or the shifted partner, so mismatches common to both bound the count from below:
    nearly every site is dropped on that bound. `kind_of`: 1 for one more base in the DNA, 2 for one more in the guide.
    """
    full = ((_ONE << np.uint64(2 * length)) - _ONE) & _EVEN
    inner = full & ~_THREE
    found = 0
    for start in range(0, len(words), BLOCK):
        end = min(start + BLOCK, len(words))
        for guide in range(len(guides)):
            target = guides[guide]
            for at in range(start, end):
                word = words[at]
                differ = word ^ target
                straight = (differ | (differ >> _ONE)) & full
                above = (word >> _TWO) ^ target
                above = (above | (above >> _ONE)) & full
                below = (word << _TWO) ^ target
                below = (below | (below >> _ONE)) & inner
                more = _ones(straight & above) <= np.uint64(most)
                fewer = _ones(straight & below) <= np.uint64(most + 1)
                if not (more or fewer):
                    continue
                room = (word >> _ROOM) & _THREE
                plain = _ones(straight) if room != np.uint64(0) else np.uint64(64)
                for kind in range(1, 3):
                    if kind == 1 and (not more or room != _TWO):
                        continue
                    if kind == 2 and not fewer:
                        continue
                    if kind == 1:
                        count, place = _best_bulge(straight, above, length, 0)
                    else:
                        count, place = _best_bulge(straight, below, length, 1)
                    if count <= np.uint64(most) and count + _ONE < plain:
                        if found < len(guide_of):
                            guide_of[found] = guide
                            site_of[found] = at
                            count_of[found] = count
                            kind_of[found] = kind
                            place_of[found] = place
                        found += 1
    return found
