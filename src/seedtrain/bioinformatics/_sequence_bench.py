"""What sequences cost: guides over a genome and the verification of a clone, beside their peers, in one run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, silent
from seedtrain.bioinformatics._guides import bench_guides
from seedtrain.bioinformatics._reads import bench_clone

GENOME_BASES: Final = 4_641_652
"""As many as *E. coli* K-12 MG1655 has (NC_000913)."""


def bench_sequence(
    genome: Path | None = None, *, guides: int = 100, reads: int = 2000, seed: int = 1, progress: Progress = silent
) -> list[dict[str, Any]]:
    """Rows of `seedtrain bench`: off-target search over `genome`, and the clone's verification beside minimap2 alone.

    Without a genome a random one of `GENOME_BASES` is searched, and its rows say so.
    """
    progress(0.0, "guides")
    if genome is not None:
        rows = bench_guides(genome, guides=guides, seed=seed)
    else:
        with TemporaryDirectory() as folder:
            made = Path(folder) / "random.fa"
            letters = np.frombuffer(b"ACGT", dtype=np.uint8)[
                np.random.default_rng([seed, 3]).integers(0, 4, GENOME_BASES)
            ]
            made.write_bytes(b">random\n" + letters.tobytes() + b"\n")
            rows = [
                {**row, "case": f"{row['case']}, random genome"} for row in bench_guides(made, guides=guides, seed=seed)
            ]
    progress(0.4, "clone")
    return rows + bench_clone(reads=reads, seed=seed)
