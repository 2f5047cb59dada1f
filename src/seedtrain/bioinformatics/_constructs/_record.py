"""A stretch of DNA with its features, and what is done to it: turned, cut out, joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from seedtrain.base import InputError
from seedtrain.bioinformatics._hosts import reverse_complement

Strand = Literal["+", "-"]
Span = tuple[int, int]


@dataclass(frozen=True)
class Feature:
    """An annotation as in GenBank.

    - `key`: CDS, promoter, rep_origin ...; `spans`: first and last base of each piece, from 1, both inside, in the
      order of the plus strand; one that goes across the origin of a circle has two. `strand`: on which it reads.
    - `qualifiers`: as in the file, each with its values.
    """

    key: str
    spans: tuple[Span, ...]
    strand: Strand = "+"
    qualifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What people call it."""
        for name in ("label", "gene", "product", "standard_name", "note"):
            if self.qualifiers.get(name):
                return self.qualifiers[name][0]
        return self.key

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "key": self.key,
            "label": self.label,
            "spans": [list(span) for span in self.spans],
            "strand": self.strand,
            "qualifiers": {name: list(values) for name, values in self.qualifiers.items()},
        }


@dataclass(frozen=True)
class DnaRecord:
    """DNA with its features: upper-case IUPAC letters, a circle or a line.

    - `read_as`: what the reader normalised, of `lower_case` and `rna`.
    """

    name: str
    sequence: str
    circular: bool = False
    features: tuple[Feature, ...] = ()
    description: str = ""
    read_as: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sequence)

    def cut_out(self, start: int, length: int) -> tuple[DnaRecord, tuple[str, ...]]:
        """`length` bases from `start` (0-based) as a line, going round a circle, and the labels of features cut apart.

        Features that lie wholly inside go with it.
        """
        size = len(self)
        if not self.circular and (start < 0 or start + length > size):
            raise InputError(f"{self.name}: bases {start + 1} to {start + length} are not inside its {size}")
        assert length <= size
        turned = self.rotated(start) if self.circular and size else self
        begin = 0 if self.circular else start
        kept, broken = [], []
        for feature in turned.features:
            inside = [begin < first and last <= begin + length for first, last in feature.spans]
            if all(inside) and _in_order(feature.spans):
                kept.append(dataclasses.replace(feature, spans=tuple((a - begin, b - begin) for a, b in feature.spans)))
            elif (
                any(first <= begin + length and last > begin for first, last in feature.spans)
                and feature.key != "source"
            ):
                broken.append(feature.label)
        text = turned.sequence[begin : begin + length]
        return DnaRecord(self.name, text, False, tuple(kept), self.description, self.read_as), tuple(broken)

    def rotated(self, start: int) -> DnaRecord:
        """The same circle, written from its base `start` (0-based) on."""
        assert self.circular, "only a circle can be turned"
        size = len(self)
        start %= size
        moved = tuple(
            dataclasses.replace(item, spans=_merged(_turned(item.spans, start, size), size)) for item in self.features
        )
        return dataclasses.replace(self, sequence=self.sequence[start:] + self.sequence[:start], features=moved)

    def reversed(self) -> DnaRecord:
        """The other strand."""
        size = len(self)
        flipped = tuple(
            dataclasses.replace(
                item,
                spans=tuple((size + 1 - last, size + 1 - first) for first, last in reversed(item.spans)),
                strand="-" if item.strand == "+" else "+",
            )
            for item in reversed(self.features)
        )
        return dataclasses.replace(self, sequence=reverse_complement(self.sequence), features=flipped)

    def text_of(self, feature: Feature) -> str:
        """The letters of a feature, read along its strand."""
        letters = "".join(self.sequence[first - 1 : last] for first, last in feature.spans)
        return letters if feature.strand == "+" else reverse_complement(letters)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "circular": self.circular,
            "length": len(self),
            "sequence": self.sequence,
            "features": [item.to_data() for item in self.features],
        }


def join(name: str, pieces: Sequence[DnaRecord], *, circular: bool, description: str = "") -> DnaRecord:
    """Lines one after the other, with all their features."""
    features: list[Feature] = []
    offset = 0
    for piece in pieces:
        assert not piece.circular
        features += [
            dataclasses.replace(item, spans=tuple((a + offset, b + offset) for a, b in item.spans))
            for item in piece.features
        ]
        offset += len(piece)
    return DnaRecord(name, "".join(piece.sequence for piece in pieces), circular, tuple(features), description)


def stretch(key: str, text: str, qualifiers: Mapping[str, tuple[str, ...]]) -> DnaRecord:
    """A line of `text` with one feature over all of it."""
    return DnaRecord("", text, False, (Feature(key, ((1, len(text)),), "+", qualifiers),))


def same_circle(one: str, other: str) -> bool:
    """Whether two sequences are the same circle, wherever they begin and on whichever strand."""
    if len(one) != len(other):
        return False
    doubled = one + one
    return other in doubled or reverse_complement(other) in doubled


def _in_order(spans: Sequence[Span]) -> bool:
    return all(before[1] < after[0] for before, after in pairwise(spans))


def _turned(spans: Sequence[Span], start: int, size: int) -> list[Span]:
    """Spans of a circle that begins elsewhere; one across the new origin falls in two."""
    found: list[Span] = []
    for first, last in spans:
        low, high = (first - 1 - start) % size, (last - 1 - start) % size
        if low <= high:
            found.append((low + 1, high + 1))
        else:
            found += [(low + 1, size), (1, high + 1)]
    return found


def _merged(spans: Sequence[Span], size: int) -> tuple[Span, ...]:
    """Pieces that touch, at what was the origin before, as one."""
    found: list[Span] = []
    for first, last in spans:
        if found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)
