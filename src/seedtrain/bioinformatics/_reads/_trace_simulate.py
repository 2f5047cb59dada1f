"""Simulated Sanger traces in the file format of the sequencers, marked as simulated, for tests and trials.

The model (every figure assumed): peaks are Gaussian, 12 scans apart and 3 scans wide; the Phred quality rises over the
first 40 bases to 50, and falls from base 650 on to 10 at base 950; a base is called wrongly with the chance that its
quality says; each channel has noise of 3 % of a peak.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

import numpy as np

from seedtrain.bioinformatics._reads._reference import reverse_complement

SPACING: Final = 12
WIDTH: Final = 3.0
HEIGHT: Final = 1000.0
NOISE: Final = 0.03
_BASES: Final = "ACGT"


def simulate_trace(
    sequence: str,
    *,
    seed: int,
    start: int = 0,
    length: int = 800,
    reverse: bool = False,
    circular: bool = True,
    mixed: Mapping[int, tuple[str, float]] | None = None,
    quality: float = 50.0,
) -> bytes:
    """The `.ab1` file of one trace that begins at `start` (from 0) and runs `length` bases; the same seed, the same.

    - `mixed`: by site of `sequence`: the letter on its strand and the height of a second peak.
    """
    rng = np.random.default_rng([seed, 3730])
    size = len(sequence)
    sites = [start - step if reverse else start + step for step in range(length)]
    sites = [item % size for item in sites] if circular else [item for item in sites if 0 <= item < size]
    true = "".join(reverse_complement(sequence[item]) if reverse else sequence[item] for item in sites)
    places = np.arange(len(true))
    phred = np.clip(np.minimum(10 + places, 10 + (950 - places) * (quality - 10) / 300), 4, quality)
    phred = np.clip(np.round(phred + rng.normal(0, 2, len(true))), 2, 62)
    wrong = rng.random(len(true)) < 10 ** (-phred / 10)
    called = "".join(
        str(rng.choice([one for one in _BASES if one != base])) if bad else base
        for base, bad in zip(true, wrong, strict=True)
    )
    peaks = 30 + SPACING * places
    seconds = {
        index: (reverse_complement(mixed[site][0]) if reverse else mixed[site][0], mixed[site][1])
        for index, site in enumerate(sites)
        if mixed and site in mixed
    }
    channels = _channels(called, peaks, seconds, rng)
    return _abif(called, phred.astype(np.int64), peaks, channels)


def _channels(
    called: str, peaks: np.ndarray, seconds: Mapping[int, tuple[str, float]], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    scans = np.arange(int(peaks[-1]) + 40)
    found = {base: np.abs(rng.normal(0, NOISE * HEIGHT / 3, len(scans))) for base in _BASES}
    for index, (base, peak) in enumerate(zip(called, peaks.tolist(), strict=True)):
        near = slice(max(0, peak - 15), peak + 16)
        shape = HEIGHT * np.exp(-0.5 * ((scans[near] - peak) / WIDTH) ** 2)
        found[base][near] += shape
        if index in seconds:
            other, ratio = seconds[index]
            found[other][near] += ratio * shape
    return {base: np.clip(item, 0, 30_000).astype(np.int64) for base, item in found.items()}


def _abif(called: str, phred: np.ndarray, peaks: np.ndarray, channels: Mapping[str, np.ndarray]) -> bytes:
    """ABIF version 1.01: a header, the data, and a directory of 28 bytes an entry (Applied Biosystems, 2009)."""
    note = b"simulated by Seedtrain"

    def shorts(values: np.ndarray) -> bytes:
        return values.astype(">i2").tobytes()

    entries = [
        ("PBAS", 2, 2, 1, called.encode()),
        ("PCON", 2, 2, 1, phred.astype(np.uint8).tobytes()),
        ("PLOC", 2, 4, 2, shorts(peaks)),
        ("FWO_", 1, 2, 1, _BASES.encode()),
        ("CMNT", 1, 18, 1, bytes([len(note)]) + note),
        *(("DATA", 9 + index, 4, 2, shorts(channels[base])) for index, base in enumerate(_BASES)),
    ]
    body, directory, at = b"", b"", 128
    for tag, number, kind, width, data in entries:
        many = len(data) // width
        inline = len(data) <= 4
        place = data.ljust(4, b"\0") if inline else struct.pack(">i", at)
        directory += struct.pack(">4sihhii4si", tag.encode(), number, kind, width, many, len(data), place, 0)
        if not inline:
            body += data
            at += len(data)
    header = struct.pack(
        ">4sh4sihhiiii", b"ABIF", 101, b"tdir", 1, 1023, 28, len(entries), 28 * len(entries), 128 + len(body), 0
    )
    return header.ljust(128, b"\0") + body + directory
