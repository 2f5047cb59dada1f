"""Real nanopore reads of one plasmid and their accepted assembly (third-party data, read in place)."""

from pathlib import Path

import pytest

from seedtrain.bioinformatics import read_reference, verify_clone

DATA = next(
    (folder / "shared" / "data" for folder in Path(__file__).parents if (folder / "shared/data").is_dir()), None
)


@pytest.fixture(scope="module")
def folder():
    if DATA is None or not (DATA / "plasmid_ont" / "barcode69.fastq.gz").exists():
        pytest.skip("the real nanopore reads (plasmid_ont) are not here")
    return DATA


def test_the_accepted_clone_does_not_fail_and_its_dam_sites_are_quiet(folder):
    reference = read_reference(folder / "plasmid_ont" / "barcode69.reference.fasta")
    host = folder / "genomes" / "ecoli_mg1655.fa.gz"
    others = [("MG1655", host)] if host.exists() else []
    report = verify_clone(folder / "plasmid_ont" / "barcode69.fastq.gz", reference, others=others)
    assert [item.name for item in report.verdict.criteria if item.verdict == "fail"] == []
    assert [one for item in report.classes for one in item.alleles] == []
    assert report.consensus.edits == ()
    assert report.consensus.reads >= 15
    # One strand alone errs beside Dam sites: listed, never counted.
    assert any(item.biased for item in report.classes)
    if others:
        assert report.shares.known["MG1655"] > 0.9 * report.shares.foreign_bases
