"""The provirus that a lentiviral vector should leave in a cell, and where its parts are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, InputErrors, Position, SeedtrainError, digest_bytes, read_text
from seedtrain.bioinformatics import read_reference

PARTS: Final = ("5' LTR", "psi", "RRE", "cPPT", "transgene", "WPRE", "3' LTR")
"""In their order; only the repeats must be annotated, and what lies between cPPT and WPRE is the transgene."""
_WORDS: Final = (
    ("5' LTR", re.compile(r"\b5\W{0,3}\s*(\w+\W)?ltr|ltr\W*5")),
    ("3' LTR", re.compile(r"\b3\W{0,3}\s*(\w+\W)?ltr|ltr\W*3")),
    ("psi", re.compile(r"\bpsi\b|ψ|packaging signal")),
    ("RRE", re.compile(r"\brre\b|rev response")),
    ("cPPT", re.compile(r"\bcppt|central polypurine")),
    ("WPRE", re.compile(r"\bwpre|woodchuck")),
    ("transgene", re.compile(r"\btransgene|\bgoi\b|gene of interest")),
    ("donor", re.compile(r"splice donor|\bsd\d?\b")),
    ("acceptor", re.compile(r"splice acceptor|\bsa\d?\b")),
)


@dataclass(frozen=True)
class Part:
    """One part: 0-based, end past the last, on the provirus."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Provirus:
    """From the first base of the 5' LTR to the last of the 3' LTR.

    - `donors`, `acceptors`: annotated splice sites: the first base of the intron, and the first behind it.
    """

    name: str
    sequence: str
    parts: tuple[Part, ...]
    donors: tuple[int, ...] = ()
    acceptors: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of sequence and parts."""
        return digest_bytes(f"{self.parts}:{self.donors}:{self.acceptors}:{self.sequence}".encode())

    def part(self, name: str) -> Part | None:
        """The part of that name, where it is annotated."""
        return next((item for item in self.parts if item.name == name), None)


def read_provirus(path: Path, bed: Path | None = None) -> Provirus:
    """A provirus from GenBank with features, or FASTA with a BED file that names the parts (0-based).

    What lies outside the repeats is cut off. Give the provirus, not the transfer plasmid: the plasmid's 5' LTR is
    another one. Raises `InputError` where the two repeats are not annotated once each and in their order.
    """
    reference = read_reference(path, circular=False)
    spans = _from_bed(bed, len(reference)) if bed is not None else _from_features(path)
    return make_provirus(reference.name, reference.sequence, spans, file=str(bed or path))


def make_provirus(
    name: str, sequence: str, spans: Sequence[tuple[str, int, int]], *, file: str = "provirus"
) -> Provirus:
    """A provirus of (label, start, end); labels are read as people write them, such as `5'LTR` or `Psi`."""
    found: dict[str, list[tuple[int, int]]] = {}
    for label, start, end in spans:
        word = next((kind for kind, pattern in _WORDS if pattern.search(label.lower())), None)
        if word and (start, end) not in found.setdefault(word, []):
            found[word].append((start, end))
    ends = [found.get(item, []) for item in ("5' LTR", "3' LTR")]
    if any(len(item) != 1 for item in ends) or not ends[0][0][1] <= ends[1][0][0]:
        raise InputError(
            f"{len(ends[0])} features are a 5' LTR and {len(ends[1])} a 3' LTR, wanted is one of each, in this order",
            position=Position(file),
            remedy="Label them 5' LTR and 3' LTR in GenBank, or give a BED file of the parts (--bed).",
        )
    low, high = ends[0][0][0], ends[1][0][1]
    parts = [
        Part(word, spot[0] - low, spot[1] - low)
        for word in PARTS
        for spot in sorted(found.get(word, []))[:1]
        if low <= spot[0] and spot[1] <= high
    ]
    if not any(item.name == "transgene" for item in parts):
        parts += _transgene(parts)
    parts.sort(key=lambda item: item.start)
    donors, acceptors = (
        tuple(sorted(spot[0] - low for spot in found.get(kind, []) if low <= spot[0] < high))
        for kind in ("donor", "acceptor")
    )
    return Provirus(name, sequence[low:high].upper(), tuple(parts), donors, acceptors)


def _transgene(parts: Sequence[Part]) -> list[Part]:
    """What lies between the last part before and the first part behind it."""
    before = [item.end for item in parts if item.name in ("cPPT", "RRE", "psi", "5' LTR")]
    behind = [item.start for item in parts if item.name in ("WPRE", "3' LTR")]
    start, end = max(before), min(behind)
    return [Part("transgene", start, end)] if end - start >= 100 else []


def _from_bed(path: Path, size: int) -> list[tuple[str, int, int]]:
    spans: list[tuple[str, int, int]] = []
    faults: list[SeedtrainError] = []
    for number, line in enumerate(read_text(path, what="BED file").splitlines(), start=1):
        cells = line.split("\t") if "\t" in line else line.split(None, 3)
        if not cells or line.startswith(("#", "track", "browser")):
            continue
        here = Position(str(path), number, 1)
        try:
            start, end, label = int(cells[1]), int(cells[2]), cells[3]
        except (IndexError, ValueError):
            remedy = "Write: name, start, end, label."
            faults.append(InputError("this is no row of a BED file with names", position=here, remedy=remedy))
            continue
        if not 0 <= start < end <= size:
            message = f"{start} .. {end} is outside the sequence's 0 .. {size}"
            faults.append(InputError(message, position=here, remedy="Count from 0."))
        spans.append((label, start, end))
    if faults:
        raise InputErrors(tuple(faults))
    return spans


def _from_features(path: Path) -> list[tuple[str, int, int]]:
    import io

    from Bio import SeqIO

    text = read_text(path, what="provirus")
    if not text.lstrip().startswith("LOCUS"):
        return []
    parse: Any = SeqIO.parse
    spans = []
    for record in parse(io.StringIO(text), "genbank"):
        for feature in record.features:
            texts = [item for key in ("label", "standard_name", "note") for item in feature.qualifiers.get(key, [])]
            if texts:
                spans.append((str(texts[0]), int(feature.location.start), int(feature.location.end)))
    return spans
