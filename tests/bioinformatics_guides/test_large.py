"""Memory and speed, each measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from seedtrain.bioinformatics import bench_guides
from tests.bioinformatics_guides.test_search import MG1655, needs_mg1655

MEASURE = """
import json, resource, sys, time
from pathlib import Path
from seedtrain.bioinformatics import build_genome_index, search_guides, NUCLEASES
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
index = build_genome_index(Path(sys.argv[1]), Path(sys.argv[2]))
built, seconds = peak(), time.process_time()
guides = [index.sequence(0, at, at + 20) for at in range(100, 1100, 100)]
hits = search_guides(index, guides, NUCLEASES["SpCas9"], bulge=True)
row = {"bases": index.length, "sites": index.sites("NGG"), "built": built, "searched": peak(), "build_s": seconds}
print(json.dumps(row | {"hits": sum(map(len, hits))}))
"""
ALLOWED_BYTES = 4e9
HUMAN_BASES = 3e9


def made(folder, megabases: int):
    rng = np.random.default_rng([5, megabases])
    path = folder / f"{megabases}.fa"
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    with path.open("wb") as stream:
        for number in range(megabases // 10):
            lines = np.full((125_000, 81), ord("\n"), dtype=np.uint8)
            lines[:, :80] = letters[rng.integers(0, 4, (125_000, 80), dtype=np.uint8)]
            stream.write(f">chr{number}\n".encode() + lines.tobytes())
    return path


@pytest.mark.slow
def test_memory_does_not_grow_with_the_genome_so_that_three_gigabases_fit_in_four_gigabytes(tmp_path):
    rows = []
    for megabases in (20, 100):
        command = [sys.executable, "-c", MEASURE, str(made(tmp_path, megabases)), str(tmp_path / f"i{megabases}")]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(json.dumps(rows))
    small, large = rows
    growth = (large["searched"] - small["searched"]) / (large["bases"] - small["bases"])
    assert large["bases"] == 100e6
    assert large["searched"] + max(growth, 0.0) * (HUMAN_BASES - large["bases"]) < ALLOWED_BYTES
    assert growth < 0.5, f"{growth:.2f} bytes a base"


@pytest.mark.slow
@needs_mg1655
def test_a_hundred_guides_take_at_most_a_thousandth_of_a_second_each(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path))
    rows = bench_guides(MG1655)
    print(json.dumps(rows))
    assert rows[0]["met"], rows[0]
    assert rows[0]["ratio"] < 0.1
