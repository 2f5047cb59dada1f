"""The sequence that a clone should have, and what is special about each of its sites."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, digest_bytes, read_packed

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

IUPAC: Final = "RYSWKMBDHVN"
ALLOWED: Final = dict(zip(IUPAC, ("AG", "CT", "CG", "AT", "GT", "AC", "CGT", "AGT", "ACT", "ACG", "ACGT"), strict=True))
"""The bases that each code allows."""
PROTEIN_ONLY: Final = "EFILPQZX*J"
SHORTEST_REFERENCE: Final = 100
LONGEST_REFERENCE: Final = 2_000_000
"""A clone, a vector or a small episome; memory and time grow with it."""
SHORTEST_RUN: Final = 4
"""Bases of one kind in a row that count as a homopolymer."""
END_BASES: Final = 15
"""Bases at either end of a linear reference that alignments clip and that are therefore not judged."""
MOTIFS: Final = (("Dam", "GATC"), ("Dcm", "CC[AT]GG"))
"""Methylated by *E. coli* K-12 (Marinus & Lobner-Olesen 2014, EcoSal Plus 6(1)); both are their own reverse
complement. Nanopore basecallers err at and beside them on one strand."""
MOTIF_FLANK: Final = 2
"""Bases beside a motif that are masked with it: the pore reads about five bases at once."""

_CODE = np.full(256, 4, dtype=np.uint8)
for _index, _pair in enumerate(("Aa", "Cc", "Gg", "TtUu")):
    for _letter in _pair:
        _CODE[ord(_letter)] = _index
_COMPLEMENT = bytes.maketrans(b"ACGTUNacgtun", b"TGCAANtgcaan")


def encode(sequence: str) -> Bytes:
    """A, C, G, T (or U) as 0 to 3, everything else as 4; shape "base"."""
    return _CODE[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]


def reverse_complement(sequence: str) -> str:
    """The other strand, read from its own 5' end."""
    return sequence.encode("ascii").translate(_COMPLEMENT)[::-1].decode("ascii")


@dataclass(frozen=True)
class Run:
    """A homopolymer: `start` counts from 0 and lies on the reference; on a circle its end may lie past the origin."""

    start: int
    length: int
    base: str


