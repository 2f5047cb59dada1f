"""minimap2, samtools and bcftools as judges: agreement where both are right, and where a linear pile-up misses."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from seedtrain.bioinformatics import Reference, simulate_reads, verify_clone, write_fastq
from tests.judges import missing

from .made import clone, planted

TOOLS = ("minimap2", "samtools", "bcftools")


@pytest.fixture(scope="module")
def judges() -> None:
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        missing(f"not installed: {', '.join(lacking)}")


def aligned(folder: Path, reference: Reference, reads) -> Path:
    fasta, fastq, bam = folder / "r.fasta", folder / "r.fastq", folder / "r.bam"
    fasta.write_text(f">r\n{reference.sequence}\n")
    write_fastq(fastq, reads)
    pipe = f"minimap2 -ax map-ont {fasta} {fastq} | samtools sort -o {bam} - && samtools index {bam}"
    subprocess.run(["bash", "-o", "pipefail", "-c", pipe], check=True, capture_output=True)
    return bam


def called(folder: Path, bam: Path) -> list[tuple[int, str, str]]:
    pipe = f"bcftools mpileup -X ont -d 5000 -f {folder / 'r.fasta'} {bam} | bcftools call -mv --ploidy 1 -Ov -"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", pipe], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]
    return [(int(row[1]) - 1, row[3], row[4]) for row in rows]


def test_depth_agrees_with_samtools_away_from_the_origin(judges, tmp_path):
    reference = clone()
    reads = simulate_reads(reference.sequence, 150, seed=2)
    bam = aligned(tmp_path, reference, reads)
    done = subprocess.run(["samtools", "depth", "-aa", "-J", str(bam)], check=True, capture_output=True, text=True)
    theirs = np.array([int(line.split("\t")[2]) for line in done.stdout.splitlines()])
    ours = verify_clone(reads, reference).depth.sum(axis=0)
    middle = slice(300, -300)
    assert np.abs(theirs - ours)[middle].max() <= 3
    # On a line the reads are cut at the origin; on the doubled circle they are not.
    assert theirs[0] < ours[0]


def test_a_substitution_is_called_by_both_and_one_at_the_origin_by_the_circle_alone(judges, tmp_path):
    reference = clone()
    for kind, both in (("substitution", True), ("substitution at the origin", False)):
        folder = tmp_path / kind.replace(" ", "-")
        folder.mkdir()
        reads = simulate_reads(planted(reference)[kind], 150, seed=3)
        theirs = called(folder, aligned(folder, reference, reads))
        (edit,) = verify_clone(reads, reference).consensus.edits
        assert ((edit.site, edit.before, edit.after) in theirs) == both, kind
