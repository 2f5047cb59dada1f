"""How fast reads are classified, beside their alignment, measured in one run."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any, Final

from seedtrain.bioinformatics import reads_package
from seedtrain.vectors._genomes._lay import segments_of, vector_aligner
from seedtrain.vectors._genomes._simulate import example_vector, simulate_genomes
from seedtrain.vectors._genomes._verify import genome_of

LEAST_RATE: Final = 1000.0


def bench_genomes(*, reads: int = 1000, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of `seedtrain bench`: reads a CPU second for the classes alone, and with the alignment by minimap2."""
    vector = example_vector(seed=seed)
    kinds = ("full", "internal-deletion", "left-partial", "right-snapback", "backbone")
    made = simulate_genomes(vector, dict.fromkeys(kinds, reads // len(kinds)), seed=seed)
    edlib, aligner = reads_package("edlib"), vector_aligner(vector, "pacbio")
    start = time.process_time()
    laid = [segments_of(aligner, read) for read, _kind in made]
    aligned = time.process_time()
    found = [genome_of(read, item, vector, (), edlib) for (read, _kind), item in zip(made, laid, strict=True)]
    done = time.process_time()
    assert [item.kind for item in found] == [kind for _read, kind in made], "a read was put into another class"
    name = f"{len(made)} simulated reads of {vector.size} bases"
    shared = {"bench": "genomes", "peer_name": "minimap2 (mappy)", "peer_version": version("mappy")}
    rate, whole = len(made) / (done - aligned), len(made) / (done - start)
    peer = len(made) / (aligned - start)
    row = {**shared, "unit": "reads/CPU s", "peer": peer, "goal": LEAST_RATE, "goal_kind": "limit"}
    return [
        {**row, "case": f"{name}, classes alone", "ours": rate, "ratio": rate / peer, "met": rate >= LEAST_RATE},
        {**row, "case": f"{name}, with alignment", "ours": whole, "ratio": whole / peer, "met": whole >= LEAST_RATE},
    ]