@dataclass(frozen=True)
class Mask:
    """Sites that are judged under a wider limit, or not at all: 0-based `start`, `end` (past the last), and why."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Reference:
    """What the clone should be: upper-case DNA with IUPAC codes, a circle or a line.

    - `notes`: what the reader normalised, of `lower_case` and `rna`.
    """

    name: str
    sequence: str
    circular: bool = True
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the sequence and its topology."""
        return digest_bytes(f"{'circle' if self.circular else 'line'}:{self.sequence}".encode())

    @cached_property
    def codes(self) -> Bytes:
        """`encode` of the sequence."""
        return encode(self.sequence)

    @cached_property
    def unrolled(self) -> str:
        """What reads are aligned with: a circle twice, so that no read is cut at the origin."""
        return self.sequence * 2 if self.circular else self.sequence

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Homopolymers of `SHORTEST_RUN` or more, one across the origin of a circle included."""
        codes, size = self.codes, len(self)
        changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        starts = np.concatenate([[0], changes])
        lengths = np.diff(np.concatenate([starts, [size]]))
        found = [(int(start), int(length)) for start, length in zip(starts, lengths, strict=True)]
        if self.circular and len(found) > 1 and codes[0] == codes[-1]:
            first = found.pop(0)
            found[-1] = (found[-1][0], found[-1][1] + first[1])
        return tuple(
            Run(start, length, self.sequence[start])
            for start, length in found
            if length >= SHORTEST_RUN and codes[start] < 4
        )

    @cached_property
    def masks(self) -> tuple[Mask, ...]:
        """Methylation motifs with their flanks, codes that are not one base, and the ends of a line."""
        size = len(self)
        text = self.sequence + (self.sequence[:5] if self.circular else "")
        found: list[Mask] = []
        for kind, pattern in MOTIFS:
            for match in re.finditer(f"(?={pattern})", text):
                length = len(pattern.replace("[AT]", "W"))
                if match.start() < size:
                    found.append(Mask(match.start() - MOTIF_FLANK, match.start() + length + MOTIF_FLANK, kind))
        found += [Mask(match.start(), match.end(), "IUPAC") for match in re.finditer(f"[{IUPAC}]+", self.sequence)]
        if not self.circular:
            found += [Mask(0, END_BASES, "end"), Mask(size - END_BASES, size, "end")]
        return tuple(sorted(found, key=lambda item: (item.start, item.kind)))

    def positions_of(self, *kinds: str) -> NDArray[np.bool_]:
        """Which sites the masks of these kinds cover; shape "site"."""
        covered = np.zeros(len(self), dtype=np.bool_)
        for mask in self.masks:
            if mask.kind in kinds:
                covered[np.arange(mask.start, mask.end) % len(self)] = True
        return covered

    @cached_property
    def run_sites(self) -> NDArray[np.bool_]:
        """Which sites lie in a homopolymer; shape "site"."""
        covered = np.zeros(len(self), dtype=np.bool_)
        for run in self.runs:
            covered[np.arange(run.start, run.start + run.length) % len(self)] = True
        return covered

    def around(self, site: int, flank: int = 6) -> str:
        """The bases about a site, the site itself in brackets."""
        size = len(self)
        taken = [(site + step) for step in range(-flank, flank + 1)]
        if not self.circular:
            taken = [item for item in taken if 0 <= item < size]
        letters = [self.sequence[item % size] for item in taken]
        middle = taken.index(site)
        return "".join(letters[:middle]) + f"[{letters[middle]}]" + "".join(letters[middle + 1 :])


def parse_reference(text: str, file: str = "reference", *, circular: bool | None = None) -> Reference:
    """One FASTA record, or one GenBank record (whose LOCUS line says whether it is a circle).

    `circular` overrides the file; FASTA without it is a circle. Raises `InputError` with position.
    """
    if text.lstrip().startswith("LOCUS"):
        name, sequence, found = _genbank(text, file)
        circular = found if circular is None else circular
    else:
        name, sequence = _fasta(text, file)
    notes = []
    if sequence != sequence.upper():
        notes.append("lower_case")
    sequence = sequence.upper()
    if "U" in sequence:
        notes.append("rna")
        sequence = sequence.replace("U", "T")
    if not SHORTEST_REFERENCE <= len(sequence) <= LONGEST_REFERENCE:
        raise InputError(
            f"the reference has {len(sequence)} bases, allowed are {SHORTEST_REFERENCE} to {LONGEST_REFERENCE}",
            position=Position(file),
            remedy="Give the whole sequence of one clone.",
        )
    known = sum(sequence.count(base) for base in "ACGT")
    if known < 0.9 * len(sequence):
        raise InputError(
            f"only {known} of {len(sequence)} bases are A, C, G or T",
            position=Position(file),
            remedy="Give a reference with at most one unknown base in ten.",
        )
    return Reference(name, sequence, True if circular is None else circular, tuple(notes))


def read_reference(path: Path, *, circular: bool | None = None) -> Reference:
    """`parse_reference` of a file, gzipped or not."""
    text = read_packed(path, what="reference", give="Give a FASTA or GenBank file.")
    return parse_reference(text, str(path), circular=circular)


def _fasta(text: str, file: str) -> tuple[str, str]:
    name, pieces = "", list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith(">"):
            if name:
                raise InputError(
                    "a second record begins here",
                    position=Position(file, number, 1),
                    remedy="Give one clone a file; put other sequences into the file of known other sequences.",
                )
            words = stripped[1:].split()
            name = words[0] if words else "reference"
        elif stripped:
            if not name:
                raise InputError(
                    "a FASTA file begins with '>'", position=Position(file, number, 1), remedy="Add a header line."
                )
            _check_letters(stripped, line, number, file)
            pieces.append(stripped)
    if not pieces:
        raise InputError("the reference is empty", position=Position(file), remedy="Give a FASTA or GenBank record.")
    return name, "".join(pieces)


def _check_letters(stripped: str, line: str, number: int, file: str) -> None:
    wrong = re.search(f"[^ACGTU{IUPAC}]", stripped, re.IGNORECASE)
    if wrong is None:
        return
    protein = sum(letter in PROTEIN_ONLY for letter in stripped.upper()) > 0.05 * len(stripped)
    position = Position(file, number, line.index(stripped) + wrong.start() + 1)
    if protein:
        raise InputError("this is a protein, and a clone is compared with DNA", position=position, remedy="Give DNA.")
    raise InputError(
        f"{wrong.group()!r} is no base", position=position, remedy="Use A, C, G, T or an IUPAC code, without gaps."
    )


def _genbank(text: str, file: str) -> tuple[str, str, bool]:
    import io

    from Bio import SeqIO

    parse: Any = SeqIO.parse
    try:
        records = list(parse(io.StringIO(text), "genbank"))
        letters = [str(record.seq) for record in records]
    except (ValueError, AssertionError) as error:
        raise InputError(f"not a GenBank record: {error}", position=Position(file), remedy="Export it again.") from None
    if len(records) != 1:
        raise InputError(f"{len(records)} records, wanted is one", position=Position(file), remedy="Give one clone.")
    _check_letters(letters[0], letters[0], 0, file)
    return str(records[0].name), letters[0], records[0].annotations.get("topology") == "circular"
