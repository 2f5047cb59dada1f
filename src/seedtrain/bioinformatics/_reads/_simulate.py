"""Simulated nanopore-like reads of a circle or a line with a stated error model, for tests and benchmarks.

The error model (every figure assumed, the orders of magnitude of R10.4.1 reads; Sereika et al. 2022,
doi:10.1038/s41592-022-01539-7, give modal read qualities about Q20):

- A read's quality is normal, mean `quality`, deviation `quality_spread`, at least 8; its error rate is 10^(-Q/10).
- Errors are 40 % substitutions (uniform), 35 % deletions and 25 % insertions (uniform base).
- In a homopolymer of L >= 4 the deletion rate of each base is multiplied by L - 2, at most by 8.
- The last base but one of a Dam motif reads wrongly in `motif_error` of the reads of one strand.
- A read begins at a random base of a circle (or of a line), runs once around (or to the end), on a random strand.

What it leaves out: adapters, chimeras, length distributions, errors correlated over more than a motif.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.base import write_atomic
from seedtrain.bioinformatics._reads._reference import Bytes, Ints, encode, reverse_complement
from seedtrain.bioinformatics._reads._source import Read

SUBSTITUTION_SHARE: Final = 0.40
DELETION_SHARE: Final = 0.35
LOWEST_QUALITY: Final = 8.0
_LETTERS: Final = np.frombuffer(b"ACGTN", dtype=np.uint8)


@dataclass(frozen=True)
class ErrorModel:
    """The model above; `quality` and `quality_spread` in Phred units, `motif_error` a fraction of the reads."""

    quality: float = 20.0
    quality_spread: float = 4.0
    motif_error: float = 0.0


def simulate_reads(
    sequence: str,
    count: int,
    *,
    seed: int,
    circular: bool = True,
    turns: float = 1.0,
    model: ErrorModel | None = None,
    prefix: str = "simulated",
) -> list[Read]:
    """`count` reads of `sequence`, marked `simulated` in their names; the same seed gives the same reads.

    `turns`: length of a read in lengths of the sequence (2 for a dimer).
    """
    used = model or ErrorModel()
    rng = np.random.default_rng([seed, 7011])
    found = []
    for index in range(count):
        start = int(rng.integers(len(sequence))) if circular else 0
        length = round(turns * len(sequence))
        unrolled = sequence * (1 + int(np.ceil(turns))) if circular else sequence
        piece = unrolled[start : start + length]
        if rng.random() < 0.5:
            piece = reverse_complement(piece)
        bases, quality = _with_errors(piece, used, rng)
        found.append(Read(f"{prefix}-{seed}-{index}", bases, quality))
    return found


def _with_errors(piece: str, model: ErrorModel, rng: np.random.Generator) -> tuple[str, str]:
    codes = encode(piece)
    size = len(codes)
    quality = max(LOWEST_QUALITY, rng.normal(model.quality, model.quality_spread))
    rate = 10 ** (-quality / 10)
    draw = rng.random(size)
    wrong = draw < rate * SUBSTITUTION_SHARE
    copies = np.ones(size, dtype=np.int64)
    deletion = rate * DELETION_SHARE * np.clip(_run_lengths(codes) - 2, 1, 8)
    copies[(draw >= rate * SUBSTITUTION_SHARE) & (draw < rate * SUBSTITUTION_SHARE + deletion)] = 0
    copies[draw >= 1 - rate * (1 - SUBSTITUTION_SHARE - DELETION_SHARE)] = 2
    if model.motif_error:
        at = _motif_sites(piece)
        wrong[at[rng.random(len(at)) < model.motif_error]] = True
    codes = codes.copy()
    codes[wrong] = (codes[wrong] + rng.integers(1, 4, int(wrong.sum()))) % 4
    out = np.repeat(codes, copies)
    added = np.cumsum(copies)[copies == 2] - 1
    out[added] = rng.integers(0, 4, len(added))
    phred = np.clip(np.round(quality + rng.normal(0, 5, len(out))), 2, 50)
    suspect = np.repeat(wrong, copies)
    suspect[added] = True
    phred[suspect] = np.clip(phred[suspect] - 7, 2, 50)
    text = (phred.astype(np.uint8) + 33).tobytes().decode("ascii")
    return _LETTERS[out].tobytes().decode("ascii"), text


def _run_lengths(codes: Bytes) -> Bytes:
    edges = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1, [len(codes)]])
    lengths = np.diff(edges)
    run: Bytes = np.repeat(np.where(lengths >= 4, lengths, 1), lengths)
    return run


def _motif_sites(piece: str) -> Ints:
    found, at = [], piece.find("GATC")
    while at >= 0:
        found.append(at + 2)
        at = piece.find("GATC", at + 1)
    return np.array(found, dtype=np.int64)


def write_fastq(path: Path, reads: list[Read]) -> None:
    """FASTQ of the reads, gzipped where the name ends in .gz; the same reads give the same bytes."""
    text = "".join(f"@{read.name}\n{read.sequence}\n+\n{read.quality or 'I' * len(read.sequence)}\n" for read in reads)
    raw = text.encode("ascii")
    write_atomic(path, gzip.compress(raw, compresslevel=1, mtime=0) if path.name.endswith(".gz") else raw)
