"""The plasmid of a designed gene: the shipped backbone is what GenBank holds, and the cassette reads in its order."""

import dataclasses
import json

import pytest

from seedtrain.base import InputError
from seedtrain.bioinformatics import (
    design_construct,
    design_gene,
    expression_plan,
    expression_vector,
    parse_protein,
    read_dna,
)
from tests.judges import needs

PROTEIN = ">small\nMGSSHHHHHHSSGLVPRGSHMKVLAWTDEQRNPLIYFC\n"
SEGUID = "cdseguid=mCC0B3UMZfgLyh3Pl574MVjm30U"
"""Of GenBank L09137.2 and M77789.2 alike, as the tests of pydna (BSD) carry both records; checked against a third copy,
in Debian's package gentle."""


@pytest.fixture(scope="module")
def gene():
    return design_gene(parse_protein(PROTEIN, "small.fasta"), "e_coli")


@pytest.fixture(scope="module")
def made(gene):
    plan = expression_plan(gene)
    assert plan is not None
    return design_construct(plan, simulated=False)


@needs("pydna")
def test_the_backbone_is_the_record_of_genbank():
    from pydna.dseqrecord import Dseqrecord

    vector = expression_vector("e_coli")
    assert vector is not None
    assert Dseqrecord(vector.sequence, circular=True).seguid() == SEGUID


def test_the_backbone_keeps_a_whole_resistance_and_origin(made):
    from Bio.Seq import Seq

    by_label = {item.label: item for item in made.product.features}
    enzyme = str(Seq(made.product.text_of(by_label["bla"])).translate(table=11))
    assert (enzyme[:8], enzyme[-5:], len(enzyme), enzyme.count("*")) == ("MSIQHFRV", "IKHW*", 287, 1)
    assert "pMB1 origin" in by_label
    assert "GAATTCGAGCTCGGTACC" not in made.product.sequence * 2  # the polylinker is gone with lacZ'


def test_the_cassette_reads_promoter_operator_gene_terminator(made, gene):
    starts = [
        next(item.spans[0][0] for item in made.product.features if item.label == label and item.key == key)
        for key, label in (
            ("promoter", "T7 promoter"),
            ("protein_bind", "lac operator"),
            ("RBS", "phi10 ribosome binding site"),
            ("CDS", "small"),
            ("terminator", "T7 terminator"),
        )
    ]
    assert starts == sorted(starts)
    assert f"AAGAAGGAGATATACAT{gene.dna}TAATAACTAGCATAACCCC" in made.product.sequence
    assert made.product.circular
    assert made.product.name == "psmall"


@needs("pydna")
def test_pydna_clones_it_and_nothing_else(made):
    found = design_construct(made.plan)
    assert found.verdict.verdict == "pass"
    assert found.by_products == ()
    assert found.product == made.product


def test_without_the_simulation_the_verdict_is_open_and_says_so(made):
    assert made.verdict.verdict == "inconclusive"
    assert any("not simulated" in line for line in made.verdict.evidence)
    assert "pydna" not in made.verdict.versions


def test_a_host_without_a_vector_has_no_plan(gene):
    assert expression_plan(dataclasses.replace(gene, host="cho")) is None


@needs("pydna")
def test_the_command_writes_the_plasmid_of_a_protein(tmp_path, capsys):
    from seedtrain.cli._design import app

    (tmp_path / "small.fasta").write_text(PROTEIN)
    words = ["gene", str(tmp_path / "small.fasta"), "--plasmid", str(tmp_path / "out")]
    assert app([*words, "--json"], result_action="return_value") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plasmid"]["product"]["circular"]
    made = read_dna(tmp_path / "out" / "construct.gb")
    assert (made.sequence, made.circular) == (found["plasmid"]["product"]["sequence"], True)
    assert found["dna"] in (tmp_path / "out" / "fragments.fasta").read_text()
    with pytest.raises(InputError, match="no vector ships for b_subtilis"):
        app([*words, "--host", "b_subtilis"], result_action="return_value")
