"""The vector's plasmid with its two inverted terminal repeats, and the other sequences that may be in a lot."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, digest_bytes, read_packed
from seedtrain.bioinformatics import reads_package, reverse_complement

AAV2_ITR: Final = (
    "TTGGCCACTCCCTCTCTGCGCGCTCGCTCGCTCACTGAGGCCGGGCGACCAAAGGTCGCCCGACGCCCGGGCTTTGCCCGGGCGGCC"
    "TCAGTGAGCGAGCGAGCGCGCAGAGAGGGAGTGGCCAACTCCATCACTAGGGGTTCCT"
)
"""AAV2, left end, flip: a hairpin of 125, then D of 20. Srivastava et al. 1983, J Virol 45:555 (GenBank AF043303)."""
HAIRPIN: Final = 125
"""Bases of the terminal palindrome; flop is its reverse complement before the same D."""
ROLES: Final = ("vector", "host", "helper", "repcap", "other")
SHORTEST_BACKBONE: Final = 200
"""Bases outside the repeats; with fewer the file holds the cassette alone, a line."""
LONGEST_VECTOR: Final = 100_000
LEAST_IDENTITY: Final = 0.8
PROTEIN: Final = "EFILPQZX*J"
"""Letters that only proteins have."""
MOST_PROTEIN: Final = 0.05
"""Share of them from which on a line is one of a protein."""
D: Final = AAV2_ITR[HAIRPIN:]
EDGE_OF_D: Final = 15
"""Bases by which a labelled repeat may be off at its edges (assumed)."""
MOST_EDITS_OF_D: Final = 5
MARGIN_OF_D: Final = 4
"""Edits of D's 20 bases: chance fits of both lie near nine."""
AAV2_FLOP: Final = reverse_complement(AAV2_ITR[:HAIRPIN]) + AAV2_ITR[HAIRPIN:]


@dataclass(frozen=True)
class Vector:
    """The plasmid, turned so that its origin lies in the middle of the backbone, and its repeats.

    - `left`, `right`: 0-based start and end (past the last) of either repeat on the turned `sequence`.
    - `turned`: bases by which the file's sequence was turned.
    """

    name: str
    sequence: str
    left: tuple[int, int]
    right: tuple[int, int]
    circular: bool
    turned: int = 0

    @property
    def start(self) -> int:
        """First base of the cassette, repeats included."""
        return self.left[0]

    @property
    def end(self) -> int:
        """Past the last base of the cassette."""
        return self.right[1]

    @property
    def size(self) -> int:
        """Length of the cassette, repeats included, bases."""
        return self.end - self.start

    @cached_property
    def digest(self) -> str:
        """SHA-256 of sequence and repeats."""
        return digest_bytes(f"{self.circular}:{self.left}:{self.right}:{self.sequence}".encode())

    @cached_property
    def repeats(self) -> tuple[str, ...]:
        """Both strands of either repeat and of AAV2's, flip and flop: what the end of a genome may be."""
        own = (self.sequence[slice(*self.left)], self.sequence[slice(*self.right)])
        found = (AAV2_ITR, AAV2_FLOP, *own)
        return tuple(dict.fromkeys((*found, *map(reverse_complement, found))))

    def in_file(self, site: int) -> int:
        """The 1-based site of the file for a 0-based one here."""
        return (site + self.turned) % len(self.sequence) + 1


@dataclass(frozen=True)
class Source:
    """A file or one record of it, and what it is: `ROLE=PATH` or `ROLE=PATH#RECORD`."""

    role: str
    path: Path
    record: str = ""

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.record or self.path.name


