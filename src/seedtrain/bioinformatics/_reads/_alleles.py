"""Sites at which some molecules differ from the reference, and the smallest share that would be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.bioinformatics._reads._pile import MOST_CHANGE, Pile
from seedtrain.bioinformatics._reads._reference import Ints, Reference
from seedtrain.bioinformatics._reads._statistics import TRIMMED, Profile, critical, detectable, learn, tail, wilson

FLOOR: Final = 0.01
"""Share of the reads under which no site is looked at."""
ALPHA: Final = 0.001
"""Chance of one false detection in a whole sample, shared among its sites (Bonferroni)."""
POWER: Final = 0.95
FEWEST_SITES: Final = 8
"""Sites of a class from which its error can be learned; below that only a matched control tells."""
ROUNDS: Final = 8
"""Times that the error is learned again without the sites that stood out."""
LEAST_STRAND_DEPTH: Final = 5
LONG_RUN: Final = 9
"""Bases of one kind from which a homopolymer is judged by the median of its length only."""
_TRANSITION: Final = {0: 2, 1: 3, 2: 0, 3: 1}

Site = NDArray[np.int64]


@dataclass(frozen=True)
class Allele:
    """One difference at one site that errors do not explain.

    - `site`: from 0; `fraction`: share of molecules, error taken off, with its 95 % interval; `reads`, `depth`:
      by strand; `p_values`: by strand; `change`: such as `A>G`, `-1` or `+`.
    """

    site: int
    site_class: str
    change: str
    fraction: float
    interval: tuple[float, float]
    reads: tuple[int, int]
    depth: tuple[int, int]
    p_values: tuple[float, float]


@dataclass(frozen=True)
class ClassResult:
    """What one class of sites says: its error by strand, the limit of detection at its thinnest site, and alleles.

    - `biased`: sites where only one strand differs: an error of the method, listed and not counted.
    - `learned`: whether the error comes from a matched control, from the sample, or cannot be learned.
    """

    site_class: str
    sites: int
    profiles: tuple[Profile, Profile]
    limit_of_detection: float
    alleles: tuple[Allele, ...]
    biased: tuple[Allele, ...]
    learned: str


@dataclass(frozen=True)
class _Table:
    """Counts of one kind of change at one class of sites: shape (strand, row)."""

    site_class: str
    sites: Ints
    changes: NDArray[Any]
    found: Ints
    depth: Ints


def find_alleles(reference: Reference, pile: Pile, control: Pile | None = None) -> tuple[ClassResult, ...]:
    """Every class of sites, in a fixed order; the sites of all classes share one chance of a false detection."""
    tables = list(_tables(reference, pile))
    controls = list(_tables(reference, control)) if control is not None else [None] * len(tables)
    tests = max(1, sum(len(item.sites) for item in tables))
    level = float(np.sqrt(ALPHA / tests))
    merged: dict[str, list[ClassResult]] = {}
    for table, other in zip(tables, controls, strict=True):
        merged.setdefault(table.site_class, []).append(_judge(table, other, level))
    sites: dict[str, set[int]] = {}
    for table in tables:
        sites.setdefault(table.site_class, set()).update(int(site) for site in table.sites)
    return tuple(_together(items, len(sites[name])) for name, items in merged.items())


def _together(items: list[ClassResult], sites: int) -> ClassResult:
    """Kinds of change that share a class: the worst limit of detection stands for all."""
    worst = max(items, key=lambda item: item.limit_of_detection)
    alleles = sorted((one for item in items for one in item.alleles), key=lambda one: (one.site, one.change))
    biased = sorted((one for item in items for one in item.biased), key=lambda one: (one.site, one.change))
    return replace(worst, sites=sites, alleles=tuple(alleles), biased=tuple(biased))


def _tables(reference: Reference, pile: Pile) -> Iterator[_Table]:
    motif = reference.positions_of("Dam", "Dcm")
    out = reference.positions_of("IUPAC", "end")
    run = reference.run_sites
    groups = (("plain", ~motif & ~out), ("methylation motif", motif & ~out))
    quality_depth = pile.bases.sum(axis=2) + pile.deleted
    long_runs = np.zeros(len(reference), dtype=np.bool_)
    for each in reference.runs:
        if each.length >= LONG_RUN:
            long_runs[np.arange(each.start, each.start + each.length) % len(reference)] = True
    for name, chosen in groups:
        sites = np.flatnonzero(chosen & ~long_runs)
        for kind in ("transition", "transversion"):
            rows, letters = [], []
            for code in range(4):
                mine = sites[reference.codes[sites] == code]
                for other in range(4):
                    if other != code and (other == _TRANSITION[code]) == (kind == "transition"):
                        rows.append((mine, other))
                        letters.append(np.full(len(mine), f"{'ACGT'[code]}>{'ACGT'[other]}"))
            at = np.concatenate([item[0] for item in rows])
            found = np.concatenate([pile.bases[:, mine, other] for mine, other in rows], axis=1)
            yield _Table(f"substitutions, {name}", at, np.concatenate(letters), found, quality_depth[:, at])
    roles = _roles(reference)
    for name, chosen in groups:
        for kind, counts, where in (("-1", pile.deleted, ~run), ("+", pile.inserted, ~long_runs)):
            for role in range(4) if name == "plain" else (-1,):
                at = np.flatnonzero(chosen & where & ((roles == role) | (role < 0)))
                if len(at):
                    yield _Table(f"indels, {name}", at, np.full(len(at), kind), counts[:, at], pile.covered[:, at])
    for low, high in ((4, 4), (5, 5), (6, 8), (9, 10**9)):
        which = np.array(
            [index for index, each in enumerate(reference.runs) if low <= each.length <= high], dtype=np.int64
        )
        if len(which):
            counts = pile.run_changes[:, which]
            name = f"{low}" if low == high else f"{low} to {high}" if high < 100 else f"{low} or more"
            starts = np.array([reference.runs[index].start for index in which])
            yield _Table(
                f"homopolymers of {name}",
                starts,
                np.full(len(which), "length"),
                counts.sum(axis=2) - counts[:, :, MOST_CHANGE],
                counts.sum(axis=2),
            )


def _roles(reference: Reference) -> Ints:
    """0 a base unlike its neighbours, 1 the first of two alike, 2 of three or more, 3 one that follows its like.

    Alignments put an indel at the first of its like, so that these err at different rates.
    """
    codes = reference.codes
    same = codes == np.roll(codes, 1)
    second, third = np.roll(same, -1), np.roll(same, -2)
    roles: Ints = np.where(same, 3, np.where(second & third, 2, np.where(second, 1, 0))).astype(np.int64)
    return roles


def _judge(table: _Table, control: _Table | None, level: float) -> ClassResult:
    """Fit without the highest sites, find what stands out, fit with the others, until nothing new does."""
    source = control or table
    learned = "matched control" if control is not None else "this sample"
    if control is None and len(table.sites) < FEWEST_SITES:
        widest = (Profile(0.5, 0.5, 0), Profile(0.5, 0.5, 0))
        return ClassResult(table.site_class, len(table.sites), widest, 1.0, (), (), "cannot be learned")
    first = tuple(learn(source.found[s], source.depth[s], trim=TRIMMED if control is None else 0.0) for s in (0, 1))
    profiles = (first[0], first[1])
    alleles, biased = _detect(table, control, profiles, level)
    standing: set[tuple[int, str]] = set()
    for _each in range(ROUNDS if control is None else 0):
        now = {(one.site, one.change) for one in (*alleles, *biased)}
        if now == standing:
            break
        standing = now
        keep = np.array([(int(s), str(c)) not in standing for s, c in zip(table.sites, table.changes, strict=True)])
        again = [learn(table.found[s][keep], table.depth[s][keep]) for s in (0, 1)]
        profiles = (again[0], again[1])
        alleles, biased = _detect(table, control, profiles, level)
    return ClassResult(
        table.site_class,
        len(table.sites),
        profiles,
        _limit_of_detection(table, control, profiles, level),
        tuple(alleles),
        tuple(biased),
        learned,
    )


def _shape(control: _Table | None, profiles: tuple[Profile, Profile], strand: int, row: int) -> tuple[float, float]:
    """The beta distribution of a site's error: the class's, sharpened by what the control shows at that very site."""
    a, b = profiles[strand].shape
    if control is None:
        return a, b
    found, depth = int(control.found[strand, row]), int(control.depth[strand, row])
    return a + found, b + depth - found


def _detect(
    table: _Table, control: _Table | None, profiles: tuple[Profile, Profile], level: float
) -> tuple[list[Allele], list[Allele]]:
    alleles: list[Allele] = []
    biased: list[Allele] = []
    total, depth = table.found.sum(axis=0), table.depth.sum(axis=0)
    enough = (table.depth >= LEAST_STRAND_DEPTH).all(axis=0)
    for row in np.flatnonzero(enough & (total >= FLOOR * depth) & (total >= 3)):
        shapes = [_shape(control, profiles, strand, int(row)) for strand in (0, 1)]
        found = (int(table.found[0, row]), int(table.found[1, row]))
        depths = (int(table.depth[0, row]), int(table.depth[1, row]))
        p = [tail(found[s], depths[s], *shapes[s]) for s in (0, 1)]
        if min(p) > level:
            continue
        background = sum(depths[s] * shapes[s][0] / sum(shapes[s]) for s in (0, 1)) / sum(depths)
        low, high = (_less(edge, background) for edge in wilson(sum(found), sum(depths)))
        allele = Allele(
            int(table.sites[row]),
            table.site_class,
            str(table.changes[row]),
            _less(sum(found) / sum(depths), background),
            (low, high),
            found,
            depths,
            (p[0], p[1]),
        )
        (alleles if max(p) <= level else biased).append(allele)
    return alleles, biased


def _less(fraction: float, background: float) -> float:
    return max(0.0, (fraction - background) / (1 - background))


def _limit_of_detection(
    table: _Table, control: _Table | None, profiles: tuple[Profile, Profile], level: float
) -> float:
    """At the thinnest site; with a control also at the one with the most errors."""
    thin = int(np.argmin(table.depth.min(axis=0)))
    rows = {thin}
    if control is not None:
        rows.add(int(np.argmax(control.found.sum(axis=0) / np.maximum(1, control.depth.sum(axis=0)))))
    worst = 0.0
    for row in sorted(rows):
        depths = (int(table.depth[0, row]), int(table.depth[1, row]))
        if min(depths) < LEAST_STRAND_DEPTH:
            return 1.0
        shapes = [_shape(control, profiles, strand, row) for strand in (0, 1)]
        counts = (critical(depths[0], *shapes[0], level), critical(depths[1], *shapes[1], level))
        means = (shapes[0][0] / sum(shapes[0]), shapes[1][0] / sum(shapes[1]))
        worst = max(worst, detectable(counts, depths, means, POWER), FLOOR)
    return worst


@dataclass(frozen=True)
class RunLength:
    """The length of one homopolymer: the reference's, the median over reads by strand, and what follows.

    - `change`: the difference that both medians agree on (nearest to nought), 0 where they do not differ;
      `interval`: 95 % of the median of all reads, from order statistics.
    - `sure`: whether the change is beyond what basecallers do to a homopolymer of this length.
    """

    start: int
    base: str
    length: int
    medians: tuple[int, int]
    change: int
    interval: tuple[int, int]
    reads: int
    sure: bool


RUN_BIAS: Final = 0.1
"""Share of a long homopolymer that basecallers lose or add in every read (assumed)."""


def run_lengths(reference: Reference, pile: Pile, control: Pile | None = None) -> tuple[RunLength, ...]:
    """Every homopolymer whose reads' median length is not the reference's, and every one of `LONG_RUN` or more.

    With a control, its median takes the reference's place.
    """
    found = []
    for index, run in enumerate(reference.runs):
        changes = pile.run_changes[:, index]
        medians = (_median(changes[0]), _median(changes[1]))
        low, high = _median_interval(changes.sum(axis=0))
        bias = 0
        allowed = int(np.ceil(RUN_BIAS * run.length)) if run.length >= LONG_RUN + 1 else 0
        if control is not None:
            bias, allowed = _median(control.run_changes[:, index].sum(axis=0)), 0
        shifts = sorted((medians[0] - bias, medians[1] - bias), key=abs)
        agreed = shifts[0] if shifts[0] * shifts[1] > 0 else 0
        if agreed == 0 and run.length < LONG_RUN:
            continue
        sure = abs(agreed) > allowed and not low <= bias <= high
        reads = int(changes.sum())
        found.append(RunLength(run.start, run.base, run.length, medians, agreed, (low, high), reads, sure))
    return tuple(found)


def _median(counts: Ints) -> int:
    total = int(counts.sum())
    if not total:
        return 0
    return int(np.searchsorted(np.cumsum(counts), (total + 1) // 2)) - MOST_CHANGE


def _median_interval(counts: Ints) -> tuple[int, int]:
    """95 % interval of the median: the order statistics that the binomial of one half puts around it."""
    from scipy.stats import binom

    total = int(counts.sum())
    if total < 6:
        return -MOST_CHANGE, MOST_CHANGE
    rank = max(1, int(binom.ppf(0.025, total, 0.5)))
    sums = np.cumsum(counts)
    low = int(np.searchsorted(sums, rank)) - MOST_CHANGE
    high = int(np.searchsorted(sums, total - rank + 1)) - MOST_CHANGE
    return low, high
