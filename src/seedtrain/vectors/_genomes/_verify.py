"""A lot of vector: reads in, classes, fractions and a verdict out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Progress, digest_file, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics import Read, Sample, reads_package, sample_of
from seedtrain.quality import Criterion, Verdict, VerdictWord
from seedtrain.vectors._fractions import judge_share, limits_of
from seedtrain.vectors._genomes._classes import Genome, classify
from seedtrain.vectors._genomes._crosswalk import CLASSES
from seedtrain.vectors._genomes._lay import (
    Other,
    Segment,
    bases,
    bases_outside,
    covered,
    other_aligners,
    segments_of,
    vector_aligner,
)
from seedtrain.vectors._genomes._vector import Source, Vector

MOST_READS: Final = 20_000
"""Reads that are judged of a larger file, chosen by their digests: bounds time and memory."""
MOST_BASES: Final = 120_000_000
SIMULATED_PREFIX: Final = "simulated"
LONGEST_SC_CASSETTE: Final = 2500
"""Bases, repeats included: half of what a capsid holds (4.7 kb, Wu et al. 2010, Mol Ther 18:80), with some excess.
A shorter cassette is taken for self-complementary where the design is not said."""
FOREIGN: Final = 100
"""Bases that lie on a source and not on the vector, from which on they count (LAAVA's tolerance of a flank)."""
NOT_VECTOR: Final = ("host", "helper", "repcap", "other", "chimeric-nonvector", "unknown")
INTACT: Final = 20
"""Outer bases that an intact repeat may lack (assumed): the rest of the hairpin still folds."""


@dataclass(frozen=True)
class GenomeLimits:
    """Limits as fractions of the reads, all assumed: set those of your specification; `None` is not asked.

    - `reads`: least reads that are judged. `full`: least share of full genomes among vector genomes of the design.
    - Most: `internal_deletions` (of vector genomes), `backbone` (plasmid backbone in any form, reverse packaging
      included), `host`, `helper`, `repcap`, `unknown` (of all reads). `intact`: least share of intact repeats among the
      ends of full genomes.
    """

    reads: int = 300
    full: float | None = 0.5
    internal_deletions: float | None = 0.1
    backbone: float | None = 0.1
    host: float | None = 0.05
    helper: float | None = 0.02
    repcap: float | None = 0.02
    unknown: float | None = 0.1
    intact: float | None = 0.5


def limits_from(texts: Mapping[str, str]) -> GenomeLimits:
    """Limits by name: `full=60%`, `host=none`. Raises `InputError` for an unknown name or a number out of 0 .. 1."""
    return limits_of(GenomeLimits, texts)


@dataclass(frozen=True)
class LotReport:
    """The answer for one lot.

    - `genomes`: one a read, in the order of the sample; `counts`: reads by class. `design`: ss or sc.
    """

    name: str
    vector: Vector
    verdict: Verdict
    limits: GenomeLimits
    design: str
    sources: tuple[Source, ...]
    sample: Sample
    genomes: tuple[Genome, ...]
    counts: Mapping[str, int]
    simulated: bool

    @property
    def vector_reads(self) -> int:
        """Reads that hold vector."""
        return sum(count for kind, count in self.counts.items() if kind not in NOT_VECTOR)


def verify_genomes(
    reads: Path | Sequence[Read],
    vector: Vector,
    *,
    name: str = "",
    sources: Sequence[Source] = (),
    design: str = "auto",
    limits: GenomeLimits | None = None,
    platform: str = "pacbio",
    most: int = MOST_READS,
    progress: Progress = silent,
) -> LotReport:
    """What kinds of genomes a lot of AAV holds, by its long reads, judged against `limits`.

    - `sources`: what else may be in the lot (host, helper, rep/cap, other); the vector's own entry is skipped.
    - `design`: ss, sc, or auto (by the length of the cassette).

    The same reads give the same answer. Raises `InputError` for files that cannot be used.
    """
    if design not in ("auto", "ss", "sc"):
        raise InputError(f"there is no design {design!r}", remedy="Use ss, sc or auto.")
    used = limits or GenomeLimits()
    sample, source = sample_of(reads, most_bases=MOST_BASES, most_reads=most, progress=part(progress, 0.0, 0.1))
    chosen = design if design != "auto" else ("sc" if vector.size <= LONGEST_SC_CASSETTE else "ss")
    aligner = vector_aligner(vector, platform)
    others = other_aligners(sources, platform)
    edlib = reads_package("edlib")
    genomes = []
    for index, read in enumerate(sample.reads):
        if index % 500 == 0:
            progress(0.1 + 0.8 * index / len(sample.reads), _("classifying reads"))
        genomes.append(genome_of(read, segments_of(aligner, read), vector, others, edlib))
    counts = Counter(item.kind for item in genomes)
    simulated = any(read.name.startswith(SIMULATED_PREFIX) for read in sample.reads)
    evidence = _evidence(sample, source, vector, chosen, design, sources, simulated)
    criteria = _criteria(genomes, counts, chosen, used, {item.source.role for item in others})
    versions = {item: version(item) for item in ("seedtrain", "mappy", "edlib")}
    progress(1.0, _("verdict"))
    return LotReport(
        name=name or (reads.name if isinstance(reads, Path) else vector.name),
        vector=vector,
        verdict=Verdict.of(criteria, evidence, versions),
        limits=used,
        design=chosen,
        sources=tuple(sources),
        sample=sample,
        genomes=tuple(genomes),
        counts={kind: counts[kind] for kind in CLASSES if counts[kind]},
        simulated=simulated,
    )


def genome_of(read: Read, segments: Sequence[Segment], vector: Vector, others: Sequence[Other], edlib: Any) -> Genome:
    """The genome of one read: of the vector, of another source, or of both joined.

    Another source is asked only where the read is not wholly in the cassette: plasmids share their backbones.
    """
    mine = covered(segments)
    inside = all(vector.start <= item.start and item.end <= vector.end for item in segments)
    foreign: list[tuple[str, list[tuple[int, int]]]] = []
    if not (segments and inside and len(read.sequence) - bases(mine) < FOREIGN):
        for other in others:
            found = covered(segments_of(other.aligner, read))
            if bases_outside(found, mine) >= FOREIGN:
                foreign.append((other.source.role, found))
    foreign.sort(key=lambda item: -bases(item[1]))
    if foreign:
        role, found = foreign[0]
        if bases_outside(mine, found) >= FOREIGN:
            return Genome("chimeric-vector")
        if any(bases_outside(held, found) >= FOREIGN and word != role for word, held in foreign[1:]):
            return Genome("chimeric-nonvector")
        return Genome(role)
    if not segments or bases(mine) < FOREIGN:
        return Genome("unknown")
    return classify(read, segments, vector, edlib)


def _evidence(
    sample: Sample, source: str, vector: Vector, design: str, asked: str, sources: Sequence[Source], simulated: bool
) -> list[str]:
    kept = len(sample.reads)
    lines = [
        f"{kept} of {sample.total_reads} reads of {source}"
        + ("" if kept == sample.total_reads else ", chosen by their digests"),
        f"vector {vector.name}, {len(vector.sequence)} bp, repeats at {vector.in_file(vector.left[0])} and "
        f"{vector.in_file(vector.right[1] - 1)}, digest {vector.digest}",
        f"design {design}" + (f", from the cassette of {vector.size} bp" if asked == "auto" else ", as told"),
        *(f"{item.role}: {item.name}, SHA-256 {digest_file(item.path)}" for item in sources if item.role != "vector"),
        "shares are of the reads of a library: blind to empty capsids, biased by length",
    ]
    if simulated:
        lines.append("simulated reads")
    return lines


def _criteria(
    genomes: Sequence[Genome], counts: Counter[str], design: str, limits: GenomeLimits, roles: set[str]
) -> list[Criterion]:
    total = len(genomes)
    mine = sum(count for kind, count in counts.items() if kind not in NOT_VECTOR)
    full_kinds = ("full", "sc-full") if design == "ss" else ("sc-full",)
    enough: VerdictWord = "pass" if total >= limits.reads else "inconclusive"
    found = [Criterion("reads judged", total, None, f">= {limits.reads}", None, enough)]
    deleted = counts["internal-deletion"] + counts["sc-internal-deletion"]
    backbone = sum(counts[kind] for kind in ("read-through", "sc-read-through", "reverse-packaged", "backbone"))
    shares = [
        ("full genomes", sum(counts[kind] for kind in full_kinds), mine, limits.full, True),
        ("internal deletions", deleted, mine, limits.internal_deletions, False),
        ("plasmid backbone", backbone, total, limits.backbone, False),
    ]
    shares += [
        (role, counts[role], total, getattr(limits, role), False)
        for role in ("host", "helper", "repcap")
        if role in roles
    ]
    shares.append(("of no sequence given", counts["unknown"] + counts["unresolved"], total, limits.unknown, False))
    ends = [end for item in genomes if item.kind in full_kinds for end in item.ends]
    expected = 2 * sum(counts[kind] for kind in full_kinds)
    shares.append(("intact repeats", sum(end.missing <= INTACT for end in ends), expected, limits.intact, True))
    short = total < limits.reads
    found += [judge_share(*item, short=short) for item in shares if item[3] is not None]
    return found
