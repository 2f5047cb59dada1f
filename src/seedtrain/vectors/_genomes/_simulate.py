"""Reads of known genome classes, for tests and trials; every name begins with `simulated`.

Molecules: genomes cut from a cassette with whole AAV2 repeats, each in flip or flop by even chance; the hinge of a
self-complementary genome is the plasmid's own repeat. Up to 30 bases are lost at each end in a repeat (assumed).
Truncations leave at least 150 bases missing at the broken end; internal deletions take 60 bases up to all of the
payload but 150 at either side, uniform in the logarithm; snapbacks fold at 300 bases or more from the repeats, half of
them with a loop of up to 100 bases.
Errors of reading: each read has a quality drawn from a normal distribution (Phred units); 40 % of its errors are
substitutions, 35 % deletions (more in homopolymers), 25 % insertions; independent between sites. Real reads err in
clusters and by motif.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.bioinformatics import Read, reverse_complement
from seedtrain.vectors._genomes._vector import AAV2_FLOP, AAV2_ITR, Vector, make_vector

LOST_AT_END: Final = 30
LEAST_BROKEN: Final = 150
SMALLEST: Final = 60
_BASES: Final = np.frombuffer(b"ACGT", dtype=np.uint8)


@dataclass(frozen=True)
class ReadErrors:
    """Quality of reads: mean and standard deviation, Phred units; PacBio HiFi by default."""

    quality: float = 30.0
    spread: float = 4.0


def random_sequence(length: int, rng: np.random.Generator) -> str:
    """Bases by even chance."""
    return _BASES[rng.integers(0, 4, length)].tobytes().decode("ascii")


def example_vector(*, seed: int, design: str = "ss", payload: int = 0, backbone: int = 2600) -> Vector:
    """A made-up plasmid with the repeats of AAV2, random payload and backbone.

    - `design`: `ss`, or `sc`, whose right repeat lacks D and the terminal resolution site. `payload`: bases; by
      default 4,100 or 1,950.
    """
    rng = np.random.default_rng([seed, 5105])
    inside = random_sequence(payload or (4100 if design == "ss" else 1950), rng)
    outer = AAV2_ITR if design == "ss" else AAV2_ITR[12 : -len(AAV2_ITR) + 125]
    right = reverse_complement(outer)
    sequence = random_sequence(backbone, rng) + AAV2_ITR + inside + right
    start, end = backbone, len(sequence)
    return make_vector(f"simulated_{design}AAV", sequence, (start, start + len(AAV2_ITR)), (end - len(right), end))


def simulate_genomes(
    vector: Vector,
    counts: dict[str, int],
    *,
    seed: int,
    others: dict[str, str] | None = None,
    errors: ReadErrors | None = None,
) -> list[tuple[Read, str]]:
    """Reads and the class of each, `counts` of every class; the same seed gives the same reads.

    - `others`: sequences by role (host, helper, repcap), of which reads of that class are pieces.

    Raises `InputError` for a class that cannot be made.
    """
    rng = np.random.default_rng([seed, 5106])
    molecules = _Molecules(vector, rng, others or {})
    used = errors or ReadErrors()
    found: list[tuple[Read, str]] = []
    for kind, count in counts.items():
        for index in range(count):
            piece = molecules.make(kind)
            if rng.random() < 0.5:
                piece = reverse_complement(piece)
            found.append((Read(f"simulated-{seed}-{kind}-{index}", with_errors(piece, used, rng)), kind))
    return found


class _Molecules:
    """Molecules of each class, cut from the cassette with whole repeats."""

    def __init__(self, vector: Vector, rng: np.random.Generator, others: dict[str, str]) -> None:
        self.vector, self.rng, self.others = vector, rng, others
        self.payload = vector.sequence[vector.left[1] : vector.right[0]]
        self.repeat = len(AAV2_ITR)

    def make(self, kind: str) -> str:
        """One molecule of a class."""
        makers: dict[str, Callable[[], str]] = {
            "full": self.full,
            "internal-deletion": self.deleted,
            "left-partial": lambda: self.full()[: self._upto()],
            "right-partial": lambda: self.full()[-self._upto() :],
            "partial": self.partial,
            "left-snapback": lambda: self.snapback(left=True),
            "right-snapback": lambda: self.snapback(left=False),
            "sc-full": lambda: self.folded(self._cassette(), self._cassette()),
            "sc-partial": self.sc_partial,
            "sc-internal-deletion": self.sc_deleted,
            "read-through": self.read_through,
            "reverse-packaged": self.reverse_packaged,
            "backbone": self.backbone,
            "tandem": self.tandem,
            "chimeric-vector": self.chimeric,
        }
        if kind in self.others:
            return self._piece_of(self.others[kind], 800, 4000)
        if kind not in makers:
            raise InputError(f"no reads of {kind!r} can be made", remedy=f"Use one of: {', '.join(makers)}.")
        return makers[kind]()

    def _between(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, max(low + 1, high)))

    def _itr(self) -> str:
        return AAV2_ITR if self.rng.random() < 0.5 else AAV2_FLOP

    def _cassette(self, payload: str | None = None) -> str:
        """Both repeats whole, in any orientation."""
        return self._itr() + (self.payload if payload is None else payload) + reverse_complement(self._itr())

    def _trimmed(self, molecule: str, *, left: bool = True, right: bool = True) -> str:
        start = self._between(0, LOST_AT_END + 1) if left else 0
        end = self._between(0, LOST_AT_END + 1) if right else 0
        return molecule[start : len(molecule) - end]

    def full(self) -> str:
        return self._trimmed(self._cassette())

    def _without_middle(self) -> str:
        size = len(self.payload)
        length = round(np.exp(self.rng.uniform(np.log(SMALLEST), np.log(size - 300))))
        at = self._between(150, size - 150 - length)
        return self.payload[:at] + self.payload[at + length :]

    def deleted(self) -> str:
        return self._trimmed(self._cassette(self._without_middle()))

    def _upto(self) -> int:
        """Length of a genome whose far end is broken off."""
        return self._between(self.repeat + 200, self.repeat + len(self.payload) - 50)

    def partial(self) -> str:
        size = len(self.payload)
        length = self._between(300, size - 100)
        at = self._between(50, size - 50 - length)
        return self.payload[at : at + length]

    def snapback(self, *, left: bool) -> str:
        cassette = self._cassette()
        if not left:
            cassette = reverse_complement(cassette)
        fold = self._between(self.repeat + 300, len(cassette) - self.repeat - 300)
        loop = self._between(20, 100) if self.rng.random() < 0.5 else 0
        return self._trimmed(cassette[:fold] + reverse_complement(cassette[: fold - loop]))

    def folded(self, first: str, second: str) -> str:
        """Two cassettes joined at the plasmid's own right repeat, each from its left end."""
        hinge = self.vector.sequence[slice(*self.vector.right)]
        one, two = first[: -self.repeat], second[: -self.repeat]
        return self._trimmed(one + hinge + reverse_complement(two))

    def sc_partial(self) -> str:
        whole = self._cassette()
        broken = whole[self._between(self.repeat + LEAST_BROKEN, len(whole) - self.repeat - 200) :]
        return self.folded(broken, broken if self.rng.random() < 0.5 else self._cassette())

    def sc_deleted(self) -> str:
        inside = self._without_middle()
        return self.folded(self._cassette(inside), self._cassette(inside))

    def _turned(self, start: int, length: int) -> str:
        doubled = self.vector.sequence * 3
        start %= len(self.vector.sequence)
        return doubled[start : start + length]

    def read_through(self) -> str:
        behind = self._turned(self.vector.end, self._between(LEAST_BROKEN, 1200))
        inside = self._itr() + self.payload + self.vector.sequence[slice(*self.vector.right)] + behind
        return self._trimmed(inside[self._between(0, len(self.payload) // 2) :], left=False, right=False)

    def reverse_packaged(self) -> str:
        length = len(self.vector.sequence) - self.vector.size
        behind = self._turned(self.vector.end, self._between(600, length) if self.rng.random() < 0.5 else length)
        ending = reverse_complement(self._itr()) if len(behind) == length else ""
        return self._trimmed(self._itr() + behind + ending, right=bool(ending))

    def backbone(self) -> str:
        length = len(self.vector.sequence) - self.vector.size
        size = self._between(400, length - 100)
        return self._turned(self.vector.end + self._between(50, length - 50 - size), size)

    def tandem(self) -> str:
        first, second = self._cassette(), self._cassette()
        cut = self._between(len(first) // 3, 2 * len(first) // 3)
        return self._trimmed(first[: -self.repeat], right=False) + second[:cut]

    def chimeric(self) -> str:
        other = self.others[min(self.others)]
        return self.full()[: self._upto()] + self._piece_of(other, 300, 1500)

    def _piece_of(self, sequence: str, low: int, high: int) -> str:
        length = self._between(low, min(high, len(sequence)))
        at = self._between(0, len(sequence) - length)
        return sequence[at : at + length]


def with_errors(piece: str, errors: ReadErrors, rng: np.random.Generator) -> str:
    """`piece` as the sequencer would read it."""
    codes = np.searchsorted(_BASES, np.frombuffer(piece.replace("N", "A").encode("ascii"), dtype=np.uint8))
    size = len(codes)
    rate = 10 ** (-max(8.0, rng.normal(errors.quality, errors.spread)) / 10)
    edges = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1, [size]])
    runs = np.repeat(np.diff(edges), np.diff(edges))
    draw = rng.random(size)
    wrong = draw < 0.4 * rate
    lost = (draw >= 0.4 * rate) & (draw < 0.4 * rate + 0.35 * rate * np.clip(runs - 2, 1, 8))
    codes = np.where(wrong, (codes + rng.integers(1, 4, size)) % 4, codes)
    copies = np.where(lost, 0, np.where(draw > 1 - 0.25 * rate, 2, 1))
    out = np.repeat(codes, copies)
    added = np.cumsum(copies)[copies == 2] - 1
    out[added] = rng.integers(0, 4, len(added))
    return _BASES[out].tobytes().decode("ascii")


def fastq(reads: Sequence[Read]) -> str:
    """FASTQ text of reads, with one quality for all."""
    return "".join(f"@{read.name}\n{read.sequence}\n+\n{'?' * len(read.sequence)}\n" for read in reads)
