"""Deletions: the locus after the edit, the guide that dies with it, and primers that pydna amplifies from."""

import csv
import dataclasses
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, InputErrors, silent
from seedtrain.bioinformatics import (
    DnaRecord,
    EditQuestion,
    Feature,
    delete_genes,
    dna_genbank,
    genes_to_delete,
    read_dna,
)
from seedtrain.bioinformatics._edits import _locus as locus
from seedtrain.bioinformatics._hosts import reverse_complement
from tests.judges import needs
from tests.worked import called

GENES = (("b0001", "alpA", 3000, 3900, "+"), ("b0002", "betB", 6000, 6600, "-"), ("b0003", "gamC", 11_900, 302, "+"))
SIZE = 12_300


def genome() -> DnaRecord:
    """A drawn circle with three genes, one on the other strand and one across the origin."""
    source = random.Random(12)
    text = "".join(source.choice("ACGT") for _ in range(SIZE))
    features = []
    for tag, name, start, end, strand in GENES:
        spans = ((start + 1, end),) if start < end else ((start + 1, SIZE), (1, end))
        features.append(Feature("CDS", spans, "-" if strand == "-" else "+", {"locus_tag": (tag,), "gene": (name,)}))
    return DnaRecord("chromosome", text, True, tuple(features))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    import os

    before = os.environ.get("SEEDTRAIN_CACHE")
    os.environ["SEEDTRAIN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    try:
        yield delete_genes(genome(), ["b0001", "betB", "b0003"], EditQuestion(arm=300))
    finally:
        if before is None:
            os.environ.pop("SEEDTRAIN_CACHE")
        else:
            os.environ["SEEDTRAIN_CACHE"] = before


def test_the_edited_locus_is_the_genome_without_what_goes(made):
    doubled = genome().sequence * 2
    for item, (_tag, _name, start, end, strand) in zip(made, GENES, strict=True):
        first = item.first - 1 + (SIZE if item.first - 1 < start else 0)
        stop = first + item.wild - item.edited
        assert item.locus.sequence == doubled[first - 500 : first] + doubled[stop : stop + 500]
        assert item.donor.sequence == doubled[first - 300 : first] + doubled[stop : stop + 300]
        assert (stop - first) % 3 == 0
        last = end if end > start else end + SIZE
        kept = (first - start, last - stop)
        head, tail = kept if strand == "+" else kept[::-1]
        assert head in {3, 4, 5}
        assert tail in {21, 22, 23}
        assert (head + tail) % 3 == 0


def test_the_guide_cuts_the_gene_and_not_the_edited_genome(made):
    text = genome().sequence
    both = text + text[:30] + "|" + reverse_complement(text + text[:30])
    for item in made:
        assert item.guide is not None
        assert both.count(item.guide.sequence) >= 1
        after = item.locus.sequence + "|" + reverse_complement(item.locus.sequence)
        assert item.guide.sequence not in after
        assert item.guide.sequence not in item.donor.sequence


@needs("pydna")
def test_pydna_amplifies_the_products_that_are_told(made):
    from pydna.amplify import Anneal
    from pydna.dseqrecord import Dseqrecord
    from pydna.primer import Primer

    whole = genome()
    for item in made:
        primers = [Primer(one.sequence) for one in item.check]
        wild = Anneal(primers, Dseqrecord(whole.sequence, circular=True), limit=14).products
        edited = Anneal(primers, Dseqrecord(item.locus.sequence), limit=14).products
        assert [len(one) for one in wild] == [item.wild]
        assert [len(one) for one in edited] == [item.edited]


def test_verdicts_and_what_touches_a_neighbour(made):
    assert [item.verdict.verdict for item in made] == ["pass"] * 3
    crowded = genome()
    other = Feature("CDS", ((3850, 4400),), "+", {"locus_tag": ("b0009",), "gene": ("next",)})
    found = delete_genes(
        dataclasses.replace(crowded, features=(*crowded.features, other)), ["b0001"], EditQuestion(arm=300)
    )[0]
    assert found.touched == ("next",)
    assert found.verdict.verdict == "inconclusive"
    repeated = dataclasses.replace(crowded, sequence=crowded.sequence[:9000] + crowded.sequence[2600:3010] + "A" * 2890)
    failed = delete_genes(repeated, ["b0001"], EditQuestion(arm=300))[0]
    assert "homology arms in the genome" in {one.name for one in failed.verdict.criteria if one.verdict == "fail"}


# --- gene rules -----------------------------------------------------------------------------------------------------


def test_rules_by_hand():
    assert genes_to_delete("b1") == ("b1",)
    assert genes_to_delete("b1 or b2") == ("b1", "b2")
    assert genes_to_delete("b1 and b2") == ("b1",)
    assert genes_to_delete("(b0902 and b0903) or b3114") == ("b0902", "b3114")
    assert genes_to_delete("(b1 and b2) or (b1 and b3)") == ("b1",)
    for rule in ("b1 or", "(b1", "and b1", "b1 b2", ")"):
        with pytest.raises(InputError, match="gene rule"):
            genes_to_delete(rule)


rules = st.recursive(
    st.sampled_from(["b1", "b2", "b3", "b4", "b5"]),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
    max_leaves=7,
)


@given(rule=rules)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_the_genes_are_enough_and_no_smaller_set_is(rule):
    import itertools

    names = ["b1", "b2", "b3", "b4", "b5"]

    def works(lost) -> bool:
        return bool(eval(rule, {}, {name: name not in lost for name in names}))  # noqa: S307  our own rule

    found = genes_to_delete(rule)
    assert not works(found)
    for size in range(len(found)):
        assert all(works(lost) for lost in itertools.combinations(names, size))


# --- bad input and the command --------------------------------------------------------------------------------------


def test_genes_that_are_not_there_come_all_at_once():
    with pytest.raises(InputErrors) as caught:
        delete_genes(genome(), ["b7777", "b0001", "b8888"])
    assert [part.message for part in caught.value.parts] == [
        "chromosome has no gene 'b7777'",
        "chromosome has no gene 'b8888'",
    ]
    with pytest.raises(InputError, match="arms of 5 bp"):
        EditQuestion(arm=5)


def test_the_command_turns_a_strain_design_into_deletions(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "genome.gb").write_text(dna_genbank(genome()))
    design = {"designs": [{"names": ["R1", "R2"], "rules": ["b0001 or b0003", "b0002 and b0001"]}]}
    (tmp_path / "strain.json").write_text(json.dumps(design))
    run = ["design", "edits", tmp_path / "genome.gb"]
    more = ["--strain", tmp_path / "strain.json", "--arm", "300", "-o", tmp_path / "out", "--json"]
    said = called(*run, *more)
    assert said.code == 0, said.out + said.err
    data = said.document
    assert [item["gene"] for item in data["deletions"]] == ["b0001", "b0003"]
    rows = list(csv.DictReader((tmp_path / "out" / "oligonucleotides.csv").read_text().splitlines()))
    assert [row["what"] for row in rows if row["gene"] == "b0001"] == ["guide", "b0001_check_fwd", "b0001_check_rev"]
    assert read_dna(tmp_path / "out" / "b0001_donor.gb").sequence == data["deletions"][0]["donor"]["sequence"]
    said = called(*run, "--strain", tmp_path / "genome.gb")
    assert said.code == 2
    assert "no strain design" in said.err


def test_a_guide_that_the_edited_locus_still_holds_is_passed_over(made, tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path))
    whole, asked, item = genome(), EditQuestion(arm=300), made[0]
    index = locus.index_of(whole, asked, silent)
    span = (item.first - 1, item.wild - item.edited)
    assert locus.guide_of(index, whole, *span, item.locus, asked) == item.guide
    assert item.guide is not None
    kept = dataclasses.replace(item.locus, sequence=item.locus.sequence + reverse_complement(item.guide.sequence))
    other = locus.guide_of(index, whole, *span, kept, asked)
    assert other is not None
    assert other.sequence != item.guide.sequence
