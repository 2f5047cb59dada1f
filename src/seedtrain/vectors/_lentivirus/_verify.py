"""A lot's proviruses by their long reads: kinds, parts, places in the host, and one verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from seedtrain.base import Progress, digest_bytes, digest_file, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics import Read, Sample, make_aligner, sample_of, wilson
from seedtrain.quality import Criterion, Verdict, VerdictWord
from seedtrain.vectors._fractions import judge_share, limits_of, share_text
from seedtrain.vectors._lentivirus._classes import (
    KINDS,
    LEAST_SCORE,
    NOT_TOLD,
    Indexes,
    ProvirusRead,
    Site,
    classify_read,
)
from seedtrain.vectors._lentivirus._provirus import Provirus

MOST_READS: Final = 20_000
MOST_BASES: Final = 120_000_000
SAME_SITE: Final = 10
"""Bases within which two reads sit at one place; the host's five bases at a junction are doubled."""
SIMULATED_PREFIX: Final = "simulated"


@dataclass(frozen=True)
class ProvirusLimits:
    """Limits as fractions of the reads that run over both ends, all assumed; `None` is not asked.

    - `reads`: least reads that tell. `intact`: least share; the others: largest. `largest_site`: largest share of the
      reads with a place in the host that one place has. `unknown`: largest share of all reads that lie on nothing
      given. `unplaced`: largest share of the reads that leave the provirus, of those that find no place in the host.
    """

    reads: int = 50
    intact: float | None = 0.5
    internal_deletion: float | None = 0.2
    spliced: float | None = 0.2
    truncated: float | None = 0.2
    rearranged: float | None = 0.1
    hypermutated: float | None = 0.1
    largest_site: float | None = None
    unknown: float | None = 0.1
    unplaced: float | None = 0.5


@dataclass(frozen=True)
class SiteCount:
    """One place in the host and its reads."""

    site: Site
    reads: int


@dataclass(frozen=True)
class ProvirusReport:
    """The answer for one lot: `reads` in the order of the sample, `counts` by kind, places in the host by reads."""

    name: str
    provirus: Provirus
    verdict: Verdict
    limits: ProvirusLimits
    sample: Sample
    reads: tuple[ProvirusRead, ...]
    counts: Mapping[str, int]
    sites: tuple[SiteCount, ...]
    simulated: bool

    @property
    def telling(self) -> tuple[ProvirusRead, ...]:
        """Reads that run over both ends of a provirus."""
        return tuple(item for item in self.reads if item.kind not in NOT_TOLD)


def provirus_limits_from(texts: Mapping[str, str]) -> ProvirusLimits:
    """Limits by name: `intact=60%`, `spliced=none`; raises `InputError` for another."""
    return limits_of(ProvirusLimits, texts)


def verify_provirus(
    reads: Path | Sequence[Read],
    provirus: Provirus,
    *,
    name: str = "",
    host: Path | str | None = None,
    limits: ProvirusLimits | None = None,
    platform: str = "pacbio",
    progress: Progress = silent,
) -> ProvirusReport:
    """Whether the proviruses of a lot are what they should be, and where in the host they are.

    - `host`: FASTA file or a sequence; without it no place is told.

    The same reads give the same answer. Raises `InputError` for files that cannot be used.
    """
    used = limits or ProvirusLimits()
    reading = part(progress, 0.0, 0.1)
    sample, source = sample_of(reads, most_bases=MOST_BASES, most_reads=MOST_READS, progress=reading)
    aligner = make_aligner(provirus.sequence, platform, least_score=LEAST_SCORE)
    indexes = Indexes(
        aligner, None if host is None else make_aligner(host, platform, least_score=LEAST_SCORE), platform
    )
    found = []
    for number, read in enumerate(sample.reads):
        if number % 200 == 0:
            progress(0.1 + 0.8 * number / max(1, len(sample.reads)), _("classifying reads"))
        found.append(classify_read(read, indexes, provirus))
    counts = Counter(item.kind for item in found)
    sites = count_sites([item.site for item in found if item.site is not None])
    simulated = any(read.name.startswith(SIMULATED_PREFIX) for read in sample.reads)
    flanked = sum(item.flanks > 0 for item in found)
    evidence = list(_evidence(sample, source, provirus, host, counts, found, sites, simulated))
    versions = {item: version(item) for item in ("seedtrain", "mappy")}
    progress(1.0, _("verdict"))
    return ProvirusReport(
        name or (reads.name if isinstance(reads, Path) else provirus.name),
        provirus,
        Verdict.of(_criteria(counts, sites, used, flanked, with_host=host is not None), evidence, versions),
        used,
        sample,
        tuple(found),
        {kind: counts[kind] for kind in KINDS if counts[kind]},
        sites,
        simulated,
    )


