"""What a gene is checked for: figures and verdict, measured here and not by the tools that design it."""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import Any

from seedtrain.base import InputError
from seedtrain.bioinformatics import _measure as measure
from seedtrain.bioinformatics._draft import Limits
from seedtrain.bioinformatics._fold import start_energy
from seedtrain.bioinformatics._gene import GeneFigures, GeneRequirements, Relaxation
from seedtrain.bioinformatics._hosts import IUPAC, Forbidden, Host, adaptation_index
from seedtrain.quality import Criterion, Verdict


def restriction_sites(names: tuple[str, ...]) -> tuple[Forbidden, ...]:
    """The recognition sites of restriction enzymes (REBASE in Biopython); `InputError` for an unknown name."""
    from Bio import Restriction

    enzymes: Any = vars(Restriction)["AllEnzymes"]
    known = {str(enzyme): enzyme for enzyme in enzymes}
    for name in names:
        if name not in known:
            near = sorted(other for other in known if other.lower() == name.lower() or other.startswith(name[:3]))[:6]
            words = f"Use a name such as {', '.join(near)}." if near else "Use a name of REBASE, such as BsaI."
            raise InputError(f"there is no restriction enzyme {name!r}", remedy=words)
    return tuple(Forbidden(name=name, pattern=str(known[name].site), strands="both") for name in dict.fromkeys(names))


def extra_patterns(patterns: tuple[str, ...]) -> tuple[Forbidden, ...]:
    """Further IUPAC patterns; `InputError` for one that is too short or holds another letter."""
    for pattern in patterns:
        if len(pattern) < 4 or set(pattern.upper()) - set(IUPAC):
            raise InputError(
                f"{pattern!r} is not a pattern to avoid",
                remedy=f"Use four or more of the IUPAC letters {''.join(IUPAC)}.",
            )
    return tuple(Forbidden(name=item, pattern=item, strands="both") for item in dict.fromkeys(patterns))


def meets(dna: str, encoded: str, limits: Limits) -> bool:
    """Whether `dna` keeps to `limits`, by measures of its own."""
    low, high = measure.gc_windows(dna, limits.window)
    return (
        translate(dna) == f"{encoded}*"
        and (len(dna) < limits.window or _within((low, high), (limits.gc_low, limits.gc_high)))
        and measure.longest_repeat(dna) <= limits.longest_repeat
        and measure.longest_homopolymer(dna) <= limits.longest_homopolymer
        and not any(measure.places(dna, item.pattern, both=item.strands == "both") for item in limits.forbidden)
    )


def merit(dna: str, host: Host) -> float:
    """What draft and polish seek to raise."""
    total = 0.0
    for at in range(3, len(dna) - 3, 3):
        codon = dna[at : at + 3]
        preference = math.log(host.weights[codon])
        if at < host.start.nucleotides:
            weak = codon.count("A") + codon.count("T")
            total += host.start.codon_weight * preference + host.start.at_weight * weak
        else:
            total += preference
    return total


def translate(dna: str, table: int = 11) -> str:
    """The protein of `dna`, read by Biopython."""
    from Bio import Seq

    sequence: Any = Seq.Seq
    return str(sequence(dna).translate(table=table))


def figures(dna: str, host: Host, wanted: GeneRequirements) -> GeneFigures:
    """Everything that is measured on a finished gene."""
    low, high = measure.gc_windows(dna, wanted.window)
    start = dna[: host.start.nucleotides]
    codons = [dna[at : at + 3] for at in range(0, len(dna), 3)]
    return GeneFigures(
        length=len(dna),
        cai=adaptation_index(dna, host.weights),
        cai_genome=adaptation_index(dna, host.genome_weights),
        gc=measure.gc_fraction(dna),
        gc_window_low=low,
        gc_window_high=high,
        longest_repeat=measure.longest_repeat(dna),
        word=wanted.repeat + 1,
        unique_words=measure.unique_share(dna, wanted.repeat + 1),
        longest_homopolymer=measure.longest_homopolymer(dna),
        start_length=len(start),
        start_gc=measure.gc_fraction(start),
        start_stem=measure.longest_stem(start),
        start_energy=start_energy(dna, host),
        avoided_codons=sum(codon in host.avoided_codons.codons for codon in codons),
        internal_starts=measure.internal_starts(dna),
    )


def checks(
    dna: str,
    encoded: str,
    host: Host,
    wanted: GeneRequirements,
    found: GeneFigures,
    relaxed: tuple[Relaxation, ...],
    seed: int,
) -> Verdict:
    """The finished gene against what is allowed, criterion by criterion."""
    back = translate(dna, host.genetic_code)
    same = back == f"{encoded}*"
    cut = {item.name: measure.places(dna, item.pattern, both=True) for item in restriction_sites(wanted.sites)}
    others = {
        item.name: measure.places(dna, item.pattern, both=item.strands == "both")
        for item in host.forbidden + extra_patterns(wanted.patterns)
    }
    criteria = [
        _criterion("translation", "identical" if same else "different", "= identical", same),
        _count("restriction sites", sum(map(len, cut.values())), 0),
        _count("forbidden patterns", sum(map(len, others.values())), 0),
        _count("longest repeat", found.longest_repeat, wanted.repeat_allowed, "nt"),
        _count("homopolymer", found.longest_homopolymer, wanted.homopolymer_allowed, "nt"),
        _count("avoided codons", found.avoided_codons, 0),
        _criterion(
            "structure of the start",
            f"{found.start_energy:.1f} kcal/mol",
            f">= {host.start.energy_allowed:g} kcal/mol",
            found.start_energy >= host.start.energy_allowed,
        ),
    ]
    if len(dna) >= wanted.window:
        windows = (found.gc_window_low, found.gc_window_high)
        kept = _within(windows, wanted.gc_allowed)
        criteria.append(_criterion("GC window", _span(windows), _span(wanted.gc_allowed), kept))
    if found.cai is not None:
        enough = found.cai >= wanted.cai_lowest
        limit = f">= {wanted.cai_lowest:g}"
        criteria.append(_criterion("codon adaptation index", round(found.cai, 3), limit, enough))
    evidence = [f"translated back by Biopython: {len(back) - 1} residues and the stop"]
    evidence += [f"{name} at {', '.join(map(str, at))}" for name, at in {**cut, **others}.items() if at]
    evidence += [f"relaxed: {item.limit} from {item.asked} to {item.used}" for item in relaxed]
    if wanted.sites:
        evidence.append(f"looked for on both strands: {', '.join(wanted.sites)}")
    versions = {
        name: version(name) for name in ("biopython", "dnachisel", "python_codon_tables", "seedtrain", "seqfold")
    }
    return Verdict.of(criteria, evidence, versions, seed)


def _within(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] - 1e-9 <= inner[0] and inner[1] <= outer[1] + 1e-9


def _span(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2f} .. {ends[1]:.2f}"


def _criterion(name: str, value: str | float, limit: str, kept: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if kept else "fail")


def _count(name: str, count: int, most: int, unit: str = "") -> Criterion:
    value = f"{count} {unit}" if unit else count
    return _criterion(name, value, f"<= {most} {unit}".rstrip(), count <= most)
