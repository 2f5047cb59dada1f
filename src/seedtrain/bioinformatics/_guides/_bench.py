"""The speed of the search beside the plain way to do it, both measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.bioinformatics._guides._fasta import Codes, codes_of, letters_of
from seedtrain.bioinformatics._guides._index import GenomeIndex, genome_index
from seedtrain.bioinformatics._guides._nucleases import Nuclease, nuclease_of
from seedtrain.bioinformatics._guides._search import search_guides
from seedtrain.bioinformatics._guides._sites import ROOM_EXACT, bases_of, room_of

GOAL_CPU_S: Final = 0.001
"""CPU seconds a guide, without bulges, at one PAM of a bacterial genome that is indexed."""
PEER_GUIDES: Final = 3
REPEATS: Final = 3


def bench_guides(
    fasta: Path, *, guides: int = 100, mismatches: int = 4, seed: int = 0, circular: bool = True
) -> list[dict[str, Any]]:
    """Rows of the bench's form: CPU seconds a guide for `guides` drawn from the genome's own NGG sites.

    The peer is the same question in numpy, letter by letter over both strands, on the first `PEER_GUIDES` of them; its
    hits must be ours, or an `AssertionError` says so. The index is built, and the kernels compiled, before the clock
    starts; each of ours is the least of `REPEATS` runs.
    """
    nuclease = nuclease_of("SpCas9")
    index = genome_index(fasta, (nuclease.name,), circular=circular)
    chosen = _draw(index, nuclease, guides, seed)
    ours = _seconds(lambda: search_guides(index, chosen, nuclease, mismatches=mismatches, pams=("NGG",)))
    both = _seconds(lambda: search_guides(index, chosen, nuclease, mismatches=mismatches))
    bulged = _seconds(lambda: search_guides(index, chosen, nuclease, mismatches=mismatches, bulge=True, pams=("NGG",)))
    found = search_guides(index, chosen[:PEER_GUIDES], nuclease, mismatches=mismatches, pams=("NGG",))[0].counts(
        mismatches
    )
    genome = [index.codes(at, 0, contig.length + 22 * circular) for at, contig in enumerate(index.contigs)]
    began = time.process_time()
    counts = [_naive(genome, guide, mismatches) for guide in chosen[:PEER_GUIDES]]
    peer = (time.process_time() - began) / len(counts)
    assert np.array_equal(np.array(counts), found), "the peer finds other sites"
    case = f"{guides} guides, {index.sites('NGG')} NGG sites, up to {mismatches} mismatches"
    rows = [(case, ours, True), (f"{case}, NGG and NAG", both, False), (f"{case}, one bulge as well", bulged, False)]
    return [_row(words, seconds / guides, peer, limited) for words, seconds, limited in rows]


def _row(case: str, ours: float, peer: float, limited: bool) -> dict[str, Any]:
    return {
        "bench": "guides",
        "case": case,
        "ours": ours,
        "peer": peer if limited else None,
        "peer_name": "numpy, letter by letter" if limited else None,
        "peer_version": np.__version__ if limited else None,
        "unit": "CPU s/guide",
        "ratio": ours / peer if limited else None,
        "goal": GOAL_CPU_S if limited else None,
        "goal_kind": "limit",
        "met": ours <= GOAL_CPU_S if limited else None,
    }


def _draw(index: GenomeIndex, nuclease: Nuclease, count: int, seed: int) -> list[str]:
    """Guides of the genome's own sites at NGG."""
    _, words = next(index.segments(index.table("NGG", nuclease)))
    places = np.flatnonzero(room_of(words) >= ROOM_EXACT)
    if len(places) < count:
        raise InputError(f"the genome has fewer than {count} sites at NGG", remedy="Ask for fewer guides.")
    chosen = np.sort(np.random.default_rng([seed, count]).choice(places, count, replace=False))
    return [letters_of(bases) for bases in bases_of(words[chosen], nuclease.length)[:, ::-1]]


def _seconds(work: Callable[[], Any]) -> float:
    work()
    best = float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def _naive(genome: list[Codes], guide: str, most: int) -> list[int]:
    """Hits by mismatches at NGG on both strands, by comparing every letter of every place."""
    letters, counts = codes_of(guide), np.zeros(most + 1, dtype=np.int64)
    for contig in genome:
        flipped = np.where(contig[::-1] < 4, 3 - contig[::-1], 4).astype(np.uint8)
        for codes in (contig, flipped):
            size = len(codes) - len(letters) - 2
            if size <= 0:
                continue
            differ = np.zeros(size, dtype=np.uint8)
            for at, letter in enumerate(letters):
                differ += codes[at : at + size] != letter
            pam = (codes[20 : 20 + size] < 4) & (codes[21 : 21 + size] == 2) & (codes[22 : 22 + size] == 2)
            counts += np.bincount(differ[pam & (differ <= most)], minlength=most + 1)[: most + 1]
    return counts.tolist()