def read_sources(texts: Sequence[str]) -> tuple[Source, ...]:
    """Sources as written on the command line; the first is the vector where it names no role.

    Raises `InputError` for an unknown role, a missing file, or anything but one vector.
    """
    found = []
    for index, text in enumerate(texts):
        role, sign, rest = text.partition("=")
        if not sign:
            role, rest = ("vector", text) if index == 0 else ("", text)
        if role not in ROLES:
            raise InputError(
                f"{text!r} does not say what it is", remedy=f"Write ROLE=FILE; roles are {', '.join(ROLES)}."
            )
        path, _sign, record = rest.partition("#")
        if not Path(path).is_file():
            raise InputError("there is no such file", position=Position(path), remedy="Check the path.")
        found.append(Source(role, Path(path), record))
    if sum(item.role == "vector" for item in found) != 1:
        raise InputError("one vector is needed", remedy="Give its FASTA or GenBank file first, after the reads.")
    return tuple(found)


def read_vector(source: Source, bed: Path | None = None) -> Vector:
    """The vector of a FASTA or GenBank file and where its repeats are.

    Repeats come from `bed` (0-based; rows whose name holds ITR), from the GenBank features labelled ITR, or from the
    best two matches with the repeat of AAV2. Raises `InputError` where there are not two.
    """
    position = Position(str(source.path))
    records = list(read_records(source.path))
    if source.record:
        records = [item for item in records if item[0] == source.record]
    if len(records) != 1:
        raise InputError(
            f"{len(records)} records fit, wanted is the vector alone",
            position=position,
            remedy="Name the record: vector=FILE#RECORD.",
        )
    name, sequence, spans = records[0]
    if not 500 <= len(sequence) <= LONGEST_VECTOR:
        raise InputError(
            f"the vector has {len(sequence)} bases, allowed are 500 to {LONGEST_VECTOR}",
            position=position,
            remedy="Give the whole plasmid.",
        )
    if bed is not None:
        spans = _read_bed(bed, name, len(sequence))
    elif not spans:
        spans = find_repeats(sequence)
    if len(spans) != 2:
        raise InputError(
            f"{len(spans)} inverted terminal repeats were found, two are needed",
            position=Position(str(bed)) if bed else position,
            remedy="Give a BED file with two rows whose name holds ITR (--bed), or GenBank features labelled ITR.",
        )
    return make_vector(name, sequence, *_in_order(sequence, sorted(spans)))


