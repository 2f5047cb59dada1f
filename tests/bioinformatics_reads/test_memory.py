"""Millions of reads of a clone are judged in bounded memory: a process of its own, and its largest resident memory."""

import pytest

from tests.many_reads import MILLION, MOST_MIB, judged, written

from .made import plain


@pytest.mark.slow
@pytest.mark.parametrize(("count", "name"), [(MILLION, "r.fastq"), (10 * MILLION, "r.fastq.gz")])
def test_so_many_short_reads_fit_the_bound(tmp_path, count, name):
    reference = plain()
    written(tmp_path / name, reference.sequence, count)
    (tmp_path / "ref.fasta").write_text(f">plain\n{reference.sequence}\n")
    words = ["clone", str(tmp_path / name), str(tmp_path / "ref.fasta"), "--platform", "illumina", "--json"]
    verdict, mib, seconds = judged(words)
    assert any(line.startswith(f"{count} reads of {150 * count} bases, 60000 judged") for line in verdict["evidence"])
    assert verdict["verdict"] != "fail"
    assert mib < MOST_MIB
    print(f"clone, {count} reads: largest resident memory {mib:.0f} MiB, {seconds:.0f} CPU s")
