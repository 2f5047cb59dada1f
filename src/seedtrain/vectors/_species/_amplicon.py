"""Reads of amplicons: whose DNA they are, by references that the user gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, digest_file
from seedtrain.bioinformatics import poisson_tail, read_reads, reads_package, take_sample
from seedtrain.quality import Criterion
from seedtrain.vectors._species._animals import PORCINE, Judged
from seedtrain.vectors._table import Column, Sheet

COLUMNS: Final = (
    Column("role", "word", None, words=("sample", "blank", "control")),
    Column("reads", "word", None),
)
LEAST_IDENTITY: Final = 0.95
LEAST_MARGIN: Final = 3
"""Edits by which the best reference must beat every other animal's."""
LEAST_READS: Final = 500
"""Reads of known animals that a replicate must have (assumed)."""
FEWEST: Final = 10
"""Porcine reads below which a replicate is negative (assumed)."""
ALPHA: Final = 0.001
"""Chance with which the rate of the blanks gives as many porcine reads."""
MOST_READS: Final = 20_000
TARGET: Final = "porcine"


def read_references(path: Path) -> Mapping[str, list[str]]:
    """Sequences by animal from FASTA: a record's name up to `_` or `|`; pig, sus and swine are porcine."""
    found: dict[str, list[str]] = {}
    for record in read_reads(path):
        animal = record.name.replace("|", "_").split("_")[0].lower()
        found.setdefault(TARGET if animal in PORCINE else animal, []).append(record.sequence)
    if TARGET not in found or len(found) < 2:
        raise InputError(
            f"the references are of {', '.join(found) or 'nothing'}",
            position=Position(str(path)),
            remedy="Give FASTA with records named pig_... and at least one other animal's, over the same amplicon.",
        )
    return found


def assign(read: str, references: Mapping[str, list[str]], edlib: Any) -> str:
    """The animal of one read, or `unknown`: the fewest edits, by a margin, on either strand."""
    turned = read.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    edits: dict[str, int] = {}
    for animal, sequences in references.items():
        best = len(read)
        for sequence in sequences:
            for text in (read, turned):
                # The shorter lies somewhere in the longer: primers and ends do not count.
                query, target = (text, sequence) if len(text) <= len(sequence) else (sequence, text)
                best = min(best, int(edlib.align(query, target, mode="HW", task="distance")["editDistance"]))
        edits[animal] = best
    order = sorted(edits.items(), key=lambda item: (item[1], item[0]))
    size = min(len(read), max(len(item) for item in references[order[0][0]]))
    if order[0][1] > (1 - LEAST_IDENTITY) * size or order[1][1] - order[0][1] < LEAST_MARGIN:
        return "unknown"
    return order[0][0]


def judge_amplicons(sheet: Sheet, references: Mapping[str, list[str]]) -> Judged:
    """What reads of amplicons say.

    A replicate is positive with ten porcine reads or more that the rate of the blanks does not explain; detected is two
    of three replicates, as by qPCR.
    """
    edlib = reads_package("edlib")
    counted: list[tuple[str, Counter[str]]] = []
    evidence = []
    for row in sheet.rows:
        path = Path(sheet.file).parent / row.word("reads")
        if not path.is_file():
            raise sheet.error(row, f"there is no file {path}", "Paths are relative to the table.")
        try:
            sample = take_sample(read_reads(path), most_reads=MOST_READS)
        except InputError:
            if row.word("role") != "blank" or path.stat().st_size:
                raise
            sample = take_sample([])  # a blank without any read is what a blank should be
        seen = Counter(item.sequence for item in sample.reads)
        counts: Counter[str] = Counter()
        for sequence, many in seen.items():
            counts[assign(sequence, references, edlib)] += many
        counted.append((row.word("role"), counts))
        words = ", ".join(f"{animal} {many}" for animal, many in sorted(counts.items())) or "no read"
        of = "" if sample.complete else f", {len(sample.reads)} of {sample.total_reads} reads, chosen by their digests"
        evidence.append(f"{row.word('role')} {path.name}, SHA-256 {digest_file(path)}{of}: {words}")
    return _criteria(counted, evidence)


def _criteria(counted: Sequence[tuple[str, Counter[str]]], evidence: list[str]) -> Judged:
    def known(counts: Counter[str]) -> int:
        return sum(many for animal, many in counts.items() if animal != "unknown")

    samples, blanks, controls = (
        [counts for role, counts in counted if role == wanted] for wanted in ("sample", "blank", "control")
    )
    # What hops into the blanks hops into the samples as well: its rate per read of the run's mean depth.
    depth = max(1.0, sum(known(counts) for counts in samples) / max(1, len(samples)))

    def above(animal: str) -> int:
        rate = (sum(counts[animal] for counts in blanks) + 1) / (max(1, len(blanks)) * depth)
        return sum(
            counts[animal] >= FEWEST and poisson_tail(counts[animal], rate * known(counts)) < ALPHA
            for counts in samples
        )

    positive = above(TARGET)
    dirty = sum(counts[TARGET] >= FEWEST for counts in blanks)
    deep = sum(known(counts) >= LEAST_READS for counts in samples)
    working = sum(known(counts) >= LEAST_READS for counts in controls)
    enough, clean = len(samples) >= 3 and deep == len(samples), bool(blanks) and not dirty
    criteria = [
        _count("porcine replicates", len(samples), ">= 3", met=len(samples) >= 3),
        _count("replicates with reads enough", deep, f"all of {len(samples)}", met=enough),
        _count("porcine replicates above the blanks", positive, "= 0", met=positive == 0),
        _count("blanks with porcine reads", dirty if blanks else None, "= 0", met=clean),
        _count(
            "amplification controls with reads", working, f"all of {len(controls)}", met=0 < working == len(controls)
        ),
    ]
    detected = len(samples) >= 3 and clean and positive >= 2 and 3 * positive >= 2 * len(samples)
    names = sorted({name for counts in samples for name in counts} - {"unknown"})
    most = 2 * len(samples) / 3
    animals = tuple((name,) for name in names if samples and above(name) >= most)
    negative = all(item.verdict == "pass" for item in criteria)
    return Judged(tuple(criteria), tuple(evidence), detected, negative, animals)


def _count(name: str, value: str | float | None, limit: str, *, met: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if met else "inconclusive")
