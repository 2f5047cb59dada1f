"""A million reads are judged in bounded memory: a process of its own, and its largest resident memory."""

import json
import resource
import subprocess
import sys

import numpy as np
import pytest

from .made import plain

MOST_MIB = 500


def written(path, sequence, count):
    """Short reads of both strands without errors, in blocks."""
    rng = np.random.default_rng(5)
    text = sequence * 2
    turned = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    with path.open("w", encoding="ascii") as stream:
        for block in range(0, count, 10_000):
            starts = rng.integers(0, len(sequence), 10_000).tolist()
            stream.write(
                "".join(
                    f"@r{block + n}\n{(text if n % 2 else turned)[at : at + 150]}\n+\n{'F' * 150}\n"
                    for n, at in enumerate(starts)
                )
            )


def judged(tmp_path, count):
    reference = plain()
    written(tmp_path / "r.fastq", reference.sequence, count)
    (tmp_path / "ref.fasta").write_text(f">plain\n{reference.sequence}\n")
    code = (
        "import resource, sys; from seedtrain.cli._verify import app; app(sys.argv[1:], result_action='return_value');"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    words = ["clone", str(tmp_path / "r.fastq"), str(tmp_path / "ref.fasta"), "--platform", "illumina", "--json"]
    done = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout), int(done.stderr.split()[-1]) / 1024


@pytest.mark.slow
def test_a_million_short_reads_fit_the_bound(tmp_path):
    verdict, mib = judged(tmp_path, 1_000_000)
    assert any(line.startswith("1000000 reads of 150000000 bases, 60000 judged") for line in verdict["evidence"])
    assert verdict["verdict"] != "fail"
    assert mib < MOST_MIB
    print(f"largest resident memory {mib:.0f} MiB, {resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime:.0f} CPU s")
