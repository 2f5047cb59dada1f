"""What kind of genome a read is: arms on the cassette, where they end, and what is missing between.

A read is cut into arms: stretches that run along the vector in one direction, with their gaps. One arm is a
single-stranded genome, two that fold back on each other a self-complementary genome or a snapback. Ends are then
compared with the outer edges of the inverted terminal repeats. Bases at an arm's end that no alignment holds are
compared with the repeats themselves, in flip and in flop: the plasmid carries but one of both, and cloned repeats are
often incomplete, so that alignments stop at their edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from seedtrain.bioinformatics import Read, reverse_complement
from seedtrain.vectors._genomes._lay import Segment, bases, covered
from seedtrain.vectors._genomes._vector import AAV2_FLOP, AAV2_ITR, Vector

MISSING: Final = 100
"""Bases that may be missing at an end, or lie outside it, of a complete genome (both public tools)."""
SMALLEST_DELETION: Final = 50
"""Bases missing in all inside a genome from which on it is deleted (assumed: longer than errors of reading)."""
LEAST_COVERED: Final = 0.8
"""Share of a read that alignments and repeats must hold; below it the read is unresolved (LAAVA)."""
LEAST_PAYLOAD: Final = 50
"""Bases between the repeats from which on an arm holds payload (assumed)."""
WRAP: Final = 200
"""Bases that may be missing where a read runs over the origin of the circle (assumed)."""
BACK: Final = 60
"""Bases by which the next stretch may overlap the last before it counts as a second copy (assumed)."""
SYMMETRY: Final = 10
"""Bases by which the arms of a symmetrical snapback differ at most (wf-aav-qc)."""
EDGE: Final = 30
"""Bases by which an alignment may stop before a repeat that it leads to (assumed)."""
LEAST_END: Final = 20
LONGEST_END: Final = 300
END_IDENTITY: Final = 0.75
ORIENTATION_MARGIN: Final = 5
"""Edits by which one orientation of a repeat must fit better than the other."""


@dataclass(frozen=True)
class Arm:
    """A stretch in one direction: from `start` to `end` on the vector (unrolled past its end where it runs over it).

    - `deleted`: bases missing inside; `inserted`: bases of the read that lie on nothing in between.
    """

    read_start: int
    read_end: int
    start: int
    end: int
    strand: int
    deleted: int
    inserted: int


@dataclass(frozen=True)
class End:
    """One end of the molecule at a repeat: how many of its outer bases are missing, and its orientation."""

    side: str
    missing: int
    orientation: str = ""


@dataclass(frozen=True)
class Genome:
    """What a read is: its class, its arms, and the ends that lie in repeats.

    - `deleted`: bases missing inside; `symmetric`: of a fold-back, whether its arms are alike.
    """

    kind: str
    arms: tuple[Arm, ...] = ()
    ends: tuple[End, ...] = ()
    deleted: int = 0
    symmetric: bool | None = None


def classify(read: Read, segments: Sequence[Segment], vector: Vector, edlib: Any) -> Genome:
    """The class of a read that lies on the vector and on nothing else.

    `edlib`: the module. Classes are the keys of `CLASSES`.
    """
    arms = _extended(read, _arms(_without_repeats(segments, vector), vector), vector, edlib)
    held = sum(arm.read_end - arm.read_start for arm in arms)
    if max(held, bases(covered(segments))) < LEAST_COVERED * len(read.sequence):
        return Genome("unresolved", arms)
    deleted = max(arm.deleted for arm in arms)
    ends = _ends(read, arms, vector, edlib)
    if len(arms) == 1:
        return Genome(_single(arms[0], vector), arms, ends, deleted)
    if len(arms) == 2 and arms[0].strand != arms[1].strand:
        kind, symmetric = _folded(arms[0], arms[1], vector)
        return Genome(kind, arms, ends, deleted, symmetric)
    return Genome("tandem" if len({arm.strand for arm in arms}) == 1 else "complex", arms, ends, deleted)


def _without_repeats(segments: Sequence[Segment], vector: Vector) -> list[Segment]:
    """Segments without those inside a repeat, which is its own reverse complement and lies there twice."""

    def inside(item: Segment) -> bool:
        return any(low - 20 <= item.start and item.end <= high + 20 for low, high in (vector.left, vector.right))

    outside = [item for item in segments if not inside(item)]
    return outside or [max(segments, key=lambda item: item.matches)]


def _arms(segments: Sequence[Segment], vector: Vector) -> list[Arm]:
    arms: list[Arm] = []
    for item in segments:
        new = Arm(
            item.read_start, item.read_end, item.start, item.end, item.strand, item.deleted, max(0, item.inserted)
        )
        joined = _joined(arms[-1], new, vector) if arms else None
        if joined is None:
            arms.append(new)
        else:
            arms[-1] = joined
    return arms


def _joined(last: Arm, new: Arm, vector: Vector) -> Arm | None:
    """Both as one arm where the second goes on in the direction of the first; the origin of a circle is no break."""
    if last.strand != new.strand:
        return None
    total = len(vector.sequence)
    gap = new.start - last.end if new.strand > 0 else last.start - new.end
    shift = 0
    if vector.circular and -BACK <= gap + total <= WRAP:
        shift, gap = (total if new.strand > 0 else -total), gap + total
    if gap < -BACK:
        return None
    between = new.read_start - last.read_end
    missing = max(0, gap - max(0, between)) if gap > SMALLEST_DELETION else 0
    return Arm(
        last.read_start,
        max(last.read_end, new.read_end),
        min(last.start, new.start + shift),
        max(last.end, new.end + shift),
        last.strand,
        last.deleted + new.deleted + missing,
        last.inserted + new.inserted + max(0, between - max(0, gap)),
    )


def _extended(read: Read, arms: Sequence[Arm], vector: Vector, edlib: Any) -> tuple[Arm, ...]:
    """Arms grown by ends that lie on no alignment but are a repeat; the repeat of a hinge goes to the first arm.

    An end that jumps from within the payload to the repeat leaves a deletion behind it.
    """
    grown: list[Arm] = []
    for index, arm in enumerate(arms):
        current = arm
        if index == 0:
            current = _grow(read, current, 0, arm.read_start, first=True, vector=vector, edlib=edlib)
        after = arms[index + 1].read_start if index + 1 < len(arms) else len(read.sequence)
        grown.append(_grow(read, current, arm.read_end, after, first=False, vector=vector, edlib=edlib))
    return tuple(grown)


def _grow(read: Read, arm: Arm, low: int, high: int, *, first: bool, vector: Vector, edlib: Any) -> Arm:
    """`arm` with the free bases from `low` to `high` of the read taken in where they are a repeat."""
    length = high - low
    if not LEAST_END <= length <= LONGEST_END:
        return arm
    if not _is_repeat(read.sequence[low:high], vector, edlib):
        return arm
    read_start, read_end = (low, arm.read_end) if first else (arm.read_start, high)
    grown = _to_repeat(arm, length, vector, rightward=(arm.strand > 0) != first)
    return arm if grown is None else replace(grown, read_start=read_start, read_end=read_end)


def _to_repeat(arm: Arm, length: int, vector: Vector, *, rightward: bool) -> Arm | None:
    """`arm` led into the next repeat in its direction by `length` bases; `None` where there is none.

    From the payload that is the repeat of that side, from the backbone the one of the other side.
    """
    spans = [
        (low + turn, high + turn)
        for low, high in (vector.left, vector.right)
        for turn in ((-len(vector.sequence), 0, len(vector.sequence)) if vector.circular else (0,))
    ]
    if rightward:
        ahead = [span for span in spans if span[1] >= arm.end]
        if not ahead:
            return None
        inner, outer = min(ahead)
        gap = max(0, inner - arm.end)
        return replace(
            arm,
            end=max(arm.end, min(outer, max(arm.end, inner) + length)),
            deleted=arm.deleted + (gap if gap > SMALLEST_DELETION else 0),
        )
    ahead = [span for span in spans if span[0] <= arm.start]
    if not ahead:
        return None
    outer, inner = max(ahead)
    gap = max(0, arm.start - inner)
    return replace(
        arm,
        start=min(arm.start, max(outer, min(arm.start, inner) - length)),
        deleted=arm.deleted + (gap if gap > SMALLEST_DELETION else 0),
    )


def _is_repeat(piece: str, vector: Vector, edlib: Any) -> bool:
    most = int((1 - END_IDENTITY) * len(piece))
    for repeat in vector.repeats:
        longer, shorter = (repeat, piece) if len(repeat) >= len(piece) else (piece, repeat)
        if len(longer) > 1.5 * len(repeat):
            return False
        if edlib.align(shorter, longer, mode="HW", k=most)["editDistance"] >= 0:
            return True
    return False


def _ends(read: Read, arms: Sequence[Arm], vector: Vector, edlib: Any) -> tuple[End, ...]:
    """The two ends of the molecule, where they lie in a repeat."""
    found = []
    size = len(read.sequence)
    for arm, first in ((arms[0], True), (arms[-1], False)):
        rightward = (arm.strand > 0) != first
        side = "right" if rightward else "left"
        inner, outer = (vector.right[0], vector.right[1]) if rightward else (vector.left[1], vector.left[0])
        reached = arm.end if rightward else arm.start
        inside = reached > inner if rightward else reached < inner
        missing = outer - reached if rightward else reached - outer
        if not inside or missing < -MISSING:
            continue
        piece = read.sequence[: len(AAV2_ITR)] if first else read.sequence[size - len(AAV2_ITR) :]
        inward = piece if first else reverse_complement(piece)
        found.append(End(side, max(0, missing), _orientation(inward, edlib) if missing <= MISSING else ""))
    return tuple(found)


def _orientation(piece: str, edlib: Any) -> str:
    """Flip or flop of an end read from outside inwards; empty where neither fits clearly better."""
    flip = edlib.align(AAV2_ITR, piece, mode="NW")["editDistance"]
    flop = edlib.align(AAV2_FLOP, piece, mode="NW")["editDistance"]
    if min(flip, flop) > 0.35 * len(AAV2_ITR) or abs(flip - flop) < ORIENTATION_MARGIN:
        return ""
    return "flip" if flip < flop else "flop"


def _outside(arm: Arm, vector: Vector) -> int:
    """Bases of the arm outside the cassette, as the longer of both sides; all of them where it does not touch it."""
    return max(vector.start - arm.start, arm.end - vector.end, 0)


def _payload(arm: Arm, vector: Vector) -> int:
    """Bases of the arm between the repeats."""
    total = len(vector.sequence)
    low, high = vector.left[1], vector.right[0]
    return max(
        max(0, min(arm.end, high + turn) - max(arm.start, low + turn))
        for turn in (-total, 0, total)
        if turn == 0 or vector.circular
    )


def _single(arm: Arm, vector: Vector) -> str:
    payload = _payload(arm, vector)
    if _outside(arm, vector) > MISSING:
        if payload >= LEAST_PAYLOAD:
            return "read-through"
        return "reverse-packaged" if _begins_in_repeat(arm, vector) else "backbone"
    if payload < LEAST_PAYLOAD:
        return "itr-only"
    left = arm.start <= vector.start + MISSING
    right = arm.end >= vector.end - MISSING
    if left and right:
        return "internal-deletion" if arm.deleted >= SMALLEST_DELETION else "full"
    return "left-partial" if left else "right-partial" if right else "partial"


def _begins_in_repeat(arm: Arm, vector: Vector) -> bool:
    """Whether an end of an arm in the backbone lies in a repeat, with at least `LEAST_PAYLOAD` bases of it."""
    total = len(vector.sequence)
    for turn in (-total, 0, total):
        for low, high in (vector.left, vector.right):
            shared = min(arm.end, high + turn) - max(arm.start, low + turn)
            if shared >= min(LEAST_PAYLOAD, high - low):
                return True
    return False


def _folded(first: Arm, second: Arm, vector: Vector) -> tuple[str, bool]:
    """The class of two arms on opposite strands, and whether they are alike."""
    right_hinge = first.strand > 0
    hinges = (first.end, second.end) if right_hinge else (first.start, second.start)
    opens = (first.start, second.start) if right_hinge else (first.end, second.end)
    at_repeat = all(_in_repeat(site, vector, right=right_hinge) for site in hinges)
    apart = abs(opens[0] - opens[1])
    symmetric = apart <= SYMMETRY and (at_repeat or abs(hinges[0] - hinges[1]) <= SYMMETRY)
    payload = max(_payload(first, vector), _payload(second, vector))
    if max(_outside(first, vector), _outside(second, vector)) > MISSING:
        return ("sc-read-through" if payload >= LEAST_PAYLOAD else "backbone"), symmetric
    if payload < LEAST_PAYLOAD:
        return "itr-only", symmetric
    opposite = vector.start if right_hinge else vector.end
    reaching = [abs(site - opposite) <= MISSING for site in opens]
    if at_repeat:
        if not all(reaching):
            return "sc-partial", symmetric
        deleted = max(first.deleted, second.deleted) >= SMALLEST_DELETION
        return ("sc-internal-deletion" if deleted else "sc-full"), symmetric
    if not any(reaching):
        return "snapback", symmetric
    return ("left-snapback" if right_hinge else "right-snapback"), symmetric


def _in_repeat(site: int, vector: Vector, *, right: bool) -> bool:
    """Whether a hinge lies in the repeat: one copy of it joins both arms, so neither need reach its outer edge."""
    if right:
        return vector.right[0] - EDGE <= site <= vector.end + MISSING
    return vector.start - MISSING <= site <= vector.left[1] + EDGE
