"""How strongly RNA folds: least free energies of windows by seqfold (whole messengers: `_fold_whole`)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from seedtrain.bioinformatics._hosts import Host

TEMPERATURE: Final = 37.0
"""Degrees Celsius."""


@lru_cache(maxsize=4096)
def window_energy(rna: str) -> float:
    """Least free energy of a short stretch, kcal/mol at 37 degrees Celsius; 0 where nothing pairs.

    - `rna`: written with U or T. For some hundred nucleotides: time grows with the third power of the length.

    **Source** seqfold (MIT): Zuker & Stiegler 1981, Nucleic Acids Res 9:133; energies of Turner & Mathews 2009,
    Nucleic Acids Res 38:D280.
    """
    from seqfold import dg

    energy = float(dg(rna.replace("T", "U"), TEMPERATURE))
    return min(energy, 0.0) if math.isfinite(energy) else 0.0


def start_energy(dna: str, host: Host) -> float:
    """`window_energy` of the host's leader and the first nucleotides of a gene."""
    return window_energy(host.start.leader + dna[: host.start.window])
