"""Ten million reads of a vector lot are judged in bounded memory."""

import pytest

from seedtrain.vectors import example_vector
from tests.many_reads import MILLION, MOST_MIB, judged, written


@pytest.mark.slow
def test_ten_million_short_reads_fit_the_bound(tmp_path):
    vector = example_vector(seed=11)
    written(tmp_path / "lot.fastq.gz", vector.sequence, 10 * MILLION)
    (tmp_path / "vector.fa").write_text(f">{vector.name}\n{vector.sequence}\n")
    verdict, mib, seconds = judged(["vector", str(tmp_path / "lot.fastq.gz"), str(tmp_path / "vector.fa"), "--json"])
    assert any(line.startswith("20000 of 10000000 reads of lot.fastq.gz") for line in verdict["evidence"])
    assert mib < MOST_MIB
    print(f"vector, {10 * MILLION} reads: largest resident memory {mib:.0f} MiB, {seconds:.0f} CPU s")
