"""The stage after the gene: simulated reads of the program's own plasmid, a circle, and what a wrong one would give."""

from pathlib import Path

import pytest

from seedtrain.base import silent
from seedtrain.bioinformatics import design_gene, parse_protein
from seedtrain.program import _verify_stage as stage
from seedtrain.program._engine import StageResult
from tests.judges import needs


@pytest.fixture(scope="module")
def gene():
    return design_gene(parse_protein(">small\nMGSSHHHHHHSSGLVPRGSHMKVLAWTDEQRNPLIYFC\n", "small.fasta"), "e_coli")


@pytest.fixture(scope="module")
def planned(gene):
    return stage.construct_files(gene, "small.plasmid", silent)


def results(gene, construct):
    data = {"gene": gene.to_data(), "construct": construct}
    return {"gene": StageResult("gene", "", data, Path(), "", True)}


def test_the_gene_stage_leaves_the_plasmid_with_its_map(planned, gene):
    told, files = planned
    assert sorted(files) == [f"small.plasmid.{kind}" for kind in ("gb", "html", "nt", "svg")]
    assert gene.dna in told["sequence"]
    assert "circular" in files["small.plasmid.gb"].splitlines()[0]
    assert files["small.plasmid.svg"].startswith("<svg")
    assert told["verdict"]["verdict"] == ("pass" if stage.can_clone() else "inconclusive")


@needs("mappy", "pyabpoa")
def test_the_stage_reads_the_construct_as_a_circle(gene, planned, monkeypatch):
    monkeypatch.setattr(stage, "READS", 60)
    told, _files = planned
    out = stage._work(results(gene, told), silent)
    assert (out.data["circular"], out.data["length"]) == (True, len(told["sequence"]))
    consensus = next(one for one in out.data["verdict"]["criteria"] if one["name"] == "edit distance of the consensus")
    assert consensus["value"] == 0
    assert b"simulated" in out.files["verify.html"]


def test_another_plasmid_is_another_stage_and_none_is_the_gene_as_a_line(gene, planned):
    told, _files = planned
    turned = {**told, "sequence": told["sequence"][1:] + told["sequence"][:1]}
    assert stage._inputs(results(gene, told)) != stage._inputs(results(gene, turned))
    reference = stage._reference(results(gene, None))
    assert (reference.sequence, reference.circular) == (gene.dna, False)
