"""PAM first: every site of a stretch of genome, packed into 64-bit words of two bits a base.

Base `j` of a word, at bits `2 j`, is the `j`-th base counted away from the PAM, on the strand of the guide. So sites on
either strand, and of PAMs on either side, compare alike. A word holds one base more than a guide, for a bulge in the
DNA. Bit 63 is the strand; bits 61 and 62 say how many of the last two bases are there (`ROOM_*`), which fewer are where
a contig ends or a letter is ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.bioinformatics._guides._fasta import AMBIGUOUS, Codes

Words = NDArray[np.uint64]
Places = NDArray[np.int64]

STRAND_SHIFT: Final = 63
ROOM_SHIFT: Final = 61
ROOM_SHORT: Final = 0
"""One base less than a guide: only a guide with a bulge of its own fits."""
ROOM_EXACT: Final = 1
ROOM_LONG: Final = 2

_BITS_OF_CODE: Final = np.array([1, 2, 4, 8, 0], dtype=np.uint8)
_BITS_OF_LETTER: Final[Mapping[str, int]] = MappingProxyType(
    dict(zip("ACGTRYSWKMBDHVN", (1, 2, 4, 8, 5, 10, 6, 9, 12, 3, 14, 13, 11, 7, 15), strict=True))
)


def reach(length: int, pam: str) -> int:
    """Bases that must be known on both sides of a PAM's first base to decide on its sites."""
    return length + 1 + len(pam)


def find_sites(codes: Codes, low: int, high: int, pam: str, length: int, *, pam_first: bool) -> tuple[Places, Words]:
    """Every site on both strands whose PAM begins, on the plus strand, at `low` or later and before `high`.

    - `codes`: with `reach` more codes on either side of that span; pad the end of a contig with `AMBIGUOUS`.

    A PAM's letter N means any known base. **Returns** the PAMs' first bases and the words, plus strand first.
    """
    margin = reach(length, pam)
    assert margin <= low
    assert high + margin <= len(codes)
    bits = _BITS_OF_CODE[codes]
    masks = [_BITS_OF_LETTER[letter] for letter in pam]
    opposite = [_opposite(mask) for mask in reversed(masks)]
    found = [
        _words(codes, _matches(bits, low, high, masks), len(masks), length, left=not pam_first, minus=False),
        _words(codes, _matches(bits, low, high, opposite), len(masks), length, left=pam_first, minus=True),
    ]
    return np.concatenate([item[0] for item in found]), np.concatenate([item[1] for item in found])


def _opposite(mask: int) -> int:
    """The bases that pair with those of `mask`: A with T, C with G."""
    return int(f"{mask:04b}"[::-1], 2)


def _matches(bits: Codes, low: int, high: int, masks: list[int]) -> Places:
    hit = np.ones(high - low, dtype=bool)
    for at, mask in enumerate(masks):
        hit &= (bits[low + at : high + at] & np.uint8(mask)) != 0
    return np.flatnonzero(hit) + low


def _words(
    codes: Codes, places: Places, pam_length: int, length: int, *, left: bool, minus: bool
) -> tuple[Places, Words]:
    words = np.full(len(places), np.uint64(int(minus)) << np.uint64(STRAND_SHIFT), dtype=np.uint64)
    keep = np.ones(len(places), dtype=bool)
    room = np.zeros(len(places), dtype=np.uint64)
    for at in range(length + 1):
        bases = codes[places - 1 - at] if left else codes[places + pam_length + at]
        known = bases != AMBIGUOUS
        if at < length - 1:
            keep &= known
        else:
            room += (known & (room == at - (length - 1))).astype(np.uint64)
        letters = np.where(known, 3 - bases if minus else bases, 0)
        words |= letters.astype(np.uint64) << np.uint64(2 * at)
    words |= room << np.uint64(ROOM_SHIFT)
    return places[keep], words[keep]


def room_of(words: Words) -> Words:
    """`ROOM_SHORT`, `ROOM_EXACT` or `ROOM_LONG` of each word."""
    return (words >> np.uint64(ROOM_SHIFT)) & np.uint64(3)


def bases_of(words: Words, count: int) -> Codes:
    """The first `count` bases from the PAM, shape (words, count)."""
    shifts = np.arange(count, dtype=np.uint64) * np.uint64(2)
    return ((words[:, None] >> shifts) & np.uint64(3)).astype(np.uint8)


def word_of(codes: Codes) -> np.uint64:
    """The word of bases in their order from the PAM, without flags."""
    return np.uint64(sum(int(code) << (2 * at) for at, code in enumerate(codes)))