def _in_order(sequence: str, spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The repeats in the order left, right: the other way round where the cassette runs over the file's origin.

    D lies on the payload's side of the hairpin. Where neither repeat shows it (a self-complementary vector lacks one),
    the file is taken to begin in the backbone.
    """
    first, second = spans
    return (first, second) if _inward(sequence, first) >= _inward(sequence, second) else (second, first)


def _inward(sequence: str, span: tuple[int, int]) -> int:
    """On which side of a repeat the payload lies: 1 behind it, -1 before it, 0 where D does not tell."""
    edlib = reads_package("edlib")
    start, end = span
    before = sequence[max(0, start - EDGE_OF_D) : start + 3 * EDGE_OF_D]
    behind = sequence[max(0, end - 3 * EDGE_OF_D) : end + EDGE_OF_D]
    edits = [
        int(edlib.align(probe, text, mode="HW")["editDistance"]) if len(text) >= len(D) else len(D)
        for probe, text in ((D, behind), (reverse_complement(D), before))
    ]
    if min(edits) > MOST_EDITS_OF_D or abs(edits[0] - edits[1]) < MARGIN_OF_D:
        return 0
    return 1 if edits[0] < edits[1] else -1


def make_vector(name: str, sequence: str, left: tuple[int, int], right: tuple[int, int]) -> Vector:
    """A vector from its plasmid and repeats (0-based, as in `sequence`), turned to the middle of its backbone.

    The cassette is what lies from `left` to `right`: give them crossed where it runs over the origin.
    """
    total = len(sequence)
    cassette = (right[1] - left[0]) % total or total
    backbone = total - cassette
    if backbone < SHORTEST_BACKBONE:
        return Vector(name, sequence, left, right, circular=False)
    turned = (right[1] + backbone // 2) % total
    start = (left[0] - turned) % total
    first = (start, start + (left[1] - left[0]) % total)
    second_end = start + cassette
    second = (second_end - (right[1] - right[0]) % total, second_end)
    return Vector(name, sequence[turned:] + sequence[:turned], first, second, circular=True, turned=turned)


def find_repeats(sequence: str) -> list[tuple[int, int]]:
    """The two best matches with the repeat of AAV2 on either strand, at an identity of 0.8 or more."""
    edlib = reads_package("edlib")
    found: list[tuple[int, int]] = []
    masked = sequence
    for _each in range(2):
        best: tuple[float, int, int] | None = None
        for probe in (AAV2_ITR, AAV2_FLOP, reverse_complement(AAV2_ITR), reverse_complement(AAV2_FLOP)):
            core = probe[15:-15]  # cloned repeats lack bases at either end
            hit = edlib.align(core, masked, mode="HW", task="locations")
            start, end = hit["locations"][0]
            if start is None:
                continue
            identity = 1 - hit["editDistance"] / len(core)
            if best is None or identity > best[0]:
                best = (identity, start, end + 1)
        if best is None or best[0] < LEAST_IDENTITY:
            break
        found.append((max(0, best[1] - 15), min(len(sequence), best[2] + 15)))
        masked = masked[: best[1]] + "N" * (best[2] - best[1]) + masked[best[2] :]
    return found


def _read_bed(path: Path, name: str, size: int) -> list[tuple[int, int]]:
    spans = []
    for number, line in enumerate(read_packed(path, what="BED file").splitlines(), start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        if not cells or line.startswith(("#", "track", "browser")):
            continue
        here = Position(str(path), number, 1)
        try:
            start, end = int(cells[1]), int(cells[2])
        except (IndexError, ValueError):
            raise InputError("this is no row of a BED file", position=here, remedy="Write: name, start, end.") from None
        if not 0 <= start < end <= size:
            raise InputError(
                f"{start} .. {end} is outside the vector's 0 .. {size}", position=here, remedy="Count from 0."
            )
        if cells[0] == name and len(cells) > 3 and "ITR" in cells[3].upper():
            spans.append((start, end))
    return spans


def read_records(path: Path) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """Name, upper-case sequence and labelled repeats of every record of a FASTA or GenBank file."""
    text = read_packed(path, give="Give FASTA or GenBank.")
    if text.lstrip().startswith("LOCUS"):
        yield from _genbank(text, path)
        return
    name, pieces, begun = "", list[str](), False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(">"):
            if begun:
                yield name, "".join(pieces), []
            name, pieces, begun = (line[1:].split() or ["sequence"])[0], [], True
            continue
        stripped = line.strip().upper()
        wrong = set(stripped) - set("ACGTUNRYSWKMBDHV")
        if stripped and (wrong or not begun):
            protein = sum(letter in PROTEIN for letter in stripped) > MOST_PROTEIN * len(stripped)
            fault = f"{min(wrong)!r} is no base" if wrong else "a FASTA file begins with '>'"
            fault = "this is a protein, and DNA is needed" if wrong and protein else fault
            raise InputError(fault, position=Position(str(path), number, 1), remedy="Give DNA as FASTA or GenBank.")
        pieces.append(stripped.translate(str.maketrans("URYSWKMBDHV", "TNNNNNNNNNN")))
    if not begun:
        raise InputError("the file holds no sequence", position=Position(str(path)), remedy="Give FASTA or GenBank.")
    yield name, "".join(pieces), []


def _genbank(text: str, path: Path) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    from Bio import SeqIO

    parse: Any = SeqIO.parse
    try:
        records = [(item, str(item.seq).upper()) for item in parse(io.StringIO(text), "genbank")]
    except (ValueError, AssertionError) as error:
        raise InputError(
            f"not a GenBank record: {error}", position=Position(str(path)), remedy="Export it again."
        ) from None
    for record, sequence in records:
        spans = []
        for feature in record.features:
            words = " ".join(text for key in ("label", "note", "gene") for text in feature.qualifiers.get(key, []))
            if "ITR" in words.split() or "inverted terminal repeat" in words.lower() or "ITR" in words:
                spans.append((int(feature.location.start), int(feature.location.end)))
        yield str(record.id), sequence, sorted(set(spans))