def count_sites(sites: Sequence[Site]) -> tuple[SiteCount, ...]:
    """Places within `SAME_SITE` of the next one are one; the most frequent first."""
    groups: list[list[Site]] = []
    for site in sorted(sites, key=lambda item: (item.contig, item.strand, item.position)):
        last = groups[-1][-1] if groups else None
        same = last is not None and (last.contig, last.strand) == (site.contig, site.strand)
        if last is not None and same and site.position - last.position <= SAME_SITE:
            groups[-1].append(site)
        else:
            groups.append([site])
    found = [SiteCount(group[0], len(group)) for group in groups]
    return tuple(sorted(found, key=lambda item: (-item.reads, item.site.contig, item.site.position)))


def _criteria(
    counts: Counter[str], sites: Sequence[SiteCount], limits: ProvirusLimits, flanked: int, *, with_host: bool
) -> list[Criterion]:
    telling = sum(count for kind, count in counts.items() if kind not in NOT_TOLD)
    enough: VerdictWord = "pass" if telling >= limits.reads else "inconclusive"
    found = [Criterion("reads over both ends", telling, None, f">= {limits.reads}", None, enough)]
    short = telling < limits.reads
    if limits.intact is not None:
        found.append(judge_share("intact proviruses", counts["intact"], telling, limits.intact, True, short=short))
    shares = (
        ("internal deletions", counts["internal-deletion"], limits.internal_deletion),
        ("spliced", counts["spliced"], limits.spliced),
        ("truncated", counts["truncated"] + counts["solo-ltr"], limits.truncated),
        ("rearranged", counts["rearranged"], limits.rearranged),
        ("hypermutated", counts["hypermutated"], limits.hypermutated),
    )
    found += [
        judge_share(name, many, telling, limit, False, short=short) for name, many, limit in shares if limit is not None
    ]
    if limits.unknown is not None:
        total = sum(counts.values())
        strange = judge_share(
            "of no sequence given", counts["unknown"], total, limits.unknown, False, short=total < limits.reads
        )
        # Without the host nobody knows whether such reads are of it or of another organism.
        found.append(strange if with_host or strange.verdict == "pass" else replace(strange, verdict="inconclusive"))
    placed = sum(item.reads for item in sites)
    if limits.unplaced is not None and with_host and flanked >= limits.reads:
        # Repeats of a host cannot be placed; where most flanks find no place, the cells were of another organism.
        lost = flanked - placed
        found.append(
            judge_share("flanks without a place in the host", lost, flanked, limits.unplaced, False, short=False)
        )
    if limits.largest_site is not None:
        most = sites[0].reads if sites else 0
        few = placed < limits.reads
        found.append(judge_share("reads at one place", most, placed, limits.largest_site, False, short=few))
    return found


def _evidence(
    sample: Sample,
    source: str,
    provirus: Provirus,
    host: Path | str | None,
    counts: Counter[str],
    found: Sequence[ProvirusRead],
    sites: Sequence[SiteCount],
    simulated: bool,
) -> Iterator[str]:
    if simulated:
        yield "origin: simulated"
    chosen = "" if sample.complete else ", chosen by their digests"
    yield f"{len(sample.reads)} of {sample.total_reads} reads of {source}{chosen}"
    parts = ", ".join(f"{item.name} {item.start + 1}-{item.end}" for item in provirus.parts)
    yield f"provirus {provirus.name}, {len(provirus)} bases, digest {provirus.digest}: {parts}"
    yield "splice sites: " + ("annotated" if provirus.donors and provirus.acceptors else "GT and AG at a gap's ends")
    if isinstance(host, Path):
        yield f"host: {host.name}, SHA-256 {digest_file(host)}"
    elif host is not None:
        yield f"host: a sequence of {len(host)} bases, SHA-256 {digest_bytes(host.encode())}"
    yield ", ".join(f"{kind} {counts[kind]}" for kind in KINDS if counts[kind])
    telling = [item for item in found if item.kind not in NOT_TOLD]
    for piece in provirus.parts:
        many = sum(piece.name in item.whole for item in telling)
        low, high = wilson(many, len(telling))
        share = share_text(many / len(telling)) if telling else "-"
        yield f"{piece.name} whole: {many} of {len(telling)}, {share} ({share_text(low)} .. {share_text(high)})"
    placed = sum(item.reads for item in sites)
    flanked = sum(item.flanks > 0 for item in found)
    yield f"{len(sites)} places in the host, of {placed} reads; {flanked} reads leave the provirus"
    if host is None and counts["unknown"]:
        yield "no host was given: reads of no sequence given may be its own, or another organism's"
    yield "shares are of reads: long molecules and places that amplify badly are seen less"
