"""What verification costs beside the alignment alone, measured in one run."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np

from seedtrain.bioinformatics._reads._align import make_aligner
from seedtrain.bioinformatics._reads._clone import verify_clone
from seedtrain.bioinformatics._reads._reference import Reference
from seedtrain.bioinformatics._reads._simulate import simulate_reads

CLONE_BASES: Final = 7000
MOST_SECONDS: Final = 10.0
MOST_RATIO: Final = 2.5


def bench_clone(*, reads: int = 2000, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of `seedtrain bench`: CPU seconds for `reads` simulated reads of a 7 kb circle, and their ratio.

    The peer is minimap2 (mappy) with the same index and preset, in this process, right before.
    """
    from importlib.metadata import version

    rng = np.random.default_rng([seed, 4107])
    sequence = "".join("ACGT"[int(code)] for code in rng.integers(0, 4, CLONE_BASES))
    reference = Reference("bench", sequence)
    sample = simulate_reads(sequence, reads, seed=seed)
    start = time.process_time()
    aligner = make_aligner(reference.unrolled)
    hits = 0
    for read in sample:
        for _hit in aligner.map(read.sequence):
            hits += 1
    peer = time.process_time() - start
    assert hits >= reads, "reads of the clone did not align"
    start = time.process_time()
    report = verify_clone(sample, reference)
    ours = time.process_time() - start
    assert report.verdict.verdict != "fail", "a clean clone failed"
    name = f"{reads} reads of {CLONE_BASES} bases"
    shared = {"bench": "clone", "peer_name": "minimap2 (mappy)", "peer_version": version("mappy"), "unit": "CPU s"}
    return [
        {
            **shared,
            "case": f"{name}, against the alignment alone",
            "ours": ours,
            "peer": peer,
            "ratio": ours / peer,
            "goal": MOST_RATIO,
            "goal_kind": "ratio",
            "met": ours / peer <= MOST_RATIO,
        },
        {
            **shared,
            "case": f"{name}, altogether",
            "ours": ours,
            "peer": None,
            "peer_name": None,
            "peer_version": None,
            "ratio": None,
            "goal": MOST_SECONDS,
            "goal_kind": "limit",
            "met": ours <= MOST_SECONDS,
        },
    ]
