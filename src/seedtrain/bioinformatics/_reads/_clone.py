"""One clone: reads in, verdict and everything that it rests on out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._reads._align import PRESETS, Laid, lay_all
from seedtrain.bioinformatics._reads._alleles import ClassResult, RunLength, find_alleles, run_lengths
from seedtrain.bioinformatics._reads._coded import CodedSite, coded_sites
from seedtrain.bioinformatics._reads._consensus import NONE, Consensus, build_consensus
from seedtrain.bioinformatics._reads._criteria import Findings, judge_clone
from seedtrain.bioinformatics._reads._limits import CloneLimits
from seedtrain.bioinformatics._reads._parental import count_parental
from seedtrain.bioinformatics._reads._pile import BREAK_SPAN, Pile, identity_of, pile_up
from seedtrain.bioinformatics._reads._reference import END_BASES, Reference
from seedtrain.bioinformatics._reads._source import Read, Sample, sample_of
from seedtrain.bioinformatics._reads._structure import (
    Shares,
    Structure,
    breaks_of,
    find_structures,
    is_related,
    multimers,
    share_out,
    structure_detection_limit,
)
from seedtrain.quality import Verdict

SIMULATED_PREFIX = "simulated"


@dataclass(frozen=True)
class CloneReport:
    """The answer for one sample.

    - `identity`: shape "read", identical bases per alignment column; `depth`: shape (strand, site);
      `spanning`: shape "site", reads that cross the site unbroken.
    - `simulated`: whether any read is marked as simulated. `structure_limit`: least share of molecules with one new
      break point that would be found. `coded`: letters of the reference that allow several bases. `parental`: reads of
      the parental plasmid, and reads that tell; `None`: not asked.
    """

    name: str
    reference: Reference
    verdict: Verdict
    limits: CloneLimits
    shares: Shares
    classes: tuple[ClassResult, ...]
    runs: tuple[RunLength, ...]
    structures: tuple[Structure, ...]
    consensus: Consensus
    coded: tuple[CodedSite, ...]
    multimers: tuple[int, int]
    identity: NDArray[np.float64]
    depth: NDArray[np.int64]
    spanning: NDArray[np.int64]
    simulated: bool
    structure_limit: float
    parental: tuple[int, int] | None = None

    def to_data(self) -> dict[str, Any]:
        """The verdict, exactly as the command line's contract wants it."""
        return self.verdict.to_data()


def verify_clone(
    reads: Path | Sequence[Read],
    reference: Reference,
    *,
    name: str = "",
    control: Path | Sequence[Read] | None = None,
    others: Sequence[tuple[str, str | Path]] = (),
    limits: CloneLimits | None = None,
    platform: str = "nanopore",
    parental: Reference | None = None,
    progress: Progress = silent,
) -> CloneReport:
    """Whether `reads` come from `reference` and from nothing else, within `limits`.

    - `control`: reads of a clone known to be right, on the same reference and of the same method: sharpens the error
      of each site. `others`: (name, sequence or FASTA file) of what else may be in the tube, host or helper.
    - `platform`: nanopore, pacbio or illumina: how reads are aligned. `parental`: the plasmid that the clone was made
      from, whose reads are counted.

    The same reads give the same answer, byte for byte. A file is read in bounded memory: a larger one is sampled by
    the digests of its reads, and the evidence says so. Raises `InputError` for files that cannot be used.
    """
    if platform not in PRESETS:
        raise InputError(f"there is no platform {platform!r}", remedy=f"Use one of: {', '.join(PRESETS)}.")
    used = limits or CloneLimits()
    sample, source = sample_of(reads, progress=part(progress, 0.0, 0.1))
    progress(0.1, _("aligning reads"))
    laid = list(lay_all(reference, sample.reads, platform))
    other = _control(control, reference, platform)
    findings, pile = _findings(reference, (sample, source), laid, other, others, platform, progress)
    progress(1.0, _("verdict"))
    return CloneReport(
        name=name or (reads.name if isinstance(reads, Path) else reference.name),
        reference=reference,
        verdict=judge_clone(reference, findings, used),
        limits=used,
        shares=findings.shares,
        classes=findings.classes,
        runs=findings.runs,
        structures=findings.structures,
        consensus=findings.consensus,
        coded=findings.coded,
        multimers=findings.multimers,
        identity=findings.identity,
        depth=pile.covered,
        spanning=pile.spanning,
        simulated=findings.simulated,
        structure_limit=findings.structure_limit,
        parental=None if parental is None else count_parental(parental, laid, platform),
    )


def _findings(
    reference: Reference,
    taken: tuple[Sample, str],
    laid: Sequence[Laid],
    other: Pile | None,
    others: Sequence[tuple[str, str | Path]],
    platform: str,
    progress: Progress,
) -> tuple[Findings, Pile]:
    """What reads (`taken`: with where they are from) say once they are `laid`, beside a control's `other` pile."""
    # A few stray alignments of foreign reads are no evidence about the clone.
    mine = [item for item in laid if is_related(item)]
    progress(0.6, _("counting bases"))
    pile = pile_up(reference, mine)
    classes = find_alleles(reference, pile, other)
    breaks = list(breaks_of(reference, mine, platform))
    spanning, fewest_at = _least_spanning(reference, pile)
    progress(0.8, _("consensus"))
    consensus = build_consensus(reference, mine, pile) if mine else NONE
    found = Findings(
        sample=taken[0],
        source=taken[1],
        shares=share_out(laid, others, platform),
        classes=classes,
        runs=run_lengths(reference, pile, other),
        structures=find_structures(reference, breaks, pile),
        structure_limit=structure_detection_limit(breaks, int(np.percentile(pile.spanning, 5)), len(reference)),
        consensus=consensus,
        coded=coded_sites(reference, pile),
        multimers=multimers(reference, mine),
        strand_depth=_thinnest(reference, pile),
        spanning=spanning,
        fewest_at=fewest_at,
        identity=identity_of(mine),
        controlled=other is not None,
        simulated=any(read.name.startswith(SIMULATED_PREFIX) for read in taken[0].reads),
    )
    return found, pile


def _control(control: Path | Sequence[Read] | None, reference: Reference, platform: str) -> Pile | None:
    if control is None:
        return None
    sample, _source = sample_of(control)
    laid: list[Laid] = [item for item in lay_all(reference, sample.reads, platform) if is_related(item)]
    return pile_up(reference, laid)


def _least_spanning(reference: Reference, pile: Pile) -> tuple[int, int]:
    """Least reads that cross any site unbroken, and the site; near the ends of a line no read can, and nothing is asked
    there."""
    beside = 0 if reference.circular else END_BASES + BREAK_SPAN
    inner = pile.spanning[beside : len(reference) - beside]
    return (int(inner.min()), beside + int(inner.argmin())) if len(inner) else (0, 0)


def _thinnest(reference: Reference, pile: Pile) -> int:
    """Least reads of either strand over any site that is judged."""
    judged = ~reference.positions_of("end", "IUPAC")
    return int(pile.covered[:, judged].min()) if judged.any() else 0
