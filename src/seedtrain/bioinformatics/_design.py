"""From a protein to a gene for its host, and the checks that do not trust the designer."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.base import InputError, Progress, digest, silent
from seedtrain.bioinformatics._checks import checks, extra_patterns, figures, meets, merit, restriction_sites
from seedtrain.bioinformatics._chisel import polish
from seedtrain.bioinformatics._draft import DeadEnd, Limits, draft
from seedtrain.bioinformatics._gene import TRANSLATION_RULE, Gene, GeneRequirements, Relaxation
from seedtrain.bioinformatics._hosts import Host, read_host
from seedtrain.bioinformatics._protein import Protein
from seedtrain.bioinformatics._ramp import loosen_start

LONGEST_GENE: Final = 3000
"""Residues; a longer gene is ordered and cloned in parts, and the search would take minutes."""
GC_STEP: Final = 0.05
REPEAT_STEP: Final = 4
RELATIVE_REPEAT_STEP: Final = 1.25


def design_gene(
    protein: Protein,
    host: str = "e_coli",
    *,
    seed: int = 1,
    requirements: GeneRequirements | None = None,
    progress: Progress = silent,
) -> Gene:
    """A gene for `protein` in `host`: drafted by a beam search, polished by DNA Chisel, its start loosened, checked.

    A product without a first Met gets one. Where no gene meets a preferred limit, that limit is relaxed by steps and
    the gene says so. The same protein, host, seed and requirements give the same gene. Raises `InputError` for an
    unknown host or enzyme, a wrong pattern, or more than `LONGEST_GENE` residues.
    """
    chosen, wanted = read_host(host), requirements or GeneRequirements()
    encoded = protein.sequence if protein.sequence.startswith("M") else f"M{protein.sequence}"
    if len(encoded) > LONGEST_GENE:
        raise InputError(
            f"protein {protein.name} has {len(protein)} residues, more than {LONGEST_GENE}",
            remedy="Design its domains one by one.",
        )
    forbidden = chosen.forbidden + restriction_sites(wanted.sites) + extra_patterns(wanted.patterns)
    asked = Limits(wanted.window, *wanted.gc, wanted.repeat, wanted.homopolymer, forbidden)
    key = [seed, int(digest(encoded)[:8], 16)]
    dna, limits, stuck = _write(encoded, chosen, asked, key, progress)
    progress(0.8, "loosening the start")
    dna = loosen_start(dna, encoded, chosen, limits)
    progress(0.9, "checking the gene")
    found = figures(dna, chosen, wanted)
    relaxed = _relaxations(asked, limits, stuck)
    return Gene(
        name=protein.name,
        dna=dna,
        product=protein,
        encoded=encoded,
        host=host,
        organism=chosen.organism,
        seed=seed,
        methionine="own" if encoded == protein.sequence else "added",
        methionine_removed=encoded[1:2] in set(chosen.methionine.removed_before),
        methionine_source=chosen.methionine.source,
        requirements=wanted,
        relaxed=relaxed,
        figures=found,
        checks=checks(dna, encoded, chosen, wanted, found, relaxed, seed),
        translation_factor=TRANSLATION_RULE.factor(found.cai),
        sources=_sources(chosen),
    )


def _write(
    encoded: str, host: Host, asked: Limits, key: list[int], progress: Progress
) -> tuple[str, Limits, dict[str, int]]:
    """The better of draft and polished draft, the limits that it meets, and where each relaxed limit first stuck."""
    progress(0.0, "drafting codons")
    drafted, limits, stuck = _draft_relaxing(encoded, host, asked, key)
    progress(0.5, "polishing with DNA Chisel")
    polished = polish(drafted, encoded, host, limits, int(digest([*key, "polish"])[:8], 16))
    if polished and meets(polished, encoded, limits) and merit(polished, host) > merit(drafted, host):
        return polished, limits, stuck
    return drafted, limits, stuck


def _sources(host: Host) -> tuple[str, ...]:
    return (
        host.reference.source,
        host.usage.source,
        host.avoided_codons.source,
        host.methionine.source,
        host.start.source,
        "Codon adaptation index: Sharp & Li 1987, Nucleic Acids Res 15:1281",
    )


def _draft_relaxing(encoded: str, host: Host, asked: Limits, key: list[int]) -> tuple[str, Limits, dict[str, int]]:
    """A draft, the limits that it meets, and where each relaxed limit first stuck."""
    limits, stuck = asked, dict[str, int]()
    while True:
        found = draft(encoded, host, limits, key)
        if isinstance(found, str):
            return found, limits, stuck
        limits = _relax(limits, found)
        stuck.setdefault(found.reason, found.residue)


def _relax(limits: Limits, dead: DeadEnd) -> Limits:
    reason = dead.reason
    if reason == "gc_low":
        return dataclasses.replace(limits, gc_low=round(max(0.0, limits.gc_low - GC_STEP), 6))
    if reason == "gc_high":
        return dataclasses.replace(limits, gc_high=round(min(1.0, limits.gc_high + GC_STEP), 6))
    if reason == "repeat":
        longer = max(limits.longest_repeat + REPEAT_STEP, math.ceil(limits.longest_repeat * RELATIVE_REPEAT_STEP))
        return dataclasses.replace(limits, longest_repeat=longer)
    if reason == "homopolymer":
        return dataclasses.replace(limits, longest_homopolymer=limits.longest_homopolymer + 1)
    kept = tuple(item for item in limits.forbidden if item.name != reason)
    assert len(kept) < len(limits.forbidden), f"nothing relaxes {reason}"
    return dataclasses.replace(limits, forbidden=kept)


def _relaxations(asked: Limits, used: Limits, stuck: dict[str, int]) -> tuple[Relaxation, ...]:
    found = []
    if asked.gc_low != used.gc_low or asked.gc_high != used.gc_high:
        residue = min(stuck[reason] for reason in ("gc_low", "gc_high") if reason in stuck)
        found.append(Relaxation("GC window", _gc_text(asked), _gc_text(used), residue))
    if asked.longest_repeat != used.longest_repeat:
        texts = (f"<= {asked.longest_repeat} nt", f"<= {used.longest_repeat} nt")
        found.append(Relaxation("longest repeat", *texts, stuck["repeat"]))
    if asked.longest_homopolymer != used.longest_homopolymer:
        texts = (f"<= {asked.longest_homopolymer} nt", f"<= {used.longest_homopolymer} nt")
        found.append(Relaxation("homopolymer", *texts, stuck["homopolymer"]))
    dropped = [item for item in asked.forbidden if item not in used.forbidden]
    found += [
        Relaxation(item.name, f"no {item.pattern}", f"{item.pattern} allowed", stuck[item.name]) for item in dropped
    ]
    return tuple(found)


def _gc_text(limits: Limits) -> str:
    return f"{limits.gc_low:.2f} .. {limits.gc_high:.2f} per {limits.window} nt"
